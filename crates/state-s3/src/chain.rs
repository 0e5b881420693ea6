//! The end of the journal: who may write there, and what.
//!
//! Whoever has taken the lease takes the end of the journal next, by making the one write that may follow what is there. From
//! then on the writer before, should it still be there, finds that its next write is refused. Only then is the state read.

use reconcile_state::StateError;
use reconcile_state::journal::JournalError;

use crate::bucket::Object;
use crate::layout::{Generation, Layout};
use crate::lease::Lease;
use crate::segment::{Is, Segment};
use crate::sure::{self, Put};
use crate::{Bucket, Condition};

/// A segment takes records until it is this long. Every append writes the whole segment, so it is short; and every segment is
/// an object to be read when the journal is, so it is not too short.
const FULL: usize = 32 * 1024;

/// The place where the next write goes.
#[derive(Debug)]
pub(crate) struct End {
    writer: String,
    /// How many writes there were.
    write: u64,
    pub(crate) generation: u64,
    /// The segment that is written next.
    pub(crate) number: u64,
    /// What is there, if it is open; `None` when nothing is.
    open: Option<Opened>,
}

#[derive(Debug)]
struct Opened {
    etag: String,
    records: Vec<u8>,
}

/// The journal's end as it was taken, or why it need not be.
pub(crate) enum Taken {
    /// It is ours.
    Ours(End),
    /// It is sealed: what follows is the next generation, which begins with what the seal says.
    Sealed(u64, Segment),
}

impl End {
    pub(crate) fn new(writer: &str, generation: u64) -> Self {
        Self { writer: writer.to_owned(), write: 0, generation, number: 0, open: None }
    }

    /// Returns the segment that was written last, if more can be added to it.
    pub(crate) fn segment(&self) -> Segment {
        Segment {
            writer: self.writer.clone(),
            write: self.write,
            is: Is::Open,
            records: self.open.as_ref().map_or_else(Vec::new, |it| it.records.clone()),
            next: Vec::new(),
        }
    }

    /// Takes the end of the newest generation, or begins the first. `None` when somebody else wrote in between.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, or is damaged.
    pub(crate) async fn take(
        bucket: &dyn Bucket,
        layout: &Layout,
        lease: &Lease,
        writer: &str,
        newest: Option<(u64, &Generation)>,
    ) -> Result<Option<Taken>, StateError> {
        let Some((generation, segments)) = newest else {
            let mut end = Self::new(writer, 1);
            let ours = end.write(bucket, layout, lease, Is::Open, Vec::new(), Vec::new()).await?;
            return Ok(ours.then_some(Taken::Ours(end)));
        };
        let last = last_of(bucket, layout, generation, segments)?;
        let key = layout.segment(generation, last);
        let Some(Object { bytes, etag, .. }) = sure::get(bucket, &key).await? else {
            return Ok(None);
        };
        let segment = decode(bucket, &key, &bytes)?;
        let mut end = Self { number: last, ..Self::new(writer, generation) };
        let records = match segment.is {
            Is::Sealed => return Ok(Some(Taken::Sealed(last, segment))),
            Is::Full => {
                end.number += 1;
                Vec::new()
            }
            Is::Open => {
                end.open = Some(Opened { etag, records: segment.records.clone() });
                segment.records
            }
        };
        let ours = end.write(bucket, layout, lease, Is::Open, records, Vec::new()).await?;
        Ok(ours.then_some(Taken::Ours(end)))
    }

    /// Adds records to the journal; `false` when somebody else has the end of it.
    ///
    /// # Errors
    ///
    /// When the lease is lost, or they may not be written.
    pub(crate) async fn append(
        &mut self,
        bucket: &dyn Bucket,
        layout: &Layout,
        lease: &Lease,
        lines: &[u8],
    ) -> Result<bool, StateError> {
        let mut records = self.open.as_ref().map_or_else(Vec::new, |it| it.records.clone());
        records.extend_from_slice(lines);
        let is = if records.len() < FULL { Is::Open } else { Is::Full };
        self.write(bucket, layout, lease, is, records, Vec::new()).await
    }

    /// Ends the generation: nothing is added to it any more, and the next one begins with `next`.
    ///
    /// # Errors
    ///
    /// As [`End::append`].
    pub(crate) async fn seal(
        &mut self,
        bucket: &dyn Bucket,
        layout: &Layout,
        lease: &Lease,
        next: Vec<u8>,
    ) -> Result<bool, StateError> {
        let records = self.open.as_ref().map_or_else(Vec::new, |it| it.records.clone());
        self.write(bucket, layout, lease, Is::Sealed, records, next).await
    }

    /// Makes the one write that may follow.
    async fn write(
        &mut self,
        bucket: &dyn Bucket,
        layout: &Layout,
        lease: &Lease,
        is: Is,
        records: Vec<u8>,
        next: Vec<u8>,
    ) -> Result<bool, StateError> {
        lease.check()?;
        self.write += 1;
        let segment = Segment { writer: self.writer.clone(), write: self.write, is, records, next };
        let key = layout.segment(self.generation, self.number);
        let condition = Condition::unchanged(self.open.as_ref().map(|it| it.etag.as_str()));
        let put = sure::put(bucket, &key, &segment.encode(), &condition, lease.deadline()).await;
        // A write that was held up until others had taken over, folded, and deleted what was in its way is no write.
        lease.check()?;
        match put {
            Ok(Put::Done(etag)) if is == Is::Open => {
                self.open = Some(Opened { etag, records: segment.records });
            }
            Ok(Put::Done(_)) => {
                self.open = None;
                self.number += 1;
            }
            Ok(Put::Taken(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Begins a generation with `journal`.
    ///
    /// # Errors
    ///
    /// As [`End::append`].
    pub(crate) async fn begin(
        bucket: &dyn Bucket,
        layout: &Layout,
        lease: &Lease,
        writer: &str,
        generation: u64,
        journal: Vec<u8>,
    ) -> Result<Option<Self>, StateError> {
        let mut end = Self::new(writer, generation);
        let is = if journal.len() < FULL { Is::Open } else { Is::Full };
        let ours = end.write(bucket, layout, lease, is, journal, Vec::new()).await?;
        Ok(ours.then_some(end))
    }
}

/// Returns the number of the last segment, if all before it are there.
///
/// # Errors
///
/// When one is missing.
pub(crate) fn last_of(
    bucket: &dyn Bucket,
    layout: &Layout,
    generation: u64,
    segments: &Generation,
) -> Result<u64, StateError> {
    let last = segments.segments.last().copied().unwrap_or_default();
    match (0..last).find(|number| !segments.segments.contains(number)) {
        None => Ok(last),
        Some(missing) => {
            let file = bucket.name(&layout.segment(generation, missing));
            let left = bucket.name(&layout.segment(generation, last));
            Err(StateError::Missing { file, left })
        }
    }
}

/// Reads a segment.
///
/// # Errors
///
/// When it is damaged.
pub(crate) fn decode(bucket: &dyn Bucket, key: &str, bytes: &[u8]) -> Result<Segment, StateError> {
    Segment::decode(bytes).map_err(|reason| StateError::Journal {
        file: bucket.name(key),
        source: JournalError::Damaged { line: 1, reason },
    })
}
