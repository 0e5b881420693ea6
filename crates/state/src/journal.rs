//! The journal's bytes: one line a record, each with a checksum over all lines so far.
//!
//! A line is eight hexadecimal digits, a space, and JSON. The digits are the CRC-32 of the JSON of this line and of every
//! line before it, so a line that is missing, doubled, or out of order is noticed like a flipped bit. The first line is the
//! [`Header`], which says what snapshot the records build on.
//!
//! A crash in the middle of an append leaves a last line without its end. That tail, which nobody was told is written, is
//! left out. Every other damage is an error: what was acknowledged is never dropped. A journal begins whole, with its header
//! and the operations carried over, so no crash leaves less than that.

use reconcile_model::Snapshot;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::record::Record;

/// The version of the journal's format; raised when a field or a kind of record is added.
pub const FORMAT_VERSION: u64 = 1;

/// How deep brackets may nest in a record. The JSON reader gives up at 128, and what was written must be readable.
const MAX_NESTING: usize = 110;

/// How deep they may nest in an intent that is carried over, which stands one deeper than it did.
const MAX_CARRIED_NESTING: usize = MAX_NESTING + 10;

/// What can be wrong with a journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// A line is not what was written, or not in its place.
    #[error("line {line} is damaged: {reason}")]
    Damaged {
        /// The line, from one.
        line: usize,
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
    /// A record cannot be written.
    #[error("a record cannot be written")]
    Unwritable {
        /// Why: above all, a sensitive value that is not sealed.
        source: serde_json::Error,
    },
    /// A record nests deeper than the reader follows.
    #[error("a record cannot be written: its values nest more than {MAX_NESTING} deep")]
    TooDeep,
}

/// The first line: what the records build on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// See [`FORMAT_VERSION`].
    pub journal: u64,
    /// The stack's name.
    pub stack: String,
    /// The lineage of the snapshot.
    pub lineage: String,
    /// The serial of the snapshot; 0 when there is none yet.
    pub serial: u64,
    /// The checksum of the snapshot; absent when there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// How many records right after this line are carried over.
    pub carried: usize,
}

impl Header {
    /// Returns the first line of the journal that follows a snapshot with this checksum, carrying nothing over.
    pub fn of(snapshot: &Snapshot, checksum: Option<String>) -> Self {
        Self {
            journal: FORMAT_VERSION,
            stack: snapshot.stack.clone(),
            lineage: snapshot.lineage.clone(),
            serial: snapshot.serial,
            snapshot: checksum,
            carried: 0,
        }
    }
}

/// The running checksum of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Chain(u32);

impl Chain {
    /// Adds one line of JSON to the end of `journal`.
    pub fn push(&mut self, json: &[u8], journal: &mut Vec<u8>) {
        *self = self.after(json);
        journal.extend_from_slice(format!("{:08x} ", self.0).as_bytes());
        journal.extend_from_slice(json);
        journal.push(b'\n');
    }

    fn after(self, json: &[u8]) -> Self {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.0);
        hasher.update(json);
        Self(hasher.finalize())
    }

    /// Splits a line into its JSON and the chain after it; `None` when its checksum is not right.
    fn check(self, line: &[u8]) -> Option<(Self, &[u8])> {
        let (digits, json) = line.split_at_checked(9)?;
        let after = self.after(json);
        (digits == format!("{:08x} ", after.0).as_bytes()).then_some((after, json))
    }
}

/// What a journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// What the records build on.
    pub header: Header,
    /// The records.
    pub records: Vec<Record>,
    /// The chain after the last record.
    pub chain: Chain,
    /// How many bytes at the beginning are good.
    pub good_bytes: usize,
    /// How many bytes after them are the beginning of a line that was never finished.
    pub torn_bytes: usize,
    /// Whether the last line is all there but for its end.
    pub is_unended: bool,
}

/// Returns a header as the JSON of the first line.
///
/// # Errors
///
/// None that a header of ours gives.
pub fn encode_header(header: &Header) -> Result<Vec<u8>, JournalError> {
    serde_json::to_vec(header).map_err(|source| JournalError::Unwritable { source })
}

