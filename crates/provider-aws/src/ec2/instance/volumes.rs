//! The volumes of an instance: the blocks that describe them, and what changes them in place.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    EbsBlockDevice, EbsInstanceBlockDeviceSpecification, Instance, InstanceBlockDeviceMapping,
    InstanceBlockDeviceMappingSpecification, Volume, VolumeType,
};
use reconcile_model::{Object, Value};
use reconcile_provider::{Notes, ProviderError, Update};

use super::{MODIFY_INSTANCE_ATTRIBUTE, SCHEMA};
use crate::Aws;
use crate::ec2::ebs::{self, VolumeChange};
use crate::ec2::ebs_volume::describe;
use crate::many::many;
use crate::{filters, tags};

/// The volumes attached to some instances, by id.
pub(crate) type Volumes = BTreeMap<String, Volume>;

/// Returns a volume to make at launch. Whether it is deleted with the instance is always said: images have defaults of
/// their own.
pub(super) fn to_launch(block: &Object) -> EbsBlockDevice {
    EbsBlockDevice::builder()
        .delete_on_termination(block.bool("delete_on_termination").unwrap_or(true))
        .set_encrypted(block.bool("encrypted"))
        .set_iops(block.i32("iops"))
        .set_kms_key_id(block.string("kms_key_id"))
        .set_snapshot_id(block.string("snapshot_id").filter(|id| !id.is_empty()))
        .set_throughput(block.i32("throughput"))
        .set_volume_size(block.i32("volume_size"))
        .set_volume_type(block.str("volume_type").map(VolumeType::from))
        .build()
}

/// Returns the volumes attached to these instances, at most 200 of them.
async fn attached_to(cx: &Aws, instances: &[&str]) -> Result<Volumes, ProviderError> {
    let volumes = describe(cx, filters::exactly("attachment.instance-id", instances)).await?;
    Ok(volumes.into_iter().filter_map(|it| Some((it.volume_id()?.to_owned(), it))).collect())
}

/// Returns the volumes of these instances.
pub(super) async fn of(cx: &Aws, instances: &[&Instance]) -> Result<Volumes, ProviderError> {
    let mappings = instances.iter().flat_map(|instance| instance.block_device_mappings());
    let ids = mappings.filter_map(|it| it.ebs()?.volume_id().map(str::to_owned)).collect();
    let describe = |filter| describe(cx, filter);
    let volumes = many(cx, ebs::VOLUMES, ids, describe, |volume: &Volume| volume.volume_id());
    let volumes = volumes.await?.into_iter();
    Ok(volumes.filter_map(|volume| Some((volume.volume_id()?.to_owned(), volume))).collect())
}

/// Tells whether all volumes of an instance could be read: reads are eventually consistent, and an instance that was
/// just launched is not read in full before its volumes can be.
pub(super) fn are_visible(instance: &Instance, volumes: &Volumes) -> bool {
    instance.block_device_mappings().iter().all(|it| volume_of(it, volumes).is_some())
}

/// What is shown of volumes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown<'a> {
    /// All of it, as a data source does.
    Everything,
    /// What the spec has a say in.
    Managed {
        /// What is recorded or planned: tags are shown where it has some.
        recorded: &'a Object,
        /// Whether the spec describes further volumes. Then those are shown, and not what `aws_volume_attachment`
        /// attaches.
        describes_more: bool,
    },
}

