//! `aws_volume_attachment`: a volume at a device of an instance.
//!
//! # Remote API
//!
//! | verb   | calls                                                                     |
//! |--------|---------------------------------------------------------------------------|
//! | create | `AttachVolume`                                                            |
//! | read   | `DescribeVolumes`, filtered by `volume-id`                                |
//! | update | none: nothing of it changes in place                                      |
//! | delete | `StopInstances` if that is wanted, `DetachVolume`                         |
//!
//! # Oddities
//!
//! - AWS gives it no id. Ours is made of the device, the instance, and the volume, and cannot be taken apart again; for
//!   adoption, `DEVICE:VOLUME:INSTANCE` is taken as well.
//! - `AttachVolume` of what is attached already is refused as `VolumeInUse`, so it is looked up first.
//! - Detaching a volume that a running system has mounted can hang in `busy`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Volume, VolumeAttachment as Description};
use reconcile_model::schema::{Literal, Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};
use sha2::{Digest as _, Sha256};

use super::ebs::VOLUMES;
use super::ebs_volume::describe;
use super::instance::read;
use crate::call::{Call, Class};
use crate::many::many;
use crate::wait::{Look, until};
use crate::{Aws, filters};

const ATTACH_VOLUME: Call = Call::mutate("AttachVolume");
const DETACH_VOLUME: Call =
    Call::mutate("DetachVolume").gone(&["InvalidAttachment.NotFound", "InvalidVolume.NotFound"]);
const STOP_INSTANCES: Call =
    Call::mutate("StopInstances").gone(&["InvalidInstanceID.NotFound"]).class(Class::StopInstances);

/// How long a stop before detaching may take.
const STOP: Duration = Duration::from_secs(10 * 60);

