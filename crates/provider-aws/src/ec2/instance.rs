//! `aws_instance`: a virtual machine, with its volumes and network interfaces.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                          |
//! |--------|------------------------------------------------------------------------------------------------|
//! | create | `DescribeImages` for the root device's name, once for each image; `RunInstances` with a client token |
//! | read   | `DescribeInstances`, `DescribeVolumes`, for many at once; `DescribeInstanceCreditSpecifications`, likewise, and `DescribeInstanceAttribute` for what the spec gives and only they tell |
//! | update | a call for each option; `StopInstances` and `StartInstances` around those that need it         |
//! | delete | `TerminateInstances`, in one call for those that go at the same time                           |
//!
//! # Oddities
//!
//! - `RunInstances` is idempotent by Availability Zone: the token is bound to the subnet.
//! - An instance can go from `pending` straight to `terminated`: for want of capacity, or of a key it may use.
//! - A root volume is described under the image's name for the root device; under any other it is a second disk.
//! - Terminated instances stay visible for an hour. They count as gone.
//! - One protected instance fails a whole `TerminateInstances` call, after others of it are terminated: the call is made
//!   again for those who shared it, in ever smaller parts.
//! - User data, protections, and the shutdown behavior are told one at a time for one instance; see [`read::Wanted`].
//! - Default tags of the provider are not added to volumes.

pub(crate) mod object;
pub(crate) mod read;
pub(crate) mod volumes;

mod create;
mod profile;
mod schema;
mod spot;
mod update;
pub(crate) mod user_data;

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Instance as Description, StateReason};
use reconcile_model::tags::Ownership;
use reconcile_model::{Object, ObjectId, Schema};
use reconcile_provider::together::Items;
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use crate::Aws;
use crate::call::{Call, Class};
use crate::{filters, tags};
use schema::SCHEMA;

/// What EC2 says of an instance that does not exist.
const NOT_FOUND: &[&str] = &["InvalidInstanceID.NotFound"];

const DESCRIBE_IMAGES: Call = Call::read("DescribeImages");
const DESCRIBE_TEMPLATE_VERSIONS: Call = Call::read("DescribeLaunchTemplateVersions");
const MODIFY_INSTANCE_ATTRIBUTE: Call = Call::mutate("ModifyInstanceAttribute").gone(NOT_FOUND);
const RUN_INSTANCES: Call = Call::mutate("RunInstances").class(Class::RunInstances);
const TERMINATE_INSTANCES: Call =
    Call::mutate("TerminateInstances").class(Class::TerminateInstances).gone(NOT_FOUND);

/// The `aws_instance` resource type.
#[derive(Debug)]
pub struct Instance;

#[async_trait]
impl ResourceType<Aws> for Instance {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let root = match planned.block("root_block_device") {
            Some(_) => Some(root_device(cx, planned).await?),
            None => None,
        };
        let input = create::input(operation, planned, root.as_deref());
        let output = cx
            .ec2(RUN_INSTANCES, |ec2| {
                let (input, ec2) = (input.clone(), ec2.clone());
                async move { input.send_with(&ec2).await }
            })
            .await?;
        match output.instances().first().and_then(|instance| instance.instance_id()) {
            Some(id) => Ok(Created::new(id)),
            None => Err(ProviderError::new(
                ErrorKind::Transient,
                RUN_INSTANCES.name,
                "the answer names no instance",
            )),
        }
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let ids: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
        let found = read::by_id(cx, &ids).await?;
        let by_id: BTreeMap<&str, &Target<'_>> =
            targets.iter().map(|target| (target.id.as_str(), target)).collect();
        let pairs = found
            .iter()
            .filter_map(|found| Some((found, *by_id.get(found.instance.instance_id()?)?)));
        if depth == Depth::Full {
            let there = pairs.filter(|(found, _)| is_there(&found.instance)).collect();
            return in_full(cx, there, depth).await;
        }
        // An instance that was launched and runs is not ready before its volumes are visible. Then all else can be
        // read as well.
        let (launched, others): (Vec<_>, Vec<_>) = pairs.partition(|(found, target)| {
            is_launching(target.recorded) && status(&found.instance) == Status::Ready
        });
        let mut observed = in_full(cx, launched, depth).await?;
        observed.extend(others.into_iter().filter_map(|(found, target)| {
            let status = waiting_status(&found.instance, target.recorded)?;
            let ownership = Ownership::of(&tags::from_ec2(found.instance.tags()));
            Some((target.id.clone(), Observed { object: Object::new(), status, ownership }))
        }));
        Ok(observed)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        update::update(cx, update).await
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let protected = recorded.bool("disable_api_termination") == Some(true);
        let force = recorded.bool("force_destroy") == Some(true);
        let deleted = async {
            if protected || force {
                update::disable_api_termination(cx, id.as_str(), false).await?;
            }
            if let Some(request) = recorded.str("spot_instance_request_id") {
                spot::cancel(cx, request).await?;
            }
            terminate(cx, id).await
        };
        match deleted.await {
            Ok(()) => Ok(kept_volumes(id, recorded)),
            // A terminated instance cannot be modified, and has nothing to protect.
            Err(error) if error.kind == ErrorKind::NotFound || !exists(cx, id).await? => {
                Ok(kept_volumes(id, recorded))
            }
            Err(error) => Err(error.about(id)),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let token = operation.token(create::token_part(planned));
        let found = read::describe(cx, vec![filters::exactly("client-token", [token])]).await?;
        let ours = found
            .into_iter()
            .filter(|found| is_there(&found.instance))
            .filter(|found| {
                let tags = tags::from_ec2(found.instance.tags());
                Ownership::of(&tags).operation.as_deref() == Some(operation.id.as_str())
            })
            .find_map(|found| found.instance.instance_id);
        Ok(ours.map_or(Found::Nothing, |id| Found::Ours(id.into())))
    }
}

