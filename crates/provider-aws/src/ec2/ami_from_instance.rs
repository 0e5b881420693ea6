//! `aws_ami_from_instance`: an image of an instance as it is, with snapshots of its volumes.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                       |
//! |--------|---------------------------------------------------------------------------------------------|
//! | create | `CreateImage`, which tags the image and its snapshots                                       |
//! | read   | `DescribeImages`, filtered by `image-id`                                                    |
//! | update | `ModifyImageAttribute` (description), `EnableImageDeprecation`, `DisableImageDeprecation`, tags |
//! | delete | `DeregisterImage` together with its snapshots, then `DescribeSnapshots` and `DeleteSnapshot` for what is left |
//!
//! # Oddities
//!
//! - An image's name can exist once in an account and Region: an interrupted create is found by it.
//! - The instance is rebooted unless `snapshot_without_reboot` says not to.
//! - An image's snapshots outlive it and then belong to nothing: their ids are recorded before the image goes.
//! - A deregistered image answers for a while, as `InvalidAMIID.Unavailable`.
//! - `last_launched_time` is left to the data source: here it would show as drift with every instance started.
//! - Tags are given to the snapshots when they are made, and later changes of tags only to the image.

mod snapshots;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{
    AttributeValue, BlockDeviceMapping, Filter, Image, ResourceType as Taggable, VolumeType,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{
    Attribute, Blocks, Check, Kind, Literal, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::tags::Ownership;
use reconcile_model::{Mode, Object, ObjectId, Value};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::image::{self, DESCRIBED, Query};
use crate::call::{Call, Class};
use crate::many::{Ask, many};
use crate::wait::{Look, until};
use crate::{Aws, filters, tags};

const GONE: &[&str] = &["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"];
const CREATE_IMAGE: Call = Call::mutate("CreateImage");
const MODIFY_IMAGE_ATTRIBUTE: Call =
    Call::mutate("ModifyImageAttribute").class(Class::MutateLarge).gone(GONE);
const ENABLE_DEPRECATION: Call = Call::mutate("EnableImageDeprecation").gone(GONE);
const DISABLE_DEPRECATION: Call = Call::mutate("DisableImageDeprecation").gone(GONE);
const DEREGISTER_IMAGE: Call = Call::mutate("DeregisterImage").class(Class::MutateLarge).gone(GONE);
/// How long a changed description may take to be told; the Terraform AWS provider allows as much.
const PROPAGATION: Duration = Duration::from_secs(2 * 60);

static SCHEMA: Schema = Schema {
    type_name: "aws_ami_from_instance",
    mode: Mode::Managed,
    version: 1,
    doc: "An image made of an instance; destroying it also deletes its snapshots.",
    attributes: &ATTRIBUTES,
    constraints: &[],
    recovery: Recovery::NaturalKey(&["name"]),
    timeouts: Timeouts::minutes(40, 40, 90),
    iam_read: &["ec2:DescribeImages", "ec2:DescribeSnapshots"],
    iam_write: &[
        "ec2:CreateImage",
        "ec2:CreateTags",
        "ec2:DeleteSnapshot",
        "ec2:DeleteTags",
        "ec2:DeregisterImage",
        "ec2:DisableImageDeprecation",
        "ec2:EnableImageDeprecation",
        "ec2:ModifyImageAttribute",
    ],
};

const OWN: [Attribute; 12] = [
    Attribute::required("name", Kind::String)
        .replace()
        .check(Check::Rule(is_image_name))
        .doc("The image's name, which can exist once in an account and Region."),
    Attribute::required("source_instance_id", Kind::String)
        .replace()
        .refers_to("aws_instance", "id")
        .doc("The instance to make it of."),
    Attribute::optional("snapshot_without_reboot", Kind::Bool)
        .default(Literal::Bool(false))
        .replace()
        .write_only()
        .doc("Whether the instance runs on meanwhile; what it has not yet written to its volumes may then be missing."),
    Attribute::optional("description", Kind::String)
        .normalize(Normalize::Rule(empty_is_none))
        .check(Check::Length(0, 255))
        .doc("What the image is for."),
    Attribute::optional("deprecation_time", Kind::String)
        .normalize(Normalize::Rule(whole_minute))
        .check(Check::Rule(is_time))
        .doc("When it becomes deprecated, in RFC 3339; to the minute."),
    Attribute::optional("tags", Kind::Map(&Kind::String)).doc("Tags for the image."),
    Attribute::computed("id", Kind::String).doc("The image's id."),
    Attribute::computed("ebs_block_device", Kind::Blocks(&EBS_BLOCK_DEVICE))
        .doc("The volumes that its instances get, with their snapshots."),
    Attribute::computed("ephemeral_block_device", Kind::Blocks(&EPHEMERAL_BLOCK_DEVICE))
        .doc("The instance store volumes that its instances get."),
    Attribute::computed("manage_ebs_snapshots", Kind::Bool)
        .doc("Whether the snapshots are deleted with it; always true."),
    Attribute::computed("state", Kind::String).doc("`available`, when it can be used."),
    Attribute::computed("tags_all", Kind::Map(&Kind::String))
        .doc("Its tags together with the provider's default tags."),
];

static ATTRIBUTES: [Attribute; OWN.len() + DESCRIBED.len()] = {
    let mut all = [OWN[0]; OWN.len() + DESCRIBED.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OWN.len() { OWN[at] } else { DESCRIBED[at - OWN.len()] };
        at += 1;
    }
    all
};

static EBS_BLOCK_DEVICE: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::computed("delete_on_termination", Kind::Bool)
            .doc("Whether the volume is deleted with an instance."),
        Attribute::computed("device_name", Kind::String).doc("The device."),
        Attribute::computed("encrypted", Kind::Bool).doc("Whether it is encrypted."),
        Attribute::computed("iops", Kind::Int).doc("I/O operations a second."),
        Attribute::computed("outpost_arn", Kind::String).doc("The Outpost of the snapshot."),
        Attribute::computed("snapshot_id", Kind::String).doc("The snapshot."),
        Attribute::computed("throughput", Kind::Int).doc("MiB a second."),
        Attribute::computed("volume_size", Kind::Int).doc("The size in GiB."),
        Attribute::computed("volume_type", Kind::String).doc("The type of volume."),
    ],
};

