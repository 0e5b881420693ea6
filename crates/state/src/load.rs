//! What the bytes of a state mean: which snapshot, with which records after it, and what a crash left to be made good.
//!
//! The journal names the snapshot it builds on by checksum, so nothing is put together that does not belong together:
//!
//! - A crash between writing a snapshot and beginning its journal leaves a journal that builds on the snapshot before. It is
//!   passed over if, and only if, folding it gives the very snapshot that is there.
//! - A damaged snapshot is made anew from the one before and the journal between the two if, and only if, the journal that
//!   came after builds on the result.
//!
//! Everything else is refused.

use std::fmt;

use reconcile_model::{Diagnostic, Snapshot};

use crate::format::{self, Encoded, FormatError};
use crate::journal::{self, Chain, Header, JournalError};
use crate::{Ledger, PendingOperation, Record, StateError, View};

/// The names of a state's parts, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The snapshot.
    pub snapshot: String,
    /// The snapshot before.
    pub backup: String,
    /// The journal.
    pub journal: String,
}

/// The parts of a state that are always read; `None` for what is not there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Current {
    /// The snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// The journal.
    pub journal: Option<Vec<u8>>,
}

/// The parts of a state that are read only when something is wrong with the others; `None` for what is not there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Previous {
    /// The snapshot before.
    pub snapshot: Option<Vec<u8>>,
    /// The journal that led from it to the snapshot.
    pub journal: Option<Vec<u8>>,
}

/// A state as it was read, and what is needed to go on writing it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The state.
    pub ledger: Ledger,
    /// What the journal builds on.
    pub header: Header,
    /// The chain after the journal's last record; `None` when the journal has yet to be begun.
    pub chain: Option<Chain>,
    /// How many records there are that a checkpoint would fold.
    pub records: u64,
    /// What has to be written before anything else, while the lock is held.
    pub heal: Heal,
    /// What was wrong and is made good without loss.
    pub repairs: Vec<Repair>,
}

/// What has to be written before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heal {
    /// The snapshot to put in the place of the damaged one, which is kept aside.
    pub snapshot: Option<Vec<u8>>,
    /// The journal to put in the place of the one that is there.
    pub journal: Option<Vec<u8>>,
    /// Whether the journal that is there becomes the previous one, as a checkpoint that was cut short would have made it.
    pub keeps_journal: bool,
}

/// Something that was wrong with the files of a state and could be made good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The end of the journal was never finished, so nobody was told that it was written.
    TornTail {
        /// The journal.
        file: String,
        /// How many bytes were left out.
        bytes: usize,
    },
    /// The snapshot was damaged or gone, and the one before, with its journal, gave it back whole.
    Snapshot {
        /// The snapshot.
        file: String,
        /// What was wrong with it.
        reason: String,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { file, bytes } => {
                write!(
                    f,
                    "left out {bytes} bytes at the end of {file} that were never fully written"
                )
            }
            Self::Snapshot { file, .. } => {
                write!(f, "recovered {file} from the state before it and the journal")
            }
        }
    }
}

impl From<&Repair> for Diagnostic {
    fn from(repair: &Repair) -> Self {
        let diagnostic = Self::warning(format!("State repaired: {repair}"));
        match repair {
            Repair::TornTail { .. } => diagnostic.detail(
                "A write was cut short. No call is made before its record is written, so nothing is lost.",
            ),
            Repair::Snapshot { file, reason } => diagnostic
                .detail(format!("It could not be used: {reason}. What is there now is what was written, byte for byte."))
                .hint(format!("The next command that writes keeps the damaged file as {file}.damaged. Check the disk.")),
        }
    }
}

impl Loaded {
    /// Tells whether nothing was ever written.
    pub fn is_new(&self) -> bool {
        self.header.snapshot.is_none() && self.chain.is_none()
    }

    /// Returns the state for one who only looks.
    pub fn into_view(self) -> View {
        let pending = self.ledger.pending().cloned().collect();
        View { snapshot: Snapshot::clone(self.ledger.snapshot()), pending, repairs: self.repairs }
    }
}

