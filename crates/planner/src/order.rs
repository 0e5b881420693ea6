//! In which order a plan is carried out.
//!
//! A create, update, or read comes after those of all that its block depends on. A delete comes after the deletes of all
//! that depends on it, and after the updates that stop using it. One barrier for each block, instead of an edge between
//! every two instances, keeps the number of edges linear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use indexmap::IndexMap;
use petgraph::{Directed, csr::Csr};
use reconcile_model::{
    Action, Address, Change, Dependencies, ReplaceOrder, ResourceAddress,
    plan::{PlanStep, StepKind},
};
use reconcile_spec::{Block, Spec};

use crate::input::PlanInput;

/// A step, and one that comes before it.
type Edge = (usize, usize);

/// The steps of a plan while their order is being found. An edge is there as often as there is a reason for it.
#[derive(Default)]
struct Draft {
    kinds: Vec<StepKind>,
    /// What must come before.
    needs: Vec<Edge>,
    /// What should come before, unless that would be a circle: what is given up last comes first.
    wishes: [Vec<Edge>; 2],
}

/// The place among the wishes of a delete that comes after the deletes of what uses the object, by what is recorded.
const STRONG: usize = 0;
/// The place of all other wishes.
const WEAK: usize = 1;

impl Draft {
    fn add(&mut self, kind: StepKind) -> usize {
        self.kinds.push(kind);
        self.kinds.len() - 1
    }

    fn need(&mut self, step: usize, before: impl IntoIterator<Item = usize>) {
        self.needs.extend(before.into_iter().map(|it| (step, it)));
    }

    /// Replaces what many steps would all wait for, where that is many as well, by a barrier behind it.
    fn gather(&mut self, before: &mut Vec<usize>, waiting: usize) {
        if before.len() * waiting > MANY * (before.len() + waiting) {
            let barrier = self.add(StepKind::Barrier);
            self.need(barrier, before.drain(..));
            before.push(barrier);
        }
    }
}

/// How many times fewer edges a barrier between steps has to make to be worth its place in a plan.
const MANY: usize = 4;

/// Returns the steps that carry out the changes, each after all that it waits for.
///
/// `blocks` says which block of the spec each change is of. `detachments` says which objects let go of which others before those are deleted, by the index of their change.
pub(crate) fn steps(
    input: &PlanInput<'_, '_>,
    changes: &[Change],
    blocks: &[Option<usize>],
    detachments: &BTreeMap<usize, Vec<usize>>,
) -> Vec<PlanStep> {
    let mut draft = Draft::default();
    let mut first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (&change, of) in detachments {
        let detach = draft.add(StepKind::Detach { change, of: of.clone() });
        for &gone in of {
            first.entry(gone).or_default().push(detach);
        }
    }
    let mut applies = Applies::new(input.spec);
    let mut deletes = OfBlocks::new();
    for (index, change) in changes.iter().enumerate() {
        let address = &change.address.resource;
        let block = || blocks[index].expect("what is applied is in the spec");
        match change.action {
            Action::NoOp => {}
            Action::Forget => {
                draft.add(StepKind::Forget(index));
            }
            Action::Read => {
                applies.add(block(), draft.add(StepKind::Read(index)));
            }
            Action::Create => {
                applies.add(block(), draft.add(StepKind::Create(index)));
            }
            Action::Update => {
                applies.add(block(), draft.add(StepKind::Update(index)));
            }
            Action::Delete => {
                deletes.entry(address).or_default().push(draft.add(StepKind::Delete(index)));
            }
            Action::Replace(order) => {
                let delete = draft.add(StepKind::Delete(index));
                let create = draft.add(StepKind::Create(index));
                draft.need(delete, first.get(&index).into_iter().flatten().copied());
                match order {
                    ReplaceOrder::DeleteThenCreate => draft.need(create, [delete]),
                    ReplaceOrder::CreateThenDelete => draft.need(delete, [create]),
                };
                applies.add(block(), create);
                deletes.entry(address).or_default().push(delete);
            }
        }
    }
    if draft.kinds.is_empty() {
        return Vec::new();
    }
    let applied = applied_barriers(&mut draft, &applies);
    let deleted = barriers(&mut draft, &deletes);
    let mut before = Vec::new();
    for (block, steps) in applies.each() {
        before.extend(barriers_of(block, &applied));
        draft.gather(&mut before, steps.len());
        steps.iter().for_each(|&step| draft.need(step, before.iter().copied()));
        before.clear();
    }
    let recorded = recorded_users(input, &deletes);
    let planned = planned_users(changes, &deletes);
    for (address, steps) in deletes {
        let mut by_order: BTreeMap<Option<ReplaceOrder>, Vec<usize>> = BTreeMap::new();
        for step in steps {
            by_order.entry(step_order(changes, &draft.kinds[step])).or_default().push(step);
        }
        let uses = |users: &Users<'_>, user| users.get(address).is_some_and(|it| it.contains(user));
        let users: BTreeSet<_> =
            recorded.get(address).into_iter().chain(planned.get(address)).flatten().collect();
        for (order, steps) in by_order {
            let mut wishes: [Vec<usize>; 2] = Default::default();
            for user in &users {
                let rank = if uses(&recorded, *user) { STRONG } else { WEAK };
                wishes[rank].extend(deleted.get(*user).copied());
                let index = input.spec.blocks.get_index_of::<ResourceAddress>(user);
                let Some(barrier) = index.and_then(|index| applied[index]) else { continue };
                match order {
                    // The new object does not exist before the old one is gone, so nobody can have moved to it.
                    Some(ReplaceOrder::DeleteThenCreate) => {}
                    Some(ReplaceOrder::CreateThenDelete) => wishes[STRONG].push(barrier),
                    None => wishes[WEAK].push(barrier),
                }
            }
            for (rank, mut before) in wishes.into_iter().enumerate() {
                draft.gather(&mut before, steps.len());
                let edges = steps.iter().flat_map(|&step| before.iter().map(move |&it| (step, it)));
                draft.wishes[rank].extend(edges);
            }
        }
    }
    sorted(draft)
}

