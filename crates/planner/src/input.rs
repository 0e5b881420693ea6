//! Everything that planning may look at.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use reconcile_model::{Address, Object, ObjectId, SchemaSet, Snapshot, plan::PlanOptions};
use reconcile_spec::Spec;

use crate::moves::Moves;

/// Everything that planning may look at. Nothing else may.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a, 's> {
    /// What should be.
    pub spec: &'s Spec,
    /// What was recorded, where it belongs now: relocated by `moves`.
    pub prior: &'a Snapshot,
    /// What of it was recorded at another address.
    pub moves: &'a Moves,
    /// What of it was not recorded at all, but made elsewhere: where an `import` block puts it.
    pub imported: &'a BTreeSet<Address>,
    /// What refresh found; empty when nothing was refreshed.
    pub observed: &'a Observation,
    /// The data sources read so far.
    pub data: &'a DataResults,
    /// The schemas of every type.
    pub schemas: &'a SchemaSet,
    /// What was asked for besides the spec.
    pub options: &'a PlanOptions,
}

/// What refresh found of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// It is there; what was not read is absent from it, and the recorded value stands.
    Present(Object),
    /// It is not there.
    Gone,
}

/// What refresh found, by instance and object. What is not in it was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The objects. Nearly every instance has one: a map for each would be mostly empty.
    objects: IndexMap<Address, Vec<(ObjectId, Live)>>,
}

impl Observation {
    /// Returns what was found of an object, `None` when it was not looked for.
    pub fn get(&self, address: &Address, id: &ObjectId) -> Option<&Live> {
        self.objects.get(address)?.iter().find(|(known, _)| known == id).map(|(_, live)| live)
    }

    /// Records what was found of an object, once for each.
    pub fn insert(&mut self, address: Address, id: ObjectId, live: Live) {
        let objects = self.objects.entry(address).or_default();
        objects.reserve_exact(1);
        objects.push((id, live));
    }
}

/// A data source to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataRead {
    /// The instance.
    pub address: Address,
    /// The provider configuration: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// The arguments, all known.
    pub config: Object,
}

/// The data sources read so far: for each the arguments it was read with, and what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataResults {
    results: BTreeMap<Address, (Object, Object)>,
}

impl DataResults {
    /// Records what was read.
    pub fn insert(&mut self, read: DataRead, result: Object) {
        self.results.insert(read.address, (read.config, result));
    }

    /// Returns what was read with these very arguments.
    pub(crate) fn get(&self, address: &Address, config: &Object) -> Option<&Object> {
        let (read_with, result) = self.results.get(address)?;
        (read_with == config).then_some(result)
    }
}