/// Makes sense of the parts of a stack's state. `previous` is asked only when something is wrong or missing; `lineage` is
/// that of a state which is not there yet.
///
/// # Errors
///
/// When the parts cannot be read, or do not belong together.
pub fn load(
    stack: &str,
    names: &Names,
    current: &Current,
    previous: impl FnOnce() -> Result<Previous, StateError>,
    lineage: &str,
) -> Result<Loaded, StateError> {
    let cx = Load { stack, names };
    let snapshot = current.snapshot.as_deref().map(|bytes| format::decode(bytes, stack));
    match snapshot {
        Some(Ok(decoded)) => {
            let journal = cx.journal(current)?;
            let header = header(&decoded.snapshot, Some(decoded.checksum));
            cx.attach(Base { snapshot: decoded.snapshot, header }, journal, previous)
        }
        Some(Err(source @ FormatError::Damaged { .. })) => {
            let reason = source.to_string();
            let error = StateError::Snapshot { file: names.snapshot.clone(), source };
            cx.recover(&cx.journal(current)?, &previous()?, reason).unwrap_or(Err(error))
        }
        Some(Err(source)) => Err(StateError::Snapshot { file: names.snapshot.clone(), source }),
        None => {
            let journal = cx.journal(current)?;
            match journal.decoded.header.clone() {
                Some(header) if header.snapshot.is_none() => {
                    let snapshot = Snapshot::new(stack, &header.lineage);
                    cx.attach(Base { snapshot, header }, journal, previous)
                }
                Some(_) => {
                    let left = names.journal.clone();
                    let error = StateError::Missing { file: names.snapshot.clone(), left };
                    let recovered = cx.recover(&journal, &previous()?, "it is missing".to_owned());
                    recovered.unwrap_or(Err(error))
                }
                None => {
                    let previous = previous()?;
                    if previous.snapshot.is_some() {
                        let (file, left) = (names.snapshot.clone(), names.backup.clone());
                        return Err(StateError::Missing { file, left });
                    }
                    let snapshot = Snapshot::new(stack, lineage);
                    let header = header(&snapshot, None);
                    cx.attach(Base { snapshot, header }, journal, || Ok(previous))
                }
            }
        }
    }
}

/// Returns the first line of the journal that follows a snapshot.
pub(crate) fn header(snapshot: &Snapshot, checksum: Option<String>) -> Header {
    Header {
        journal: journal::FORMAT_VERSION,
        stack: snapshot.stack.clone(),
        lineage: snapshot.lineage.clone(),
        serial: snapshot.serial,
        snapshot: checksum,
    }
}

/// Returns a journal with no records but those carried over, and its chain.
pub(crate) fn begin<'a>(
    header: &Header,
    pending: impl Iterator<Item = &'a PendingOperation>,
) -> Result<(Vec<u8>, Chain), JournalError> {
    let (mut bytes, mut chain) = (Vec::new(), Chain::default());
    chain.push(&journal::encode(header)?, &mut bytes);
    for operation in pending {
        chain.push(&journal::encode(&Record::Carried(Box::new(operation.clone())))?, &mut bytes);
    }
    Ok((bytes, chain))
}

struct Load<'a> {
    stack: &'a str,
    names: &'a Names,
}

/// A snapshot, and the header of a journal that builds on it.
struct Base {
    snapshot: Snapshot,
    header: Header,
}

/// A journal, with the bytes of it that are good.
struct Journal<'a> {
    decoded: journal::Decoded,
    bytes: &'a [u8],
}

