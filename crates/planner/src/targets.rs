//! `--target` and `--exclude`: which instances a plan is about.

use std::collections::BTreeSet;

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
        let below = |start: &ResourceAddress| reachable([start], |it| dependencies(input, it));
        let above = |start: &ResourceAddress| reachable([start], |it| dependents(input, it));
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
        if errors.is_empty() { Ok(selection) } else { Err(errors) }
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
        || input.prior.resources.keys().any(|it| it.resource == address.resource);
    if known {
        return Ok(address);
    }
    Err(Diagnostic::error(format!("There is no `{address}` in the spec or the state"))
        .hint("`reconcile state list` shows what is in the state."))
}

/// Returns what a block depends on, by the spec and by what is recorded.
fn dependencies<'a, 's: 'a>(
    input: &PlanInput<'a, 's>,
    of: &ResourceAddress,
) -> Vec<&'a ResourceAddress> {
    let recorded = input
        .prior
        .objects()
        .filter(|(address, _)| address.resource == *of)
        .flat_map(|(_, object)| &object.dependencies);
    input.spec.dependencies(of).iter().chain(recorded).collect()
}

/// Returns what depends on a block, by the spec and by what is recorded.
fn dependents<'a, 's: 'a>(
    input: &PlanInput<'a, 's>,
    of: &ResourceAddress,
) -> Vec<&'a ResourceAddress> {
    let declared = input.spec.order().iter().filter(|it| input.spec.dependencies(it).contains(of));
    let recorded = input
        .prior
        .objects()
        .filter(|(_, object)| object.dependencies.contains(of))
        .map(|(address, _)| &address.resource);
    declared.chain(recorded).collect()
}

/// Returns all that can be reached over some edges, without the start.
fn reachable<'a>(
    start: impl IntoIterator<Item = &'a ResourceAddress>,
    next: impl Fn(&ResourceAddress) -> Vec<&'a ResourceAddress>,
) -> BTreeSet<ResourceAddress> {
    let mut found = BTreeSet::new();
    let mut stack: Vec<ResourceAddress> = start.into_iter().cloned().collect();
    while let Some(address) = stack.pop() {
        for more in next(&address) {
            if found.insert(more.clone()) {
                stack.push(more.clone());
            }
        }
    }
    found
}
