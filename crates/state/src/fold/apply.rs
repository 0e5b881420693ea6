//! What each record does to the state. Every method checks first and changes then, so a refused record changes nothing.

use super::*;

use reconcile_model::{Object, ObjectStatus, ResourceState, Value};

impl Ledger {
    pub(super) fn intend(&mut self, intent: &Intent) -> Result<(), IllegalRecord> {
        if self.pending.contains_key(&intent.operation) {
            return Err(illegal(intent, "an operation with this id is pending already"));
        }
        let resource = self.snapshot.resources.get(&intent.address);
        let problem = match (intent.verb, &intent.id) {
            (Verb::Create, Some(_)) => Some("a create has no object yet"),
            (Verb::Create, None) if intent.address.resource.mode == Mode::Data => {
                Some("a data source is not created")
            }
            (Verb::Create, None) => {
                let taken = resource.is_some_and(|resource| resource.current.is_some());
                (taken && !intent.create_before_destroy)
                    .then_some("an object is there, and nothing says that the new one replaces it")
            }
            (Verb::Update | Verb::Delete, None) => Some("it names no object"),
            (Verb::Update | Verb::Delete, Some(id)) => {
                let known = resource.is_some_and(|resource| find(resource, id).is_some());
                (!known).then_some("it names an object that is not on record")
            }
            (Verb::Read, _) => None,
            (Verb::Forget, _) => Some("forgetting makes no call"),
        };
        if let Some(problem) = problem {
            return Err(illegal(intent, problem));
        }
        let rival = self.pending_at(&intent.address).find(|other| {
            other.is_open() && other.id() == intent.id.as_ref() && intent.verb != Verb::Read
        });
        if let Some(rival) = rival {
            let what =
                format!("operation {} on the same object is pending", rival.intent.operation);
            return Err(illegal(intent, what));
        }
        let (intent, status) = (intent.clone(), PendingStatus::Intended);
        self.add_pending(PendingOperation { intent, status });
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        operation: &str,
        id: &ObjectId,
        at: u64,
    ) -> Result<(), IllegalRecord> {
        let (intent, status) = self.next(operation, &Step::Answer(id))?;
        if intent.id.as_ref().is_some_and(|known| known != id) {
            return Err(illegal(intent, "the answer is about another object than the call"));
        }
        let intent = intent.clone();
        let late = status.is_none();
        match intent.verb {
            Verb::Create => self.created(&intent, id, at, late)?,
            Verb::Delete => {
                let resource = Arc::make_mut(&mut self.snapshot).resources.get_mut(&intent.address);
                if let Some(object) = resource.and_then(|resource| find_mut(resource, id)) {
                    object.status = ObjectStatus::Deleting;
                }
            }
            Verb::Update | Verb::Read | Verb::Forget => {}
        }
        self.settle(operation, status);
        Ok(())
    }

    /// Records the object of a create; `late` when the create was abandoned before, so that another may have its place.
    fn created(
        &mut self,
        intent: &Intent,
        id: &ObjectId,
        at: u64,
        late: bool,
    ) -> Result<(), IllegalRecord> {
        let resource = self.snapshot.resources.get(&intent.address);
        if resource.is_some_and(|resource| find(resource, id).is_some()) {
            return Ok(());
        }
        let taken = resource.is_some_and(|resource| resource.current.is_some());
        if taken && !late && !intent.create_before_destroy {
            return Err(illegal(intent, "another object has taken the place of the new one"));
        }
        let object = ObjectState {
            id: id.clone(),
            status: ObjectStatus::Incomplete,
            attributes: known(&intent.request),
            schema_version: intent.schema_version,
            provider: intent.provider.clone(),
            region: intent.region.clone(),
            dependencies: intent.dependencies.clone(),
            created_at: Some(at),
            create_before_destroy: intent.create_before_destroy,
            timeouts: intent.timeouts.clone(),
            operation: Some(intent.operation.clone()),
        };
        let resource = self.entry(&intent.address);
        if late && taken {
            resource.deposed.push(object);
        } else {
            resource.deposed.extend(resource.current.replace(object));
        }
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        operation: &str,
        change: &StateChange,
    ) -> Result<(), IllegalRecord> {
        let (intent, status) = self.next(operation, &Step::Commit)?;
        let id = self.pending.get(operation).and_then(PendingOperation::id).cloned();
        let current = |address| self.snapshot.resources.get(address)?.current.as_ref();
        let suits = match (intent.verb, change) {
            (Verb::Read, StateChange::SetCurrent { address, .. }) => *address == intent.address,
            (Verb::Create | Verb::Update, StateChange::SetCurrent { address, object }) => {
                *address == intent.address && Some(&object.id) == id.as_ref()
            }
            (
                Verb::Create | Verb::Update | Verb::Delete,
                StateChange::RemoveCurrent { address },
            ) => {
                *address == intent.address
                    && current(address).map(|object| &object.id) == id.as_ref()
            }
            (Verb::Delete, StateChange::RemoveDeposed { address, id: deposed }) => {
                *address == intent.address && Some(deposed) == id.as_ref()
            }
            (Verb::Create | Verb::Update | Verb::Delete | Verb::Read | Verb::Forget, _) => false,
        };
        if !suits {
            return Err(illegal(intent, "the commit is not of what the operation was about"));
        }
        self.change(change, Some(operation))?;
        self.settle(operation, status);
        Ok(())
    }

