//! `aws_ebs_volume`: a volume that stands on its own.
//!
//! # Remote API
//!
//! | verb   | calls                                                                                  |
//! |--------|----------------------------------------------------------------------------------------|
//! | create | `CreateVolume` with a client token                                                     |
//! | read   | `DescribeVolumes`, filtered by `volume-id`                                             |
//! | update | `ModifyVolume`, then `DescribeVolumesModifications` until it can be used so; tags      |
//! | delete | `CreateSnapshot` if a final one is wanted, `DeleteVolume`                              |
//!
//! # Oddities
//!
//! - A volume can be modified four times in 24 hours, and not before the last modification is completed.
//! - IOPS and throughput are told even where nobody set them, and go back to the baseline with a new type.
//! - A volume grows and never shrinks; its file system has to be extended from within the instance.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, ResourceType as Taggable, Snapshot, Tag, Volume, VolumeType};
use aws_smithy_types::date_time::Format;
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Check, Constraint, Literal, Recovery, Timeouts};
use reconcile_model::tags::{OPERATION, Ownership};
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use super::ebs::{self, OF_VOLUMES, VOLUMES, VolumeChange};
use crate::call::{Call, Class};
use crate::many::many;
use crate::wait::{Look, until};
use crate::{Aws, arn, filters, tags};

const CREATE_VOLUME: Call = Call::mutate("CreateVolume").class(Class::MutateLarge);
const DESCRIBE_VOLUMES: Call = Call::read("DescribeVolumes");
const DELETE_VOLUME: Call =
    Call::mutate("DeleteVolume").class(Class::MutateLarge).gone(&["InvalidVolume.NotFound"]);
const CREATE_SNAPSHOT: Call =
    Call::mutate("CreateSnapshot").class(Class::MutateLarge).gone(&["InvalidVolume.NotFound"]);
const DESCRIBE_SNAPSHOTS: Call = Call::read("DescribeSnapshots");

/// How long a final snapshot is waited for in one go; the next attempt waits on.
const SNAPSHOT: Duration = Duration::from_secs(10 * 60);

