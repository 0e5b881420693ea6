//! The lock on a stack in a folder: an operating system's file lock, so it dies with the process that holds it.
//!
//! The file itself stays for ever, since deleting it would let two processes lock two files of one name. What is written in
//! it says who holds the lock, and means nothing while nobody does.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who holds a lock, for whom it keeps out.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// The user.
    pub user: String,
    /// The command, as it was typed.
    pub command: String,
    /// Since when, in seconds since the Unix epoch.
    pub since: u64,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, host, user, command, since } = self;
        write!(f, "`{command}` of {user} on {host}, process {pid}")?;
        let since = i64::try_from(*since).ok().and_then(|at| Timestamp::from_second(at).ok());
        since.iter().try_for_each(|since| write!(f, ", since {since}"))
    }
}

/// How often a lock is looked at again whose holder has not said yet who they are, which they do as soon as they have it.
const LOOKS: u32 = 200;

/// The pause between two such looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
}

impl Guard {
    /// Takes the lock, or returns who has it; `None` within when they do not say who they are. Blocks for a moment when it
    /// is between two holders.
    pub(crate) fn take(path: &Path, holder: &Holder) -> io::Result<Result<Self, Option<Holder>>> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut looks = 0;
        while let Err(error) = file.try_lock() {
            match (error, read(&mut file)) {
                (TryLockError::Error(error), _) => return Err(error),
                (TryLockError::WouldBlock, None) if looks < LOOKS => {
                    looks += 1;
                    thread::sleep(PAUSE);
                }
                (TryLockError::WouldBlock, holder) => return Ok(Err(holder)),
            }
        }
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(holder)?)?;
        Ok(Ok(Self { file }))
    }
}

impl Guard {
    /// Returns who has the lock, without taking it: `None` when nobody has, `None` within when they have not said who they
    /// are.
    pub(crate) fn look(path: &Path) -> io::Result<Option<Option<Holder>>> {
        let mut file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Shared, so that two who look do not take each other for a run.
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(Some(read(&mut file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Whether this works or not, closing the file gives the lock back.
        self.file.set_len(0).ok();
        self.file.unlock().ok();
    }
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
