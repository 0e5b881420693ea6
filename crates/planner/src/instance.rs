//! What becomes of one managed instance.

use reconcile_model::{
    Action, Address, Change, Diagnostic, Object, ObjectStatus, Path, Reason, ReplaceOrder, Step,
    Value,
    plan::PlanMode,
    proposed::{Proposal, Renewal, propose},
    seal::mark_like,
};
use reconcile_spec::{Block, IgnoreChanges, Trigger, When};

use crate::detach;
use crate::recorded::Existing;
use crate::replace::can_coexist;
use crate::world::{World, blank};

impl<'a, 's> World<'a, 's> {
    /// Plans one managed instance and returns its value.
    ///
    /// # Errors
    ///
    /// Expressions that fail, conditions that do not hold, and destruction that is not allowed.
    pub(crate) fn plan_managed(
        &mut self,
        block: &'s Block,
        address: &Address,
    ) -> Result<Value, Vec<Diagnostic>> {
        let recorded = self.recorded(address).and_then(|it| it.current.as_ref());
        let refresh_only = self.input.options.mode == PlanMode::RefreshOnly;
        if refresh_only || !self.selection.contains(address) {
            return Ok(self.leave_alone(block, address));
        }
        let mut config = self.scope.configure(block, address.key.as_ref())?;
        let mut existing =
            recorded.map(|state| self.existing(address, state, block.schema, &config));
        let failed = self.scope.conditions(block, address.key.as_ref(), When::Before, None);
        if !failed.is_empty() {
            return Err(failed);
        }
        let missing = existing.as_ref().is_some_and(|existing| existing.live.is_none());
        if missing {
            existing = None;
        }
        if let Some(live) = existing.as_ref().and_then(|existing| existing.live.as_ref()) {
            self.answer_drift(block, address, &config);
            ignore_changes(&block.lifecycle.ignore_changes, &mut config, live);
        }
        let change = self.decide(block, address, &config, existing.as_ref(), missing);
        if block.lifecycle.prevent_destroy && change.action.is_destructive() {
            return Err(vec![prevented(block, address, change.action)]);
        }
        let value = change.after.clone().map_or(Value::Unknown, Value::Map);
        if value.is_known() {
            // What is unknown now is checked when it is known, during apply.
            let failed =
                self.scope.conditions(block, address.key.as_ref(), When::After, Some(&value));
            if !failed.is_empty() {
                return Err(failed);
            }
        }
        self.push(change);
        Ok(value)
    }

    /// Compares what the spec says with what is there.
    fn decide(
        &self,
        block: &Block,
        address: &Address,
        config: &Object,
        existing: Option<&Existing<'_>>,
        missing: bool,
    ) -> Change {
        let default_tags = self.default_tags(&block.provider);
        let live = existing.and_then(|existing| existing.live.as_ref());
        let renewal_reason = existing.and_then(|it| self.renewal(block, address, it));
        let renewal = if renewal_reason.is_some() { Renewal::Always } else { Renewal::IfForced };
        let mut proposal = propose(block.schema, config, live, &default_tags, renewal);
        if let Some(live) = live
            && !proposal.changed.is_empty()
            && proposal.replace.is_empty()
            && renewal == Renewal::IfForced
            && let Some(path) = self.gives_way(block, live)
        {
            proposal = propose(block.schema, config, Some(live), &default_tags, Renewal::Always);
            proposal.replace.push(path);
        }
        let Proposal { after, changed, replace, restart } = proposal;
        let common = Change {
            dependencies: block.dependencies().clone(),
            create_before_destroy: self.create_first.contains(&block.address),
            timeouts: block.timeouts.clone(),
            span: Some(block.span.clone()),
            ..blank(address, &block.provider)
        };
        let (Some(existing), Some(live)) = (existing, live) else {
            let reason = if missing { Reason::Missing } else { Reason::New };
            return Change { action: Action::Create, after: Some(after), reason, ..common };
        };
        let status = existing.state.status;
        let before = mark_like(block.schema, live, &after);
        let common = Change {
            id: Some(existing.state.id.clone()),
            status,
            before: Some(before),
            changed,
            restart,
            ..common
        };
        let (action, reason) = if renewal_reason.is_some() || !replace.is_empty() {
            let order =
                if common.create_before_destroy && !self.is_in_the_way(block, existing, &after) {
                    ReplaceOrder::CreateThenDelete
                } else {
                    ReplaceOrder::DeleteThenCreate
                };
            (Action::Replace(order), renewal_reason.unwrap_or(Reason::CannotUpdate))
        } else if !common.changed.is_empty() {
            (Action::Update, Reason::SpecChanged)
        } else if status == ObjectStatus::Incomplete {
            (Action::Update, Reason::Interrupted)
        } else {
            // The live spelling is kept: nothing in it is unknown, and it means the same.
            let after = common.before.clone();
            return Change { after, ..common };
        };
        let mut change = Change { action, reason, replace, after: Some(after), ..common };
        self.explain(block, config, existing, &mut change);
        change
    }

    /// Returns where the object refers to one that cannot be deleted before this one is.
    fn gives_way(&self, block: &Block, live: &Object) -> Option<Path> {
        let dependencies = block.dependencies();
        detach::gives_way(block.schema, live, &self.in_place, &self.changes, dependencies)
    }

    /// Tells whether an object that never became usable, and that nothing uses, holds the place of its own replacement.
    /// Then it goes first, even where the block says otherwise: nobody misses it, and nothing else would lead on.
    fn is_in_the_way(&self, block: &Block, existing: &Existing<'_>, after: &Object) -> bool {
        let is_broken =
            matches!(existing.state.status, ObjectStatus::Tainted | ObjectStatus::Deleting);
        is_broken
            && !can_coexist(block.schema, &existing.recorded, after)
            && !self.is_used(&existing.state.id)
    }

