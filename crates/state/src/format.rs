//! The snapshot's bytes: pretty JSON whose first two members say which version it is and what the rest must add up to.
//!
//! The checksum is SHA-256 over every byte after its own line, so any change to the file is noticed. `state push` also takes
//! a file without the `checksum` line: that is how a state is edited by hand on purpose.
//!
//! A state that was moved elsewhere leaves a file of version 2 behind, which says where to and nothing else. A reader that
//! does not know it refuses it, so nobody takes what was left behind for a stack of which nothing exists.

use std::collections::BTreeMap;

use reconcile_model::{Address, Object, ResourceState, Snapshot};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::journal::nesting;

/// The version of the format that snapshots are written in; raised when a field is added.
pub const FORMAT_VERSION: u64 = 1;

/// The version of what a moved state leaves behind, and the newest that is read.
const MOVED_VERSION: u64 = 2;

/// How deep brackets may nest. The JSON reader gives up at 128, and what was written must be readable.
const MAX_NESTING: usize = 120;

/// What can be wrong with a snapshot.
#[derive(Debug, Error)]
pub enum FormatError {
    /// It is not what was written.
    #[error("it is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// A newer `reconcile` wrote it.
    #[error(
        "it has format version {found}, and this reconcile reads versions up to {MOVED_VERSION}"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// It belongs to another stack.
    #[error("it belongs to the stack `{found}`, not to `{expected}`")]
    OtherStack {
        /// The stack it belongs to.
        found: String,
        /// The stack it was read for.
        expected: String,
    },
    /// It cannot be written.
    #[error("it cannot be written")]
    Unwritable {
        /// Why: above all, a sensitive value that is not sealed.
        source: serde_json::Error,
    },
    /// It nests deeper than the reader follows.
    #[error("it cannot be written: its values nest more than {MAX_NESTING} deep")]
    TooDeep,
}

/// A snapshot as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// The checksum in it.
    pub checksum: String,
}

/// A snapshot from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The checksum in the file.
    pub checksum: String,
    /// Where the state was moved to. Then the snapshot holds nothing but the name, the lineage, and the serial.
    pub moved_to: Option<String>,
}

/// The members of a file of version 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV1 {
    #[expect(dead_code, reason = "looked at before the rest is read")]
    format_version: u64,
    checksum: Option<String>,
    stack: String,
    lineage: String,
    serial: u64,
    resources: BTreeMap<Address, ResourceState>,
    outputs: Object,
}

/// The members of a file of version 2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV2 {
    #[serde(skip_serializing)]
    #[expect(dead_code, reason = "looked at before the rest is read")]
    format_version: u64,
    #[serde(skip_serializing)]
    checksum: Option<String>,
    stack: String,
    lineage: String,
    serial: u64,
    moved_to: String,
}

/// What a file says, whatever its version.
struct File {
    checksum: Option<String>,
    snapshot: Snapshot,
    moved_to: Option<String>,
}

impl From<FileV1> for File {
    fn from(file: FileV1) -> Self {
        let FileV1 { checksum, stack, lineage, serial, resources, outputs, .. } = file;
        let snapshot = Snapshot { stack, lineage, serial, resources, outputs };
        Self { checksum, snapshot, moved_to: None }
    }
}

impl From<FileV2> for File {
    fn from(file: FileV2) -> Self {
        let FileV2 { checksum, stack, lineage, serial, moved_to, .. } = file;
        let snapshot = Snapshot { serial, ..Snapshot::new(&stack, &lineage) };
        Self { checksum, snapshot, moved_to: Some(moved_to) }
    }
}

/// Returns a snapshot as the bytes of its file; the same snapshot always gives the same bytes.
///
/// # Errors
///
/// When it holds a sensitive value that is not sealed, or nests too deep to be read again.
pub fn encode(snapshot: &Snapshot) -> Result<Encoded, FormatError> {
    let json =
        serde_json::to_vec_pretty(snapshot).map_err(|source| FormatError::Unwritable { source })?;
    if nesting(&json) > MAX_NESTING {
        return Err(FormatError::TooDeep);
    }
    Ok(with_head(FORMAT_VERSION, &json))
}

