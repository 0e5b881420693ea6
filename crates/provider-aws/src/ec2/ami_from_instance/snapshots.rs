//! The snapshots that an image leaves when it goes.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;
use reconcile_model::ObjectId;
use reconcile_provider::{ErrorKind, ProviderError};

use super::by_filter;
use crate::call::{Call, Class};
use crate::{Aws, filters};

const DESCRIBE_SNAPSHOTS: Call = Call::read("DescribeSnapshots");
const DELETE_SNAPSHOT: Call =
    Call::mutate("DeleteSnapshot").class(Class::MutateLarge).gone(&["InvalidSnapshot.NotFound"]);

/// Returns the snapshots that the image left: of the recorded ones those that exist, or, when an image was never read,
/// those that EC2 says were made for it.
pub(super) async fn leftovers(
    cx: &Aws,
    image: &ObjectId,
    recorded: &BTreeSet<String>,
) -> Result<Vec<String>, ProviderError> {
    let filter = if recorded.is_empty() {
        let made_for = format!("Created by CreateImage(*) for {image}*");
        Filter::builder().name("description").values(made_for).build()
    } else {
        filters::exactly("snapshot-id", recorded)
    };
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_SNAPSHOTS, |ec2| {
                ec2.describe_snapshots()
                    .owner_ids("self")
                    .filters(filter.clone())
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        found
            .extend(page.snapshots.unwrap_or_default().into_iter().filter_map(|it| it.snapshot_id));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Deletes a snapshot that the image left, unless another image uses it.
pub(super) async fn delete_snapshot(
    cx: &Aws,
    image: &ObjectId,
    snapshot: &str,
) -> Result<Option<String>, ProviderError> {
    let error = match cx
        .ec2(DELETE_SNAPSHOT, |ec2| ec2.delete_snapshot().snapshot_id(snapshot).send())
        .await
    {
        Ok(_) => return Ok(None),
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => error,
    };
    if error.kind == ErrorKind::InUse {
        let filter = filters::exactly("block-device-mapping.snapshot-id", [snapshot]);
        let users = by_filter(cx, filter).await?;
        let user = users.iter().filter_map(|it| it.image_id()).find(|id| *id != image.as_str());
        if let Some(user) = user {
            return Ok(Some(format!("Snapshot {snapshot} is kept: image {user} uses it too.")));
        }
    }
    Err(error.about(&ObjectId::from(snapshot)))
}