/// Returns a record as the JSON of one line.
///
/// # Errors
///
/// When it holds a sensitive value that is not sealed, or nests too deep to be read again.
pub fn encode(record: &Record) -> Result<Vec<u8>, JournalError> {
    let json = serde_json::to_vec(record).map_err(|source| JournalError::Unwritable { source })?;
    let is_carried = matches!(record, Record::Carried(_));
    let limit = if is_carried { MAX_CARRIED_NESTING } else { MAX_NESTING };
    if nesting(&json) > limit { Err(JournalError::TooDeep) } else { Ok(json) }
}

/// Reads the first line of a journal alone; `None` when it is not whole.
pub fn first_line(bytes: &[u8], stack: &str) -> Option<Header> {
    let (first, _) = split_line(bytes);
    let (_, json) = Chain::default().check(first.trim_ascii_end())?;
    header(json, stack).ok()
}

/// Reads a journal.
///
/// # Errors
///
/// When anything but its very end is not what was written, or a newer `reconcile` wrote it, or for another stack.
pub fn decode(bytes: &[u8], stack: &str) -> Result<Decoded, JournalError> {
    let damaged = |line, reason: &str| JournalError::Damaged { line, reason: reason.to_owned() };
    let (first, mut rest) = split_line(bytes);
    let is_whole = first.ends_with(b"\n");
    let Some((mut chain, json)) = Chain::default().check(first.trim_ascii_end()) else {
        let reason = if is_whole { "its checksum does not match" } else { "it is cut short" };
        return Err(damaged(1, reason));
    };
    let header = header(json, stack)?;
    let (mut records, mut torn_bytes, mut is_unended) = (Vec::new(), 0, !is_whole);
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        is_unended = content.len() == line.len();
        let Some((next, json)) = chain.check(content) else {
            // A whole line whose end was changed into something else is no torn tail: all of it was written.
            let whole = content.split_last().and_then(|(_, whole)| chain.check(whole));
            if !is_unended || whole.is_some() {
                return Err(damaged(records.len() + 2, "its checksum does not match"));
            }
            (torn_bytes, is_unended) = (line.len(), false);
            break;
        };
        records.push(parse(json, records.len() + 2)?);
        (chain, rest) = (next, after);
    }
    let is_carried = |record: &&Record| matches!(record, Record::Carried(_));
    let carried = records.iter().take_while(is_carried).count();
    if carried != header.carried || records.iter().filter(is_carried).count() != carried {
        return Err(damaged(carried + 2, "operations that were pending are missing"));
    }
    let good_bytes = bytes.len() - torn_bytes;
    Ok(Decoded { header, records, chain, good_bytes, torn_bytes, is_unended })
}

/// Splits off the first line, with its end if it has one.
fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    bytes.split_at(end.map_or(bytes.len(), |end| end + 1))
}

fn header(json: &[u8], stack: &str) -> Result<Header, JournalError> {
    #[derive(Deserialize)]
    struct Version {
        journal: u64,
    }
    let Version { journal } = parse(json, 1)?;
    if journal > FORMAT_VERSION {
        return Err(JournalError::Newer { found: journal });
    }
    let header: Header = parse(json, 1)?;
    if header.stack != stack {
        let (found, expected) = (header.stack, stack.to_owned());
        return Err(JournalError::OtherStack { found, expected });
    }
    Ok(header)
}

fn parse<'a, T: Deserialize<'a>>(json: &'a [u8], line: usize) -> Result<T, JournalError> {
    serde_json::from_slice(json)
        .map_err(|error| JournalError::Damaged { line, reason: error.to_string() })
}

/// Returns how deep the brackets of a JSON text nest.
pub(crate) fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth -= 1,
            b'"' => loop {
                match bytes.next() {
                    Some(b'\\') => _ = bytes.next(),
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            _ => {}
        }
    }
    deepest
}
