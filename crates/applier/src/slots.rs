//! How many changes are at work at once.
//!
//! A change has a slot while it makes calls and writes the journal, and gives it back while it does nothing but wait
//! for an object to become ready or to go. So a thousand instances that boot are waited for together, and no other
//! change is kept from its calls by them.

use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The slots of a run.
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    /// Told when a change gives its slot back before it ends.
    given_back: Notify,
}

impl Slots {
    /// Returns so many free slots.
    pub(crate) fn new(count: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { free, given_back: Notify::new() })
    }

    /// Takes a slot if one is free and nobody waits for one.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Slot { slots: Arc::clone(self), permit: Mutex::new(Some(permit)) })
    }

    /// Waits until a change gives its slot back before it ends.
    pub(crate) async fn given_back(&self) {
        self.given_back.notified().await;
    }
}

/// A change's slot, free again when it is dropped.
pub(crate) struct Slot {
    slots: Arc<Slots>,
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Slot {
    /// Gives the slot back for as long as `waiting` takes, and waits for one again.
    pub(crate) async fn lend<T>(&self, waiting: impl Future<Output = T>) -> T {
        self.set(None);
        self.slots.given_back.notify_one();
        let result = waiting.await;
        let permit = Arc::clone(&self.slots.free).acquire_owned().await;
        self.set(permit.ok());
        result
    }

    fn set(&self, permit: Option<OwnedSemaphorePermit>) {
        *self.permit.lock().expect("no panic while the lock is held") = permit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_makes_room_and_comes_back_before_who_is_new() {
        let slots = Slots::new(1);
        let first = slots.take().unwrap();
        assert!(slots.take().is_none());
        let (ready, wait) = tokio::sync::oneshot::channel::<()>();
        let mut waiting = Box::pin(first.lend(wait));
        assert!(futures::poll!(&mut waiting).is_pending());
        slots.given_back().await;
        let second = slots.take().unwrap();
        ready.send(()).unwrap();
        assert!(futures::poll!(&mut waiting).is_pending(), "the only slot is taken");
        drop(second);
        assert!(slots.take().is_none(), "it is for who has waited");
        waiting.await.unwrap();
        drop(first);
        assert!(slots.take().is_some());
    }
}