static SCHEMA: Schema = Schema {
    type_name: "aws_ebs_volume",
    mode: Mode::Managed,
    version: 1,
    doc: "A volume for instances, in one Availability Zone.",
    attributes: &[
        Attribute::required("availability_zone", Kind::String)
            .replace()
            .doc("The Availability Zone, that of the instances it is for."),
        Attribute::optional_computed("size", Kind::Int)
            .check(Check::Range(1, 65_536))
            .doc("The size in GiB; the snapshot's when left out. It can grow and not shrink."),
        Attribute::optional_computed("type", Kind::String)
            .check(Check::OneOf(ebs::VOLUME_TYPES))
            .doc("The type of volume."),
        Attribute::optional_computed("iops", Kind::Int)
            .recomputed_by(&["type", "size"])
            .doc("I/O operations a second, for gp3, io1, and io2."),
        Attribute::optional_computed("throughput", Kind::Int)
            .recomputed_by(&["type"])
            .check(Check::Range(125, 2000))
            .doc("MiB a second, for gp3."),
        Attribute::optional_computed("multi_attach_enabled", Kind::Bool)
            .replace_if(multi_attach_is_fixed)
            .doc("Whether several instances can have it at once; io1 and io2 only."),
        Attribute::optional_computed("encrypted", Kind::Bool)
            .replace()
            .doc("Whether it is encrypted; as the account's default says when left out."),
        Attribute::optional_computed("kms_key_id", Kind::String)
            .replace()
            .normalize(Normalize::Rule(ebs::kms_key))
            .doc("The KMS key to encrypt with: its id or ARN."),
        Attribute::optional_computed("snapshot_id", Kind::String)
            .replace()
            .doc("The snapshot to fill it from."),
        Attribute::optional_computed("volume_initialization_rate", Kind::Int)
            .replace()
            .check(Check::Range(100, 300))
            .doc("How fast it is filled from the snapshot, in MiB a second."),
        Attribute::optional_computed("outpost_arn", Kind::String)
            .replace()
            .doc("The Outpost to make it on."),
        Attribute::optional("final_snapshot", Kind::Bool)
            .default(Literal::Bool(false))
            .local()
            .doc("Whether a snapshot is made before it is destroyed, and kept."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("Tags for the volume."),
        Attribute::computed("id", Kind::String).doc("The volume's id."),
        Attribute::computed("arn", Kind::String).doc("The volume's ARN."),
        Attribute::computed("create_time", Kind::String).doc("When it was made."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("Its tags together with the provider's default tags."),
    ],
    constraints: &[
        Constraint::AtLeastOne(&["size", "snapshot_id"]),
        Constraint::Requires("volume_initialization_rate", &["snapshot_id"]),
        Constraint::Rule(fits_its_type),
    ],
    recovery: Recovery::ClientToken,
    timeouts: Timeouts::minutes(5, 5, 10),
    iam_read: &["ec2:DescribeVolumes"],
    iam_write: &[
        "ec2:CreateSnapshot",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DeleteTags",
        "ec2:DeleteVolume",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumesModifications",
        "ec2:ModifyVolume",
    ],
};

/// The `aws_ebs_volume` resource type.
#[derive(Debug)]
pub struct EbsVolume;

#[async_trait]
impl ResourceType<Aws> for EbsVolume {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let output = cx
            .ec2(CREATE_VOLUME, |ec2| {
                ec2.create_volume()
                    .client_token(operation.token("volume"))
                    .set_availability_zone(planned.string("availability_zone"))
                    .set_size(planned.i32("size"))
                    .set_volume_type(planned.str("type").map(VolumeType::from))
                    .set_iops(planned.i32("iops"))
                    .set_throughput(planned.i32("throughput"))
                    .set_multi_attach_enabled(planned.bool("multi_attach_enabled").filter(|on| *on))
                    .set_encrypted(planned.bool("encrypted"))
                    .set_kms_key_id(planned.string("kms_key_id"))
                    .set_snapshot_id(planned.string("snapshot_id"))
                    .set_volume_initialization_rate(planned.i32("volume_initialization_rate"))
                    .set_outpost_arn(planned.string("outpost_arn"))
                    .tag_specifications(tags::specification(operation, planned, Taggable::Volume))
                    .send()
            })
            .await?;
        output.volume_id.map(Created::new).ok_or_else(|| {
            let message = "the answer names no volume";
            ProviderError::new(ErrorKind::Transient, CREATE_VOLUME.name, message)
        })
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let ids = targets.iter().map(|target| target.id.0.clone()).collect();
        let describe = |filter| describe(cx, filter);
        let volumes = many(cx, VOLUMES, ids, describe, |it: &Volume| it.volume_id()).await?;
        let nameless = |it: &Volume| it.volume_arn().or(it.owner_id()).is_none();
        let owner = if depth == Depth::Full && volumes.iter().any(nameless) {
            cx.account().await?.unwrap_or_default()
        } else {
            ""
        };
        let region = cx.region_name().await?;
        let observed = volumes.iter().filter_map(|volume| {
            let status = status(volume, depth)?;
            let id = ObjectId::from(volume.volume_id()?);
            let ownership = Ownership::of(&tags::from_ec2(volume.tags()));
            let object = if depth == Depth::Full || !nameless(volume) {
                object(volume, &region, owner)
            } else {
                Object::new()
            };
            Some((id, Observed { object, status, ownership }))
        });
        Ok(observed.collect())
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        tags::update_ec2(cx, &SCHEMA, update).await?;
        let change = VolumeChange::between(update.live, update.planned, OF_VOLUMES);
        if !change.is_empty() {
            ebs::modify(cx, update.id.as_str(), &change).await?;
        }
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        let mut notes = Notes::new();
        let deleted = async {
            if recorded.bool("final_snapshot") == Some(true) {
                let snapshot = final_snapshot(cx, operation, id, recorded).await?;
                notes.push(format!("Snapshot {snapshot} of volume {id} was made and is kept."));
            }
            cx.ec2(DELETE_VOLUME, |ec2| ec2.delete_volume().volume_id(id.as_str()).send()).await
        };
        match deleted.await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error.about(id)),
            Ok(_) | Err(_) => Ok(notes),
        }
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        _planned: &Object,
    ) -> Result<Found, ProviderError> {
        let filter = filters::exactly(&format!("tag:{OPERATION}"), [&operation.id]);
        let volumes = describe(cx, filter).await?;
        let ours = volumes
            .into_iter()
            .filter(|volume| status(volume, Depth::Full).is_some())
            .find_map(|volume| volume.volume_id);
        Ok(ours.map_or(Found::Nothing, |id| Found::Ours(id.into())))
    }
}

