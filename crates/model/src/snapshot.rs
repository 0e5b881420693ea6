//! Recorded state: what was last known of every object of a stack.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Address, Dependencies, Object, ObjectId, ResourceAddress};

/// All that is recorded of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The stack's name.
    pub stack: String,
    /// Made once, when the state is: two states with different lineages have nothing to do with each other.
    pub lineage: String,
    /// Raised by one with each write.
    pub serial: u64,
    /// Every instance, by address.
    #[serde(default)]
    pub resources: BTreeMap<Address, ResourceState>,
    /// Every output, by name; sensitive ones sealed.
    #[serde(default)]
    pub outputs: Object,
}

/// How far an object has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectStatus {
    /// It exists and is what was asked for.
    #[default]
    Ready,
    /// It was created, and what follows the create call may not have happened: the next apply finishes it.
    Incomplete,
    /// It was created and failed to become usable: the next apply replaces it.
    Tainted,
    /// Its delete call was made, and it may still be there.
    Deleting,
}

/// What is recorded of one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// The current object; absent when only deposed ones are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<ObjectState>,
    /// Objects that were replaced and are not deleted yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deposed: Vec<ObjectState>,
}

/// What is recorded of one remote object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectState {
    /// The provider's id.
    pub id: ObjectId,
    /// How far it has come.
    #[serde(default)]
    pub status: ObjectStatus,
    /// The attributes as last read; sensitive values sealed.
    pub attributes: Object,
    /// The schema version of the attributes.
    pub schema_version: u32,
    /// The provider configuration it was made with: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// The Region it is in, so that it can be deleted when the spec no longer tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The blocks it depends on, so that what left the spec is still deleted in the right order.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub dependencies: Dependencies,
    /// When it was created, in seconds since the Unix epoch: a young object that is not found may only be not yet
    /// visible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<u64>,
    /// Whether it was planned with `create_before_destroy`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_before_destroy: bool,
    /// The block's own `timeouts`, in seconds by operation, for deleting it when the spec no longer tells.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timeouts: BTreeMap<String, u64>,
    /// The operation that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

impl Snapshot {
    /// Returns an empty state for a stack.
    pub fn new(stack: &str, lineage: &str) -> Self {
        Self { stack: stack.to_owned(), lineage: lineage.to_owned(), ..Self::default() }
    }

    /// Returns every object, current and deposed, with its address.
    pub fn objects(&self) -> impl Iterator<Item = (&Address, &ObjectState)> {
        self.resources.iter().flat_map(|(address, resource)| {
            resource.current.iter().chain(&resource.deposed).map(move |object| (address, object))
        })
    }

    /// Tells whether an instance of a block is recorded.
    pub fn has_block(&self, block: &ResourceAddress) -> bool {
        let mut from_there = self.resources.range(block.instance(None)..);
        from_there.next().is_some_and(|(address, _)| address.resource == *block)
    }

    /// Records instances under other addresses, each pair where it is and where it will be. What is not recorded stays so;
    /// nothing may be recorded where one goes.
    ///
    /// What depended on a block that an instance leaves depends on the one it comes to, and on the old one no more once no
    /// instance of that is left.
    pub fn relocate<'m>(&mut self, moves: impl IntoIterator<Item = (&'m Address, &'m Address)>) {
        let mut blocks: BTreeMap<&ResourceAddress, BTreeSet<&ResourceAddress>> = BTreeMap::new();
        for (from, to) in moves {
            let Some(resource) = self.resources.remove(from) else { continue };
            self.resources.insert(to.clone(), resource);
            if from.resource != to.resource {
                blocks.entry(&from.resource).or_default().insert(&to.resource);
            }
        }
        if blocks.is_empty() {
            return;
        }
        let left: BTreeSet<&ResourceAddress> =
            blocks.keys().copied().filter(|block| self.has_block(block)).collect();
        for resource in self.resources.values_mut() {
            for object in resource.current.iter_mut().chain(&mut resource.deposed) {
                let dependencies = &object.dependencies;
                if !dependencies.iter().any(|it| blocks.contains_key(it)) {
                    continue;
                }
                let kept =
                    dependencies.iter().filter(|it| !blocks.contains_key(it) || left.contains(it));
                let come = dependencies.iter().filter_map(|it| blocks.get(it)).flatten();
                object.dependencies = kept.chain(come.copied()).cloned().collect();
            }
        }
    }

    /// Tells whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }
}
