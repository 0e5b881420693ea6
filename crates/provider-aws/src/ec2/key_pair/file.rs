//! The private key's file: made here, once, and never overwritten.
//!
//! **Architecture Invariant:** a private key goes from the random numbers into its file and nowhere else.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use reconcile_provider::{ErrorKind, Notes, ProviderError};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, LineEnding, PrivateKey};
use thiserror::Error;

/// What EC2 takes: the name in its API and the name for people.
pub(super) const ED25519: &str = "ed25519";
/// See [`ED25519`]. Keys that are made here have 4096 bits, the most that EC2 imports.
pub(super) const RSA: &str = "rsa";

/// No key that EC2 takes fills as much; what is larger is some other file.
const LARGEST_BYTES: u64 = 64 * 1024;

/// The public half of a private key in a file.
#[derive(Debug)]
pub(super) struct PublicHalf {
    /// In OpenSSH's one-line form.
    pub(super) openssh: String,
    /// What the user should know about the file.
    pub(super) notes: Notes,
}

/// Why a file cannot give a public key.
#[derive(Debug, Error)]
pub(super) enum FileError {
    #[error("the private key file `{}` cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is no private key in OpenSSH's format", path.display())]
    NoKey { path: PathBuf },
    #[error("the private key in `{}` is encrypted", path.display())]
    Encrypted { path: PathBuf },
    #[error("`{}` holds a key of type {found}, and `key_type` is {wanted}", path.display())]
    OtherType { path: PathBuf, found: String, wanted: String },
    #[error("the private key cannot be written to `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("no key could be made: {0}")]
    Make(ssh_key::Error),
}

impl FileError {
    /// Returns the error as it goes to the user, with what can be done.
    pub(super) fn into_provider_error(self) -> ProviderError {
        let mut error =
            ProviderError::new(ErrorKind::Invalid, "private_key_file", self.to_string());
        error.hint = self.hint();
        error
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKey { path } => format!(
                "Name another file, which will be made, or convert this one with `ssh-keygen -p -f {}`. It was not touched.",
                path.display()
            ),
            Self::Encrypted { path } => format!(
                "Import its public half instead: `public_key: ${{file(\"{}.pub\")}}`.",
                path.display()
            ),
            Self::OtherType { .. } => {
                "Name another file, which will be made, or leave `key_type` out. It was not touched."
                    .to_owned()
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "The folder has to be there.".to_owned()
            }
            Self::Read { .. } | Self::Write { .. } | Self::Make(_) => return None,
        })
    }
}

/// Returns the public half of the private key at `path`, which is made if there is no file.
///
/// When it returns, a key that was made is on the disk: only then may its public half go out. It blocks, for as long
/// as the disk needs and, for a new RSA key, for some seconds of arithmetic.
pub(super) fn public_half(
    path: &Path,
    key_type: Option<&str>,
    comment: &str,
) -> Result<PublicHalf, FileError> {
    match fs::metadata(path) {
        Ok(_) => reuse(path, key_type),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, key_type, comment),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

fn reuse(path: &Path, key_type: Option<&str>) -> Result<PublicHalf, FileError> {
    let read_error = |source| FileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read_error)?;
    let metadata = file.metadata().map_err(read_error)?;
    let no_key = || FileError::NoKey { path: path.to_owned() };
    if !metadata.is_file() || metadata.len() > LARGEST_BYTES {
        return Err(no_key());
    }
    let mut text = Vec::new();
    (&file).take(LARGEST_BYTES).read_to_end(&mut text).map_err(read_error)?;
    let key = PrivateKey::from_openssh(&text).map_err(|_| no_key())?;
    if key.is_encrypted() {
        return Err(FileError::Encrypted { path: path.to_owned() });
    }
    let found = type_name(&key.algorithm());
    if let Some(wanted) = key_type.filter(|wanted| *wanted != found) {
        let (path, wanted) = (path.to_owned(), wanted.to_owned());
        return Err(FileError::OtherType { path, found, wanted });
    }
    let mut notes = vec![format!("The private key in `{}` was there and is used.", path.display())];
    if is_readable_by_others(&metadata) {
        notes.push(format!(
            "Others on this machine can read `{0}`, and ssh will refuse it: `chmod 600 {0}`.",
            path.display()
        ));
    }
    Ok(PublicHalf { openssh: openssh(&key)?, notes })
}