/// Returns the order of the replacement that a delete step is part of.
fn step_order(changes: &[Change], kind: &StepKind) -> Option<ReplaceOrder> {
    match changes[kind.change()?].action {
        Action::Replace(order) => Some(order),
        Action::NoOp
        | Action::Read
        | Action::Create
        | Action::Update
        | Action::Delete
        | Action::Forget => None,
    }
}

/// The creates, updates, and reads: they are of blocks of the spec.
struct Applies<'s> {
    spec: &'s Spec,
    /// All of them. Those of a block stand together, as its changes do.
    steps: Vec<usize>,
    /// Where those of each block stand, by its index.
    of_blocks: Vec<Range<usize>>,
}

impl<'s> Applies<'s> {
    fn new(spec: &'s Spec) -> Self {
        Self { spec, steps: Vec::new(), of_blocks: vec![0..0; spec.blocks.len()] }
    }

    /// Adds a step of a block, by the index of that.
    fn add(&mut self, block: usize, step: usize) {
        let of_block = &mut self.of_blocks[block];
        if Range::is_empty(of_block) {
            of_block.start = self.steps.len();
        }
        self.steps.push(step);
        of_block.end = self.steps.len();
    }

    fn of(&self, block: &Block) -> &[usize] {
        &self.steps[self.of_blocks[block.index()].clone()]
    }

    /// Returns the steps of each block that has any.
    fn each(&self) -> impl Iterator<Item = (&'s Block, &[usize])> {
        let all = self.spec.blocks.values().map(|block| (block, self.of(block)));
        all.filter(|(_, steps)| !steps.is_empty())
    }
}

/// The deletes of each block that has any, blocks in the order of the changes.
type OfBlocks<'a> = IndexMap<&'a ResourceAddress, Vec<usize>>;

/// Adds a barrier behind the creates, updates, and reads of each block that has any, or that depends on one that has, and
/// returns it by the index of the block.
fn applied_barriers(draft: &mut Draft, applies: &Applies<'_>) -> Vec<Option<usize>> {
    let mut all = vec![None; applies.of_blocks.len()];
    for block in applies.spec.order() {
        let steps = applies.of(block);
        if steps.is_empty() && barriers_of(block, &all).next().is_none() {
            continue;
        }
        let barrier = draft.add(StepKind::Barrier);
        // The block's own steps wait for its dependencies; without any the barrier passes the wait on.
        if steps.is_empty() {
            draft.need(barrier, barriers_of(block, &all));
        } else {
            draft.need(barrier, steps.iter().copied());
        }
        all[block.index()] = Some(barrier);
    }
    all
}

/// Returns the barriers behind the blocks that a block depends on, of those that have one.
fn barriers_of(block: &Block, barriers: &[Option<usize>]) -> impl Iterator<Item = usize> {
    block.dependency_indexes().iter().filter_map(|&index| barriers[index])
}

/// Adds a barrier behind the deletes of each block.
fn barriers<'a>(draft: &mut Draft, steps: &OfBlocks<'a>) -> IndexMap<&'a ResourceAddress, usize> {
    let mut all = IndexMap::new();
    for (address, steps) in steps {
        let barrier = draft.add(StepKind::Barrier);
        draft.need(barrier, steps.iter().copied());
        all.insert(*address, barrier);
    }
    all
}