static EPHEMERAL_BLOCK_DEVICE: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::computed("device_name", Kind::String).doc("The device."),
        Attribute::computed("virtual_name", Kind::String).doc("The instance store volume."),
    ],
};

/// The `aws_ami_from_instance` resource type.
#[derive(Debug)]
pub struct AmiFromInstance;

#[async_trait]
impl ResourceType<Aws> for AmiFromInstance {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let tags = [Taggable::Image, Taggable::Snapshot]
            .map(|kind| tags::specification(operation, planned, kind));
        let output = cx
            .ec2(CREATE_IMAGE, |ec2| {
                ec2.create_image()
                    .set_instance_id(planned.string("source_instance_id"))
                    .set_name(planned.string("name"))
                    .set_description(planned.string("description").filter(|text| !text.is_empty()))
                    .no_reboot(planned.bool("snapshot_without_reboot").unwrap_or(false))
                    .set_tag_specifications(Some(tags.to_vec()))
                    .send()
            })
            .await?;
        output.image_id.map(Created::new).ok_or_else(|| {
            let message = "the answer names no image";
            ProviderError::new(ErrorKind::Transient, CREATE_IMAGE.name, message)
        })
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        _depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        const ASK: Ask = Ask { filter: "image-id", page: 1000 };
        let ids = targets.iter().map(|target| target.id.0.clone()).collect();
        let by_filter = |filter| by_filter(cx, filter);
        let images = many(cx, ASK, ids, by_filter, |it: &Image| it.image_id()).await?;
        let region = cx.region_name().await?;
        let by_id: BTreeMap<&str, &Target<'_>> =
            targets.iter().map(|target| (target.id.as_str(), target)).collect();
        let observed = images.iter().filter_map(|image| {
            let status = status(image)?;
            let id = ObjectId::from(image.image_id()?);
            let tags = tags::from_ec2(image.tags());
            let recorded = by_id.get(id.as_str())?.recorded;
            let object = object(image, &region, recorded);
            Some((id, Observed { object, status, ownership: Ownership::of(&tags) }))
        });
        Ok(observed.collect())
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        tags::update_ec2(cx, &SCHEMA, update).await?;
        let id = update.id.as_str();
        if update.changes(&SCHEMA, "description") {
            describe_as(cx, id, update.planned.str("description").unwrap_or_default()).await?;
        }
        if update.changes(&SCHEMA, "deprecation_time") {
            match update.planned.str("deprecation_time").and_then(minute) {
                Some(time) => {
                    cx.ec2(ENABLE_DEPRECATION, |ec2| {
                        ec2.enable_image_deprecation().image_id(id).deprecate_at(time).send()
                    })
                    .await?;
                }
                None => {
                    cx.ec2(DISABLE_DEPRECATION, |ec2| {
                        ec2.disable_image_deprecation().image_id(id).send()
                    })
                    .await?;
                }
            }
        }
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let recorded_snapshots: BTreeSet<String> = recorded
            .blocks("ebs_block_device")
            .filter_map(|block| block.string("snapshot_id"))
            .collect();
        let deregistered = cx
            .ec2(DEREGISTER_IMAGE, |ec2| {
                ec2.deregister_image()
                    .image_id(id.as_str())
                    .delete_associated_snapshots(true)
                    .send()
            })
            .await;
        match deregistered {
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error.about(id)),
            Ok(_) | Err(_) => {}
        }
        let mut notes = Notes::new();
        for snapshot in snapshots::leftovers(cx, id, &recorded_snapshots).await? {
            notes.extend(snapshots::delete_snapshot(cx, id, &snapshot).await?);
        }
        Ok(notes)
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let name = planned.str("name").unwrap_or_default();
        let found = by_filter(cx, filters::exactly("name", [name])).await?;
        let Some((image, id)) = found
            .iter()
            .filter(|image| image::state(image) != "deregistered")
            .find_map(|image| Some((image, image.image_id()?)))
        else {
            return Ok(Found::Nothing);
        };
        let ownership = Ownership::of(&tags::from_ec2(image.tags()));
        if ownership.operation.as_deref() == Some(operation.id.as_str()) {
            return Ok(Found::Ours(id.into()));
        }
        let description = format!("an image named `{name}` exists already ({id})");
        Ok(Found::Foreign { id: id.into(), description })
    }
}

