//! Reading a state: which objects belong together, and what they amount to.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use reconcile_state::load::{self, Current, Loaded, Names, Previous};
use reconcile_state::{StateError, format, journal};

use crate::Bucket;
use crate::bucket::Object;
use crate::chain;
use crate::layout::{Generation, Layout};
use crate::segment::{Is, Segment};
use crate::sure;

/// How many segments are read at once.
const AT_ONCE: usize = 16;

/// One stack's state in a bucket, for reading.
pub(crate) struct Reader<'a> {
    pub(crate) bucket: &'a dyn Bucket,
    pub(crate) layout: &'a Layout,
    pub(crate) stack: &'a str,
    pub(crate) names: &'a Names,
}

/// A state as it was read.
pub(crate) struct Reading {
    /// What it amounts to.
    pub(crate) loaded: Loaded,
    /// The snapshot as it is.
    pub(crate) snapshot: Option<Object>,
    /// The snapshot as it should be, if a checkpoint was cut short after it was sealed.
    pub(crate) publish: Option<Vec<u8>>,
    /// How the next generation begins, if a checkpoint was cut short.
    pub(crate) begin: Option<Vec<u8>>,
}

impl Reader<'_> {
    /// Reads the state whose journal is `newest`. `known` are segments that were read already, by number.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or does not belong together.
    pub(crate) async fn read(
        &self,
        newest: Option<(u64, &Generation)>,
        known: BTreeMap<u64, Segment>,
        lineage: &str,
    ) -> Result<Reading, StateError> {
        let (number, mut segments) = match newest {
            None => (0, known),
            Some((number, generation)) => (number, self.segments(number, generation, known).await?),
        };
        let snapshot = sure::get(self.bucket, self.layout.snapshot()).await?;
        let sealed = segments.last_entry().filter(|last| last.get().is == Is::Sealed);
        let begin = sealed.map(|mut last| std::mem::take(&mut last.get_mut().next));
        let records: Vec<u8> = segments.into_values().flat_map(|it| it.records).collect();
        let mut current =
            Current { snapshot: snapshot.as_ref().map(|it| it.bytes.clone()), journal: None };
        let (builds_on, publish) = match &begin {
            None => {
                let first = journal::first_line(&records, self.stack);
                current.journal = (!records.is_empty()).then_some(records);
                (first.and_then(|header| header.snapshot).map(|sum| (number, sum)), None)
            }
            Some(next) => {
                let sum = journal::first_line(next, self.stack).and_then(|header| header.snapshot);
                let base = sum.map(|sum| (number + 1, sum));
                let publish = self.unpublished(&current, &records, base.as_ref()).await?;
                current.journal = Some(next.clone());
                if publish.is_some() {
                    current.snapshot.clone_from(&publish);
                }
                (base, publish)
            }
        };
        let loaded = self.load(&current, builds_on, lineage).await?;
        Ok(Reading { loaded, snapshot, publish, begin })
    }

    /// Returns the new snapshot of a sealed checkpoint, if the one that is there is still the one before.
    async fn unpublished(
        &self,
        current: &Current,
        records: &[u8],
        base: Option<&(u64, String)>,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let Some((generation, sum)) = base else { return Ok(None) };
        let before = match journal::first_line(records, self.stack) {
            Some(header) => header.snapshot,
            // Sealed before anything was recorded, as by a move to here: the snapshot is what it was when it was opened.
            None if records.is_empty() => self.sum_of(current),
            None => return Ok(None),
        };
        let found = self.sum_of(current);
        if found != before || found.as_ref() == Some(sum) {
            return Ok(None);
        }
        self.base(*generation, sum).await.map(Some)
    }

    /// Returns the checksum of the snapshot that is there, if it is whole.
    fn sum_of(&self, current: &Current) -> Option<String> {
        let decoded = format::decode(current.snapshot.as_deref()?, self.stack).ok()?;
        Some(decoded.checksum)
    }

    /// Reads the copy of a snapshot.
    async fn base(&self, generation: u64, sum: &str) -> Result<Vec<u8>, StateError> {
        let key = self.layout.base(generation, sum);
        let found = sure::get(self.bucket, &key).await?;
        found.map(|found| found.bytes).ok_or_else(|| StateError::Missing {
            file: self.bucket.name(&key),
            left: self.names.journal.clone(),
        })
    }

    async fn load(
        &self,
        current: &Current,
        builds_on: Option<(u64, String)>,
        lineage: &str,
    ) -> Result<Loaded, StateError> {
        let load = |previous: Option<Previous>| {
            let mut is_asked = false;
            let previous = || {
                is_asked = previous.is_none();
                Ok(previous.unwrap_or_default())
            };
            let loaded = load::load(self.stack, self.names, current, previous, lineage);
            (loaded, is_asked)
        };
        let (loaded, is_asked) = load(None);
        let Some((generation, sum)) = builds_on.filter(|_| is_asked) else { return loaded };
        // Something is wrong: the copy of the snapshot may prove what was there.
        let found = sure::get(self.bucket, &self.layout.base(generation, &sum)).await?;
        let previous = Previous { snapshot: found.map(|it| it.bytes), journal: None };
        load(Some(previous)).0
    }

    async fn segments(
        &self,
        generation: u64,
        listed: &Generation,
        known: BTreeMap<u64, Segment>,
    ) -> Result<BTreeMap<u64, Segment>, StateError> {
        let last = chain::last_of(self.bucket, self.layout, generation, listed)?;
        let last = known.last_key_value().map_or(last, |(number, _)| last.max(*number));
        let missing: Vec<u64> = (0..=last).filter(|number| !known.contains_key(number)).collect();
        let reads = missing.into_iter().map(|number| async move {
            let key = self.layout.segment(generation, number);
            let found = sure::get(self.bucket, &key).await?;
            let found = found.ok_or_else(|| StateError::Missing {
                file: self.bucket.name(&key),
                left: self.names.journal.clone(),
            })?;
            Ok::<_, StateError>((number, chain::decode(self.bucket, &key, &found.bytes)?))
        });
        let mut segments: BTreeMap<u64, Segment> =
            stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        segments.extend(known);
        Ok(segments)
    }
}