/// Reads instances with all that matters of them. Who waits, waits for their volumes as well.
async fn in_full(
    cx: &Aws,
    pairs: Vec<(&read::Found, &Target<'_>)>,
    depth: Depth,
) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
    if pairs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let instances: Vec<&Description> = pairs.iter().map(|(found, _)| &found.instance).collect();
    let wanted = pairs
        .iter()
        .map(|(found, target)| {
            (target.id.0.clone(), read::Wanted::of(target, &found.instance, depth))
        })
        .collect();
    let templates = pairs
        .iter()
        .filter_map(|(found, target)| read::nameless_template(target, &found.instance))
        .collect();
    let with_credits: Vec<&Description> = pairs
        .iter()
        .filter(|(_, target)| read::wants_credits(target))
        .map(|(found, _)| &found.instance)
        .collect();
    let (around, attributes) = futures::try_join!(
        read::surroundings(cx, &instances, templates, &with_credits),
        read::attributes(cx, wanted),
    )?;
    let region = cx.region_name().await?;
    let nothing = read::Attributes::default();
    let observed = pairs.into_iter().map(|(found, target)| {
        let ownership = Ownership::of(&tags::from_ec2(found.instance.tags()));
        if depth == Depth::Status && !volumes::are_visible(&found.instance, &around.volumes) {
            let status = Status::Pending("volumes not yet visible".to_owned());
            return (target.id.clone(), Observed { object: Object::new(), status, ownership });
        }
        let own = attributes.get(target.id.as_str()).unwrap_or(&nothing);
        let object = object::managed(found, &around, own, target, &region);
        let status = status(&found.instance);
        (target.id.clone(), Observed { object, status, ownership })
    });
    Ok(observed.collect())
}

/// Terminates an instance, in one call with others that are to go.
async fn terminate(cx: &Aws, id: &ObjectId) -> Result<(), ProviderError> {
    cx.count(Class::TerminatedInstance).await;
    let terminate = |ids: Items<String, ()>| async move {
        cx.ec2(TERMINATE_INSTANCES, |ec2| {
            ec2.terminate_instances().set_instance_ids(Some(ids.get())).send()
        })
        .await?;
        Ok(vec![(); ids.get().len()])
    };
    cx.shared.terminated.change((), id.0.clone(), TERMINATE_INSTANCES.name, terminate).await
}

/// Tells whether an instance is one still: what is being terminated is not, for all but waiting.
pub(crate) fn is_there(instance: &Description) -> bool {
    !matches!(read::state(instance), "shutting-down" | "terminated")
}

async fn exists(cx: &Aws, id: &ObjectId) -> Result<bool, ProviderError> {
    let found = read::by_id(cx, &[id.as_str()]).await?;
    Ok(found.iter().any(|found| is_there(&found.instance)))
}

fn status(instance: &Description) -> Status {
    match read::state(instance) {
        "running" | "stopped" => Status::Ready,
        state => Status::Pending(state.to_owned()),
    }
}

/// Tells whether an instance was created and never read since.
fn is_launching(recorded: &Object) -> bool {
    recorded.str("instance_state").is_none()
}

/// Returns the status for waiting, `None` when the instance is gone.
///
/// An instance that never came to run is a failed launch for who waits for it to; who waits for it to go has recorded
/// it, and to them it is gone like any other.
fn waiting_status(instance: &Description, recorded: &Object) -> Option<Status> {
    if read::state(instance) != "terminated" {
        return Some(status(instance));
    }
    let reason = instance.state_reason().filter(|_| is_launching(recorded))?;
    launch_failure(reason).map(Status::Failed)
}

/// Returns why a launch failed; `None` when somebody or the instance itself ended it.
fn launch_failure(reason: &StateReason) -> Option<String> {
    let code = reason.code().unwrap_or_default();
    let by_itself = code.starts_with("Server.") || code.starts_with("Client.");
    let wanted =
        matches!(code, "Client.UserInitiatedShutdown" | "Client.InstanceInitiatedShutdown");
    (by_itself && !wanted).then(|| format!("terminated: {}", reason.message().unwrap_or(code)))
}

