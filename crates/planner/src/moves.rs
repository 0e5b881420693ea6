//! What belongs to another address than it was recorded at: by `moved` blocks, and by a `count` that came or went.
//!
//! Planning goes on as if everything had been recorded where it belongs now; only the changes say where it was.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{Address, Diagnostic, InstanceKey, Mode, ResourceAddress, Snapshot};
use reconcile_spec::{Block, Expansion, Moved, Spec};

/// What moves, and what cannot.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// Where each was recorded, by where it belongs now.
    recorded_at: BTreeMap<Address, Address>,
    /// What cannot move, for something else is recorded where it should go.
    blocked: Vec<Diagnostic>,
}

impl Moves {
    /// Works out what of a recorded state belongs to another address by a spec.
    ///
    /// An instance stays where it is when something else is recorded where it should go.
    pub fn of(spec: &Spec, recorded: &Snapshot) -> Self {
        let mut places = Places { recorded, recorded_at: BTreeMap::new(), left: BTreeSet::new() };
        let mut blocked = Vec::new();
        for moved in &spec.moved {
            for (from, to) in places.meant(moved) {
                if let Some(id) = places.id_at(&to) {
                    blocked.push(cannot(moved, &from, &to, id));
                } else {
                    places.shift(from, to);
                }
            }
        }
        for (from, to) in implied(spec, recorded) {
            if !places.is_taken(&to) {
                places.shift(from, to);
            }
        }
        Self { recorded_at: places.recorded_at, blocked }
    }

    /// Returns the recorded state with everything where it belongs now.
    pub fn relocated<'r>(&self, recorded: &'r Snapshot) -> Cow<'r, Snapshot> {
        if self.recorded_at.is_empty() {
            return Cow::Borrowed(recorded);
        }
        let mut relocated = recorded.clone();
        relocated.relocate(self.recorded_at.iter().map(|(to, from)| (from, to)));
        Cow::Owned(relocated)
    }

    /// Returns where an instance was recorded, if that is another address than the one it belongs to now.
    pub fn previous(&self, address: &Address) -> Option<&Address> {
        self.recorded_at.get(address)
    }

    /// Returns each instance that moves: where it was recorded, and where it belongs now.
    pub fn all(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.recorded_at.iter().map(|(to, from)| (from, to))
    }

    /// Returns a warning for each instance that cannot move.
    pub(crate) fn blocked(&self) -> &[Diagnostic] {
        &self.blocked
    }
}

/// What is where while moves are followed.
struct Places<'r> {
    recorded: &'r Snapshot,
    /// Where each that moved was recorded, by where it is by now.
    recorded_at: BTreeMap<Address, Address>,
    /// The recorded addresses that something moved away from.
    left: BTreeSet<Address>,
}

impl Places<'_> {
    /// Returns what a `moved` block is about, of what is there by now: where each is, and where it goes.
    fn meant(&self, moved: &Moved) -> Vec<(Address, Address)> {
        if !moved.is_whole() {
            let pair = || (moved.from.clone(), moved.to.clone());
            return self.is_taken(&moved.from).then(pair).into_iter().collect();
        }
        let block = &moved.from.resource;
        let is_of_block = |address: &&Address| address.resource == *block;
        let recorded = self.recorded.resources.range(moved.from.clone()..).map(|(it, _)| it);
        let recorded = recorded.take_while(is_of_block).filter(|it| !self.left.contains(*it));
        let arrived = self.recorded_at.range(moved.from.clone()..).map(|(it, _)| it);
        let there = recorded.chain(arrived.take_while(is_of_block));
        there.map(|it| (it.clone(), moved.to.resource.instance(it.key.clone()))).collect()
    }

    fn is_taken(&self, address: &Address) -> bool {
        let is_recorded = self.recorded.resources.contains_key(address);
        self.recorded_at.contains_key(address) || is_recorded && !self.left.contains(address)
    }

    /// Returns what is at an address by now, in words; `None` for nothing.
    fn id_at(&self, address: &Address) -> Option<String> {
        let recorded = self.recorded_at.get(address).unwrap_or(address);
        let resource = self.recorded.resources.get(recorded).filter(|_| self.is_taken(address))?;
        let object = resource.current.iter().chain(&resource.deposed).next()?;
        Some(object.id.to_string())
    }

    fn shift(&mut self, from: Address, to: Address) {
        let recorded = self.recorded_at.remove(&from).unwrap_or(from);
        self.left.insert(recorded.clone());
        self.recorded_at.insert(to, recorded);
    }
}

/// Returns the moves that nobody has to write: from an only instance to the first of several, and back. A block that a
/// `moved` block mentions has none.
fn implied<'r>(
    spec: &'r Spec,
    recorded: &'r Snapshot,
) -> impl Iterator<Item = (Address, Address)> + 'r {
    let ends = spec.moved.iter().flat_map(|moved| [&moved.from.resource, &moved.to.resource]);
    let mentioned: BTreeSet<&ResourceAddress> = ends.collect();
    recorded.resources.keys().filter_map(move |from| {
        let to = match from.key {
            None => Some(InstanceKey::Index(0)),
            Some(InstanceKey::Index(0)) => None,
            Some(InstanceKey::Index(_) | InstanceKey::Name(_)) => return None,
        };
        let block = spec.blocks.get(&from.resource)?;
        let is_wanted = if to.is_some() { block.is_counted() } else { !block.is_repeated() };
        let moves =
            is_wanted && block.address.mode == Mode::Managed && !mentioned.contains(&block.address);
        moves.then(|| (from.clone(), block.address.instance(to)))
    })
}

/// Returns the `moved` blocks of single instances, by the block that they left.
pub(crate) fn by_block(spec: &Spec) -> BTreeMap<&ResourceAddress, Vec<&Moved>> {
    let mut all: BTreeMap<&ResourceAddress, Vec<&Moved>> = BTreeMap::new();
    for moved in spec.moved.iter().filter(|moved| !moved.is_whole()) {
        all.entry(&moved.from.resource).or_default().push(moved);
    }
    all
}

/// Returns the errors for instances that moved away from a block and that it still has.
pub(crate) fn still_declared(
    moved: &[&Moved],
    block: &Block,
    expansion: &Expansion,
) -> Vec<Diagnostic> {
    let has = |key: &Option<InstanceKey>| match (expansion, key) {
        (Expansion::One, None) => true,
        (Expansion::Count(count), Some(InstanceKey::Index(index))) => index < count,
        (Expansion::Each(members), Some(InstanceKey::Name(name))) => members.contains_key(name),
        (Expansion::One | Expansion::Count(_) | Expansion::Each(_), _) => false,
    };
    let error = |Moved { from, to, span }: &Moved| {
        Diagnostic::error(format!("{from} moved, and the spec still has it"))
            .detail(format!("The block's `count` or `for_each` has it, at {}.", block.span))
            .hint(format!(
                "Leave {from} out there, so that it is {to} alone, or remove the `moved` block."
            ))
            .at(span.clone())
            .about(from)
    };
    moved.iter().copied().filter(|it| has(&it.from.key)).map(error).collect()
}

fn cannot(moved: &Moved, from: &Address, to: &Address, id: String) -> Diagnostic {
    Diagnostic::warning(format!("{from} cannot move to {to}"))
        .detail(format!(
            "{id} is recorded there already. So {from} is planned as if the `moved` block were not there."
        ))
        .hint("Record one of the two under another address, by `reconcile state mv`, or forget it, by `reconcile state rm`.")
        .at(moved.span.clone())
        .about(from)
}
