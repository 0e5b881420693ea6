//! Checking a state: what must hold of every one, whatever has happened to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use reconcile_model::{
    Address, Mode, Object, ObjectId, ObjectState, Path, ResourceAddress, Snapshot, Step, Value,
};

/// Something that is wrong with a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The state has been written and has no lineage.
    NoLineage,
    /// An address holds no object.
    Empty(Address),
    /// One object is recorded twice.
    Duplicate {
        /// The object.
        id: ObjectId,
        /// One address.
        first: Address,
        /// The other; the same when the object is there twice.
        second: Address,
    },
    /// An object depends on a block of which nothing is recorded. After an object was deleted behind our back, this is so
    /// until the next apply.
    Dangling {
        /// The instance.
        address: Address,
        /// What is not there.
        dependency: ResourceAddress,
    },
    /// Blocks depend on each other in a circle, so there is no order to delete them in. Names all that are part of a circle
    /// or depend on one.
    Cycle(Vec<ResourceAddress>),
    /// A recorded value is unknown.
    Unknown(Address, Path),
    /// A recorded value is sensitive and not sealed.
    Unsealed(Address, Path),
    /// An output is unknown, or sensitive and not sealed.
    Output(Path),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLineage => f.write_str("the state has no lineage"),
            Self::Empty(address) => write!(f, "{address} holds no object"),
            Self::Duplicate { id, first, second } => {
                write!(f, "{id} is recorded at {first} and at {second}")
            }
            Self::Dangling { address, dependency } => {
                write!(f, "{address} depends on {dependency}, of which nothing is recorded")
            }
            Self::Cycle(blocks) => {
                let names: Vec<_> = blocks.iter().map(ToString::to_string).collect();
                write!(f, "these depend on each other: {}", names.join(", "))
            }
            Self::Unknown(address, path) => write!(f, "{path} of {address} is unknown"),
            Self::Unsealed(address, path) => {
                write!(f, "{path} of {address} is sensitive and not sealed")
            }
            Self::Output(path) => {
                write!(f, "the output {path} is unknown, or sensitive and not sealed")
            }
        }
    }
}

/// Returns everything that is wrong with a state, in order.
pub fn verify(snapshot: &Snapshot) -> Vec<Problem> {
    let mut problems = BTreeSet::new();
    if snapshot.lineage.is_empty() && snapshot.serial > 0 {
        problems.insert(Problem::NoLineage);
    }
    let blocks: BTreeSet<_> = snapshot.resources.keys().map(|address| &address.resource).collect();
    let mut seen: BTreeMap<_, &Address> = BTreeMap::new();
    for (address, resource) in &snapshot.resources {
        if resource.current.is_none() && resource.deposed.is_empty() {
            problems.insert(Problem::Empty(address.clone()));
        }
    }
    for (address, object) in snapshot.objects() {
        if address.resource.mode == Mode::Managed {
            let key = (address.type_name(), &object.provider, &object.region, &object.id);
            if let Some(first) = seen.insert(key, address) {
                let (id, first) = (object.id.clone(), first.clone());
                problems.insert(Problem::Duplicate { id, first, second: address.clone() });
            }
        }
        problems.extend(dangling(&blocks, address, object));
        for (path, fault) in faults(&object.attributes) {
            problems.insert(match fault {
                Fault::Unknown => Problem::Unknown(address.clone(), path),
                Fault::Unsealed => Problem::Unsealed(address.clone(), path),
            });
        }
    }
    problems.extend(faults(&snapshot.outputs).into_iter().map(|(path, _)| Problem::Output(path)));
    problems.extend(cycle(snapshot, &blocks));
    problems.into_iter().collect()
}

fn dangling(
    blocks: &BTreeSet<&ResourceAddress>,
    address: &Address,
    object: &ObjectState,
) -> Vec<Problem> {
    let is_missing =
        |block: &&ResourceAddress| block.mode == Mode::Managed && !blocks.contains(block);
    let missing = object.dependencies.iter().filter(is_missing);
    missing
        .map(|block| Problem::Dangling { address: address.clone(), dependency: block.clone() })
        .collect()
}

/// Takes away, again and again, the blocks that depend on nothing left; what cannot be taken away goes round in a circle.
fn cycle(snapshot: &Snapshot, blocks: &BTreeSet<&ResourceAddress>) -> Option<Problem> {
    let mut waits_for: BTreeMap<&ResourceAddress, BTreeSet<&ResourceAddress>> = BTreeMap::new();
    for (address, object) in snapshot.objects() {
        let recorded = object.dependencies.iter().filter(|block| blocks.contains(block));
        waits_for.entry(&address.resource).or_default().extend(recorded);
    }
    let mut dependents: BTreeMap<&ResourceAddress, Vec<&ResourceAddress>> = BTreeMap::new();
    for (block, dependencies) in &waits_for {
        for dependency in dependencies {
            dependents.entry(dependency).or_default().push(block);
        }
    }
    let mut free: Vec<_> = blocks
        .iter()
        .copied()
        .filter(|it| waits_for.get(it).is_none_or(|it| it.is_empty()))
        .collect();
    while let Some(block) = free.pop() {
        waits_for.remove(block);
        for dependent in dependents.remove(block).unwrap_or_default() {
            if let Some(dependencies) = waits_for.get_mut(dependent) {
                dependencies.remove(block);
                if dependencies.is_empty() {
                    free.push(dependent);
                }
            }
        }
    }
    let left: Vec<_> = waits_for.into_keys().cloned().collect();
    (!left.is_empty()).then_some(Problem::Cycle(left))
}

enum Fault {
    Unknown,
    Unsealed,
}

fn faults(object: &Object) -> Vec<(Path, Fault)> {
    let mut found = Vec::new();
    for (name, value) in object {
        search(value, &mut vec![Step::Name(name.clone())], &mut found);
    }
    found
}

fn search(value: &Value, at: &mut Vec<Step>, found: &mut Vec<(Path, Fault)>) {
    match value {
        Value::Unknown => found.push((Path(at.clone()), Fault::Unknown)),
        Value::Sensitive(inner) if !inner.is_null() => {
            found.push((Path(at.clone()), Fault::Unsealed));
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                search(item, at, found);
                at.pop();
            }
        }
        Value::Map(object) => {
            for (name, value) in object {
                at.push(Step::Name(name.clone()));
                search(value, at, found);
                at.pop();
            }
        }
        Value::Sensitive(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Sealed(_) => {}
    }
}