/// Returns the account's own images that match.
async fn by_filter(cx: &Aws, filter: Filter) -> Result<Vec<Image>, ProviderError> {
    let query = Query {
        filters: vec![filter],
        owners: vec!["self".to_owned()],
        include_deprecated: true,
        ..Query::default()
    };
    image::describe(cx, &query).await
}

/// Changes the description, and waits until it is told as it is to be.
async fn describe_as(cx: &Aws, id: &str, description: &str) -> Result<(), ProviderError> {
    let value = AttributeValue::builder().value(description).build();
    cx.ec2(MODIFY_IMAGE_ATTRIBUTE, |ec2| {
        ec2.modify_image_attribute().image_id(id).description(value.clone()).send()
    })
    .await?;
    until(MODIFY_IMAGE_ATTRIBUTE.name, PROPAGATION, || async {
        let images = by_filter(cx, filters::exactly("image-id", [id])).await?;
        let told = images.first().and_then(|image| image.description()).unwrap_or_default();
        Ok(if told == description {
            Look::Done(())
        } else {
            Look::NotYet("description not yet changed".to_owned())
        })
    })
    .await
}

/// Returns the status; `None` when the image is gone.
fn status(image: &Image) -> Option<Status> {
    match image::state(image) {
        "deregistered" => None,
        "available" | "disabled" => Some(Status::Ready),
        state @ ("failed" | "error" | "invalid") => {
            let reason = image.state_reason().and_then(|it| it.message());
            Some(Status::Failed(match reason {
                Some(reason) => format!("{state}: {reason}"),
                None => state.to_owned(),
            }))
        }
        state => Some(Status::Pending(state.to_owned())),
    }
}

fn object(image: &Image, region: &str, recorded: &Object) -> Object {
    let mut object = image::described(image, region);
    let (ebs, ephemeral): (Vec<_>, Vec<_>) =
        image.block_device_mappings().iter().partition(|mapping| mapping.ebs().is_some());
    let ephemeral: Vec<Object> = ephemeral
        .into_iter()
        .map(|it| {
            Object::new()
                .with("device_name", it.device_name())
                .with("virtual_name", it.virtual_name())
        })
        .collect();
    object.set("ebs_block_device", ebs.into_iter().map(ebs_block).collect::<Vec<_>>());
    object.set("ephemeral_block_device", ephemeral);
    object.set("manage_ebs_snapshots", true);
    object.set("state", image::state(image));
    match image.source_instance_id() {
        Some(id) => object.set("source_instance_id", id),
        // Images of old do not tell; what is recorded stands.
        None => object.set("source_instance_id", recorded.value("source_instance_id").clone()),
    }
    tags::set(&mut object, &tags::from_ec2(image.tags()));
    object
}

