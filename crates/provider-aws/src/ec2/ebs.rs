//! What volumes have in common, wherever they stand: blocks of an instance or an image, and volumes of their own.

use std::time::Duration;

use aws_sdk_ec2::types::{VolumeModification, VolumeType};
use reconcile_model::{Object, ObjectId, Value};
use reconcile_provider::{ErrorKind, ProviderError};

use crate::Aws;
use crate::call::{Call, Class};
use crate::filters;
use crate::many::Ask;
use crate::wait::{Look, until};

const DESCRIBE_VOLUMES_MODIFICATIONS: Call = Call::read("DescribeVolumesModifications");
const MODIFY_VOLUME: Call = Call::mutate("ModifyVolume").class(Class::MutateLarge);

/// How volumes are asked for.
pub(crate) const VOLUMES: Ask = Ask { filter: "volume-id", page: 1000 };

/// How long a volume may take from `ModifyVolume` until it can be used at its new size and speed.
const MODIFICATION: Duration = Duration::from_secs(10 * 60);

/// The types of EBS volumes (EC2 API, `VolumeType`).
pub(crate) const VOLUME_TYPES: &[&str] = &["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];

/// Tells whether volumes of a type have a number of I/O operations that can be chosen.
pub(crate) fn takes_iops(volume_type: &str) -> bool {
    matches!(volume_type, "gp3" | "io1" | "io2")
}

/// What the same things of a volume are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    size: &'static str,
    volume_type: &'static str,
}

/// In the blocks of an instance.
pub(crate) const OF_BLOCKS: Names = Names { size: "volume_size", volume_type: "volume_type" };
/// In `aws_ebs_volume`.
pub(crate) const OF_VOLUMES: Names = Names { size: "size", volume_type: "type" };

/// Checks what of `iops` and `throughput` a volume type takes; `None` when nothing is wrong, or the type is not known.
pub(crate) fn performance_problem(volume: &Object, names: Names) -> Option<(&'static str, String)> {
    let volume_type = volume.str(names.volume_type)?;
    let has = |name: &str| !volume.value(name).is_null();
    if has("iops") && !takes_iops(volume_type) {
        let message = format!("is only for volumes of type gp3, io1, or io2, not {volume_type}");
        return Some(("iops", message));
    }
    if !has("iops") && matches!(volume_type, "io1" | "io2") {
        return Some(("iops", format!("is required for volumes of type {volume_type}")));
    }
    if has("throughput") && volume_type != "gp3" {
        let message = format!("is only for volumes of type gp3, not {volume_type}");
        return Some(("throughput", message));
    }
    None
}

/// Brings a KMS key to the form in which EC2 tells it and people write it alike: the part of its ARN after `key/`.
pub(crate) fn kms_key(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => text.rsplit_once(":key/").map_or(text, |(_, key)| key).into(),
        None => value.clone(),
    }
}

/// What a volume is to become; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VolumeChange {
    pub(crate) size: Option<i32>,
    pub(crate) volume_type: Option<String>,
    pub(crate) iops: Option<i32>,
    pub(crate) throughput: Option<i32>,
    pub(crate) multi_attach: Option<bool>,
}

impl VolumeChange {
    /// Returns what has to change to make `live` what is planned.
    pub(crate) fn between(live: &Object, planned: &Object, names: Names) -> Self {
        let number = |name| planned.i32(name).filter(|number| live.i32(name) != Some(*number));
        let volume_type = planned.string(names.volume_type);
        let live_type = live.str(names.volume_type);
        let target = volume_type.as_deref().or(live_type).unwrap_or_default().to_owned();
        let mut change = Self {
            size: number(names.size),
            volume_type: volume_type.filter(|name| Some(name.as_str()) != live_type),
            iops: number("iops"),
            throughput: number("throughput"),
            multi_attach: planned
                .bool("multi_attach_enabled")
                .filter(|flag| live.bool("multi_attach_enabled") != Some(*flag)),
        };
        if change.volume_type.is_some() {
            // A new type starts at its own baseline unless the numbers are said again.
            change.iops = planned.i32("iops").filter(|_| takes_iops(&target));
            change.throughput = planned.i32("throughput").filter(|_| target == "gp3");
        }
        change
    }

    /// Tells whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether a modification that AWS knows of leads to what is wanted.
    fn is_target_of(&self, modification: &VolumeModification) -> bool {
        self.size.is_none_or(|size| modification.target_size() == Some(size))
            && self.iops.is_none_or(|iops| modification.target_iops() == Some(iops))
            && self.throughput.is_none_or(|it| modification.target_throughput() == Some(it))
            && self
                .multi_attach
                .is_none_or(|it| modification.target_multi_attach_enabled() == Some(it))
            && self.volume_type.as_deref().is_none_or(|name| {
                modification.target_volume_type().map(VolumeType::as_str) == Some(name)
            })
    }
}

