//! Planning: the spec, the recorded state, and the live state make a plan.
//!
//! [`plan`] is a pure function. Where it needs a data source read it says which, as a value; the caller reads all of
//! them at once and asks again.
//!
//! **Architecture Invariant:** no I/O, clock, randomness, environment, or hash order: the same input gives the same
//! bytes.

mod data;
mod detach;
mod input;
mod instance;
mod moves;
mod order;
mod outputs;
mod recorded;
mod replace;
mod targets;
mod why;
mod world;

pub mod lint;

use reconcile_model::{Change, Diagnostic, Plan, plan::FORMAT_VERSION};
use reconcile_spec::Scope;

pub use input::{DataRead, DataResults, Live, Observation, PlanInput};
pub use moves::Moves;

/// What planning came to.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// These data sources have to be read first; then ask again with their results.
    NeedsData(Vec<DataRead>),
    /// A plan.
    Planned(Box<Planned<'a>>),
}

/// A plan, and what it was made from.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The plan.
    pub plan: Plan,
    /// The values of all that the spec's expressions can refer to, unknown where only apply will tell.
    pub scope: Scope<'a>,
}

/// Makes a plan.
///
/// # Errors
///
/// Every reason why the spec cannot be planned: expressions that fail, conditions that do not hold, a `count` that
/// cannot be known yet, objects that must not be destroyed.
pub fn plan<'s>(input: &PlanInput<'_, 's>) -> Result<Outcome<'s>, Vec<Diagnostic>> {
    let mut world = world::World::new(input)?;
    world.plan_blocks();
    if !world.reads.is_empty() {
        return Ok(Outcome::NeedsData(world.reads));
    }
    world.plan_removals();
    let outputs = world.plan_outputs();
    let mut blocks = world.blocks_of_changes();
    let world::World { scope, mut changes, errors, mut warnings, mut drift, create_first, .. } =
        world;
    if !errors.is_empty() {
        return Err(errors);
    }
    replace::order_replacements(input, &create_first, &mut changes);
    let impossible = detach::impossible(input, &changes);
    if !impossible.is_empty() {
        return Err(impossible);
    }
    for change in &mut changes {
        change.previous_address = input.moves.previous(&change.address).cloned();
        change.imported = input.imported.contains(&change.address);
    }
    sort(&mut changes, &mut blocks);
    drift.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let detachments = detach::detachments(input, &changes);
    warnings.extend(detach::warnings(&changes, &detachments));
    warnings.extend_from_slice(input.moves.blocked());
    let steps = order::steps(input, &changes, &blocks, &detachments);
    let plan = Plan {
        format_version: FORMAT_VERSION,
        stack: input.spec.stack.clone(),
        lineage: input.prior.lineage.clone(),
        serial: input.prior.serial,
        spec_digest: input.spec.digest.clone(),
        options: input.options.clone(),
        variables: input.spec.variables.clone(),
        changes,
        steps,
        outputs,
        drift,
        warnings,
        checks: Vec::new(),
    };
    Ok(Outcome::Planned(Box::new(Planned { plan, scope })))
}

/// Sorts changes by what they are about, and their blocks with them. Each is moved once: a change is hundreds of bytes, which to move about on every
/// level of a sort would cost more than to compare them.
fn sort(changes: &mut [Change], blocks: &mut [Option<usize>]) {
    let key = |index: &usize| {
        let Change { address, deposed, id, .. } = &changes[*index];
        (address, *deposed, id)
    };
    let mut order: Vec<usize> = (0..changes.len()).collect();
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    for place in 0..order.len() {
        // What was there when the places were told has left for where it belongs, and another one has come instead.
        while order[place] < place {
            order[place] = order[order[place]];
        }
        changes.swap(place, order[place]);
        blocks.swap(place, order[place]);
    }
}