    /// Changes the state, on behalf of `operation` if there is one.
    pub(super) fn change(
        &mut self,
        change: &StateChange,
        operation: Option<&str>,
    ) -> Result<(), IllegalRecord> {
        match change {
            StateChange::SetCurrent { address, object } => {
                let current = self.current(address);
                let managed = address.resource.mode == Mode::Managed;
                if managed && current.is_some_and(|current| current.id != object.id) {
                    return Err(illegal_at(address, "another object is current"));
                }
                if self.deposed(address, &object.id) {
                    return Err(illegal_at(address, format!("{} is deposed", object.id)));
                }
                self.entry(address).current = Some(ObjectState::clone(object));
            }
            StateChange::Depose { address } => {
                if self.current(address).is_none() {
                    return Err(illegal_at(address, "there is no object to depose"));
                }
                let resource = self.entry(address);
                resource.deposed.extend(resource.current.take());
            }
            StateChange::Restore { address, id } => {
                if self.current(address).is_some() || !self.deposed(address, id) {
                    let what = format!("{id} is not deposed, or another object is current");
                    return Err(illegal_at(address, what));
                }
                let resource = self.entry(address);
                let at = resource.deposed.iter().position(|object| object.id == *id);
                resource.current = at.map(|at| resource.deposed.remove(at));
            }
            StateChange::RemoveCurrent { address } => {
                if self.current(address).is_none() {
                    return Err(illegal_at(address, "there is no object to remove"));
                }
                self.entry(address).current = None;
                self.prune(address);
            }
            StateChange::RemoveDeposed { address, id } => {
                if !self.deposed(address, id) {
                    return Err(illegal_at(address, format!("{id} is not deposed")));
                }
                self.entry(address).deposed.retain(|object| object.id != *id);
                self.prune(address);
            }
            StateChange::SetOutputs { outputs } => {
                Arc::make_mut(&mut self.snapshot).outputs = outputs.clone();
            }
            StateChange::Move { from, to } => self.relocate(from, to)?,
            StateChange::Forget { address } => {
                let pending: Vec<String> =
                    self.pending_at(address).map(|p| p.intent.operation.clone()).collect();
                let recorded = self.snapshot.resources.contains_key(address);
                if !recorded && pending.is_empty() {
                    return Err(illegal_at(address, "it is not on record"));
                }
                Arc::make_mut(&mut self.snapshot).resources.remove(address);
                for operation in pending {
                    self.drop_pending(&operation);
                }
            }
            StateChange::Replace { snapshot } => self.replace(snapshot, operation)?,
        }
        Ok(())
    }

