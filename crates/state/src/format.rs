//! The snapshot's bytes: pretty JSON whose first two members say which version it is and what the rest must add up to.
//!
//! The checksum is SHA-256 over every byte after its own line, so any change to the file is noticed. `state push` also takes
//! a file without the `checksum` line: that is how a state is edited by hand on purpose.

use std::collections::BTreeMap;

use reconcile_model::{Address, Object, ResourceState, Snapshot};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::journal::nesting;

/// The version of the format; raised when a field is added.
pub const FORMAT_VERSION: u64 = 1;

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
        "it has format version {found}, and this reconcile reads versions up to {FORMAT_VERSION}"
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
    let members = json.strip_prefix(OPEN).expect("a snapshot is an object with members");
    let checksum = checksum([members, b"\n"]);
    let mut bytes = head(FORMAT_VERSION, &checksum);
    bytes.extend_from_slice(members);
    bytes.push(b'\n');
    Ok(Encoded { bytes, checksum })
}

/// Reads the snapshot of a stack.
///
/// # Errors
///
/// When a byte of it is not what was written, or a newer `reconcile` wrote it, or it belongs to another stack.
pub fn decode(bytes: &[u8], stack: &str) -> Result<Decoded, FormatError> {
    let file = parse(bytes)?;
    let Some(found) = file.checksum.clone() else {
        return Err(FormatError::Damaged { reason: "its checksum is missing".to_owned() });
    };
    check(bytes, &found)?;
    Ok(Decoded { snapshot: snapshot(file, stack)?, checksum: found })
}

/// Reads a snapshot that somebody means to be the state of a stack: as [`decode`], but the `checksum` may have been taken
/// out.
///
/// # Errors
///
/// As [`decode`].
pub fn decode_pushed(bytes: &[u8], stack: &str) -> Result<Snapshot, FormatError> {
    let file = parse(bytes)?;
    if let Some(found) = &file.checksum {
        check(bytes, found)?;
    }
    snapshot(file, stack)
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

fn parse(bytes: &[u8]) -> Result<FileV1, FormatError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u64,
    }
    let damaged = |error: serde_json::Error| FormatError::Damaged { reason: error.to_string() };
    // The version comes first: what a newer version means by the rest is not ours to say.
    match serde_json::from_slice(bytes).map_err(damaged)? {
        Version { format_version: 1 } => serde_json::from_slice(bytes).map_err(damaged),
        Version { format_version: 0 } => {
            Err(FormatError::Damaged { reason: "there is no format version 0".to_owned() })
        }
        Version { format_version: found } => Err(FormatError::Newer { found }),
    }
}

fn check(bytes: &[u8], found: &str) -> Result<(), FormatError> {
    let reason = "its content does not match its checksum".to_owned();
    let content = bytes.strip_prefix(head(FORMAT_VERSION, found).as_slice());
    match content {
        Some(content) if checksum([content]) == found => Ok(()),
        Some(_) | None => Err(FormatError::Damaged { reason }),
    }
}

fn snapshot(file: FileV1, stack: &str) -> Result<Snapshot, FormatError> {
    let FileV1 { stack: found, lineage, serial, resources, outputs, .. } = file;
    if found != stack {
        return Err(FormatError::OtherStack { found, expected: stack.to_owned() });
    }
    Ok(Snapshot { stack: found, lineage, serial, resources, outputs })
}
