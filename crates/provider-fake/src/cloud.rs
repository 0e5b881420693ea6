//! The cloud: its store behind a lock, its clock, its counters, and its faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reconcile_model::{Object, ObjectId, Schema, Snapshot, Value};
use reconcile_provider::registry::Clients;
use reconcile_provider::{Operation, Provider, ProviderError, Regions, Registered};
use tokio::time::Instant;

use crate::fault::{Call, Failure, Fault};
use crate::resources::{self, REGISTRY};
use crate::store::{Store, Stored};

/// How long things take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From a call to its answer.
    pub latency: Duration,
    /// From a create or a restart until the object is ready.
    pub ready: Duration,
    /// From a delete until the object is gone.
    pub gone: Duration,
    /// From a create until reads see the object.
    pub visible: Duration,
}

/// A cloud in memory; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    store: Store,
    timing: Timing,
    faults: Vec<Fault>,
    counts: BTreeMap<Call, u64>,
}

impl Cloud {
    /// Returns an empty cloud in which nothing takes time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a cloud that has the objects recorded in a state, as if it had created them. It copies them.
    pub fn holding(snapshot: &Snapshot) -> Self {
        let cloud = Self::new();
        let mut inner = cloud.inner();
        let moment = Moment { now: Instant::now(), timing: inner.timing, breaks: false };
        for (address, recorded) in snapshot.objects() {
            let operation = Operation {
                id: recorded.operation.clone().unwrap_or_default(),
                stack: snapshot.stack.clone(),
                address: address.clone(),
            };
            let schema = resources::schema(address.type_name());
            let tags = operation.tags(recorded.attributes.string_map("tags_all"));
            let mut object = recorded.attributes.clone();
            object.retain(|name, _| name != "tags" && name != "tags_all");
            inner.store.number();
            inner.store.insert(
                schema,
                &recorded.id,
                moment.born(schema, object, tags, &operation.id),
            );
        }
        drop(inner);
        cloud
    }

    /// Sets how long things take from now on.
    pub fn set_timing(&self, timing: Timing) {
        self.inner().timing = timing;
    }

    /// Adds something that goes wrong.
    pub fn inject(&self, fault: Fault) {
        self.inner().faults.push(fault);
    }

    /// Takes back all faults that have not happened yet.
    pub fn heal(&self) {
        self.inner().faults.clear();
    }

    /// Returns how many calls of a kind were made.
    pub fn count(&self, call: Call) -> u64 {
        self.inner().counts.get(&call).copied().unwrap_or_default()
    }

    /// Returns every object that is there and not on its way out, by id: its type and its attributes.
    pub fn objects(&self) -> BTreeMap<ObjectId, (&'static str, Object)> {
        let mut inner = self.inner();
        inner.sweep();
        let objects = inner.store.objects.iter().filter(|(_, it)| it.gone_at.is_none());
        objects.map(|(id, it)| (id.clone(), (it.type_name, it.object.clone()))).collect()
    }

    /// Changes an attribute of an object behind everybody's back.
    pub fn edit(&self, id: &ObjectId, name: &str, value: impl Into<Value>) {
        let mut inner = self.inner();
        let Some(type_name) = inner.store.objects.get(id).map(|it| it.type_name) else { return };
        inner
            .store
            .change(resources::schema(type_name), id, |stored| stored.object.set(name, value));
    }

    /// Deletes an object behind everybody's back, whoever uses it.
    pub fn remove(&self, id: &ObjectId) {
        let mut inner = self.inner();
        let Some(type_name) = inner.store.objects.get(id).map(|it| it.type_name) else { return };
        inner.store.remove(resources::schema(type_name), id);
    }

    /// Makes a call: waits out its latency, meets its faults, and does its work, in this order.
    pub(crate) async fn call<T>(
        &self,
        call: Call,
        type_name: &str,
        work: impl FnOnce(&mut Store, &Moment) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let latency = self.inner().timing.latency;
        if latency.is_zero() {
            // Others get a turn here, as they would while a request is on its way.
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(latency).await;
        }
        let mut inner = self.inner();
        *inner.counts.entry(call).or_default() += 1;
        inner.sweep();
        let failure = inner.faults.iter_mut().find_map(|fault| fault.meet(call, type_name));
        let now = Instant::now();
        let moment = Moment { now, timing: inner.timing, breaks: failure == Some(Failure::Breaks) };
        match failure {
            Some(failure @ (Failure::Refused(_) | Failure::LostBefore)) => Err(failure.error(call)),
            Some(failure @ Failure::LostAfter) => {
                work(&mut inner.store, &moment)?;
                Err(failure.error(call))
            }
            Some(failure @ Failure::LandsAfter(after)) => {
                // Nothing sees it before, so it may as well be there.
                let visible = moment.timing.visible + after;
                let moment = Moment { timing: Timing { visible, ..moment.timing }, ..moment };
                work(&mut inner.store, &moment)?;
                Err(failure.error(call))
            }
            Some(Failure::Breaks) | None => work(&mut inner.store, &moment),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn sweep(&mut self) {
        self.store.sweep(resources::schema, Instant::now());
    }
}

/// When a call happens, and what that means for what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Instant,
    pub(crate) timing: Timing,
    pub(crate) breaks: bool,
}

impl Moment {
    /// Returns a new object.
    pub(crate) fn born(
        &self,
        schema: &'static Schema,
        object: Object,
        tags: BTreeMap<String, String>,
        operation: &str,
    ) -> Stored {
        Stored {
            type_name: schema.type_name,
            object,
            tags,
            operation: operation.to_owned(),
            visible_at: self.now + self.timing.visible,
            ready_at: self.now + self.timing.ready,
            gone_at: None,
            is_broken: self.breaks,
        }
    }
}

impl Clients for Cloud {
    fn calls(&self) -> u64 {
        self.inner().counts.values().sum()
    }

    fn region(&self) -> Option<String> {
        Some("nowhere-1".to_owned())
    }
}

impl Regions for Cloud {
    fn configure(&self, _: &str, _: &Object) -> Arc<dyn Provider> {
        Arc::new(Registered::new(&REGISTRY, self.clone()))
    }
}
