//! Following `import` blocks: what they name is planned as if it had been recorded.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use reconcile_model::plan::{PlanMode, PlanOptions};
use reconcile_model::{
    Action, Address, Change, Diagnostic, Mode, ObjectId, Plan, ResourceState, Snapshot,
};
use reconcile_planner::{Live, Observation};
use reconcile_spec::{Import, Scope};

use crate::adopt::Found;
use crate::pipeline::{Engine, Failure};

/// How many objects are looked for at once.
const LOOKS: usize = 16;

/// What is imported.
#[derive(Default)]
pub(crate) struct Imports {
    /// Where.
    pub(crate) addresses: BTreeSet<Address>,
    /// What the user should know.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Looks for the objects of `import` blocks where nothing is recorded, and puts them into what is recorded and found.
/// `plan` is what would be done without them: only what it would create can be there already.
///
/// # Errors
///
/// When an object cannot be found, is recorded elsewhere, or the spec has no such instance.
pub(crate) async fn follow(
    engine: &Engine<'_>,
    plan: &Plan,
    prior: &mut Snapshot,
    observed: &mut Observation,
) -> Result<Imports, Failure> {
    let changes: BTreeMap<&Address, &Change> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Create)
        .map(|change| (&change.address, change))
        .collect();
    let (mut wanted, mut errors) = (Vec::new(), Vec::new());
    for (import, id) in pending(engine, &plan.options, prior)? {
        match changes.get(&import.to) {
            Some(change) => wanted.push((import, id, *change)),
            None if is_narrowed(&plan.options) => {}
            None => errors.push(no_instance(import)),
        }
    }
    let salt = prior.lineage.clone();
    let looks = wanted.into_iter().map(|(import, id, change)| {
        let salt = &salt;
        async move {
            let schema = engine.schemas.get(Mode::Managed, change.address.type_name());
            let schema = schema.expect("what would be created has a type");
            (import, engine.find(schema, change, &id, salt).await)
        }
    });
    let found: Vec<(&Import, Result<Found, Failure>)> =
        stream::iter(looks).buffered(LOOKS).collect().await;
    let mut imports = Imports::default();
    let mut known: BTreeMap<(String, ObjectId), Address> = prior
        .objects()
        .map(|(address, it)| ((address.type_name().to_owned(), it.id.clone()), address.clone()))
        .collect();
    for (import, result) in found {
        let Found { object, observed: read, warnings } = match result {
            Ok(found) => found,
            Err(more) => {
                errors.extend(more.into_iter().map(|it| it.at(import.span.clone())));
                continue;
            }
        };
        let key = (import.to.type_name().to_owned(), object.id.clone());
        if let Some(other) = known.get(&key) {
            errors.push(elsewhere(import, &object.id, other));
            continue;
        }
        known.insert(key, import.to.clone());
        observed.insert(import.to.clone(), object.id.clone(), Live::Present(read.object));
        let state = ResourceState { current: Some(object), deposed: Vec::new() };
        prior.resources.insert(import.to.clone(), state);
        imports.addresses.insert(import.to.clone());
        imports.warnings.extend(warnings.into_iter().map(|it| it.at(import.span.clone())));
    }
    if errors.is_empty() { Ok(imports) } else { Err(errors) }
}

/// Tells whether an `import` block has something to say.
pub(crate) fn is_any_pending(engine: &Engine<'_>, options: &PlanOptions, prior: &Snapshot) -> bool {
    let is_open = |import: &Import| !prior.resources.contains_key(&import.to);
    options.mode == PlanMode::Apply && engine.spec.imports.iter().any(is_open)
}

fn pending<'s>(
    engine: &Engine<'s>,
    options: &PlanOptions,
    prior: &Snapshot,
) -> Result<Vec<(&'s Import, ObjectId)>, Failure> {
    if !is_any_pending(engine, options, prior) {
        return Ok(Vec::new());
    }
    let scope = Scope::new(engine.spec);
    let open = engine.spec.imports.iter().filter(|it| !prior.resources.contains_key(&it.to));
    open.map(|import| Ok((import, scope.import_id(import)?))).collect()
}

fn is_narrowed(options: &PlanOptions) -> bool {
    !options.targets.is_empty() || !options.excludes.is_empty()
}

fn no_instance(import: &Import) -> Diagnostic {
    Diagnostic::error(format!("The spec has no instance {}", import.to))
        .detail("Its block has others, by its `count` or `for_each`, or none.")
        .hint("Name one of its instances.")
        .at(import.span.clone())
        .about(&import.to)
}

fn elsewhere(import: &Import, id: &ObjectId, other: &Address) -> Diagnostic {
    Diagnostic::error(format!("{id} is recorded already, at {other}"))
        .detail("An object has one address.")
        .hint(format!(
            "To move it, write `moved: {{ from: '{other}', to: '{}' }}` instead of the `import` block.",
            import.to
        ))
        .at(import.span.clone())
        .about(&import.to)
}