/// Sets `root_block_device`, `ebs_block_device`, and `volume_tags`. A volume that the answer lacks leaves its block as
/// it is recorded.
pub(crate) fn set(object: &mut Object, instance: &Instance, volumes: &Volumes, shown: &Shown<'_>) {
    let root_name = instance.root_device_name().unwrap_or_default();
    let mut more = Vec::new();
    let mut complete = true;
    for mapping in instance.block_device_mappings() {
        let name = mapping.device_name().unwrap_or_default();
        let Some(volume) = volume_of(mapping, volumes) else {
            complete = false;
            continue;
        };
        let is_root = name == root_name;
        let (is_shown, with_tags) = match shown {
            Shown::Everything => (true, true),
            Shown::Managed { recorded, describes_more } => {
                let recorded = if is_root {
                    recorded.block("root_block_device")
                } else {
                    let mut blocks = recorded.blocks("ebs_block_device");
                    blocks.find(|it| it.str("device_name") == Some(name))
                };
                let tagged = recorded.is_some_and(|it| it.map("tags").is_some());
                (is_root || recorded.is_some() || !describes_more, tagged)
            }
        };
        let block = block(mapping, volume, with_tags);
        if is_root {
            object.set("root_block_device", vec![block]);
        } else if is_shown {
            let snapshot = volume.snapshot_id().filter(|id| !id.is_empty());
            more.push(block.with("snapshot_id", snapshot));
        }
    }
    if complete {
        object.set("ebs_block_device", more);
    }
    if let Shown::Managed { recorded, .. } = shown {
        object.set("volume_tags", volume_tags(instance, volumes, recorded));
    }
}

fn volume_of<'a>(mapping: &InstanceBlockDeviceMapping, volumes: &'a Volumes) -> Option<&'a Volume> {
    volumes.get(mapping.ebs()?.volume_id()?)
}

fn block(mapping: &InstanceBlockDeviceMapping, volume: &Volume, with_tags: bool) -> Object {
    let all = tags::from_ec2(volume.tags());
    let own = Value::from(with_tags.then(|| reconcile_model::tags::users(&all)));
    Object::new()
        .with("delete_on_termination", mapping.ebs().and_then(|ebs| ebs.delete_on_termination()))
        .with("device_name", mapping.device_name())
        .with("encrypted", volume.encrypted())
        .with("iops", volume.iops())
        .with("kms_key_id", volume.kms_key_id())
        .with("tags", own.clone())
        .with("tags_all", own)
        .with("throughput", volume.throughput())
        .with("volume_id", volume.volume_id())
        .with("volume_size", volume.size())
        .with("volume_type", volume.volume_type().map(VolumeType::as_str))
}

/// Returns the tags of the volumes, where the spec gives tags for all of them: those of the first volume whose tags
/// are not the recorded ones.
fn volume_tags(instance: &Instance, volumes: &Volumes, recorded: &Object) -> Value {
    let Some(wanted) = recorded.map("volume_tags") else { return Value::Null };
    let wanted = wanted.unmarked();
    instance
        .block_device_mappings()
        .iter()
        .filter_map(|mapping| volume_of(mapping, volumes))
        .map(|volume| reconcile_model::tags::users(&tags::from_ec2(volume.tags())))
        .find(|users| *users != wanted)
        .unwrap_or(wanted)
        .into()
}

/// Makes the volumes what is planned: their tags, size and speed, and whether they go with the instance.
pub(super) async fn update(cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
    let mut notes = Notes::new();
    update_tags(cx, update).await?;
    for (live, planned) in pairs(update) {
        let Some(id) = live.str("volume_id") else { continue };
        let change = VolumeChange::between(live, planned, ebs::OF_BLOCKS);
        if !change.is_empty() {
            ebs::modify(cx, id, &change).await?;
        }
        if change.size.is_some() {
            notes.push(format!(
                "Volume {id} has grown; the file system on it has to be extended from within the instance."
            ));
        }
        let wanted = planned.bool("delete_on_termination");
        if let (Some(wanted), Some(device)) = (wanted, live.str("device_name"))
            && live.bool("delete_on_termination") != Some(wanted)
        {
            let ebs = EbsInstanceBlockDeviceSpecification::builder()
                .volume_id(id)
                .delete_on_termination(wanted)
                .build();
            let mapping = InstanceBlockDeviceMappingSpecification::builder()
                .device_name(device)
                .ebs(ebs)
                .build();
            cx.ec2(MODIFY_INSTANCE_ATTRIBUTE, |ec2| {
                ec2.modify_instance_attribute()
                    .instance_id(update.id.as_str())
                    .block_device_mappings(mapping.clone())
                    .send()
            })
            .await?;
        }
    }
    Ok(notes)
}