static SCHEMA: Schema = Schema {
    type_name: "aws_volume_attachment",
    mode: Mode::Managed,
    version: 1,
    doc: "A volume attached to an instance.",
    attributes: &[
        Attribute::required("device_name", Kind::String)
            .replace()
            .doc("The device to attach it at, such as `/dev/sdf`; the system may call it otherwise."),
        Attribute::required("instance_id", Kind::String)
            .replace()
            .refers_to("aws_instance", "id")
            .doc("The instance."),
        Attribute::required("volume_id", Kind::String)
            .replace()
            .refers_to("aws_ebs_volume", "id")
            .doc("The volume."),
        Attribute::optional("force_detach", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether to detach even if the system does not let go of it; what is not written is lost."),
        Attribute::optional("skip_destroy", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether destroying leaves it attached, and only forgets it."),
        Attribute::optional("stop_instance_before_detaching", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether the instance is stopped first; it stays stopped."),
        Attribute::computed("id", Kind::String).doc("An id made of device, instance, and volume."),
    ],
    constraints: &[],
    recovery: Recovery::NaturalKey(&["device_name", "volume_id", "instance_id"]),
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &["ec2:DescribeVolumes"],
    iam_write: &[
        "ec2:AttachVolume",
        "ec2:DescribeInstances",
        "ec2:DetachVolume",
        "ec2:StopInstances",
    ],
};

/// The `aws_volume_attachment` resource type.
#[derive(Debug)]
pub struct VolumeAttachment;

#[async_trait]
impl ResourceType<Aws> for VolumeAttachment {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        _operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let place = Place::of(planned).ok_or_else(incomplete)?;
        if !place.is_taken(cx).await? {
            cx.ec2(ATTACH_VOLUME, |ec2| {
                ec2.attach_volume()
                    .device(&place.device)
                    .instance_id(&place.instance)
                    .volume_id(&place.volume)
                    .send()
            })
            .await?;
        }
        Ok(Created::new(place.id()))
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let places: Vec<(&Target<'_>, Place)> = targets
            .iter()
            .filter_map(|target| {
                let place = Place::of(target.recorded).or_else(|| Place::parse(target.id))?;
                Some((target, place))
            })
            .collect();
        if places.is_empty() {
            return Ok(BTreeMap::new());
        }
        let volumes = places.iter().map(|(_, place)| place.volume.clone()).collect();
        let describe = |filter| describe(cx, filter);
        let volumes = many(cx, VOLUMES, volumes, describe, |it: &Volume| it.volume_id()).await?;
        let observed = places.iter().filter_map(|(target, place)| {
            if depth == Depth::Status && is_left(target.recorded) {
                return None;
            }
            let status = status(place.attachment(&volumes)?, depth)?;
            let observed = Observed { status, ..Observed::ready(place.object(target.id)) };
            Some((target.id.clone(), observed))
        });
        Ok(observed.collect())
    }

    async fn update(&self, _cx: &Aws, _update: &Update<'_>) -> Result<Notes, ProviderError> {
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let place = Place::of(recorded).or_else(|| Place::parse(id)).ok_or_else(incomplete)?;
        let Place { device, instance, volume } = &place;
        if is_left(recorded) {
            let note =
                format!("Volume {volume} stays attached to {instance}, as `skip_destroy` says.");
            return Ok(vec![note]);
        }
        if !place.is_taken(cx).await? {
            return Ok(Notes::new());
        }
        let mut notes = Notes::new();
        if recorded.bool("stop_instance_before_detaching") == Some(true)
            && stop(cx, instance).await?
        {
            notes.push(format!("Instance {instance} was stopped to detach volume {volume}."));
        }
        let detached = cx
            .ec2(DETACH_VOLUME, |ec2| {
                ec2.detach_volume()
                    .device(device)
                    .instance_id(instance)
                    .volume_id(volume)
                    .set_force(recorded.bool("force_detach").filter(|force| *force))
                    .send()
            })
            .await;
        match detached {
            // What is being detached, or has been, is not in a state to be.
            Err(error) if error.kind != ErrorKind::NotFound && place.is_taken(cx).await? => {
                Err(error.about(id))
            }
            Ok(_) | Err(_) => Ok(notes),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        _operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let place = Place::of(planned).ok_or_else(incomplete)?;
        // There is nothing to it but its key: one that exists is the one that was wanted.
        Ok(match place.is_taken(cx).await? {
            true => Found::Ours(place.id()),
            false => Found::Nothing,
        })
    }
}

/// What is attached where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    device: String,
    instance: String,
    volume: String,
}

impl Place {
    fn of(object: &Object) -> Option<Self> {
        Some(Self {
            device: object.string("device_name")?,
            instance: object.string("instance_id")?,
            volume: object.string("volume_id")?,
        })
    }

    /// Reads an id as the user writes it for adoption: `DEVICE:VOLUME:INSTANCE`.
    fn parse(id: &ObjectId) -> Option<Self> {
        let mut parts = id.as_str().split(':').map(str::to_owned);
        let (device, volume, instance) = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(Self { device, instance, volume })
    }

    fn id(&self) -> ObjectId {
        let text = format!("{}-{}-{}", self.device, self.instance, self.volume);
        let hash = Sha256::digest(text.as_bytes());
        let hex: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("vai-{hex}").into()
    }

    fn object(&self, id: &ObjectId) -> Object {
        Object::new()
            .with("id", id.as_str())
            .with("device_name", self.device.as_str())
            .with("instance_id", self.instance.as_str())
            .with("volume_id", self.volume.as_str())
    }

    fn attachment<'a>(&self, volumes: &'a [Volume]) -> Option<&'a Description> {
        let volume = volumes.iter().find(|it| it.volume_id() == Some(self.volume.as_str()))?;
        volume.attachments().iter().find(|it| {
            it.instance_id() == Some(self.instance.as_str())
                && it.device() == Some(self.device.as_str())
        })
    }

    /// Tells whether the volume is attached, or being attached, just so.
    async fn is_taken(&self, cx: &Aws) -> Result<bool, ProviderError> {
        let volumes = describe(cx, filters::exactly("volume-id", [&self.volume])).await?;
        let attachment = self.attachment(&volumes);
        Ok(attachment.and_then(|attachment| status(attachment, Depth::Full)).is_some())
    }
}

/// Returns the status; `None` when the volume is detached, or goes and nobody waits for that.
fn status(attachment: &Description, depth: Depth) -> Option<Status> {
    match attachment.state().map_or("unknown", |state| state.as_str()) {
        "attached" => Some(Status::Ready),
        "detached" => None,
        "detaching" if depth == Depth::Full => None,
        // The system has it mounted: it is attached until it lets go.
        "busy" if depth == Depth::Full => Some(Status::Ready),
        state => Some(Status::Pending(state.to_owned())),
    }
}

/// Tells whether an attachment is only forgotten, and so counts as gone to who waits for it to go. What was never read
/// is waited for to come, not to go.
fn is_left(recorded: &Object) -> bool {
    recorded.bool("skip_destroy") == Some(true) && recorded.str("id").is_some()
}

fn incomplete() -> ProviderError {
    ProviderError::new(
        ErrorKind::Invalid,
        ATTACH_VOLUME.name,
        "device, instance, or volume is not known",
    )
    .hint("For adoption, write the id as `DEVICE:VOLUME:INSTANCE`.")
}

/// Stops an instance and waits until it is. Returns whether it was not stopped before.
async fn stop(cx: &Aws, instance: &str) -> Result<bool, ProviderError> {
    let state = || async {
        let found = read::by_id(cx, &[instance]).await?;
        let state = found.first().map_or("terminated", |found| read::state(&found.instance));
        Ok::<_, ProviderError>(state.to_owned())
    };
    if matches!(state().await?.as_str(), "stopped" | "terminated") {
        return Ok(false);
    }
    cx.ec2(STOP_INSTANCES, |ec2| ec2.stop_instances().instance_ids(instance).send())
        .await
        .map_err(|error| error.about(&ObjectId::from(instance)))?;
    until(STOP_INSTANCES.name, STOP, || async {
        Ok(match state().await? {
            state if matches!(state.as_str(), "stopped" | "terminated") => Look::Done(true),
            state => Look::NotYet(state),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::VolumeAttachmentState;

    use super::*;

    fn planned() -> Object {
        Object::new()
            .with("device_name", "/dev/sdf")
            .with("instance_id", "i-1")
            .with("volume_id", "vol-1")
    }

    fn volume(state: &str, device: &str) -> Volume {
        let attachment = Description::builder()
            .instance_id("i-1")
            .device(device)
            .state(VolumeAttachmentState::from(state))
            .build();
        Volume::builder().volume_id("vol-1").attachments(attachment).build()
    }

    #[test]
    fn ids_are_the_same_for_the_same_place() {
        let place = Place::of(&planned()).unwrap();
        assert_eq!(place.id(), Place::of(&planned()).unwrap().id());
        assert!(place.id().as_str().starts_with("vai-"));
        assert_eq!(Place::parse(&"/dev/sdf:vol-1:i-1".into()), Some(place.clone()));
        assert_eq!(Place::parse(&place.id()), None);
    }

    #[test]
    fn another_device_is_another_attachment() {
        let place = Place::of(&planned()).unwrap();
        assert!(place.attachment(&[volume("attached", "/dev/sdf")]).is_some());
        assert!(place.attachment(&[volume("attached", "/dev/sdg")]).is_none());
    }

    #[test]
    fn what_is_being_detached_is_gone_but_to_who_waits() {
        let status_of = |state: &str, depth| {
            let volume = volume(state, "/dev/sdf");
            status(&volume.attachments()[0], depth)
        };
        assert_eq!(status_of("attached", Depth::Status), Some(Status::Ready));
        assert_eq!(status_of("detaching", Depth::Full), None);
        let pending = Some(Status::Pending("detaching".to_owned()));
        assert_eq!(status_of("detaching", Depth::Status), pending);
        assert_eq!(status_of("busy", Depth::Full), Some(Status::Ready));
    }

    #[test]
    fn what_is_left_counts_as_gone_only_once_it_is_recorded() {
        let new = planned().with("skip_destroy", true);
        assert!(!is_left(&new));
        assert!(is_left(&new.with("id", "vai-1")));
        assert!(!is_left(&planned().with("id", "vai-1")));
    }
}
