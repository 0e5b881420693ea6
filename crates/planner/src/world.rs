//! The state of one planning pass: block after block, in dependency order.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use reconcile_model::{
    Action, Address, Change, Dependencies, Diagnostic, InstanceKey, Mode, Object, ObjectId,
    ObjectState, Reason, ResourceAddress, ResourceState, Schema, Value,
    plan::{Drift, PlanMode},
};
use reconcile_spec::{Block, Expansion, Fate, Instances, Moved, Removed, Scope};

use crate::detach::{self, InPlace};
use crate::input::{DataRead, PlanInput};
use crate::moves;
use crate::recorded::{self, Existing};
use crate::targets::Selection;

/// One planning pass.
pub(crate) struct World<'a, 's> {
    pub(crate) input: PlanInput<'a, 's>,
    pub(crate) scope: Scope<'s>,
    pub(crate) changes: Vec<Change>,
    /// What was planned so far of each block of the spec, by its index.
    planned: Vec<Option<PlannedBlock>>,
    /// What is recorded, for looking up every instance: that costs a hash, where a tree of as many costs a dozen and more
    /// comparisons of names that are nowhere near.
    recorded: IndexMap<&'a Address, &'a ResourceState>,
    pub(crate) reads: Vec<DataRead>,
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) drift: Vec<Drift>,
    /// The blocks that replace create-first: those that say so and all that they depend on.
    pub(crate) create_first: BTreeSet<ResourceAddress>,
    pub(crate) selection: Selection,
    /// The replacements, so far, that are certain to be delete-first.
    pub(crate) in_place: InPlace,
    /// Which of the triggers of the block that is being planned are set off for every instance of it.
    pub(crate) fired: Vec<bool>,
    /// Where the arguments of the block that is being planned come from, among what changes, as far as that was asked.
    pub(crate) upstream: RefCell<BTreeMap<String, Vec<ResourceAddress>>>,
    /// The `moved` blocks of single instances, by the block that they left.
    moved_from: BTreeMap<&'s ResourceAddress, Vec<&'s Moved>>,
    /// What the recorded objects mention of others, once that was asked.
    mentioned: OnceCell<BTreeSet<&'a str>>,
    default_tags: BTreeMap<String, Arc<Object>>,
}

/// A block that was planned.
struct PlannedBlock {
    /// The changes of its instances, by index, in the order of their keys.
    changes: Range<usize>,
    /// Whether one of them does something.
    is_changing: bool,
}

impl<'a, 's> World<'a, 's> {
    /// Begins a pass.
    ///
    /// # Errors
    ///
    /// When the options name what is not there, or a provider block cannot be evaluated.
    pub(crate) fn new(input: &PlanInput<'a, 's>) -> Result<Self, Vec<Diagnostic>> {
        let scope = Scope::new(input.spec);
        let selection = Selection::new(input)?;
        let mut errors = Vec::new();
        let mut tags = BTreeMap::new();
        for key in input.spec.providers.keys() {
            match scope.provider(key) {
                Ok(arguments) => {
                    let default = arguments.map("default_tags").cloned().unwrap_or_default();
                    tags.insert(key.clone(), Arc::new(default));
                }
                Err(more) => errors.extend(more),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            input: *input,
            scope,
            changes: Vec::new(),
            planned: input.spec.blocks.iter().map(|_| None).collect(),
            recorded: input.prior.resources.iter().collect(),
            reads: Vec::new(),
            errors,
            warnings: Vec::new(),
            drift: Vec::new(),
            create_first: create_first(input),
            selection,
            in_place: InPlace::default(),
            fired: Vec::new(),
            upstream: RefCell::default(),
            moved_from: moves::by_block(input.spec),
            mentioned: OnceCell::new(),
            default_tags: tags,
        })
    }

    /// Returns the default tags of a provider configuration.
    pub(crate) fn default_tags(&self, provider: &str) -> Arc<Object> {
        self.default_tags.get(provider).cloned().unwrap_or_default()
    }

