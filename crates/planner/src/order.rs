//! In which order a plan is carried out.
//!
//! A create, update, or read comes after those of all that its block depends on. A delete comes after the deletes of all
//! that depends on it, and after the updates that stop using it. One barrier for each block, instead of an edge between
//! every two instances, keeps the number of edges linear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use indexmap::IndexMap;
use reconcile_model::{
    Action, Address, Change, ReplaceOrder, ResourceAddress,
    plan::{PlanStep, StepKind},
};
use reconcile_spec::{Block, Spec};

use crate::input::PlanInput;

/// The steps of a plan while their order is being found. Steps that come before another are named as often as there is a
/// reason.
#[derive(Default)]
struct Draft {
    kinds: Vec<StepKind>,
    /// What must come before, by step.
    needs: Vec<Vec<usize>>,
    /// What should come before, by step, unless that would be a circle: what is given up last comes first.
    wishes: Vec<[Vec<usize>; 2]>,
}

/// The place among the wishes of a delete that comes after the deletes of what uses the object, by what is recorded.
const STRONG: usize = 0;
/// The place of all other wishes.
const WEAK: usize = 1;

impl Draft {
    fn add(&mut self, kind: StepKind) -> usize {
        self.kinds.push(kind);
        self.needs.push(Vec::new());
        self.wishes.push(Default::default());
        self.kinds.len() - 1
    }

    /// Returns what each of some steps has to wait for so that it waits for all of `before`: these themselves, or a barrier
    /// behind them where many would wait for many.
    fn gathered(&mut self, before: Vec<usize>, waiting: usize) -> Vec<usize> {
        if before.len() * waiting <= MANY * (before.len() + waiting) {
            return before;
        }
        let barrier = self.add(StepKind::Barrier);
        self.needs[barrier] = before;
        vec![barrier]
    }
}

/// How many times fewer edges a barrier between steps has to make to be worth its place in a plan.
const MANY: usize = 4;

