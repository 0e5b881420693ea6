//! Reading a spec's files: the crate's only I/O besides `file()` and its kin.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reconcile_model::Diagnostic;
use sha2::{Digest as _, Sha256};

use crate::hex;

/// The largest file of a spec, in bytes. A hundred thousand resources take about ten megabytes over a few files; more in
/// one file is no longer something people write or review.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// One file of a spec.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The file as the user named it, relative where they gave it so.
    pub name: Arc<str>,
    /// Its content, not checked yet.
    pub bytes: Vec<u8>,
}

/// The files of a spec, and where its functions may read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The files, in the order in which they are merged.
    pub files: Vec<SourceFile>,
    /// The folder of the spec: what relative paths start from, and below which `file()` may read.
    pub root: PathBuf,
    /// Further folders below which `file()` may read.
    pub allowed: Vec<PathBuf>,
    /// The stack's name when the spec does not give one.
    pub default_stack: String,
}

impl Sources {
    /// Returns sources held in memory, for tests and for front ends that have no files.
    pub fn from_texts<'a>(
        stack: &str,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let file =
            |(name, text): (&str, &str)| SourceFile { name: name.into(), bytes: text.into() };
        Self {
            files: files.into_iter().map(file).collect(),
            root: PathBuf::from("."),
            allowed: Vec::new(),
            default_stack: stack.to_owned(),
        }
    }

    /// Returns the SHA-256 of the files' names and contents, in lower-case hexadecimal.
    ///
    /// Only the last part of a name counts, so that a spec means the same wherever it is checked out.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            let name = Path::new(&*file.name).file_name().unwrap_or_default().to_string_lossy();
            for part in [name.as_bytes(), &file.bytes] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }
}

/// Reads a spec: one file, or a folder's `*.yaml` and `*.yml` files in the order of their names.
///
/// `allow` lists further folders below which functions may read files.
///
/// # Errors
///
/// Every file that cannot be read, or is larger than [`MAX_FILE_BYTES`], is named in a diagnostic of its own.
pub fn read_sources(path: &Path, allow: &[PathBuf]) -> Result<Sources, Vec<Diagnostic>> {
    let failed = |what: &str, path: &Path, error: &std::io::Error| {
        Diagnostic::error(format!("Cannot read {what} `{}`", path.display()))
            .detail(format!("{error}."))
    };
    let metadata = fs::metadata(path).map_err(|error| {
        vec![
            failed("the spec", path, &error)
                .hint("Give the path of a YAML file, or of a folder that holds some."),
        ]
    })?;
    let is_folder = metadata.is_dir();
    let paths = if is_folder {
        spec_files(path).map_err(|error| vec![failed("the folder", path, &error)])?
    } else {
        vec![path.to_owned()]
    };
    if paths.is_empty() {
        return Err(vec![
            Diagnostic::error(format!("No spec in `{}`", path.display()))
                .detail("The folder has no file that ends in `.yaml` or `.yml`.")
                .hint("Name the folder of the spec, or the spec's file."),
        ]);
    }
    let root = if is_folder { path } else { path.parent().unwrap_or_else(|| Path::new("")) };
    let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let (mut files, mut diagnostics) = (Vec::new(), Vec::new());
    for path in paths {
        match read_file(&path) {
            Ok(Some(bytes)) => {
                // In the current folder, a file is called by its name alone.
                let shown = path.strip_prefix(".").unwrap_or(&path);
                files.push(SourceFile { name: shown.display().to_string().into(), bytes });
            }
            Ok(None) => diagnostics.push(too_large(&path)),
            Err(error) => diagnostics.push(failed("the file", &path, &error)),
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(Sources {
        files,
        root: root.to_owned(),
        allowed: allow.to_vec(),
        default_stack: default_stack(path, is_folder),
    })
}

/// Returns the folder's files that are part of a spec, in the order of their names. Hidden files, which editors leave
/// behind, are not.
fn spec_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        if is_yaml && !hidden && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads a file; `None` when it is too large, which is found out without reading it all.
fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes))
}

fn too_large(path: &Path) -> Diagnostic {
    Diagnostic::error(format!("The file `{}` is too large for a spec", path.display()))
        .detail(format!("It has more than {} MiB.", MAX_FILE_BYTES / (1024 * 1024)))
        .hint("Split it into several files of one folder, or use `count` and `for_each`.")
}

/// Returns the folder's name, or the file's without its ending; for `.` and the like, the name of what it stands for.
fn default_stack(path: &Path, is_folder: bool) -> String {
    let full = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = if is_folder { full.file_name() } else { full.file_stem() };
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