impl Load<'_> {
    fn journal<'b>(&self, current: &'b Current) -> Result<Journal<'b>, StateError> {
        let bytes = current.journal.as_deref().unwrap_or_default();
        let decoded = journal::decode(bytes, self.stack).map_err(|source| self.unusable(source))?;
        Ok(Journal { decoded, bytes })
    }

    fn unusable(&self, source: JournalError) -> StateError {
        StateError::Journal { file: self.names.journal.clone(), source }
    }

    /// Puts a journal on top of a good snapshot.
    fn attach(
        &self,
        base: Base,
        journal: Journal<'_>,
        previous: impl FnOnce() -> Result<Previous, StateError>,
    ) -> Result<Loaded, StateError> {
        match &journal.decoded.header {
            None => self.fresh(base, Vec::new(), &journal),
            Some(header) if *header == base.header => self.follow(base, &journal),
            Some(header) => {
                if let Some(pending) = self.is_folded(&base, &journal, &previous()?) {
                    return self.fresh(base, pending, &journal);
                }
                Err(StateError::Mismatch {
                    journal: self.names.journal.clone(),
                    snapshot: self.names.snapshot.clone(),
                    expected: header.serial,
                    found: base.snapshot.serial,
                })
            }
        }
    }

    /// Goes on with the journal that belongs to the snapshot.
    fn follow(&self, base: Base, journal: &Journal<'_>) -> Result<Loaded, StateError> {
        let decoded = &journal.decoded;
        let mut ledger = Ledger::new(base.snapshot);
        for (index, record) in decoded.records.iter().enumerate() {
            ledger.apply(record).map_err(|illegal| {
                let reason = format!("it cannot follow what is before it: {illegal}");
                self.unusable(JournalError::Damaged { line: index + 2, reason })
            })?;
        }
        let carried = |record: &&Record| matches!(record, Record::Carried(_));
        let carried = decoded.records.iter().filter(carried).count();
        let needs_end = decoded.is_unended || decoded.torn_bytes > 0;
        let mut good = journal.bytes[..decoded.good_bytes].to_vec();
        if decoded.is_unended {
            good.push(b'\n');
        }
        Ok(Loaded {
            ledger,
            header: base.header,
            chain: Some(decoded.chain),
            records: u64::try_from(decoded.records.len() - carried).unwrap_or(u64::MAX),
            heal: Heal { journal: needs_end.then_some(good), ..Heal::default() },
            repairs: self.torn(decoded),
        })
    }

    /// Begins a journal on a snapshot, with the operations that the one there has left pending.
    fn fresh(
        &self,
        base: Base,
        pending: Vec<PendingOperation>,
        journal: &Journal<'_>,
    ) -> Result<Loaded, StateError> {
        let mut ledger = Ledger::new(base.snapshot);
        for operation in &pending {
            let carried = Record::Carried(Box::new(operation.clone()));
            ledger.apply(&carried).map_err(|source| StateError::Illegal { source })?;
        }
        let (heal, chain) = if journal.decoded.header.is_some() {
            let (bytes, chain) =
                begin(&base.header, pending.iter()).map_err(|source| self.unusable(source))?;
            (Heal { journal: Some(bytes), keeps_journal: true, ..Heal::default() }, Some(chain))
        } else {
            // A first line that was cut short has to go before another can be written.
            let torn = (!journal.bytes.is_empty()).then(Vec::new);
            (Heal { journal: torn, ..Heal::default() }, None)
        };
        let repairs = self.torn(&journal.decoded);
        Ok(Loaded { ledger, header: base.header, chain, records: 0, heal, repairs })
    }

    fn torn(&self, decoded: &journal::Decoded) -> Vec<Repair> {
        let (file, bytes) = (self.names.journal.clone(), decoded.torn_bytes);
        if bytes > 0 { vec![Repair::TornTail { file, bytes }] } else { Vec::new() }
    }

    /// Tells whether a journal is already in the snapshot, and if so, which operations it leaves pending.
    fn is_folded(
        &self,
        base: &Base,
        journal: &Journal<'_>,
        previous: &Previous,
    ) -> Option<Vec<PendingOperation>> {
        let (before, _) = self.base_of(&journal.decoded, previous)?;
        let (ledger, after) = fold(before.snapshot, &journal.decoded)?;
        (Some(after.checksum) == base.header.snapshot).then(|| ledger.pending().cloned().collect())
    }

    /// Makes a damaged or missing snapshot anew; `None` when there is no proof of what it was.
    fn recover(
        &self,
        journal: &Journal<'_>,
        previous: &Previous,
        reason: String,
    ) -> Option<Result<Loaded, StateError>> {
        let header = journal.decoded.header.clone()?;
        let repair = Repair::Snapshot { file: self.names.snapshot.clone(), reason };
        let (base, bytes) = match self.base_of(&journal.decoded, previous) {
            // The journal builds on the snapshot before: the damaged one was about to be written, or just was.
            Some((base, bytes)) => (base, bytes?),
            None => {
                let between = previous.journal.as_deref()?;
                let between = journal::decode(between, self.stack).ok()?;
                let (base, _) = self.base_of(&between, previous)?;
                let (ledger, Encoded { bytes, checksum }) = fold(base.snapshot, &between)?;
                if header.snapshot != Some(checksum) {
                    return None;
                }
                (Base { snapshot: Snapshot::clone(ledger.snapshot()), header }, bytes)
            }
        };
        let loaded = self.follow(base, journal).map(|mut loaded| {
            loaded.heal.snapshot = Some(bytes);
            loaded.repairs.push(repair);
            loaded
        });
        Some(loaded)
    }

    /// Returns the snapshot before, with its bytes if it has any, when it is what a journal builds on.
    fn base_of(
        &self,
        journal: &journal::Decoded,
        previous: &Previous,
    ) -> Option<(Base, Option<Vec<u8>>)> {
        let header = journal.header.clone()?;
        if header.snapshot.is_none() {
            let snapshot = Snapshot::new(self.stack, &header.lineage);
            return Some((Base { snapshot, header }, None));
        }
        let bytes = previous.snapshot.as_ref()?;
        let format::Decoded { snapshot, checksum } = format::decode(bytes, self.stack).ok()?;
        let matches = header == self::header(&snapshot, Some(checksum));
        matches.then(|| (Base { snapshot, header }, Some(bytes.clone())))
    }
}

fn fold(snapshot: Snapshot, journal: &journal::Decoded) -> Option<(Ledger, Encoded)> {
    let mut ledger = Ledger::new(snapshot);
    journal.records.iter().try_for_each(|record| ledger.apply(record)).ok()?;
    let encoded = format::encode(ledger.snapshot()).ok()?;
    Some((ledger, encoded))
}
