//! `--target` and `--exclude`: which instances a plan is about.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{Address, Diagnostic, ResourceAddress, plan::PlanMode};

use crate::input::PlanInput;

/// Which instances a plan is about.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Whole blocks that are in; `None` when everything is.
    blocks: Option<BTreeSet<ResourceAddress>>,
    /// Single instances that are in besides.
    instances: BTreeSet<Address>,
    /// Blocks that are out.
    excluded: BTreeSet<ResourceAddress>,
    /// Single instances that are out.
    excluded_instances: BTreeSet<Address>,
}

impl Selection {
    /// Works out what the options select.
    ///
    /// A target brings all that it depends on; what is excluded takes along all that depends on it. When everything is to
    /// be destroyed it is the other way round: what depends on a target has to go first, and what an excluded object
    /// depends on has to stay.
    ///
    /// # Errors
    ///
    /// When an option names something that is neither in the spec nor in the state.
    pub(crate) fn new(input: &PlanInput<'_, '_>) -> Result<Self, Vec<Diagnostic>> {
        let mut selection = Self::default();
        let mut errors = Vec::new();
        let destroys = input.options.mode == PlanMode::Destroy;
        let is_asked = !input.options.targets.is_empty() || !input.options.excludes.is_empty();
        let edges = if is_asked { Edges::of(input) } else { Edges::default() };
        let below = |start: &ResourceAddress| reachable(start, &edges.dependencies);
        let above = |start: &ResourceAddress| reachable(start, &edges.dependents);
        for text in &input.options.targets {
            match named(input, text) {
                Ok(address) => {
                    let blocks = selection.blocks.get_or_insert_default();
                    let along =
                        if destroys { above(&address.resource) } else { below(&address.resource) };
                    blocks.extend(along);
                    if address.key.is_none() {
                        blocks.insert(address.resource);
                    } else {
                        selection.instances.insert(address);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        for text in &input.options.excludes {
            match named(input, text) {
                Ok(address) => {
                    let along =
                        if destroys { below(&address.resource) } else { above(&address.resource) };
                    selection.excluded.extend(along);
                    if address.key.is_none() {
                        selection.excluded.insert(address.resource);
                    } else {
                        selection.excluded_instances.insert(address);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        for address in &input.options.replace {
            errors.extend(named(input, &address.to_string()).err());
        }
        if errors.is_empty() && is_asked {
            errors.extend(selection.left_behind(input));
        }
        if errors.is_empty() { Ok(selection) } else { Err(errors) }
    }

    /// Returns the error for instances that have to move and are not in. Without them what is recorded would be planned
    /// where it no longer belongs.
    fn left_behind(&self, input: &PlanInput<'_, '_>) -> Option<Diagnostic> {
        let moves = input.moves.all().filter(|(_, to)| !self.contains(to));
        let told: Vec<String> = moves.map(|(from, to)| format!("{from} to {to}")).collect();
        if told.is_empty() {
            return None;
        }
        let error = Diagnostic::error("What moves has to be in the plan")
            .detail(format!("These are recorded where they no longer belong, and `--target` or `--exclude` leaves them out: {}.", told.join(", ")))
            .hint("Plan without these options, or add the new addresses to the targets.");
        Some(error)
    }

    /// Tells whether the plan is about an instance.
    pub(crate) fn contains(&self, address: &Address) -> bool {
        let selected = self.blocks.as_ref().is_none_or(|blocks| {
            blocks.contains(&address.resource) || self.instances.contains(address)
        });
        selected
            && !self.excluded.contains(&address.resource)
            && !self.excluded_instances.contains(address)
    }
}

/// Returns the address that an option names, if there is something at it.
fn named(input: &PlanInput<'_, '_>, text: &str) -> Result<Address, Diagnostic> {
    let address: Address = text.parse().map_err(|error| Diagnostic::error(format!("{error}")))?;
    let known = input.spec.blocks.contains_key(&address.resource)
        || input
            .prior
            .resources
            .range(address.resource.instance(None)..)
            .next()
            .is_some_and(|(found, _)| found.resource == address.resource);
    if known {
        return Ok(address);
    }
    let mut error = Diagnostic::error(format!("There is no `{address}` in the spec or the state"))
        .hint("`reconcile state list` shows what is in the state.");
    let is_meant = |from: &Address| *from == address || from.resource == address.resource;
    if let Some((from, to)) = input.moves.all().find(|(from, _)| is_meant(from)) {
        error = Diagnostic::error(format!("{from} has another address now"))
            .hint(format!("Name it as the spec does: {to}."));
    }
    Err(error)
}

/// Which blocks lead to which others.
type Ways<'a> = BTreeMap<&'a ResourceAddress, BTreeSet<&'a ResourceAddress>>;

/// What depends on what, by the spec and by what is recorded.
#[derive(Default)]
struct Edges<'a> {
    dependencies: Ways<'a>,
    dependents: Ways<'a>,
}

impl<'a> Edges<'a> {
    fn of<'s: 'a>(input: &PlanInput<'a, 's>) -> Self {
        let mut edges = Self::default();
        let declared = input.spec.order().map(|it| (&it.address, it.dependencies()));
        let recorded =
            input.prior.objects().map(|(address, it)| (&address.resource, &it.dependencies));
        for (user, dependencies) in declared.chain(recorded) {
            for used in dependencies {
                edges.dependencies.entry(user).or_default().insert(used);
                edges.dependents.entry(used).or_default().insert(user);
            }
        }
        edges
    }
}

/// Returns all that some ways lead to, without the start.
fn reachable(start: &ResourceAddress, ways: &Ways<'_>) -> BTreeSet<ResourceAddress> {
    let mut found = BTreeSet::new();
    let mut stack = vec![start];
    while let Some(address) = stack.pop() {
        for &more in ways.get(address).into_iter().flatten() {
            if found.insert(more.clone()) {
                stack.push(more);
            }
        }
    }
    found
}