/// Returns what a state leaves behind that was moved to another place.
///
/// # Errors
///
/// None that a snapshot of ours gives.
pub fn encode_moved(snapshot: &Snapshot, to: &str) -> Result<Encoded, FormatError> {
    let left = FileV2 {
        format_version: MOVED_VERSION,
        checksum: None,
        stack: snapshot.stack.clone(),
        lineage: snapshot.lineage.clone(),
        serial: snapshot.serial,
        moved_to: to.to_owned(),
    };
    let json =
        serde_json::to_vec_pretty(&left).map_err(|source| FormatError::Unwritable { source })?;
    Ok(with_head(MOVED_VERSION, &json))
}

fn with_head(version: u64, json: &[u8]) -> Encoded {
    let members = json.strip_prefix(OPEN).expect("it is an object with members");
    let checksum = checksum([members, b"\n"]);
    let mut bytes = head(version, &checksum);
    bytes.extend_from_slice(members);
    bytes.push(b'\n');
    Encoded { bytes, checksum }
}

/// Reads the snapshot of a stack.
///
/// # Errors
///
/// When a byte of it is not what was written, or a newer `reconcile` wrote it, or it belongs to another stack.
pub fn decode(bytes: &[u8], stack: &str) -> Result<Decoded, FormatError> {
    let File { checksum, snapshot, moved_to } = parse(bytes)?;
    let Some(checksum) = checksum else {
        return Err(FormatError::Damaged { reason: "its checksum is missing".to_owned() });
    };
    check(bytes, moved_to.as_deref().map_or(FORMAT_VERSION, |_| MOVED_VERSION), &checksum)?;
    Ok(Decoded { snapshot: of(snapshot, stack)?, checksum, moved_to })
}

/// Reads a snapshot that somebody means to be the state of a stack: as [`decode`], but the `checksum` may have been taken
/// out.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_pushed(bytes: &[u8], stack: &str) -> Result<Snapshot, FormatError> {
    let File { checksum, snapshot, moved_to } = parse(bytes)?;
    if let Some(to) = moved_to {
        let reason = format!("it says no more than that the state was moved to {to}");
        return Err(FormatError::Damaged { reason });
    }
    if let Some(checksum) = &checksum {
        check(bytes, FORMAT_VERSION, checksum)?;
    }
    of(snapshot, stack)
}

const OPEN: &[u8] = b"{\n";

fn head(version: u64, checksum: &str) -> Vec<u8> {
    format!("{{\n  \"format_version\": {version},\n  \"checksum\": \"{checksum}\",\n").into_bytes()
}

fn checksum<const N: usize>(parts: [&[u8]; N]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn parse(bytes: &[u8]) -> Result<File, FormatError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u64,
    }
    let damaged = |error: serde_json::Error| FormatError::Damaged { reason: error.to_string() };
    // The version comes first: what a newer version means by the rest is not ours to say.
    match serde_json::from_slice(bytes).map_err(damaged)? {
        Version { format_version: FORMAT_VERSION } => {
            serde_json::from_slice::<FileV1>(bytes).map_err(damaged).map(File::from)
        }
        Version { format_version: MOVED_VERSION } => {
            serde_json::from_slice::<FileV2>(bytes).map_err(damaged).map(File::from)
        }
        Version { format_version: 0 } => {
            Err(FormatError::Damaged { reason: "there is no format version 0".to_owned() })
        }
        Version { format_version: found } => Err(FormatError::Newer { found }),
    }
}

fn check(bytes: &[u8], version: u64, found: &str) -> Result<(), FormatError> {
    let reason = "its content does not match its checksum".to_owned();
    let content = bytes.strip_prefix(head(version, found).as_slice());
    match content {
        Some(content) if checksum([content]) == found => Ok(()),
        Some(_) | None => Err(FormatError::Damaged { reason }),
    }
}

/// Returns the snapshot if it is the stack's.
fn of(snapshot: Snapshot, stack: &str) -> Result<Snapshot, FormatError> {
    if snapshot.stack == stack {
        return Ok(snapshot);
    }
    Err(FormatError::OtherStack { found: snapshot.stack, expected: stack.to_owned() })
}
