//! The store in a folder.
//!
//! | file                     | holds                                                         |
//! |--------------------------|---------------------------------------------------------------|
//! | `<stack>.json`           | the snapshot                                                  |
//! | `<stack>.journal`        | what has happened since                                       |
//! | `<stack>.json.backup`    | the snapshot before                                           |
//! | `<stack>.journal.backup` | what led from it to the snapshot                              |
//! | `<stack>.lock`           | the lock; the file stays, and is empty while nobody holds it  |
//! | `<stack>.json.damaged`   | a snapshot that could not be read, after it was recovered     |
//!
//! Files are for their owner alone (mode 0600), and are replaced by renaming finished ones.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::load::{self, Current};
use crate::lock::{Guard, Holder};
use crate::{Lock, Medium, OpenOptions, Session, StateError, Store, View, session};

mod disk;

use disk::{Disk, Files};

/// How long a process that waits for the lock sleeps between two looks.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// How often a reader looks again when the files do not fit together: a checkpoint of another process may be between two
/// of its renames.
const PEEK_TRIES: usize = 5;

/// How long a reader waits before it looks again.
const PEEK_PAUSE: Duration = Duration::from_millis(50);

/// One stack's state in a folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    stack: String,
    files: Files,
}

impl LocalStore {
    /// Returns the store of a stack in a folder, which need not be there yet.
    ///
    /// # Errors
    ///
    /// When the stack's name cannot be a file's name: letters, digits, `.`, `_`, and `-`, at most 100 of them, beginning
    /// with a letter, a digit, or `_`.
    pub fn new(folder: &Path, stack: &str) -> Result<Self, StateError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let begins = !stack.starts_with(['.', '-']);
        if stack.is_empty() || stack.len() > 100 || !begins || !stack.chars().all(allowed) {
            return Err(StateError::Name { stack: stack.to_owned() });
        }
        Ok(Self { stack: stack.to_owned(), files: Files::new(folder, stack) })
    }

    /// Takes the lock, waiting as long as `options` say.
    async fn take_lock(&self, options: &OpenOptions) -> Result<Guard, StateError> {
        let mut waited = Duration::ZERO;
        let mut told: Option<Option<Holder>> = None;
        loop {
            let (files, holder) = (self.files.clone(), options.holder.clone());
            let found = match blocking(move || files.lock(&holder)).await? {
                Ok(guard) => return Ok(guard),
                Err(found) => found,
            };
            if waited >= options.lock_timeout {
                let (file, holder) = (self.location(), found.map(Box::new));
                return Err(StateError::Locked { file, holder, waited, left: None });
            }
            if let (Some(on_wait), true) = (&options.on_wait, told.as_ref() != Some(&found)) {
                on_wait(found.as_ref());
                told = Some(found);
            }
            let pause = LOCK_POLL.min(options.lock_timeout - waited);
            tokio::time::sleep(pause).await;
            waited += pause;
        }
    }
}

#[async_trait]
impl Store for LocalStore {
    fn location(&self) -> String {
        self.files.names().snapshot
    }

    async fn peek(&self) -> Result<View, StateError> {
        let mut before: Option<Current> = None;
        let mut tries = 0;
        loop {
            tries += 1;
            let (files, stack) = (self.files.clone(), self.stack.clone());
            let read = move || {
                let current = files.read_current()?;
                let previous = || files.read_previous();
                let loaded = load::load(&stack, &files.names(), &current, previous, "");
                Ok((current, loaded))
            };
            let (current, loaded) = blocking(read).await?;
            let is_sound = loaded.as_ref().is_ok_and(|loaded| loaded.repairs.is_empty());
            // Twice the same is no accident of reading.
            if is_sound || before.as_ref() == Some(&current) || tries == PEEK_TRIES {
                let present = loaded.and_then(|it| it.present(&self.files.names()));
                return present.map(load::Loaded::into_view);
            }
            before = Some(current);
            tokio::time::sleep(PEEK_PAUSE).await;
        }
    }

    async fn open(&self, options: OpenOptions) -> Result<Box<dyn Session>, StateError> {
        let files = self.files.clone();
        blocking(move || files.make_folder()).await?;
        let guard = self.take_lock(&options).await?;
        let (files, stack) = (self.files.clone(), self.stack.clone());
        let read = move || {
            let current = files.read_current()?;
            let previous = || files.read_previous();
            let names = files.names();
            let mut loaded = load::load(&stack, &names, &current, previous, &options.lineage)?;
            if !options.takes_moved {
                loaded = loaded.present(&names)?;
            }
            Ok((Disk::open(files, guard, &loaded.heal)?, loaded))
        };
        let (disk, loaded) = blocking(read).await?;
        let medium = Folder(Arc::new(Mutex::new(Some(disk))));
        Ok(session::start(Box::new(medium), self.files.names(), loaded))
    }

    async fn lock(&self) -> Result<Option<Lock>, StateError> {
        let files = self.files.clone();
        let found = blocking(move || files.who_holds()).await?;
        Ok(found.map(|holder| Lock { holder, token: None, left: None }))
    }

    async fn unlock(&self, lock: &Lock) -> Result<(), StateError> {
        let (file, holder) = (self.location(), lock.holder.clone().map(Box::new));
        Err(StateError::Locked { file, holder, waited: Duration::ZERO, left: None })
    }
}

/// The medium: the files of one stack, each call on a thread that may block. `None` once it is released.
struct Folder(Arc<Mutex<Option<Disk>>>);

impl Folder {
    async fn with(
        &self,
        work: impl FnOnce(&mut Disk) -> Result<(), StateError> + Send + 'static,
    ) -> Result<(), StateError> {
        let disk = Arc::clone(&self.0);
        blocking(move || {
            let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            disk.as_mut().ok_or(StateError::Closed).and_then(work)
        })
        .await
    }
}

#[async_trait]
impl Medium for Folder {
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        self.with(move |disk| disk.append(&lines)).await
    }

    async fn rotate(&mut self, snapshot: Vec<u8>, journal: Vec<u8>) -> Result<(), StateError> {
        self.with(move |disk| disk.rotate(&snapshot, &journal)).await
    }

    async fn release(&mut self) -> Result<(), StateError> {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        Ok(())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    let cut_short =
        |error: tokio::task::JoinError| StateError::Stopped { reason: error.to_string() };
    tokio::task::spawn_blocking(work).await.map_err(cut_short)?
}