/// Returns the volumes that match.
pub(super) async fn describe(cx: &Aws, filter: Filter) -> Result<Vec<Volume>, ProviderError> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_VOLUMES, |ec2| {
                ec2.describe_volumes()
                    .filters(filter.clone())
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        found.extend(page.volumes.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Returns the status; `None` when the volume is gone, or goes and nobody waits for that.
fn status(volume: &Volume, depth: Depth) -> Option<Status> {
    match volume.state().map_or("unknown", |state| state.as_str()) {
        "available" | "in-use" => Some(Status::Ready),
        "deleted" => None,
        "deleting" if depth == Depth::Full => None,
        "error" => Some(Status::Failed("error".to_owned())),
        state => Some(Status::Pending(state.to_owned())),
    }
}

fn object(volume: &Volume, region: &str, owner: &str) -> Object {
    let id = volume.volume_id().unwrap_or_default();
    let owner = volume.owner_id().unwrap_or(owner);
    let own_arn = volume.volume_arn().map(str::to_owned);
    let text = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
    let mut object = Object::new()
        .with("id", id)
        .with("arn", own_arn.unwrap_or_else(|| arn::ec2(region, owner, &format!("volume/{id}"))))
        .with("availability_zone", volume.availability_zone())
        .with("create_time", volume.create_time().and_then(|it| it.fmt(Format::DateTime).ok()))
        .with("encrypted", volume.encrypted())
        .with("iops", volume.iops())
        .with("kms_key_id", text(volume.kms_key_id()))
        .with("multi_attach_enabled", volume.multi_attach_enabled().unwrap_or(false))
        .with("outpost_arn", text(volume.outpost_arn()))
        .with("size", volume.size())
        .with("snapshot_id", text(volume.snapshot_id()))
        .with("throughput", volume.throughput())
        .with("type", volume.volume_type().map(VolumeType::as_str))
        .with("volume_initialization_rate", volume.volume_initialization_rate());
    tags::set(&mut object, &tags::from_ec2(volume.tags()));
    object
}

/// Makes the final snapshot and waits until it is complete; the one that this very operation made before counts.
async fn final_snapshot(
    cx: &Aws,
    operation: &Operation,
    volume: &ObjectId,
    recorded: &Object,
) -> Result<String, ProviderError> {
    if made_snapshot(cx, operation, volume).await?.is_none() {
        let tags = operation.tags(recorded.string_map("tags_all")).into_iter();
        let tags: Vec<Tag> =
            tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let specification = aws_sdk_ec2::types::TagSpecification::builder()
            .resource_type(Taggable::Snapshot)
            .set_tags(Some(tags))
            .build();
        cx.ec2(CREATE_SNAPSHOT, |ec2| {
            ec2.create_snapshot()
                .volume_id(volume.as_str())
                .description(format!("Final snapshot of {volume}"))
                .tag_specifications(specification.clone())
                .send()
        })
        .await?;
    }
    until(CREATE_SNAPSHOT.name, SNAPSHOT, || async {
        let Some(snapshot) = made_snapshot(cx, operation, volume).await? else {
            return Ok(Look::NotYet("final snapshot not yet visible".to_owned()));
        };
        let id = snapshot.snapshot_id().unwrap_or_default();
        match snapshot.state().map_or("unknown", |state| state.as_str()) {
            "completed" => Ok(Look::Done(id.to_owned())),
            "error" => {
                let message = format!("the final snapshot {id} failed");
                Err(ProviderError::new(ErrorKind::Failed, CREATE_SNAPSHOT.name, message))
            }
            state => Ok(Look::NotYet(format!("final snapshot {state}"))),
        }
    })
    .await
}

/// Returns the snapshot that the operation has made of the volume.
async fn made_snapshot(
    cx: &Aws,
    operation: &Operation,
    volume: &ObjectId,
) -> Result<Option<Snapshot>, ProviderError> {
    let tag = format!("tag:{OPERATION}");
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_SNAPSHOTS, |ec2| {
                ec2.describe_snapshots()
                    .owner_ids("self")
                    .filters(filters::exactly("volume-id", [volume.as_str()]))
                    .filters(filters::exactly(&tag, [&operation.id]))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        if let Some(snapshot) = page.snapshots.unwrap_or_default().into_iter().next() {
            return Ok(Some(snapshot));
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(None);
        }
    }
}

/// Multi-attach can be switched on and off on io2 volumes only (EC2 API, `ModifyVolume`).
fn multi_attach_is_fixed(prior: &Object, planned: &Object) -> bool {
    [prior, planned].iter().any(|volume| volume.str("type") != Some("io2"))
}

fn fits_its_type(config: &Object) -> Vec<(&'static str, String)> {
    let mut wrong: Vec<_> = ebs::performance_problem(config, OF_VOLUMES).into_iter().collect();
    let shared = config.bool("multi_attach_enabled") == Some(true);
    if let Some(name) = config.str("type").filter(|name| shared && !matches!(*name, "io1" | "io2"))
    {
        let message = format!("is only for volumes of type io1 or io2, not {name}");
        wrong.push(("multi_attach_enabled", message));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::VolumeState;

    use super::*;

    fn volume(state: &str) -> Volume {
        Volume::builder()
            .volume_id("vol-1")
            .availability_zone("ap-northeast-2a")
            .size(8)
            .volume_type(VolumeType::Gp3)
            .iops(3000)
            .throughput(125)
            .snapshot_id("")
            .state(VolumeState::from(state))
            .tags(Tag::builder().key("Name").value("data").build())
            .build()
    }

    #[test]
    fn a_volume_is_read_in_terraforms_shape() {
        let object = object(&volume("available"), "ap-northeast-2", "123456789012");
        let arn = "arn:aws:ec2:ap-northeast-2:123456789012:volume/vol-1";
        assert_eq!(object.str("arn"), Some(arn));
        assert!(object.value("snapshot_id").is_null());
        assert_eq!(object.bool("multi_attach_enabled"), Some(false));
        for attribute in SCHEMA.attributes.iter().filter(|attribute| !attribute.local) {
            assert!(object.contains_key(attribute.name), "{}", attribute.name);
        }
    }

    #[test]
    fn states_tell_when_to_go_on() {
        assert_eq!(status(&volume("in-use"), Depth::Status), Some(Status::Ready));
        let deleting = Some(Status::Pending("deleting".to_owned()));
        assert_eq!(status(&volume("deleting"), Depth::Status), deleting);
        assert_eq!(status(&volume("deleting"), Depth::Full), None);
        assert_eq!(status(&volume("error"), Depth::Full), Some(Status::Failed("error".to_owned())));
    }

    #[test]
    fn what_does_not_fit_the_type_is_refused() {
        let config = Object::new().with("type", "gp3").with("multi_attach_enabled", true);
        assert_eq!(fits_its_type(&config)[0].0, "multi_attach_enabled");
        assert!(fits_its_type(&config.with("type", "io2").with("iops", 100)).is_empty());
        let io2 = Object::new().with("type", "io2");
        assert!(!multi_attach_is_fixed(&io2, &io2));
        assert!(multi_attach_is_fixed(&io2, &Object::new().with("type", "io1")));
    }
}
