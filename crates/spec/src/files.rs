//! The files that functions may read: below the spec's folder, and below what the user allowed besides.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::source::MAX_FILE_BYTES;

/// The most files that `fileset` looks at.
const MAX_LISTED: usize = 100_000;

/// A file's content, or why there is none.
type Content = Result<Arc<[u8]>, String>;

/// Reads files for functions. What was read once is kept, so that one run sees one content.
#[derive(Debug, Default)]
pub(crate) struct FileReader {
    root: PathBuf,
    allowed: Vec<PathBuf>,
    read: Mutex<BTreeMap<String, Content>>,
}

impl FileReader {
    pub(crate) fn new(root: &Path, allowed: &[PathBuf]) -> Self {
        Self { root: root.to_owned(), allowed: allowed.to_vec(), read: Mutex::default() }
    }

    /// Returns a file's content.
    pub(crate) fn read(&self, path: &str) -> Content {
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = read.get(path) {
            return known.clone();
        }
        let content = self.read_anew(path);
        read.insert(path.to_owned(), content.clone());
        content
    }

    fn read_anew(&self, path: &str) -> Content {
        let full = self.resolve(path)?;
        let metadata = fs::metadata(&full).map_err(|error| cannot_read(path, &error))?;
        if !metadata.is_file() {
            return Err(format!("`{path}` is not a file"));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(format!("`{path}` has more than {} MiB", MAX_FILE_BYTES / (1024 * 1024)));
        }
        fs::read(&full).map(Arc::from).map_err(|error| cannot_read(path, &error))
    }

    /// Tells whether a path leads to a file.
    pub(crate) fn exists(&self, path: &str) -> Result<bool, String> {
        match fs::symlink_metadata(self.root.join(path)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // What is not there has no real path: its folder decides whether we may know that.
                let folder = Path::new(path).parent().unwrap_or_else(|| Path::new(""));
                match fs::symlink_metadata(self.root.join(folder)) {
                    Ok(_) => self.resolve(&folder.to_string_lossy()).map(|_| false),
                    Err(_) => Ok(false),
                }
            }
            Err(error) => Err(cannot_read(path, &error)),
            Ok(_) => self.resolve(path).map(|full| full.is_file()),
        }
    }

    /// Returns the files below a folder, relative to it, sorted.
    pub(crate) fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let top = self.resolve(folder)?;
        let (mut found, mut waiting) = (Vec::new(), vec![top.clone()]);
        while let Some(folder) = waiting.pop() {
            let shown = || folder.strip_prefix(&top).unwrap_or(&folder).display().to_string();
            let entries = fs::read_dir(&folder).map_err(|error| cannot_read(&shown(), &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| cannot_read(&shown(), &error))?;
                let kind = entry.file_type().map_err(|error| cannot_read(&shown(), &error))?;
                let path = entry.path();
                if kind.is_dir() {
                    waiting.push(path);
                } else if kind.is_file() || (kind.is_symlink() && self.is_allowed_file(&path)) {
                    let relative = path.strip_prefix(&top).unwrap_or(&path);
                    found.push(relative.to_string_lossy().replace('\\', "/"));
                }
                if found.len() + waiting.len() > MAX_LISTED {
                    return Err(format!("there are more than {MAX_LISTED} files in it"));
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns a path of the spec as an absolute one.
    pub(crate) fn absolute(&self, path: &str) -> Result<String, String> {
        let full = self.root.join(path);
        let full = std::path::absolute(&full).map_err(|error| cannot_read(path, &error))?;
        Ok(full.to_string_lossy().into_owned())
    }

    fn is_allowed_file(&self, path: &Path) -> bool {
        path.is_file() && fs::canonicalize(path).is_ok_and(|full| self.is_allowed(&full))
    }

    fn is_allowed(&self, full: &Path) -> bool {
        [&self.root]
            .into_iter()
            .chain(&self.allowed)
            .any(|folder| fs::canonicalize(folder).is_ok_and(|folder| full.starts_with(folder)))
    }

    /// Returns the real path, with symbolic links followed, of one that may be read.
    fn resolve(&self, path: &str) -> Result<PathBuf, String> {
        let full =
            fs::canonicalize(self.root.join(path)).map_err(|error| cannot_read(path, &error))?;
        if self.is_allowed(&full) {
            return Ok(full);
        }
        Err(format!(
            "`{path}` is outside the spec's folder; `--allow-path` with its folder permits reading it"
        ))
    }
}

fn cannot_read(path: &str, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::NotFound {
        return format!("there is no file `{path}`; relative paths start from the spec's folder");
    }
    format!("`{path}` cannot be read: {error}")
}