/// Modifies a volume and waits until it can be used as it is to be.
///
/// `ModifyVolume` has no token and a quota of its own, so a modification that was begun before a crash is gone on with
/// instead of asked for again.
pub(crate) async fn modify(
    cx: &Aws,
    volume: &str,
    change: &VolumeChange,
) -> Result<(), ProviderError> {
    let begun = latest_modification(cx, volume).await?.is_some_and(|modification| {
        is_under_way(&modification) && change.is_target_of(&modification)
    });
    if !begun {
        cx.ec2(MODIFY_VOLUME, |ec2| {
            ec2.modify_volume()
                .volume_id(volume)
                .set_size(change.size)
                .set_volume_type(change.volume_type.as_deref().map(VolumeType::from))
                .set_iops(change.iops)
                .set_throughput(change.throughput)
                .set_multi_attach_enabled(change.multi_attach)
                .send()
        })
        .await
        .map_err(|error| error.about(&ObjectId::from(volume)))?;
    }
    until(MODIFY_VOLUME.name, MODIFICATION, || async {
        let Some(modification) = latest_modification(cx, volume).await? else {
            return Ok(Look::Done(()));
        };
        match state(&modification) {
            "modifying" => Ok(Look::NotYet("modifying".to_owned())),
            "failed" => {
                let reason = modification.status_message().unwrap_or("AWS gives no reason");
                Err(ProviderError::new(ErrorKind::Failed, MODIFY_VOLUME.name, reason)
                    .about(&ObjectId::from(volume)))
            }
            // A volume is used at its new size from `optimizing` on.
            _ => Ok(Look::Done(())),
        }
    })
    .await
}

async fn latest_modification(
    cx: &Aws,
    volume: &str,
) -> Result<Option<VolumeModification>, ProviderError> {
    Ok(modifications(cx, &[volume]).await?.into_iter().next())
}

/// Returns the latest modification of each of these volumes that has one.
pub(crate) async fn modifications(
    cx: &Aws,
    volumes: &[&str],
) -> Result<Vec<VolumeModification>, ProviderError> {
    let filter = filters::exactly("volume-id", volumes);
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_VOLUMES_MODIFICATIONS, |ec2| {
                ec2.describe_volumes_modifications()
                    .filters(filter.clone())
                    .max_results(500)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        all.extend(page.volumes_modifications.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    // A volume can be listed with its past modifications; the latest is the one that counts.
    all.sort_by_key(|it| std::cmp::Reverse(it.start_time().map(|time| time.secs())));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|it| seen.insert(it.volume_id().unwrap_or_default().to_owned()));
    Ok(all)
}

/// Tells whether a modification is not done yet.
pub(crate) fn is_under_way(modification: &VolumeModification) -> bool {
    matches!(state(modification), "modifying" | "optimizing")
}

/// Returns the state of a modification: `modifying`, `optimizing`, `completed`, or `failed`.
pub(crate) fn state(modification: &VolumeModification) -> &str {
    modification.modification_state().map_or("", |state| state.as_str())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::VolumeModificationState;

    use super::*;

    fn volume(volume_type: &str, size: i64) -> Object {
        Object::new().with("volume_type", volume_type).with("volume_size", size)
    }

    #[test]
    fn only_what_differs_is_modified() {
        let live = volume("gp3", 8).with("iops", 3000).with("throughput", 125);
        let planned = volume("gp3", 20).with("iops", 3000).with("throughput", 125);
        let change = VolumeChange::between(&live, &planned, OF_BLOCKS);
        assert_eq!(change, VolumeChange { size: Some(20), ..VolumeChange::default() });
        assert!(VolumeChange::between(&live, &live, OF_BLOCKS).is_empty());
    }

    #[test]
    fn a_new_type_says_its_numbers_again() {
        let live = volume("gp3", 8).with("iops", 4000).with("throughput", 125);
        let planned = volume("io2", 8).with("iops", 4000).with("throughput", Value::Unknown);
        let change = VolumeChange::between(&live, &planned, OF_BLOCKS);
        assert_eq!(change.volume_type.as_deref(), Some("io2"));
        assert_eq!(change.iops, Some(4000));
        assert_eq!(change.throughput, None);
    }

    #[test]
    fn performance_fits_the_type() {
        assert_eq!(performance_problem(&volume("gp3", 8).with("iops", 4000), OF_BLOCKS), None);
        let name = |volume: Object| performance_problem(&volume, OF_BLOCKS).map(|(name, _)| name);
        assert_eq!(name(volume("gp2", 8).with("iops", 4000)), Some("iops"));
        assert_eq!(name(volume("io1", 8)), Some("iops"));
        assert_eq!(
            name(volume("io1", 8).with("iops", 100).with("throughput", 125)),
            Some("throughput")
        );
    }

    #[test]
    fn a_modification_under_way_is_recognized() {
        let modification = VolumeModification::builder()
            .modification_state(VolumeModificationState::from("modifying"))
            .target_size(20)
            .build();
        assert!(is_under_way(&modification));
        let to = |size| VolumeChange { size: Some(size), ..VolumeChange::default() };
        assert!(to(20).is_target_of(&modification));
        assert!(!to(30).is_target_of(&modification));
    }

    #[test]
    fn keys_compare_by_id() {
        let arn = Value::from("arn:aws:kms:ap-northeast-2:123456789012:key/0c5e-1");
        assert_eq!(kms_key(&arn), Value::from("0c5e-1"));
        assert_eq!(kms_key(&kms_key(&arn)), Value::from("0c5e-1"));
        assert_eq!(kms_key(&Value::Null), Value::Null);
    }
}