/// Makes the tags of the volumes what is planned. What they are is read anew: a difference is shown of one volume only,
/// and tags of a volume that the spec did not tag so far are not shown at all.
async fn update_tags(cx: &Aws, update: &Update<'_>) -> Result<(), ProviderError> {
    let pairs = pairs(update);
    let differ = |(live, planned): &(&Object, &Object)| {
        planned.value("tags").is_known() && live.value("tags") != planned.value("tags")
    };
    if !update.changes(&SCHEMA, "volume_tags") && !pairs.iter().any(differ) {
        return Ok(());
    }
    for (id, volume) in attached_to(cx, &[update.id.as_str()]).await? {
        let pair = pairs.iter().find(|(live, _)| live.str("volume_id") == Some(id.as_str()));
        let all = (update.live.value("volume_tags"), update.planned.value("volume_tags"));
        let own = pair.map(|(live, planned)| (live.value("tags"), planned.value("tags")));
        if let Some(wanted) = wanted_tags(all, own) {
            let before = tags::from_ec2(volume.tags());
            retag(cx, &id, &reconcile_model::tags::users(&before).to_string_map(), &wanted).await?;
        }
    }
    Ok(())
}

/// Returns the tags that a volume is to have: those of its block, or those for all volumes; none at all when the spec
/// tagged it and does no more; `None` when its tags are not the spec's business. Pairs are as it is and as it is to be.
fn wanted_tags(
    all: (&Value, &Value),
    own: Option<(&Value, &Value)>,
) -> Option<BTreeMap<String, String>> {
    let (was, is) = own.unwrap_or((&Value::Null, &Value::Null));
    let tagged = is.as_map().or_else(|| all.1.as_map());
    match tagged {
        Some(tags) => Some(tags.to_string_map()),
        None => (was.as_map().or_else(|| all.0.as_map()).is_some()).then(BTreeMap::new),
    }
}

/// Returns each volume that the plan describes, as it is and as it is to be.
fn pairs<'a>(update: &Update<'a>) -> Vec<(&'a Object, &'a Object)> {
    let root =
        update.live.block("root_block_device").zip(update.planned.block("root_block_device"));
    let more = update.planned.blocks("ebs_block_device").filter_map(|planned| {
        let name = planned.str("device_name")?;
        let live = update.live.blocks("ebs_block_device");
        Some((live.into_iter().find(|it| it.str("device_name") == Some(name))?, planned))
    });
    root.into_iter().chain(more).collect()
}