/// For each block with deletes, those that use it.
type Users<'a> = BTreeMap<&'a ResourceAddress, BTreeSet<&'a ResourceAddress>>;

/// Returns who uses what is deleted, by what is recorded: that is what is there.
fn recorded_users<'a>(input: &PlanInput<'a, '_>, deletes: &OfBlocks<'_>) -> Users<'a> {
    let recorded = input.prior.objects();
    users(recorded.map(|(address, object)| (address, &object.dependencies)), deletes)
}

/// Returns who uses what is deleted, by the spec.
fn planned_users<'a>(changes: &'a [Change], deletes: &OfBlocks<'_>) -> Users<'a> {
    users(changes.iter().map(|change| (&change.address, &change.dependencies)), deletes)
}

fn users<'a>(
    all: impl Iterator<Item = (&'a Address, &'a Dependencies)>,
    deletes: &OfBlocks<'_>,
) -> Users<'a> {
    let mut users = Users::new();
    if deletes.is_empty() {
        return users;
    }
    for (address, dependencies) in all {
        for dependency in dependencies.iter().filter(|it| deletes.contains_key(*it)) {
            users.entry(dependency).or_default().insert(&address.resource);
        }
    }
    users
}

/// Sorts the steps so that each comes after what it waits for. Where that is impossible, wishes are given up: the weak
/// ones first, and only those of steps that are part of a circle.
///
/// What must come before is free of circles: blocks are, and no replacement is create-first whose dependency is
/// replaced delete-first.
fn sorted(draft: Draft) -> Vec<PlanStep> {
    let Draft { kinds, needs, mut wishes } = draft;
    let (order, before) = loop {
        let mut edges = [&*needs, &wishes[STRONG], &wishes[WEAK]].concat();
        let before = graph(kinds.len(), &mut edges);
        match topological(&before, edges) {
            Ok(order) => break (order, before),
            Err(circle) => {
                let is_given_up = |&(step, _): &Edge| circle.binary_search(&step).is_ok();
                let rank = if wishes[WEAK].iter().any(is_given_up) { WEAK } else { STRONG };
                let kept = wishes[rank].len();
                wishes[rank].retain(|it| !is_given_up(it));
                assert!(
                    wishes[rank].len() < kept,
                    "what must come before is free of circles: blocks are"
                );
            }
        }
    };
    let mut place = vec![0; order.len()];
    for (position, &step) in order.iter().enumerate() {
        place[step] = position;
    }
    order
        .iter()
        .map(|&step| {
            let before = before.neighbors_slice(step).iter();
            let mut waits_for: Vec<usize> = before.map(|&other| place[other]).collect();
            waits_for.sort_unstable();
            PlanStep { kind: kinds[step].clone(), waits_for }
        })
        .collect()
}

/// The edges of all steps in one list, by step.
type Edges = Csr<(), (), Directed, usize>;

/// Brings edges into order, each once, and returns them by their first step.
fn graph(steps: usize, edges: &mut Vec<Edge>) -> Edges {
    edges.sort_unstable();
    edges.dedup();
    let mut graph = Csr::from_sorted_edges(edges).expect("the edges are sorted");
    while graph.node_count() < steps {
        graph.add_node(());
    }
    graph
}

/// Returns the steps in an order that respects all edges, or those, in order, that are in a circle, or between two.
fn topological(before: &Edges, mut edges: Vec<Edge>) -> Result<Vec<usize>, Vec<usize>> {
    let count = before.node_count();
    edges.iter_mut().for_each(|(step, before)| std::mem::swap(step, before));
    let after = graph(count, &mut edges);
    let order = peel(before, &after);
    if order.len() == count {
        return Ok(order);
    }
    // What nothing in a circle comes before is left over from the front; what comes behind one, from the back.
    let behind = peel(&after, before);
    let mut is_free = vec![false; count];
    order.into_iter().chain(behind).for_each(|step| is_free[step] = true);
    Err((0..count).filter(|&step| !is_free[step]).collect())
}

/// Takes away steps that wait for nothing, again and again, and returns them in that order.
fn peel(before: &Edges, after: &Edges) -> Vec<usize> {
    let count = before.node_count();
    let mut open: Vec<usize> = (0..count).map(|step| before.out_degree(step)).collect();
    let mut ready: VecDeque<usize> = (0..count).filter(|&step| open[step] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(step) = ready.pop_front() {
        order.push(step);
        for &follower in after.neighbors_slice(step) {
            open[follower] -= 1;
            if open[follower] == 0 {
                ready.push_back(follower);
            }
        }
    }
    order
}