/// Tells of the volumes that stay, as they were told to.
fn kept_volumes(id: &ObjectId, recorded: &Object) -> Notes {
    recorded
        .blocks("root_block_device")
        .chain(recorded.blocks("ebs_block_device"))
        .filter(|block| block.bool("delete_on_termination") == Some(false))
        .filter_map(|block| block.str("volume_id"))
        .map(|volume| {
            format!("Volume {volume} of {id} is kept, as `delete_on_termination` is false.")
        })
        .collect()
}

/// Returns the name under which a root volume has to be described: the image's name for it.
///
/// Some images name a root device that their mappings do not have (`/dev/sda1` for `/dev/sda`); then it is the first
/// mapping's.
async fn root_device(cx: &Aws, planned: &Object) -> Result<String, ProviderError> {
    let ami = match planned.string("ami") {
        Some(ami) => ami,
        None => template_image(cx, planned).await?,
    };
    cx.shared.root_devices.get(&ami, || root_device_of(cx, &ami)).await
}

async fn root_device_of(cx: &Aws, ami: &str) -> Result<String, ProviderError> {
    let output = cx.ec2(DESCRIBE_IMAGES, |ec2| ec2.describe_images().image_ids(ami).send()).await?;
    let image = output.images().first();
    let root = image.and_then(|image| {
        let mut names = image.block_device_mappings().iter().filter_map(|it| it.device_name());
        let root = image.root_device_name()?;
        let first = names.clone().next();
        if names.any(|name| name == root) { Some(root) } else { first.or(Some(root)) }
    });
    root.map(str::to_owned).ok_or_else(|| {
        let message = format!("image {ami} does not exist or has no root device");
        ProviderError::new(ErrorKind::MissingReference, DESCRIBE_IMAGES.name, message)
    })
}

/// Returns the image that the launch template names.
async fn template_image(cx: &Aws, planned: &Object) -> Result<String, ProviderError> {
    let template = planned.block("launch_template");
    let get = |name: &str| template.and_then(|it| it.string(name));
    let output = cx
        .ec2(DESCRIBE_TEMPLATE_VERSIONS, |ec2| {
            ec2.describe_launch_template_versions()
                .set_launch_template_id(get("id"))
                .set_launch_template_name(get("name").filter(|_| get("id").is_none()))
                .versions(get("version").unwrap_or_else(|| "$Default".to_owned()))
                .resolve_alias(true)
                .send()
        })
        .await?;
    let data = output.launch_template_versions().first().and_then(|it| it.launch_template_data());
    data.and_then(|data| data.image_id()).map(str::to_owned).ok_or_else(|| {
        ProviderError::new(
            ErrorKind::Invalid,
            DESCRIBE_TEMPLATE_VERSIONS.name,
            "the launch template names no image, and `root_block_device` needs to know it",
        )
        .hint("Give `ami` in the spec.")
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{InstanceState, InstanceStateName};

    use super::*;

    fn instance(state: &str, reason: &str) -> Description {
        let reason = StateReason::builder().code(reason).message(format!("{reason}: so it is"));
        Description::builder()
            .state(InstanceState::builder().name(InstanceStateName::from(state)).build())
            .state_reason(reason.build())
            .build()
    }

    #[test]
    fn states_tell_when_to_go_on() {
        let new = Object::new();
        assert_eq!(waiting_status(&instance("running", ""), &new), Some(Status::Ready));
        assert_eq!(waiting_status(&instance("stopped", ""), &new), Some(Status::Ready));
        let pending = Some(Status::Pending("stopping".to_owned()));
        assert_eq!(waiting_status(&instance("stopping", ""), &new), pending);
        assert!(is_there(&instance("pending", "")));
        assert!(!is_there(&instance("shutting-down", "")));
    }

    #[test]
    fn a_launch_that_failed_is_a_failure_to_who_waits_for_it() {
        let failed = instance("terminated", "Server.InsufficientInstanceCapacity");
        let status = waiting_status(&failed, &Object::new());
        assert!(
            matches!(status, Some(Status::Failed(why)) if why.contains("InsufficientInstanceCapacity"))
        );
        let recorded = Object::new().with("instance_state", "running");
        assert_eq!(waiting_status(&failed, &recorded), None);
        let ended = instance("terminated", "Client.UserInitiatedShutdown");
        assert_eq!(waiting_status(&ended, &Object::new()), None);
    }

    #[test]
    fn volumes_that_stay_are_told_of() {
        let block = Object::new().with("volume_id", "vol-1").with("delete_on_termination", false);
        let recorded = Object::new().with("root_block_device", vec![block]);
        let notes = kept_volumes(&"i-1".into(), &recorded);
        assert_eq!(notes, ["Volume vol-1 of i-1 is kept, as `delete_on_termination` is false."]);
    }
}
