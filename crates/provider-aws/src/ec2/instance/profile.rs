//! The IAM instance profile of an instance, which EC2 keeps as an association of its own.

use aws_sdk_ec2::types::IamInstanceProfileSpecification;
use reconcile_provider::{ErrorKind, ProviderError};

use super::create;
use crate::Aws;
use crate::call::Call;
use crate::filters;

const DESCRIBE: Call = Call::read("DescribeIamInstanceProfileAssociations");
const ASSOCIATE: Call = Call::mutate("AssociateIamInstanceProfile");
const REPLACE: Call = Call::mutate("ReplaceIamInstanceProfileAssociation");
const DISASSOCIATE: Call =
    Call::mutate("DisassociateIamInstanceProfile").gone(&["InvalidAssociationID.NotFound"]);

/// Gives an instance this profile, or none.
pub(super) async fn set(
    cx: &Aws,
    instance: &str,
    profile: Option<&str>,
) -> Result<(), ProviderError> {
    let association = association(cx, instance).await?;
    match (association, profile.and_then(create::instance_profile)) {
        (None, None) => Ok(()),
        (None, Some(profile)) => associate(cx, instance, profile).await,
        (Some(association), Some(profile)) => {
            cx.ec2(REPLACE, |ec2| {
                ec2.replace_iam_instance_profile_association()
                    .association_id(&association)
                    .iam_instance_profile(profile.clone())
                    .send()
            })
            .await?;
            Ok(())
        }
        (Some(association), None) => {
            let removed = cx
                .ec2(DISASSOCIATE, |ec2| {
                    ec2.disassociate_iam_instance_profile().association_id(&association).send()
                })
                .await;
            match removed {
                Err(error) if error.kind != ErrorKind::NotFound => Err(error),
                Ok(_) | Err(_) => Ok(()),
            }
        }
    }
}

async fn associate(
    cx: &Aws,
    instance: &str,
    profile: IamInstanceProfileSpecification,
) -> Result<(), ProviderError> {
    cx.ec2(ASSOCIATE, |ec2| {
        ec2.associate_iam_instance_profile()
            .instance_id(instance)
            .iam_instance_profile(profile.clone())
            .send()
    })
    .await?;
    Ok(())
}

/// Returns the association that is in force or about to be.
async fn association(cx: &Aws, instance: &str) -> Result<Option<String>, ProviderError> {
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE, |ec2| {
                ec2.describe_iam_instance_profile_associations()
                    .filters(filters::exactly("instance-id", [instance]))
                    .filters(filters::exactly("state", ["associating", "associated"]))
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        if let Some(association) = page.iam_instance_profile_associations().first() {
            return Ok(association.association_id().map(str::to_owned));
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(None);
        }
    }
}
