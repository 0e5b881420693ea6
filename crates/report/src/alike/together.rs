//! Which instances of a block are shown as one.

use std::collections::BTreeMap;

use reconcile_model::{Diff, InstanceKey};

use super::{FEWEST, Leaves, Skeleton, Varying, odd_ones};
use crate::layout::View;

/// What has to be the same of an instance that is shown with others, and what may differ.
pub(crate) struct Instance<'a> {
    key: Option<&'a InstanceKey>,
    skeleton: Skeleton,
    leaves: Leaves,
}

impl<'a> Instance<'a> {
    /// Takes an instance's diff apart. `about` has to be the same, too.
    pub(crate) fn of(
        key: Option<&'a InstanceKey>,
        diff: &Diff,
        view: View<'_>,
        about: &str,
    ) -> Self {
        let (skeleton, leaves) = Skeleton::of(diff, view, key, about);
        Self { key, skeleton, leaves }
    }
}

/// Returns which of a block's instances are shown as one, with what differs between them, in the order of the first of
/// each.
pub(crate) fn together<'a, T>(
    all: &'a [T],
    instance: impl Fn(&'a T) -> Instance<'a>,
) -> Vec<(Vec<usize>, Varying)> {
    let single = |at: usize| (vec![at], Varying::default());
    if all.len() < FEWEST {
        return (0..all.len()).map(single).collect();
    }
    let mut alike: BTreeMap<Skeleton, Vec<usize>> = BTreeMap::new();
    let (mut keys, mut leaves) = (Vec::new(), Vec::new());
    for (at, Instance { key, skeleton, leaves: found }) in all.iter().map(instance).enumerate() {
        alike.entry(skeleton).or_default().push(at);
        keys.push(key);
        leaves.push(found);
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (skeleton, members) in alike {
        let known: Vec<&InstanceKey> = members.iter().filter_map(|&at| keys[at]).collect();
        if known.len() < members.len() {
            groups.extend(members.into_iter().map(|at| vec![at]));
            continue;
        }
        let texts: Vec<&Leaves> = members.iter().map(|&at| &leaves[at]).collect();
        let odd = odd_ones(&known, &texts);
        let mut apart: BTreeMap<Skeleton, Vec<usize>> = BTreeMap::new();
        let mut together = Vec::new();
        for (place, at) in members.into_iter().enumerate() {
            if odd.contains(&place) {
                apart.entry(skeleton.with_texts(&leaves[at])).or_default().push(at);
            } else {
                together.push(at);
            }
        }
        groups.push(together);
        groups.extend(apart.into_values());
    }
    let mut found: Vec<(Vec<usize>, Varying)> = Vec::new();
    for members in groups {
        if members.len() < FEWEST {
            found.extend(members.into_iter().map(single));
            continue;
        }
        let instances: Vec<(InstanceKey, Leaves)> = members
            .iter()
            .filter_map(|&at| Some((keys[at]?.clone(), std::mem::take(&mut leaves[at]))))
            .collect();
        let varying = Varying::of(&instances);
        found.push((members, varying));
    }
    found.sort_by_key(|(members, _)| members[0]);
    found
}
