//! Which objects there are, and what they are called.
//!
//! | object                                  | holds                                                                  |
//! |-----------------------------------------|------------------------------------------------------------------------|
//! | `KEY`                                   | the snapshot                                                           |
//! | `KEY.journal/GENERATION/NUMBER`         | a segment of the journal                                               |
//! | `KEY.journal/GENERATION/base-CHECKSUM`  | the snapshot that this generation of the journal builds on             |
//! | `KEY.lock`                              | the lease; it stays, and names nobody while nobody has it              |
//! | `KEY.damaged`                           | a snapshot that could not be read, after it was recovered              |
//!
//! A generation begins with each checkpoint. The one before is kept, and older ones are deleted.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_state::load::Names;

use crate::Bucket;

/// The keys of one stack's state.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    key: String,
}

impl Layout {
    pub(crate) fn new(key: &str) -> Self {
        Self { key: key.to_owned() }
    }

    pub(crate) fn snapshot(&self) -> &str {
        &self.key
    }

    pub(crate) fn lease(&self) -> String {
        format!("{}.lock", self.key)
    }

    pub(crate) fn damaged(&self) -> String {
        format!("{}.damaged", self.key)
    }

    pub(crate) fn journal(&self) -> String {
        format!("{}.journal/", self.key)
    }

    pub(crate) fn segment(&self, generation: u64, number: u64) -> String {
        format!("{}{generation:08}/{number:08}", self.journal())
    }

    /// Names the copy of the snapshot with this checksum. It is named by its content, so it does not matter who writes it.
    pub(crate) fn base(&self, generation: u64, checksum: &str) -> String {
        let digits = checksum.strip_prefix("sha256:").unwrap_or(checksum);
        let digits: String = digits.chars().take(32).collect();
        format!("{}{generation:08}/base-{digits}", self.journal())
    }

    pub(crate) fn names(&self, bucket: &dyn Bucket) -> Names {
        let journal = bucket.name(&self.journal());
        Names {
            snapshot: bucket.name(&self.key),
            backup: format!("the copies in {journal}"),
            journal_backup: journal.clone(),
            journal,
        }
    }

    /// Sorts the keys below [`Layout::journal`].
    pub(crate) fn sort(&self, keys: &[String]) -> Generations {
        let prefix = self.journal();
        let mut generations = Generations::default();
        for key in keys {
            let parts = key.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
            let Some((number, name)) = parts else { continue };
            let Ok(number) = number.parse() else { continue };
            let generation = generations.0.entry(number).or_default();
            generation.keys.push(key.clone());
            generation.segments.extend(name.parse::<u64>());
        }
        generations
    }
}

/// What there is of the journal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generations(BTreeMap<u64, Generation>);

/// The objects of one generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generation {
    pub(crate) keys: Vec<String>,
    pub(crate) segments: BTreeSet<u64>,
}

impl Generations {
    /// Returns the newest generation that was begun, with its number.
    pub(crate) fn newest(&self) -> Option<(u64, &Generation)> {
        let begun = self.0.iter().rev().find(|(_, generation)| !generation.segments.is_empty());
        begun.map(|(number, generation)| (*number, generation))
    }

    /// Returns the keys of what is older than a generation.
    pub(crate) fn older(&self, than: u64) -> Vec<String> {
        self.0.range(..than).flat_map(|(_, it)| it.keys.iter().cloned()).collect()
    }
}
