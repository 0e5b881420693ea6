//! In which order a plan is carried out.
//!
//! A create, update, or read comes after those of all that its block depends on. A delete comes after the deletes of all
//! that depends on it, and after the updates that stop using it. One barrier for each block, instead of an edge between
//! every two instances, keeps the number of edges linear.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use reconcile_model::{
    Action, Change, ReplaceOrder, ResourceAddress,
    plan::{PlanStep, StepKind},
};

use crate::input::PlanInput;

/// The steps of a plan while their order is being found.
#[derive(Default)]
struct Draft {
    kinds: Vec<StepKind>,
    /// What must come before, by step.
    needs: Vec<BTreeSet<usize>>,
    /// What should come before, by step, unless that would be a circle.
    wishes: Vec<BTreeSet<usize>>,
}

impl Draft {
    fn add(&mut self, kind: StepKind) -> usize {
        self.kinds.push(kind);
        self.needs.push(BTreeSet::new());
        self.wishes.push(BTreeSet::new());
        self.kinds.len() - 1
    }
}

/// Returns the steps that carry out the changes, each after all that it waits for.
pub(crate) fn steps(input: &PlanInput<'_, '_>, changes: &[Change]) -> Vec<PlanStep> {
    let mut draft = Draft::default();
    let mut applies: BTreeMap<&ResourceAddress, Vec<usize>> = BTreeMap::new();
    let mut deletes: BTreeMap<&ResourceAddress, Vec<usize>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        let block = &change.address.resource;
        match change.action {
            Action::NoOp => {}
            Action::Forget => {
                draft.add(StepKind::Forget(index));
            }
            Action::Read => {
                applies.entry(block).or_default().push(draft.add(StepKind::Read(index)))
            }
            Action::Create => {
                applies.entry(block).or_default().push(draft.add(StepKind::Create(index)));
            }
            Action::Update => {
                applies.entry(block).or_default().push(draft.add(StepKind::Update(index)));
            }
            Action::Delete => {
                deletes.entry(block).or_default().push(draft.add(StepKind::Delete(index)));
            }
            Action::Replace(order) => {
                let delete = draft.add(StepKind::Delete(index));
                let create = draft.add(StepKind::Create(index));
                match order {
                    ReplaceOrder::DeleteThenCreate => draft.needs[create].insert(delete),
                    ReplaceOrder::CreateThenDelete => draft.needs[delete].insert(create),
                };
                applies.entry(block).or_default().push(create);
                deletes.entry(block).or_default().push(delete);
            }
        }
    }
    if draft.kinds.is_empty() {
        return Vec::new();
    }
    let applied = applied_barriers(input, &mut draft, &applies);
    let deleted = barriers(&mut draft, &deletes);
    for (address, steps) in &applies {
        for &step in steps {
            draft.needs[step].extend(barriers_of(input.spec.dependencies(address), &applied));
        }
    }
    let users = users(input, changes);
    for (address, steps) in &deletes {
        for user in users.get(address).into_iter().flatten() {
            for &step in steps {
                draft.needs[step].extend(deleted.get(user).copied());
                let Some(&barrier) = applied.get(user) else { continue };
                match step_order(changes, &draft.kinds[step]) {
                    // The new object does not exist before the old one is gone, so nobody can have moved to it.
                    Some(ReplaceOrder::DeleteThenCreate) => {}
                    Some(ReplaceOrder::CreateThenDelete) => {
                        draft.needs[step].insert(barrier);
                    }
                    None => {
                        draft.wishes[step].insert(barrier);
                    }
                }
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

/// Adds a barrier behind the creates, updates, and reads of each block that has any, or that depends on one that has.
fn applied_barriers(
    input: &PlanInput<'_, '_>,
    draft: &mut Draft,
    applies: &BTreeMap<&ResourceAddress, Vec<usize>>,
) -> BTreeMap<ResourceAddress, usize> {
    let mut all = BTreeMap::new();
    for address in input.spec.order() {
        let before = barriers_of(input.spec.dependencies(address), &all);
        let steps = applies.get(address);
        if steps.is_none() && before.is_empty() {
            continue;
        }
        let barrier = draft.add(StepKind::Barrier);
        // The block's own steps wait for its dependencies; without any the barrier passes the wait on.
        draft.needs[barrier] = steps.map_or(before, |steps| steps.iter().copied().collect());
        all.insert(address.clone(), barrier);
    }
    all
}

fn barriers(
    draft: &mut Draft,
    steps: &BTreeMap<&ResourceAddress, Vec<usize>>,
) -> BTreeMap<ResourceAddress, usize> {
    let mut all = BTreeMap::new();
    for (address, steps) in steps {
        let barrier = draft.add(StepKind::Barrier);
        draft.needs[barrier] = steps.iter().copied().collect();
        all.insert((*address).clone(), barrier);
    }
    all
}

fn barriers_of(
    blocks: &BTreeSet<ResourceAddress>,
    barriers: &BTreeMap<ResourceAddress, usize>,
) -> BTreeSet<usize> {
    blocks.iter().filter_map(|block| barriers.get(block).copied()).collect()
}

/// Returns, for each block, those that use it: by what is recorded, since that is what is there, and by the spec.
fn users<'a>(
    input: &PlanInput<'a, '_>,
    changes: &'a [Change],
) -> BTreeMap<&'a ResourceAddress, BTreeSet<&'a ResourceAddress>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let recorded = input.prior.objects().map(|(address, object)| (address, &object.dependencies));
    let planned = changes.iter().map(|change| (&change.address, &change.dependencies));
    for (address, dependencies) in recorded.chain(planned) {
        for dependency in dependencies {
            all.entry(dependency).or_default().insert(&address.resource);
        }
    }
    all
}

/// Sorts the steps so that each comes after what it waits for. Where that is impossible, wishes are given up.
fn sorted(draft: Draft) -> Vec<PlanStep> {
    let Draft { kinds, needs, mut wishes } = draft;
    let order = loop {
        match topological(&needs, &wishes) {
            Ok(order) => break order,
            Err(stuck) => {
                let given_up = stuck.iter().filter(|&&step| !wishes[step].is_empty()).count();
                assert!(given_up > 0, "what must come before is free of circles: blocks are");
                stuck.iter().for_each(|&step| wishes[step].clear());
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
            let mut waits_for: Vec<usize> =
                needs[step].union(&wishes[step]).map(|&other| place[other]).collect();
            waits_for.sort_unstable();
            PlanStep { kind: kinds[step].clone(), waits_for }
        })
        .collect()
}

/// Returns the steps in an order that respects all edges, or those that are in or behind a circle.
fn topological(
    needs: &[BTreeSet<usize>],
    wishes: &[BTreeSet<usize>],
) -> Result<Vec<usize>, Vec<usize>> {
    let count = needs.len();
    let mut open = vec![0_usize; count];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for step in 0..count {
        for &before in needs[step].union(&wishes[step]) {
            open[step] += 1;
            followers[before].push(step);
        }
    }
    let mut ready: VecDeque<usize> = (0..count).filter(|&step| open[step] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(step) = ready.pop_front() {
        order.push(step);
        for &follower in &followers[step] {
            open[follower] -= 1;
            if open[follower] == 0 {
                ready.push_back(follower);
            }
        }
    }
    if order.len() == count {
        Ok(order)
    } else {
        Err((0..count).filter(|&step| open[step] > 0).collect())
    }
}