fn make(path: &Path, key_type: Option<&str>, comment: &str) -> Result<PublicHalf, FileError> {
    let algorithm =
        if key_type == Some(RSA) { Algorithm::Rsa { hash: None } } else { Algorithm::Ed25519 };
    let mut key = PrivateKey::random(&mut OsRng, algorithm).map_err(FileError::Make)?;
    key.set_comment(comment);
    match write_new(path, &key)? {
        Written::Here => Ok(PublicHalf {
            openssh: openssh(&key)?,
            notes: vec![format!(
                "The private key was written to `{}`. There is no other copy of it.",
                path.display()
            )],
        }),
        Written::BySomeoneElse => reuse(path, key_type),
    }
}

enum Written {
    Here,
    BySomeoneElse,
}

/// Writes the key beside its place and moves it there if the place is still free, so that whoever finds a file there
/// finds a whole one.
fn write_new(path: &Path, key: &PrivateKey) -> Result<Written, FileError> {
    let write_error = |source| FileError::Write { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let text = key.to_openssh(LineEnding::LF).map_err(FileError::Make)?;
    // Temporary files are created with mode 0600, and only if nothing has their name.
    let mut file = tempfile::Builder::new()
        .prefix(".key-")
        .suffix(".partial")
        .tempfile_in(folder)
        .map_err(write_error)?;
    file.write_all(text.as_bytes()).map_err(write_error)?;
    file.as_file().sync_all().map_err(write_error)?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            return Ok(Written::BySomeoneElse);
        }
        Err(error) => return Err(write_error(error.error)),
    }
    // The name is on the disk only when its folder is.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(write_error)?;
    Ok(Written::Here)
}

fn openssh(key: &PrivateKey) -> Result<String, FileError> {
    key.public_key().to_openssh().map_err(FileError::Make)
}

fn type_name(algorithm: &Algorithm) -> String {
    if algorithm.clone().is_ed25519() {
        ED25519.to_owned()
    } else if algorithm.clone().is_rsa() {
        RSA.to_owned()
    } else {
        algorithm.as_str().to_owned()
    }
}

#[cfg(unix)]
fn is_readable_by_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.pem");
        let made = public_half(&path, None, "web").unwrap();
        assert!(made.openssh.starts_with("ssh-ed25519 "), "{}", made.openssh);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(made.notes[0].contains("was written to"), "{:?}", made.notes);

        let again = public_half(&path, Some(ED25519), "web").unwrap();
        assert_eq!(again.openssh, made.openssh);
        assert_eq!(again.notes.len(), 1, "{:?}", again.notes);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing but the key is left: {left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.pem");
        public_half(&path, None, "web").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let reused = public_half(&path, None, "web").unwrap();
        assert!(reused.notes[1].contains("chmod 600"), "{:?}", reused.notes);
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.pem");
        fs::write(&path, "mine").unwrap();
        let error = public_half(&path, None, "web").unwrap_err();
        assert!(matches!(error, FileError::NoKey { .. }), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");

        let error = public_half(folder.path(), None, "web").unwrap_err();
        assert!(matches!(error, FileError::NoKey { .. } | FileError::Read { .. }), "{error}");
    }

    #[test]
    fn a_key_of_another_type_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.pem");
        public_half(&path, None, "web").unwrap();
        let error = public_half(&path, Some(RSA), "web").unwrap_err();
        assert!(matches!(error, FileError::OtherType { .. }), "{error}");
    }

    #[test]
    fn an_encrypted_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.pem");
        fs::write(&path, encrypted()).unwrap();
        let error = public_half(&path, None, "web").unwrap_err().into_provider_error();
        assert!(error.message.ends_with("is encrypted"), "{error}");
        assert!(error.hint.unwrap().contains("public_key"));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/web.pem");
        let error = public_half(&path, None, "web").unwrap_err().into_provider_error();
        assert!(error.message.contains("keys/web.pem"), "{error}");
        assert_eq!(error.hint.as_deref(), Some("The folder has to be there."));
    }

    /// Returns a file as `ssh-keygen` writes it with a passphrase, of zeros where the secret would be.
    fn encrypted() -> String {
        use base64::Engine as _;
        let field = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            [&length, bytes].concat()
        };
        let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
        let bytes = [
            b"openssh-key-v1\0".to_vec(),
            field(b"aes256-ctr"),
            field(b"bcrypt"),
            field(&[field(&[0; 16]), 16_u32.to_be_bytes().to_vec()].concat()),
            1_u32.to_be_bytes().to_vec(),
            field(&key.public_key().to_bytes().unwrap()),
            field(&[0; 144]),
        ]
        .concat();
        let body = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> =
            body.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let frame = |word: &str| format!("-----{word} OPENSSH PRIVATE KEY-----");
        format!("{}\n{}\n{}\n", frame("BEGIN"), lines.join("\n"), frame("END"))
    }
}