async fn retag(
    cx: &Aws,
    volume: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Result<(), ProviderError> {
    let gone = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
    let new = after.iter().filter(|(key, value)| before.get(*key) != Some(*value));
    let new = new.map(|(key, value)| (key.clone(), value.clone())).collect();
    tags::change_ec2(cx, volume, new, gone).await
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{EbsInstanceBlockDevice, Tag};

    use super::*;

    fn mapping(device: &str, volume: &str) -> InstanceBlockDeviceMapping {
        let ebs =
            EbsInstanceBlockDevice::builder().volume_id(volume).delete_on_termination(true).build();
        InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
    }

    fn volume(id: &str, tag: &str) -> (String, Volume) {
        let volume = Volume::builder()
            .volume_id(id)
            .size(8)
            .iops(3000)
            .throughput(125)
            .volume_type(VolumeType::Gp3)
            .encrypted(false)
            .tags(Tag::builder().key("Name").value(tag).build())
            .tags(Tag::builder().key("reconcile:stack").value("web").build());
        (id.to_owned(), volume.build())
    }

    fn instance() -> (Instance, Volumes) {
        let instance = Instance::builder()
            .root_device_name("/dev/xvda")
            .block_device_mappings(mapping("/dev/xvda", "vol-1"))
            .block_device_mappings(mapping("/dev/sdf", "vol-2"));
        (instance.build(), Volumes::from([volume("vol-1", "a"), volume("vol-2", "b")]))
    }

    fn managed(recorded: &Object, describes_more: bool) -> Shown<'_> {
        Shown::Managed { recorded, describes_more }
    }

    #[test]
    fn the_root_and_the_others_are_told_apart() {
        let (instance, volumes) = instance();
        let mut object = Object::new();
        set(&mut object, &instance, &volumes, &managed(&Object::new(), false));
        let root = object.block("root_block_device").unwrap();
        assert_eq!(root.str("volume_id"), Some("vol-1"));
        assert_eq!(root.i64("volume_size"), Some(8));
        assert!(root.value("tags").is_null());
        let more: Vec<_> = object.blocks("ebs_block_device").collect();
        assert_eq!(more.len(), 1);
        assert_eq!(more[0].str("device_name"), Some("/dev/sdf"));
        assert!(object.value("volume_tags").is_null());
    }

    #[test]
    fn what_was_attached_later_is_not_the_instances() {
        let (instance, volumes) = instance();
        let mut object = Object::new();
        let recorded = Object::new()
            .with("ebs_block_device", vec![Object::new().with("device_name", "/dev/sdb")]);
        set(&mut object, &instance, &volumes, &managed(&recorded, true));
        assert_eq!(object.value("ebs_block_device"), &Value::List(Vec::new()));
    }

    #[test]
    fn tags_show_where_the_spec_writes_them() {
        let (instance, volumes) = instance();
        let block = Object::new().with("tags", Object::new().with("Name", "old"));
        let mut object = Object::new();
        let recorded = Object::new().with("root_block_device", vec![block]);
        set(&mut object, &instance, &volumes, &managed(&recorded, false));
        let root = object.block("root_block_device").unwrap();
        assert_eq!(root.value("tags"), &Value::from(Object::new().with("Name", "a")));
        let recorded = Object::new().with("volume_tags", Object::new().with("Name", "a"));
        set(&mut object, &instance, &volumes, &managed(&recorded, false));
        // The second volume differs from what is recorded, so its tags are what is shown.
        assert_eq!(object.value("volume_tags"), &Value::from(Object::new().with("Name", "b")));
    }

    #[test]
    fn a_volume_has_the_tags_of_its_block_or_of_all() {
        let (none, own, all) = (
            Value::Null,
            Value::from(Object::new().with("Name", "own")),
            Value::from(Object::new().with("Name", "all")),
        );
        let name =
            |tags: Option<BTreeMap<String, String>>| tags.map(|tags| tags.get("Name").cloned());
        assert_eq!(name(wanted_tags((&none, &all), None)), Some(Some("all".to_owned())));
        assert_eq!(
            name(wanted_tags((&all, &none), Some((&none, &own)))),
            Some(Some("own".to_owned()))
        );
        assert_eq!(name(wanted_tags((&all, &none), None)), Some(None));
        assert_eq!(name(wanted_tags((&none, &none), Some((&own, &none)))), Some(None));
        assert_eq!(wanted_tags((&none, &none), Some((&none, &none))), None);
    }

    #[test]
    fn a_volume_that_is_not_visible_leaves_its_block_alone() {
        let (instance, _) = instance();
        let mut object = Object::new();
        set(&mut object, &instance, &Volumes::new(), &managed(&Object::new(), false));
        assert!(!object.contains_key("root_block_device"));
        assert!(!object.contains_key("ebs_block_device"));
    }

    #[test]
    fn deletion_with_the_instance_is_always_said() {
        assert_eq!(to_launch(&Object::new()).delete_on_termination(), Some(true));
        let kept = Object::new().with("delete_on_termination", false).with("snapshot_id", "");
        assert_eq!(to_launch(&kept).delete_on_termination(), Some(false));
        assert_eq!(to_launch(&kept).snapshot_id(), None);
    }
}
