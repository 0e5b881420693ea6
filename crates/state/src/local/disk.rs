//! Files that are whole or not there, and on the disk when a call returns.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::StateError;
use crate::load::{Current, Heal, Names, Previous};
use crate::lock::{Guard, Holder};

/// The files of one stack.
#[derive(Clone, Debug)]
pub(super) struct Files {
    folder: PathBuf,
    snapshot: PathBuf,
    journal: PathBuf,
    backup: PathBuf,
    journal_backup: PathBuf,
    damaged: PathBuf,
    lock: PathBuf,
}

impl Files {
    pub(super) fn new(folder: &Path, stack: &str) -> Self {
        let file = |ending: &str| folder.join(format!("{stack}.{ending}"));
        Self {
            folder: folder.to_owned(),
            snapshot: file("json"),
            journal: file("journal"),
            backup: file("json.backup"),
            journal_backup: file("journal.backup"),
            damaged: file("json.damaged"),
            lock: file("lock"),
        }
    }

    pub(super) fn names(&self) -> Names {
        Names {
            snapshot: name(&self.snapshot),
            backup: name(&self.backup),
            journal: name(&self.journal),
            journal_backup: name(&self.journal_backup),
        }
    }

    pub(super) fn make_folder(&self) -> Result<(), StateError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<&Path> = self.folder.ancestors().take_while(is_missing).collect();
        builder.create(&self.folder).map_err(failed("create the folder", &self.folder))?;
        // Files in a folder whose own entry is lost in a power cut are lost as well.
        for parent in missing.iter().filter_map(|folder| folder.parent()) {
            let here = Path::new(".");
            sync_folder(if parent.as_os_str().is_empty() { here } else { parent })?;
        }
        Ok(())
    }

    pub(super) fn lock(
        &self,
        holder: &Holder,
    ) -> Result<Result<Guard, Option<Holder>>, StateError> {
        Guard::take(&self.lock, holder).map_err(failed("lock", &self.lock))
    }

    /// Returns who holds the lock: `None` within when they have not said, and when nobody does.
    pub(super) fn who_holds(&self) -> Result<Option<Option<Holder>>, StateError> {
        Guard::look(&self.lock).map_err(failed("lock", &self.lock))
    }

    /// Reads the snapshot and the journal. The journal comes first: a checkpoint in between then gives a newer snapshot with
    /// the journal before it, which is told from a state that does not fit together.
    pub(super) fn read_current(&self) -> Result<Current, StateError> {
        let journal = read(&self.journal)?;
        Ok(Current { snapshot: read(&self.snapshot)?, journal })
    }

    pub(super) fn read_previous(&self) -> Result<Previous, StateError> {
        Ok(Previous { snapshot: read(&self.backup)?, journal: read(&self.journal_backup)? })
    }
}

/// The files of one stack while its lock is held.
#[derive(Debug)]
pub(super) struct Disk {
    files: Files,
    /// Open for appending; `None` until there is a journal.
    journal: Option<File>,
    /// How long the journal is, so that what a failed write left can be taken off again.
    length: u64,
    _guard: Guard,
}

impl Disk {
    /// Makes good what a crash left, and makes sure that the journal can be written.
    pub(super) fn open(files: Files, guard: Guard, heal: &Heal) -> Result<Self, StateError> {
        if heal.is_damaged {
            // The damaged one is evidence; it makes way only when its successor is whole on the disk.
            let successor = heal.snapshot.as_ref();
            let successor = successor.map(|bytes| write(&files.snapshot, bytes)).transpose()?;
            match fs::rename(&files.snapshot, &files.damaged) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed("rename", &files.snapshot)(error));
                }
                Ok(()) | Err(_) => {}
            }
            if let Some(successor) = successor {
                rename(&successor, &files.snapshot)?;
            }
            sync_folder(&files.folder)?;
        }
        if let Some(journal) = &heal.journal {
            if heal.keeps_journal {
                keep(&files.journal, &files.journal_backup)?;
            }
            replace(&files.journal, journal)?;
            sync_folder(&files.folder)?;
        }
        let mut disk = Self { files, journal: None, length: 0, _guard: guard };
        disk.reopen()?;
        Ok(disk)
    }

    /// Opens the journal for appending, if there is one.
    fn reopen(&mut self) -> Result<(), StateError> {
        let path = &self.files.journal;
        match File::options().append(true).open(path) {
            Ok(journal) => {
                self.length = journal.metadata().map_err(failed("read", path))?.len();
                self.journal = Some(journal);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("write", path)(error)),
        }
        Ok(())
    }

    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), StateError> {
        let path = &self.files.journal;
        let Some(journal) = &mut self.journal else {
            replace(path, lines)?;
            sync_folder(&self.files.folder)?;
            return self.reopen();
        };
        let written = journal.write_all(lines).and_then(|()| journal.sync_data());
        if let Err(error) = written {
            // Nobody is told that these lines are written, so they had better not be. Should this fail too, what is left is
            // a torn tail, or records of calls that were not made.
            journal.set_len(self.length).ok();
            return Err(failed("write", path)(error));
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    pub(super) fn rotate(&mut self, snapshot: &[u8], journal: &[u8]) -> Result<(), StateError> {
        let files = &self.files;
        let finished = write(&files.snapshot, snapshot)?;
        keep(&files.snapshot, &files.backup)?;
        rename(&finished, &files.snapshot)?;
        // The journal may go only when what it says is on the disk for good.
        sync_folder(&files.folder)?;
        keep(&files.journal, &files.journal_backup)?;
        replace(&files.journal, journal)?;
        sync_folder(&files.folder)?;
        self.reopen()
    }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let file = name(path);
    move |source| StateError::Io { action, file, source }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, StateError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Writes a file beside `path` in full and returns its path, for renaming.
fn write(path: &Path, bytes: &[u8]) -> Result<PathBuf, StateError> {
    let beside = beside(path)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| {
        // What is left would fill a full disk for nothing.
        fs::remove_file(&beside).ok();
        failed("write", path)(error)
    })?;
    Ok(beside)
}

/// Returns the path of the unfinished file beside `path`, where nothing is: what a crash left there was never finished.
fn beside(path: &Path) -> Result<PathBuf, StateError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("write", &beside)(error)),
        Ok(()) | Err(_) => Ok(beside),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), StateError> {
    fs::rename(from, to).map_err(failed("write", to))
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    rename(&write(path, bytes)?, path)
}

/// Makes `backup` what `path` is, if it is there, and leaves `path` in its place all the while.
fn keep(path: &Path, backup: &Path) -> Result<(), StateError> {
    let link = beside(backup)?;
    match fs::hard_link(path, &link) {
        Ok(()) => rename(&link, backup),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // Not every file system has hard links.
        Err(_) => read(path)?.map_or(Ok(()), |bytes| replace(backup, &bytes)),
    }
}

/// Puts the folder's entries on the disk, without which a rename may be undone by a power cut.
fn sync_folder(folder: &Path) -> Result<(), StateError> {
    #[cfg(unix)]
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write", folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