    /// Returns why the object is to be replaced whatever its attributes say.
    fn renewal(&self, block: &Block, address: &Address, existing: &Existing<'_>) -> Option<Reason> {
        match existing.state.status {
            // An object that is being deleted cannot be kept.
            ObjectStatus::Tainted | ObjectStatus::Deleting => return Some(Reason::Tainted),
            ObjectStatus::Ready | ObjectStatus::Incomplete => {}
        }
        if self.input.options.replace.contains(address) {
            return Some(Reason::Requested);
        }
        let all = block.lifecycle.replace_triggered_by.iter().zip(&self.fired);
        let triggered = all.into_iter().find(|(trigger, fired)| match &trigger.key {
            None => **fired,
            Some(key) => {
                let watched = trigger.resource.instance(key.resolve(address.key.as_ref()));
                self.planned(&watched).is_some_and(|it| sets_off(it, &trigger.path))
            }
        });
        triggered.map(|(trigger, _)| Reason::TriggeredBy(trigger.text.clone()))
    }

    /// Tells of each trigger of a block that watches all instances of another whether one of them sets it off. It is the
    /// same for every instance of the block, and so found once.
    pub(crate) fn fired(&self, block: &Block) -> Vec<bool> {
        let fired = |trigger: &Trigger| {
            let mut watched = self.planned_block(&trigger.resource).iter();
            trigger.key.is_none() && watched.any(|it| sets_off(it, &trigger.path))
        };
        block.lifecycle.replace_triggered_by.iter().map(fired).collect()
    }

    /// Keeps an instance as it is: it was not selected, or nothing but the state is to change.
    fn leave_alone(&mut self, block: &Block, address: &Address) -> Value {
        let recorded = self.recorded(address);
        let Some(state) = recorded.and_then(|it| it.current.as_ref()) else {
            return Value::Unknown;
        };
        let Existing { recorded, live, .. } =
            self.existing(address, state, block.schema, &Object::new());
        let object = live.unwrap_or(recorded);
        if self.input.options.mode == PlanMode::RefreshOnly
            && let Ok(config) = self.scope.configure(block, address.key.as_ref())
        {
            self.answer_drift(block, address, &config);
        }
        self.push(Change {
            id: Some(state.id.clone()),
            before: Some(object.clone()),
            after: Some(object.clone()),
            dependencies: state.dependencies.clone(),
            create_before_destroy: state.create_before_destroy,
            timeouts: state.timeouts.clone(),
            status: state.status,
            span: Some(block.span.clone()),
            ..blank(address, &state.provider)
        });
        Value::Map(object)
    }
}

/// Tells whether a change sets off a trigger on `path`.
fn sets_off(change: &Change, path: &Path) -> bool {
    match change.action {
        Action::Create | Action::Replace(_) => true,
        Action::Update => {
            path.0.is_empty() || change.changed.iter().any(|changed| changed.overlaps(path))
        }
        Action::NoOp | Action::Read | Action::Delete | Action::Forget => false,
    }
}

/// Puts the live value in the place of what the block ignores.
pub(crate) fn ignore_changes(ignored: &IgnoreChanges, config: &mut Object, live: &Object) {
    match ignored {
        IgnoreChanges::None => {}
        IgnoreChanges::All => config.clone_from(live),
        IgnoreChanges::Paths(paths) => {
            for path in paths {
                keep(config, live, &path.0);
            }
        }
    }
}

/// Puts the live value at a path in the place of the configured one; a member that only one of them has comes or goes.
fn keep(config: &mut Object, live: &Object, steps: &[Step]) {
    let Some((Step::Name(name), rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        match live.get(name) {
            Some(value) => config.insert(name.clone(), value.clone()),
            None => config.remove(name),
        };
        return;
    }
    let value = keep_in(config.value(name), live.value(name), rest);
    config.insert(name.clone(), value);
}

fn keep_in(config: &Value, live: &Value, steps: &[Step]) -> Value {
    match (config, live.bare(), steps.split_first()) {
        (Value::Sensitive(inner), _, _) => keep_in(inner, live, steps).sensitive(),
        (Value::Map(config), Value::Map(live), _) => {
            let mut config = config.clone();
            keep(&mut config, live, steps);
            Value::Map(config)
        }
        (Value::List(items), Value::List(found), Some((Step::Index(index), rest))) => {
            let mut items = items.clone();
            if let (Some(item), Some(found)) = (items.get_mut(*index), found.get(*index)) {
                *item = if rest.is_empty() { found.clone() } else { keep_in(item, found, rest) };
            }
            Value::List(items)
        }
        _ => config.clone(),
    }
}

/// Returns the error for an object that must not be destroyed.
pub(crate) fn prevented(block: &Block, address: &Address, action: Action) -> Diagnostic {
    let how = match action {
        Action::Replace(_) => "replaced",
        Action::Delete
        | Action::NoOp
        | Action::Read
        | Action::Create
        | Action::Update
        | Action::Forget => "destroyed",
    };
    Diagnostic::error(format!("{address} would be {how}, and its block says `prevent_destroy`"))
        .detail("The plan was not made, so that it cannot be applied by mistake.")
        .hint("Take `prevent_destroy` out of its `lifecycle` if it may go, or change the spec so that it stays.")
        .at(block.span.clone())
        .about(address)
}
