//! What the cloud holds: objects, the ways to find them, and who uses whom.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::schema::Recovery;
use reconcile_model::{Object, ObjectId, Schema, Value};
use tokio::time::Instant;

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) type_name: &'static str,
    pub(crate) object: Object,
    /// All its tags, those that mark it as ours too.
    pub(crate) tags: BTreeMap<String, String>,
    /// The operation that created it.
    pub(crate) operation: String,
    pub(crate) visible_at: Instant,
    pub(crate) ready_at: Instant,
    pub(crate) gone_at: Option<Instant>,
    pub(crate) is_broken: bool,
}

/// All objects.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) objects: BTreeMap<ObjectId, Stored>,
    /// Objects by natural key.
    keys: BTreeMap<(&'static str, Vec<Value>), ObjectId>,
    /// Objects by the operation that created them; what is gone stays, as with client tokens.
    operations: BTreeMap<String, ObjectId>,
    /// How many others use an object.
    uses: BTreeMap<String, usize>,
    /// What is being deleted, by when it is gone.
    leaving: BTreeSet<(Instant, ObjectId)>,
    made: u64,
}

impl Store {
    /// Returns a number that no object had before.
    pub(crate) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Lets go of what has been deleted by now.
    pub(crate) fn sweep(&mut self, schema_of: impl Fn(&str) -> &'static Schema, now: Instant) {
        while let Some((at, id)) = self.leaving.first().cloned() {
            if at > now {
                return;
            }
            self.leaving.remove(&(at, id.clone()));
            let Some(type_name) = self.objects.get(&id).map(|it| it.type_name) else { continue };
            self.remove(schema_of(type_name), &id);
        }
    }

    pub(crate) fn insert(&mut self, schema: &'static Schema, id: &ObjectId, stored: Stored) {
        if let Some(key) = natural_key(schema, &stored.object) {
            self.keys.insert((schema.type_name, key), id.clone());
        }
        self.operations.insert(stored.operation.clone(), id.clone());
        self.count_uses(schema, &stored.object, true);
        self.objects.insert(id.clone(), stored);
    }

    pub(crate) fn remove(&mut self, schema: &'static Schema, id: &ObjectId) {
        let Some(stored) = self.objects.remove(id) else { return };
        if let Some(key) = natural_key(schema, &stored.object) {
            self.keys.remove(&(schema.type_name, key));
        }
        self.count_uses(schema, &stored.object, false);
    }

    /// Changes an object's attributes.
    pub(crate) fn change(
        &mut self,
        schema: &'static Schema,
        id: &ObjectId,
        change: impl FnOnce(&mut Stored),
    ) {
        let Some(mut stored) = self.objects.remove(id) else { return };
        self.count_uses(schema, &stored.object, false);
        change(&mut stored);
        self.count_uses(schema, &stored.object, true);
        self.objects.insert(id.clone(), stored);
    }

    pub(crate) fn leave(&mut self, id: &ObjectId, at: Instant) {
        if let Some(stored) = self.objects.get_mut(id) {
            stored.gone_at = Some(at);
            self.leaving.insert((at, id.clone()));
        }
    }

    pub(crate) fn by_operation(&self, operation: &str) -> Option<&ObjectId> {
        self.operations.get(operation)
    }

    pub(crate) fn by_key(&self, schema: &'static Schema, object: &Object) -> Option<&ObjectId> {
        self.keys.get(&(schema.type_name, natural_key(schema, object)?))
    }

    pub(crate) fn is_used(&self, id: &ObjectId) -> bool {
        self.uses.get(id.as_str()).is_some_and(|users| *users > 0)
    }

    fn count_uses(&mut self, schema: &'static Schema, object: &Object, more: bool) {
        for id in references(schema, object) {
            let users = self.uses.entry(id).or_default();
            if more {
                *users += 1;
            } else {
                *users -= 1;
            }
        }
    }
}

/// Returns the ids of the objects that an object refers to.
pub(crate) fn references(schema: &'static Schema, object: &Object) -> Vec<String> {
    let mut all = Vec::new();
    for attribute in schema.attributes.iter().filter(|it| it.refers_to.is_some()) {
        match object.value(attribute.name) {
            Value::String(id) => all.push(id.to_string()),
            Value::List(_) => all.extend(object.strings(attribute.name)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Map(_)
            | Value::Unknown
            | Value::Sensitive(_)
            | Value::Sealed(_) => {}
        }
    }
    all
}

fn natural_key(schema: &'static Schema, object: &Object) -> Option<Vec<Value>> {
    match schema.recovery {
        Recovery::NaturalKey(names) => {
            Some(names.iter().map(|name| object.value(name).clone()).collect())
        }
        Recovery::ClientToken | Recovery::OperationTag | Recovery::None => None,
    }
}
