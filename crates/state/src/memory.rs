//! A store in memory, for tests: the same bytes as in a folder, with crashes and full disks on demand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use reconcile_model::Snapshot;

use crate::load::{self, Current, Heal, Names, Previous};
use crate::{
    Holder, Lock, Medium, OpenOptions, Record, Session, StateError, Store, View, format, journal,
    session,
};

/// One stack's state in memory; clones share it.
///
/// Dropping a session without closing it is a crash: what was acknowledged is there, and the lock is free.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    stack: String,
    vault: Arc<Mutex<Vault>>,
}

#[derive(Debug, Default)]
struct Vault {
    current: Current,
    previous: Previous,
    holder: Option<Holder>,
    writes: u64,
    writes_left: Option<u64>,
}

impl MemoryStore {
    /// Returns the store of a stack that has no state yet.
    pub fn new(stack: &str) -> Self {
        Self { stack: stack.to_owned(), vault: Arc::default() }
    }

    /// Returns a store that holds a snapshot.
    ///
    /// # Panics
    ///
    /// When the snapshot holds a sensitive value that is not sealed.
    pub fn holding(snapshot: &Snapshot) -> Self {
        let store = Self::new(&snapshot.stack);
        let encoded = format::encode(snapshot).expect("the snapshot is sealed");
        store.vault().current.snapshot = Some(encoded.bytes);
        store
    }

    /// Makes every write fail after this many more, as on a full disk; `None` makes room again.
    pub fn fail_after(&self, writes: Option<u64>) {
        self.vault().writes_left = writes;
    }

    /// Returns how many writes there were, each of one batch of records or one checkpoint.
    pub fn writes(&self) -> u64 {
        self.vault().writes
    }

    /// Returns the records in the journal.
    ///
    /// # Panics
    ///
    /// When the journal is damaged, which it cannot be.
    pub fn records(&self) -> Vec<Record> {
        let journal = self.vault().current.journal.clone().unwrap_or_default();
        journal::decode(&journal, &self.stack).expect("the journal is what was written").records
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, lineage: &str) -> Result<load::Loaded, StateError> {
        let vault = self.vault();
        let previous = || Ok(vault.previous.clone());
        load::load(&self.stack, &self.names(), &vault.current, previous, lineage)
    }

    fn names(&self) -> Names {
        let name = |ending: &str| format!("memory:{}.{ending}", self.stack);
        Names {
            snapshot: name("json"),
            backup: name("json.backup"),
            journal: name("journal"),
            journal_backup: name("journal.backup"),
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn location(&self) -> String {
        self.names().snapshot
    }

    async fn peek(&self) -> Result<View, StateError> {
        self.load("")?.present(&self.names()).map(load::Loaded::into_view)
    }

    async fn open(&self, options: OpenOptions) -> Result<Box<dyn Session>, StateError> {
        {
            let mut vault = self.vault();
            if let Some(holder) = vault.holder.clone() {
                let (file, holder) = (self.names().snapshot, Some(Box::new(holder)));
                return Err(StateError::Locked {
                    file,
                    holder,
                    waited: Duration::ZERO,
                    left: None,
                });
            }
            vault.holder = Some(options.holder.clone());
        }
        let memory = Memory { store: self.clone(), is_held: true };
        let mut loaded = self.load(&options.lineage)?;
        if !options.takes_moved {
            loaded = loaded.present(&self.names())?;
        }
        memory.heal(&loaded.heal)?;
        Ok(session::start(Box::new(memory), self.names(), loaded))
    }

    async fn lock(&self) -> Result<Option<Lock>, StateError> {
        let holder = self.vault().holder.clone();
        Ok(holder.map(|holder| Lock { holder: Some(holder), token: None, left: None }))
    }

    async fn unlock(&self, lock: &Lock) -> Result<(), StateError> {
        let (file, holder) = (self.location(), lock.holder.clone().map(Box::new));
        Err(StateError::Locked { file, holder, waited: Duration::ZERO, left: None })
    }
}

/// The medium. Dropping it frees the lock.
struct Memory {
    store: MemoryStore,
    is_held: bool,
}

impl Memory {
    fn heal(&self, heal: &Heal) -> Result<(), StateError> {
        if *heal == Heal::default() {
            return Ok(());
        }
        let mut vault = self.writable()?;
        if heal.keeps_journal {
            vault.previous.journal = vault.current.journal.clone();
        }
        if heal.is_damaged {
            vault.current.snapshot = heal.snapshot.clone();
        }
        if let Some(journal) = &heal.journal {
            vault.current.journal = Some(journal.clone());
        }
        Ok(())
    }

    fn writable(&self) -> Result<MutexGuard<'_, Vault>, StateError> {
        let mut vault = self.store.vault();
        if let Some(left) = vault.writes_left {
            let Some(left) = left.checked_sub(1) else {
                let (action, file) = ("write", self.store.names().journal);
                let source = std::io::ErrorKind::StorageFull.into();
                return Err(StateError::Io { action, file, source });
            };
            vault.writes_left = Some(left);
        }
        vault.writes += 1;
        Ok(vault)
    }

    fn free(&mut self) {
        if std::mem::replace(&mut self.is_held, false) {
            self.store.vault().holder = None;
        }
    }
}

#[async_trait]
impl Medium for Memory {
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        // Others get a turn here, as they would while a disk is at work.
        tokio::task::yield_now().await;
        let mut vault = self.writable()?;
        vault.current.journal.get_or_insert_default().extend(lines);
        Ok(())
    }

    async fn rotate(&mut self, snapshot: Vec<u8>, journal: Vec<u8>) -> Result<(), StateError> {
        let mut vault = self.writable()?;
        let current = Current { snapshot: Some(snapshot), journal: Some(journal) };
        let Current { snapshot, journal } = std::mem::replace(&mut vault.current, current);
        vault.previous = Previous { snapshot, journal };
        Ok(())
    }

    async fn release(&mut self) -> Result<(), StateError> {
        self.free();
        Ok(())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.free();
    }
}