/// Returns the steps that carry out the changes, each after all that it waits for.
///
/// `detachments` says which objects let go of which others before those are deleted, by the index of their change.
pub(crate) fn steps(
    input: &PlanInput<'_, '_>,
    changes: &[Change],
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
        let block = &change.address.resource;
        match change.action {
            Action::NoOp => {}
            Action::Forget => {
                draft.add(StepKind::Forget(index));
            }
            Action::Read => {
                applies.add(block, draft.add(StepKind::Read(index)));
            }
            Action::Create => {
                applies.add(block, draft.add(StepKind::Create(index)));
            }
            Action::Update => {
                applies.add(block, draft.add(StepKind::Update(index)));
            }
            Action::Delete => {
                deletes.entry(block).or_default().push(draft.add(StepKind::Delete(index)));
            }
            Action::Replace(order) => {
                let delete = draft.add(StepKind::Delete(index));
                let create = draft.add(StepKind::Create(index));
                draft.needs[delete].extend(first.get(&index).into_iter().flatten());
                match order {
                    ReplaceOrder::DeleteThenCreate => draft.needs[create].push(delete),
                    ReplaceOrder::CreateThenDelete => draft.needs[delete].push(create),
                };
                applies.add(block, create);
                deletes.entry(block).or_default().push(delete);
            }
        }
    }
    if draft.kinds.is_empty() {
        return Vec::new();
    }
    let applied = applied_barriers(&mut draft, &applies);
    let deleted = barriers(&mut draft, &deletes);
    for (block, steps) in applies.each() {
        let before = barriers_of(block, &applied);
        let before = draft.gathered(before, steps.len());
        for &step in steps {
            draft.needs[step].extend(&before);
        }
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
            let wishes = wishes.map(|before| draft.gathered(before, steps.len()));
            for step in steps {
                draft.wishes[step] = wishes.clone();
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
    /// The steps of each block, by its index.
    of_blocks: Vec<Vec<usize>>,
}

impl<'s> Applies<'s> {
    fn new(spec: &'s Spec) -> Self {
        Self { spec, of_blocks: vec![Vec::new(); spec.blocks.len()] }
    }

    fn add(&mut self, block: &ResourceAddress, step: usize) {
        let index = self.spec.blocks.get_index_of(block);
        self.of_blocks[index.expect("what is applied is in the spec")].push(step);
    }

    /// Returns the steps of each block that has any.
    fn each(&self) -> impl Iterator<Item = (&'s Block, &[usize])> {
        let all = self.spec.blocks.values().zip(&self.of_blocks);
        all.map(|(block, steps)| (block, &**steps)).filter(|(_, steps)| !steps.is_empty())
    }
}

/// The deletes of each block that has any, blocks in the order of the changes.
type OfBlocks<'a> = IndexMap<&'a ResourceAddress, Vec<usize>>;

/// Adds a barrier behind the creates, updates, and reads of each block that has any, or that depends on one that has, and
/// returns it by the index of the block.
fn applied_barriers(draft: &mut Draft, applies: &Applies<'_>) -> Vec<Option<usize>> {
    let mut all = vec![None; applies.of_blocks.len()];
    for block in applies.spec.order() {
        let before = barriers_of(block, &all);
        let steps = &applies.of_blocks[block.index()];
        if steps.is_empty() && before.is_empty() {
            continue;
        }
        let barrier = draft.add(StepKind::Barrier);
        // The block's own steps wait for its dependencies; without any the barrier passes the wait on.
        draft.needs[barrier] = if steps.is_empty() { before } else { steps.clone() };
        all[block.index()] = Some(barrier);
    }
    all
}

/// Returns the barriers behind the blocks that a block depends on, of those that have one.
fn barriers_of(block: &Block, barriers: &[Option<usize>]) -> Vec<usize> {
    block.dependency_indexes().iter().filter_map(|&index| barriers[index]).collect()
}

/// Adds a barrier behind the deletes of each block.
fn barriers<'a>(draft: &mut Draft, steps: &OfBlocks<'a>) -> IndexMap<&'a ResourceAddress, usize> {
    let mut all = IndexMap::new();
    for (address, steps) in steps {
        let barrier = draft.add(StepKind::Barrier);
        draft.needs[barrier].clone_from(steps);
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
    all: impl Iterator<Item = (&'a Address, &'a BTreeSet<ResourceAddress>)>,
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
    let before = |wishes: &[[Vec<usize>; 2]]| -> Vec<Vec<usize>> {
        let all = needs.iter().zip(wishes);
        let all = all.map(|(needs, [strong, weak])| [&**needs, strong, weak].concat());
        all.map(|mut before| {
            before.sort_unstable();
            before.dedup();
            before
        })
        .collect()
    };
    let (order, edges) = loop {
        let edges = before(&wishes);
        match topological(&edges) {
            Ok(order) => break (order, edges),
            Err(circle) => {
                let rank = if circle.iter().any(|&step| !wishes[step][WEAK].is_empty()) {
                    WEAK
                } else {
                    STRONG
                };
                let given_up =
                    circle.iter().filter(|&&step| !wishes[step][rank].is_empty()).count();
                assert!(given_up > 0, "what must come before is free of circles: blocks are");
                circle.iter().for_each(|&step| wishes[step][rank].clear());
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
            let mut waits_for: Vec<usize> = edges[step].iter().map(|&other| place[other]).collect();
            waits_for.sort_unstable();
            PlanStep { kind: kinds[step].clone(), waits_for }
        })
        .collect()
}

/// Returns the steps in an order that respects all edges, or those that are in a circle, or between two.
fn topological(before: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let count = before.len();
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (step, before) in before.iter().enumerate() {
        before.iter().for_each(|&other| after[other].push(step));
    }
    let open: Vec<usize> = before.iter().map(Vec::len).collect();
    let order = peel(open, |step| after[step].iter().copied());
    if order.len() == count {
        return Ok(order);
    }
    // What nothing in a circle comes before is left over from the front; what comes behind one, from the back.
    let open: Vec<usize> = after.iter().map(Vec::len).collect();
    let behind = peel(open, |step| before[step].iter().copied());
    let mut is_free = vec![false; count];
    order.into_iter().chain(behind).for_each(|step| is_free[step] = true);
    Err((0..count).filter(|&step| !is_free[step]).collect())
}

/// Takes away steps that wait for nothing, again and again, and returns them in that order.
fn peel<I: Iterator<Item = usize>>(mut open: Vec<usize>, next: impl Fn(usize) -> I) -> Vec<usize> {
    let mut ready: VecDeque<usize> = (0..open.len()).filter(|&step| open[step] == 0).collect();
    let mut order = Vec::with_capacity(open.len());
    while let Some(step) = ready.pop_front() {
        order.push(step);
        for follower in next(step) {
            open[follower] -= 1;
            if open[follower] == 0 {
                ready.push_back(follower);
            }
        }
    }
    order
}