fn ebs_block(mapping: &BlockDeviceMapping) -> Object {
    let ebs = mapping.ebs();
    Object::new()
        .with("delete_on_termination", ebs.and_then(|it| it.delete_on_termination()))
        .with("device_name", mapping.device_name())
        .with("encrypted", ebs.and_then(|it| it.encrypted()))
        .with("iops", ebs.and_then(|it| it.iops()))
        .with("outpost_arn", ebs.and_then(|it| it.outpost_arn()))
        .with("snapshot_id", ebs.and_then(|it| it.snapshot_id()))
        .with("throughput", ebs.and_then(|it| it.throughput()))
        .with("volume_size", ebs.and_then(|it| it.volume_size()))
        .with("volume_type", ebs.and_then(|it| it.volume_type()).map(VolumeType::as_str))
}

/// Checks an image's name (EC2 API, `CreateImage`).
fn is_image_name(value: &Value) -> Result<(), String> {
    let Some(name) = value.as_str() else { return Ok(()) };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if !(3..=128).contains(&name.chars().count()) {
        return Err("must have 3 to 128 characters".to_owned());
    }
    match name.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(format!("may hold letters, digits, spaces, and ()[]./-'@_, not `{c}`")),
        None => Ok(()),
    }
}

fn is_time(value: &Value) -> Result<(), String> {
    match value.as_str().map(minute) {
        Some(None) => Err("must be a time in RFC 3339, such as `2027-01-31T00:00:00Z`".to_owned()),
        Some(Some(_)) | None => Ok(()),
    }
}

/// Returns a time to the whole minute, which is what EC2 keeps.
fn minute(text: &str) -> Option<DateTime> {
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    Some(DateTime::from_secs(time.secs() - time.secs().rem_euclid(60)))
}

fn whole_minute(value: &Value) -> Value {
    match value.as_str().and_then(minute).and_then(|time| time.fmt(Format::DateTime).ok()) {
        Some(text) => text.into(),
        None => value.clone(),
    }
}

fn empty_is_none(value: &Value) -> Value {
    if value.as_str() == Some("") { Value::Null } else { value.clone() }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{EbsBlockDevice, ImageState, StateReason};

    use super::*;

    fn image(state: &str) -> Image {
        let ebs = EbsBlockDevice::builder()
            .snapshot_id("snap-1")
            .volume_size(8)
            .volume_type(VolumeType::Gp3)
            .delete_on_termination(true)
            .build();
        let root = BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
        let store =
            BlockDeviceMapping::builder().device_name("/dev/sdb").virtual_name("ephemeral0");
        Image::builder()
            .image_id("ami-1")
            .name("web")
            .state(ImageState::from(state))
            .state_reason(StateReason::builder().message("disk on fire").build())
            .source_instance_id("i-1")
            .block_device_mappings(root)
            .block_device_mappings(store.build())
            .deprecation_time("2027-01-01T00:01:00.000Z")
            .build()
    }

    #[test]
    fn the_snapshots_are_recorded() {
        let object = object(&image("available"), "ap-northeast-2", &Object::new());
        let volumes: Vec<_> = object.blocks("ebs_block_device").collect();
        assert_eq!(volumes.len(), 1);
        assert_eq!(volumes[0].str("snapshot_id"), Some("snap-1"));
        assert_eq!(object.blocks("ephemeral_block_device").count(), 1);
        assert_eq!(object.str("source_instance_id"), Some("i-1"));
        for name in object.keys() {
            assert!(SCHEMA.attribute(name).is_some(), "{name}");
        }
    }

    #[test]
    fn states_tell_when_to_go_on() {
        assert_eq!(status(&image("available")), Some(Status::Ready));
        assert_eq!(status(&image("pending")), Some(Status::Pending("pending".to_owned())));
        let failed = Status::Failed("failed: disk on fire".to_owned());
        assert_eq!(status(&image("failed")), Some(failed));
        assert_eq!(status(&image("deregistered")), None);
    }

    #[test]
    fn times_are_kept_to_the_minute() {
        let told = whole_minute(&"2027-01-01T00:01:00.000Z".into());
        assert_eq!(told, Value::from("2027-01-01T00:01:00Z"));
        assert_eq!(whole_minute(&"2027-01-01T09:01:42+09:00".into()), told);
        assert_eq!(whole_minute(&told), told);
        assert!(is_time(&"tomorrow".into()).is_err());
    }

    #[test]
    fn names_are_checked() {
        assert!(is_image_name(&"lab-web-20261123".into()).is_ok());
        assert!(is_image_name(&"ab".into()).is_err());
        assert!(is_image_name(&"web:1".into()).is_err());
    }
}