    fn relocate(&mut self, from: &Address, to: &Address) -> Result<(), IllegalRecord> {
        let resources = &self.snapshot.resources;
        if !resources.contains_key(from) {
            return Err(illegal_at(from, "it is not on record"));
        }
        if resources.contains_key(to) {
            return Err(illegal_at(to, "it is on record already"));
        }
        if (from.resource.mode, from.type_name()) != (to.resource.mode, to.type_name()) {
            return Err(illegal_at(to, format!("{from} is of another type")));
        }
        // An abandoned create stays where it was: what may turn up of it is found by its operation.
        let is_open = |address| self.pending_at(address).any(PendingOperation::is_open);
        if [from, to].into_iter().any(is_open) {
            return Err(illegal_at(from, "it has a pending operation"));
        }
        let blocks = (from.resource.clone(), to.resource.clone());
        let snapshot = Arc::make_mut(&mut self.snapshot);
        let of_block = snapshot.resources.range(from.resource.instance(None)..);
        let mut of_block = of_block.take_while(|(address, _)| address.resource == from.resource);
        let is_last = of_block.nth(1).is_none();
        if self.redirected.as_ref() == Some(&blocks) && !is_last {
            // A block is moved instance by instance: only the first and the last concern what depends on it.
            let moved = snapshot.resources.remove(from);
            snapshot.resources.extend(moved.map(|resource| (to.clone(), resource)));
        } else {
            snapshot.relocate([(from, to)]);
        }
        self.redirected = Some(blocks);
        Ok(())
    }

    fn replace(
        &mut self,
        snapshot: &Snapshot,
        operation: Option<&str>,
    ) -> Result<(), IllegalRecord> {
        let refuse = |what: &str| IllegalRecord {
            operation: operation.map(str::to_owned),
            address: None,
            what: what.to_owned(),
        };
        if snapshot.stack != self.snapshot.stack {
            return Err(refuse("the new state is of another stack"));
        }
        if self.pending().any(PendingOperation::is_open) {
            return Err(refuse("operations are pending, which the new state does not know of"));
        }
        let serial = self.snapshot.serial.max(snapshot.serial);
        self.snapshot = Arc::new(Snapshot { serial, ..snapshot.clone() });
        Ok(())
    }

    /// Takes over an operation that was pending in the journal before; what it did to the state is in the snapshot.
    pub(super) fn carry(&mut self, pending: &PendingOperation) -> Result<(), IllegalRecord> {
        if self.pending.contains_key(&pending.intent.operation) {
            return Err(illegal(&pending.intent, "an operation with this id is pending already"));
        }
        self.add_pending(pending.clone());
        Ok(())
    }

    fn current(&self, address: &Address) -> Option<&ObjectState> {
        self.snapshot.resources.get(address)?.current.as_ref()
    }

    fn deposed(&self, address: &Address, id: &ObjectId) -> bool {
        let resource = self.snapshot.resources.get(address);
        resource.is_some_and(|resource| resource.deposed.iter().any(|object| object.id == *id))
    }

    fn entry(&mut self, address: &Address) -> &mut ResourceState {
        Arc::make_mut(&mut self.snapshot)
            .resources
            .entry(address.clone())
            .or_insert_with(|| ResourceState { current: None, deposed: Vec::new() })
    }

    /// Drops an address that has no object left.
    fn prune(&mut self, address: &Address) {
        let resources = &mut Arc::make_mut(&mut self.snapshot).resources;
        if resources.get(address).is_some_and(|r| r.current.is_none() && r.deposed.is_empty()) {
            resources.remove(address);
        }
    }
}

fn find<'a>(resource: &'a ResourceState, id: &ObjectId) -> Option<&'a ObjectState> {
    resource.current.iter().chain(&resource.deposed).find(|object| object.id == *id)
}

fn find_mut<'a>(resource: &'a mut ResourceState, id: &ObjectId) -> Option<&'a mut ObjectState> {
    resource.current.iter_mut().chain(&mut resource.deposed).find(|object| object.id == *id)
}

/// Returns what is known of a planned object: recorded state has nothing unknown in it.
fn known(planned: &Object) -> Object {
    let known = planned.iter().filter(|(_, value)| !value.is_unknown());
    known.map(|(name, value)| (name.clone(), known_value(value))).collect()
}

fn known_value(value: &Value) -> Value {
    match value {
        Value::Unknown => Value::Null,
        Value::List(items) => Value::List(items.iter().map(known_value).collect()),
        Value::Map(object) => Value::Map(known(object)),
        Value::Sensitive(inner) => known_value(inner).sensitive(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sealed(_) => {
            value.clone()
        }
    }
}