    /// Brings together what is recorded of an object and what was found, and notes what changed behind our back.
    pub(crate) fn existing(
        &mut self,
        address: &Address,
        state: &'a ObjectState,
        schema: &Schema,
        candidate: &Object,
    ) -> Existing<'a> {
        let default_tags = self.default_tags(&state.provider);
        let existing =
            recorded::existing(&self.input, address, state, schema, candidate, &default_tags);
        if let Some(mut drift) = recorded::drift(address, schema, &existing) {
            let mut deposed = self.recorded(address).into_iter().flat_map(|it| &it.deposed);
            drift.deposed = deposed.find(|it| it.id == state.id).map(|it| it.id.clone());
            self.drift.push(drift);
        }
        existing
    }

    /// Plans every block of the spec. Destroying is planning against an empty spec: then there is none.
    pub(crate) fn plan_blocks(&mut self) {
        if self.input.options.mode == PlanMode::Destroy {
            return;
        }
        let spec = self.input.spec;
        for block in spec.order() {
            match self.scope.expand(block) {
                Ok(expansion) => self.plan_block(block, expansion),
                Err(more) => {
                    self.errors.extend(more);
                    // What depends on it is still looked at, for its own errors.
                    self.scope.set(block, Instances::One(Value::Unknown));
                }
            }
        }
    }

    /// Tells whether another recorded object mentions one by its id.
    pub(crate) fn is_used(&self, id: &ObjectId) -> bool {
        let mentioned = self.mentioned.get_or_init(|| {
            let mut mentioned = BTreeSet::new();
            for (_, object) in self.input.prior.objects() {
                for value in object.attributes.values() {
                    mention(value, &object.id, &mut mentioned);
                }
            }
            mentioned
        });
        mentioned.contains(id.as_str())
    }

    fn plan_block(&mut self, block: &'s Block, expansion: Expansion) {
        if let Some(moved) = self.moved_from.get(&block.address) {
            self.errors.extend(moves::still_declared(moved, block, &expansion));
        }
        self.fired = self.fired(block);
        self.upstream.get_mut().clear();
        let first = self.changes.len();
        let instances = match expansion {
            Expansion::One => Instances::One(self.plan_instance(block, None)),
            Expansion::Count(count) => Instances::Count(
                (0..count)
                    .map(|index| self.plan_instance(block, Some(InstanceKey::Index(index))))
                    .collect(),
            ),
            Expansion::Each(members) => Instances::Each(
                members
                    .into_keys()
                    .map(|key| {
                        let value =
                            self.plan_instance(block, Some(InstanceKey::Name(Arc::clone(&key))));
                        (key, value)
                    })
                    .collect(),
            ),
        };
        self.scope.set(block, instances);
        let is_changing = self.changes[first..].iter().any(|it| it.action != Action::NoOp);
        let planned = PlannedBlock { changes: first..self.changes.len(), is_changing };
        self.planned[block.index()] = Some(planned);
    }

    /// Returns which block of the spec each change is of, by the index of the block; none for what is removed.
    pub(crate) fn blocks_of_changes(&self) -> Vec<Option<usize>> {
        let mut blocks = vec![None; self.changes.len()];
        for (block, planned) in self.planned.iter().enumerate() {
            let Some(planned) = planned else { continue };
            blocks[planned.changes.clone()].fill(Some(block));
        }
        blocks
    }

    /// Returns what is recorded of an instance.
    pub(crate) fn recorded(&self, address: &Address) -> Option<&'a ResourceState> {
        self.recorded.get(address).copied()
    }

    /// Returns the changes of a block's instances, in the order of their keys; none before the block was planned.
    pub(crate) fn planned_block(&self, block: &ResourceAddress) -> &[Change] {
        self.of_block(block).map_or(&[], |planned| &self.changes[planned.changes.clone()])
    }

    fn of_block(&self, block: &ResourceAddress) -> Option<&PlannedBlock> {
        self.planned[self.input.spec.blocks.get_index_of(block)?].as_ref()
    }

    /// Returns the change of an instance of the spec, once its block was planned.
    pub(crate) fn planned(&self, address: &Address) -> Option<&Change> {
        let changes = self.planned_block(&address.resource);
        let at = changes.binary_search_by(|it| it.address.key.cmp(&address.key)).ok()?;
        Some(&changes[at])
    }

    /// Tells whether a block was planned and has an instance that changes.
    pub(crate) fn is_changing(&self, block: &ResourceAddress) -> bool {
        self.of_block(block).is_some_and(|planned| planned.is_changing)
    }

    /// Plans one instance and returns its value for what refers to it.
    fn plan_instance(&mut self, block: &'s Block, key: Option<InstanceKey>) -> Value {
        let address = block.address.instance(key);
        let result = match block.address.mode {
            Mode::Data => self.plan_data(block, &address),
            Mode::Managed => self.plan_managed(block, &address),
        };
        result.unwrap_or_else(|errors| {
            self.errors.extend(errors.into_iter().map(|error| match error.address {
                Some(_) => error,
                None => error.about(&address),
            }));
            Value::Unknown
        })
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, change: Change) {
        if detach::needs_the_place(&self.input, &change, &self.in_place) {
            self.in_place.add(self.changes.len(), &change);
        }
        self.changes.push(change);
    }

    /// Plans what is recorded and no longer wanted.
    pub(crate) fn plan_removals(&mut self) {
        let input = self.input;
        for (address, resource) in &input.prior.resources {
            let selected = self.selection.contains(address);
            let removed = input.spec.removed.get(&address.resource);
            if let Some(removed) = removed.filter(|it| it.fate == Fate::Forgotten)
                && selected
                && input.options.mode != PlanMode::RefreshOnly
            {
                let change = self.forgetting(address, resource, removed);
                change.into_iter().for_each(|it| self.push(it));
                continue;
            }
            for state in &resource.deposed {
                let deposed = self.removal(address, state, Reason::Deposed);
                let change = Change { deposed: true, ..deposed };
                if selected && input.options.mode != PlanMode::RefreshOnly {
                    self.changes.push(change);
                }
            }
            let Some(state) = &resource.current else { continue };
            if self.planned(address).is_some() {
                continue;
            }
            let reason = if input.options.mode == PlanMode::Destroy {
                Reason::Destroy
            } else if input.spec.blocks.contains_key(&address.resource) {
                Reason::KeyGone
            } else {
                Reason::NotInSpec
            };
            let mut change = self.removal(address, state, reason);
            change.span = removed.map(|it| it.span.clone());
            if !selected || input.options.mode == PlanMode::RefreshOnly {
                change.action = Action::NoOp;
                change.reason = Reason::Unchanged;
                change.after.clone_from(&change.before);
            }
            let block = input.spec.blocks.get(&address.resource);
            if let Some(block) = block
                && block.lifecycle.prevent_destroy
                && change.action.is_destructive()
            {
                self.errors.push(crate::instance::prevented(block, address, change.action));
            }
            self.push(change);
        }
    }

    /// Returns the change that leaves all objects of an address alone and drops them from the state.
    fn forgetting(
        &mut self,
        address: &Address,
        resource: &'a ResourceState,
        removed: &Removed,
    ) -> Option<Change> {
        let state = resource.current.iter().chain(&resource.deposed).next()?;
        let change = self.removal(address, state, Reason::Forgotten);
        Some(Change {
            action: Action::Forget,
            deposed: resource.current.is_none(),
            span: Some(removed.span.clone()),
            ..change
        })
    }

    fn removal(&mut self, address: &Address, state: &'a ObjectState, reason: Reason) -> Change {
        let schema = self.input.schemas.get(address.resource.mode, address.type_name());
        let (live, before) = match schema {
            Some(schema) => {
                let Existing { recorded, live, .. } =
                    self.existing(address, state, schema, &Object::new());
                (live.is_some(), live.unwrap_or(recorded))
            }
            None => (true, state.attributes.clone()),
        };
        Change {
            id: Some(state.id.clone()),
            action: if live { Action::Delete } else { Action::Forget },
            before: Some(before),
            reason: if live { reason } else { Reason::Missing },
            dependencies: state.dependencies.clone(),
            create_before_destroy: state.create_before_destroy,
            timeouts: state.timeouts.clone(),
            status: state.status,
            ..blank(address, &state.provider)
        }
    }
}

