//! Segments: the objects that the journal is made of.
//!
//! A segment is one line of JSON, its head, and then lines of the journal. The last segment says what may be written next, and
//! nothing else may: while it is *open*, only a new version of itself, with more records; when it is *full*, only the segment
//! after it; when it is *sealed*, only the first segment of the next generation. So whoever writes there first keeps everybody
//! else out, and everybody else finds out when they write.

use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u64 = 1;

/// What may be written after a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Is {
    /// A new version of it.
    Open,
    /// The segment after it.
    Full,
    /// The first segment of the next generation.
    Sealed,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The opening that wrote it.
    pub(crate) writer: String,
    /// Which of the writer's writes it was, so that no two are alike.
    pub(crate) write: u64,
    /// What may follow.
    pub(crate) is: Is,
    /// Lines of the journal.
    pub(crate) records: Vec<u8>,
    /// The beginning of the next generation's journal, if it is sealed.
    pub(crate) next: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    segment: u64,
    writer: String,
    write: u64,
    is: Is,
    /// How many bytes of records follow the head.
    records: usize,
    /// How many bytes of the next journal follow those.
    next: usize,
    /// CRC-32 over both.
    sum: u32,
}

impl Segment {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let head = Head {
            segment: VERSION,
            writer: self.writer.clone(),
            write: self.write,
            is: self.is,
            records: self.records.len(),
            next: self.next.len(),
            sum: sum(&self.records, &self.next),
        };
        let mut bytes = serde_json::to_vec(&head).expect("a head is plain JSON");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.records);
        bytes.extend_from_slice(&self.next);
        bytes
    }

    /// Reads a segment.
    ///
    /// # Errors
    ///
    /// When a byte of it is not what was written.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("its head is cut short")?;
        let (head, body) = (&bytes[..end], &bytes[end + 1..]);
        let head: Head = serde_json::from_slice(head).map_err(|error| error.to_string())?;
        if head.segment > VERSION {
            return Err(format!(
                "it has version {}, and this reconcile reads {VERSION}",
                head.segment
            ));
        }
        if head.records.checked_add(head.next) != Some(body.len()) {
            return Err("its length is not what its head says".to_owned());
        }
        let (records, next) = body.split_at(head.records);
        if sum(records, next) != head.sum {
            return Err("its content does not match its checksum".to_owned());
        }
        if (head.is == Is::Sealed) == next.is_empty() {
            return Err("it is sealed without what comes next, or the other way round".to_owned());
        }
        let (records, next) = (records.to_vec(), next.to_vec());
        Ok(Self { writer: head.writer, write: head.write, is: head.is, records, next })
    }
}

fn sum(records: &[u8], next: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(records);
    hasher.update(next);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_read_as_it_was_written_and_no_other_way() {
        let segment = Segment {
            writer: "w".to_owned(),
            write: 3,
            is: Is::Sealed,
            records: b"00000000 {}\n".to_vec(),
            next: b"11111111 {}\n".to_vec(),
        };
        let bytes = segment.encode();
        assert_eq!(Segment::decode(&bytes), Ok(segment.clone()));
        for length in 0..bytes.len() {
            assert!(Segment::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        for at in 0..bytes.len() {
            for mask in [0x01, 0x10, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                // Who wrote it, and which write it was, matter to nobody but its writer, who compares all of it.
                if let Ok(other) = Segment::decode(&changed) {
                    assert_eq!((&other.records, &other.next), (&segment.records, &segment.next));
                    assert_eq!(other.is, segment.is, "byte {at}");
                }
            }
        }
    }
}