/// Returns a change with nothing in it.
pub(crate) fn blank(address: &Address, provider: &str) -> Change {
    Change {
        address: address.clone(),
        previous_address: None,
        imported: false,
        id: None,
        deposed: false,
        action: Action::NoOp,
        before: None,
        after: None,
        changed: Vec::new(),
        replace: Vec::new(),
        restart: Vec::new(),
        reason: Reason::Unchanged,
        causes: Vec::new(),
        dependencies: Dependencies::default(),
        provider: provider.to_owned(),
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        status: reconcile_model::ObjectStatus::Ready,
        span: None,
    }
}

/// Returns the blocks that replace create-first.
///
/// Adds every text in a value but the object's own id.
fn mention<'a>(value: &'a Value, own: &ObjectId, mentioned: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if **text != *own.as_str() => {
            mentioned.insert(text);
        }
        Value::List(items) => items.iter().for_each(|it| mention(it, own, mentioned)),
        Value::Map(members) => members.values().for_each(|it| mention(it, own, mentioned)),
        Value::Sensitive(inner) => mention(inner, own, mentioned),
        Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Sealed(_)
        | Value::Unknown => {}
    }
}

/// What a create-first block depends on has to follow: its new object is made while the old one still uses the old
/// objects of its dependencies.
fn create_first(input: &PlanInput<'_, '_>) -> BTreeSet<ResourceAddress> {
    let mut all = BTreeSet::new();
    for block in input.spec.order().rev() {
        if block.lifecycle.create_before_destroy {
            all.insert(block.address.clone());
        }
        if all.contains(&block.address) {
            all.extend(block.dependencies().iter().cloned());
        }
    }
    all
}
