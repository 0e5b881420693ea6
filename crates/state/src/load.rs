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

use reconcile_model::Snapshot;

use crate::format::{self, Encoded, FormatError};
use crate::journal::{self, Chain, Header, JournalError};
use crate::{Ledger, PendingOperation, Record, Repair, StateError, View};

/// The names of a state's parts, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The snapshot.
    pub snapshot: String,
    /// The snapshot before.
    pub backup: String,
    /// The journal.
    pub journal: String,
    /// The journal that led from the snapshot before to the snapshot.
    pub journal_backup: String,
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
    /// Where the state was moved to; what is left here then is not the state any more.
    pub moved_to: Option<String>,
}

/// What has to be written before anything else.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Heal {
    /// Whether the snapshot that is there is damaged and goes aside.
    pub is_damaged: bool,
    /// The snapshot to put in its place; absent when there was none before it.
    pub snapshot: Option<Vec<u8>>,
    /// The journal to put in the place of the one that is there.
    pub journal: Option<Vec<u8>>,
    /// Whether the journal that is there becomes the previous one, as a checkpoint that was cut short would have made it.
    pub keeps_journal: bool,
}

impl Loaded {
    /// Tells whether nothing was ever written.
    pub fn is_new(&self) -> bool {
        self.header.snapshot.is_none() && self.chain.is_none()
    }

    /// Returns it if the state is here.
    ///
    /// # Errors
    ///
    /// When it was moved to another place.
    pub fn present(self, names: &Names) -> Result<Self, StateError> {
        match &self.moved_to {
            None => Ok(self),
            Some(to) => Err(StateError::Moved { file: names.snapshot.clone(), to: to.clone() }),
        }
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
    let file = names.snapshot.clone();
    match current.snapshot.as_deref().map(|bytes| format::decode(bytes, stack)) {
        Some(Ok(format::Decoded { snapshot, checksum, moved_to: None })) => {
            cx.attach(Base { snapshot, checksum: Some(checksum) }, current, previous)
        }
        Some(Ok(format::Decoded { snapshot, checksum, moved_to })) => {
            let loaded = cx.left(Base { snapshot, checksum: Some(checksum) }, current)?;
            Ok(Loaded { moved_to, ..loaded })
        }
        Some(Err(source @ FormatError::Damaged { .. })) => {
            let reason = source.to_string();
            cx.recover(current, &previous()?, reason, StateError::Snapshot { file, source })
        }
        Some(Err(source)) => Err(StateError::Snapshot { file, source }),
        None => match cx.journal(current)?.map(|journal| journal.decoded.header) {
            Some(Header { snapshot: None, lineage, .. }) => {
                let base = Base { snapshot: Snapshot::new(stack, &lineage), checksum: None };
                cx.attach(base, current, previous)
            }
            Some(Header { snapshot: Some(_), .. }) => {
                let left = names.journal.clone();
                let missing = StateError::Missing { file, left };
                cx.recover(current, &previous()?, "it is missing".to_owned(), missing)
            }
            None => {
                let previous = previous()?;
                let left = match (previous.snapshot, previous.journal) {
                    (Some(_), _) => names.backup.clone(),
                    (None, Some(_)) => names.journal_backup.clone(),
                    (None, None) => {
                        let base = Base { snapshot: Snapshot::new(stack, lineage), checksum: None };
                        return cx.begin(base, Vec::new(), None);
                    }
                };
                Err(StateError::Missing { file, left })
            }
        },
    }
}

/// Returns a journal with no records but those carried over, and its chain.
///
/// # Errors
///
/// As [`journal::encode`].
pub fn begin(
    header: &Header,
    pending: &[PendingOperation],
) -> Result<(Vec<u8>, Chain), JournalError> {
    let header = Header { carried: pending.len(), ..header.clone() };
    let (mut bytes, mut chain) = (Vec::new(), Chain::default());
    chain.push(&journal::encode_header(&header)?, &mut bytes);
    for operation in pending {
        chain.push(&journal::encode(&Record::Carried(Box::new(operation.clone())))?, &mut bytes);
    }
    Ok((bytes, chain))
}

struct Load<'a> {
    stack: &'a str,
    names: &'a Names,
}

/// What a journal builds on.
struct Base {
    snapshot: Snapshot,
    /// The snapshot's checksum; absent when it was never written.
    checksum: Option<String>,
}

impl Base {
    fn header(&self) -> Header {
        Header::of(&self.snapshot, self.checksum.clone())
    }

    fn carries(&self, header: &Header) -> bool {
        Header { carried: header.carried, ..self.header() } == *header
    }
}

/// A journal, with its bytes.
struct Journal<'a> {
    decoded: journal::Decoded,
    bytes: &'a [u8],
}

impl Journal<'_> {
    /// Returns its bytes as they should be, if they are not: without a torn tail, and with the end of its last line.
    fn mended(&self) -> Option<Vec<u8>> {
        let journal::Decoded { good_bytes, torn_bytes, is_unended, .. } = self.decoded;
        (torn_bytes > 0 || is_unended).then(|| {
            let end: &[u8] = if is_unended { b"\n" } else { b"" };
            [&self.bytes[..good_bytes], end].concat()
        })
    }
}

impl Load<'_> {
    fn journal<'b>(&self, current: &'b Current) -> Result<Option<Journal<'b>>, StateError> {
        let Some(bytes) = current.journal.as_deref() else { return Ok(None) };
        let decoded = journal::decode(bytes, self.stack).map_err(|source| self.unusable(source))?;
        Ok(Some(Journal { decoded, bytes }))
    }

    fn unusable(&self, source: JournalError) -> StateError {
        StateError::Journal { file: self.names.journal.clone(), source }
    }

    /// Goes on from a good snapshot, with the journal that is there if it belongs to it.
    fn attach(
        &self,
        base: Base,
        current: &Current,
        previous: impl FnOnce() -> Result<Previous, StateError>,
    ) -> Result<Loaded, StateError> {
        let Some(journal) = self.journal(current)? else {
            return self.begin(base, Vec::new(), None);
        };
        if base.carries(&journal.decoded.header) {
            return self.follow(base, &journal);
        }
        match self.folded(&base, &journal, &previous()?) {
            Some(pending) => self.begin(base, pending, Some(&journal)),
            None => Err(StateError::Mismatch {
                journal: self.names.journal.clone(),
                snapshot: self.names.snapshot.clone(),
                expected: journal.decoded.header.serial,
                found: base.snapshot.serial,
            }),
        }
    }

    /// Goes on from what a state left behind that was moved. What a crash may have left beside it went along.
    fn left(&self, base: Base, current: &Current) -> Result<Loaded, StateError> {
        match self.journal(current)? {
            Some(journal) if base.carries(&journal.decoded.header) => self.follow(base, &journal),
            journal => self.begin(base, Vec::new(), journal.as_ref()),
        }
    }

    /// Goes on with the journal that belongs to the snapshot.
    fn follow(&self, base: Base, journal: &Journal<'_>) -> Result<Loaded, StateError> {
        let journal::Decoded { header, records, chain, .. } = &journal.decoded;
        let mut ledger = Ledger::new(base.snapshot);
        for (index, record) in records.iter().enumerate() {
            ledger.apply(record).map_err(|illegal| {
                let reason = format!("it cannot follow what is before it: {illegal}");
                self.unusable(JournalError::Damaged { line: index + 2, reason })
            })?;
        }
        Ok(Loaded {
            ledger,
            header: header.clone(),
            chain: Some(*chain),
            records: u64::try_from(records.len() - header.carried).unwrap_or(u64::MAX),
            heal: Heal { journal: journal.mended(), ..Heal::default() },
            repairs: self.torn(journal),
            moved_to: None,
        })
    }

    /// Begins a journal on a snapshot. The one that is there has led to the snapshot, and left these operations pending.
    fn begin(
        &self,
        base: Base,
        pending: Vec<PendingOperation>,
        journal: Option<&Journal<'_>>,
    ) -> Result<Loaded, StateError> {
        let header = base.header();
        let mut loaded = Loaded {
            ledger: Ledger::new(base.snapshot),
            header,
            chain: None,
            records: 0,
            heal: Heal::default(),
            repairs: journal.map_or_else(Vec::new, |journal| self.torn(journal)),
            moved_to: None,
        };
        if journal.is_some() {
            let (bytes, chain) =
                begin(&loaded.header, &pending).map_err(|source| self.unusable(source))?;
            loaded.heal = Heal { journal: Some(bytes), keeps_journal: true, ..Heal::default() };
            loaded.chain = Some(chain);
        }
        for operation in pending {
            let carried = Record::Carried(Box::new(operation));
            loaded.ledger.apply(&carried).map_err(|source| StateError::Illegal { source })?;
        }
        Ok(loaded)
    }

    fn torn(&self, journal: &Journal<'_>) -> Vec<Repair> {
        let (file, bytes) = (self.names.journal.clone(), journal.decoded.torn_bytes);
        if bytes > 0 { vec![Repair::TornTail { file, bytes }] } else { Vec::new() }
    }

    /// Returns the operations that a journal leaves pending, if the snapshot is what folding it gives.
    fn folded(
        &self,
        base: &Base,
        journal: &Journal<'_>,
        previous: &Previous,
    ) -> Option<Vec<PendingOperation>> {
        let (before, _) = self.base_of(&journal.decoded.header, previous)?;
        let (ledger, Encoded { checksum, .. }) = fold(before.snapshot, &journal.decoded)?;
        (Some(checksum) == base.checksum).then(|| ledger.pending().cloned().collect())
    }

    /// Makes a damaged or missing snapshot anew, or fails with `otherwise` when there is no proof of what it was.
    fn recover(
        &self,
        current: &Current,
        previous: &Previous,
        reason: String,
        otherwise: StateError,
    ) -> Result<Loaded, StateError> {
        let journal = self.journal(current)?;
        let Some(journal) = journal else { return Err(otherwise) };
        let header = &journal.decoded.header;
        let proven = self.base_of(header, previous).or_else(|| self.between(header, previous));
        let Some((base, bytes)) = proven else { return Err(otherwise) };
        let mut loaded = self.follow(base, &journal)?;
        (loaded.heal.is_damaged, loaded.heal.snapshot) = (true, bytes);
        loaded.repairs.push(Repair::Snapshot { file: self.names.snapshot.clone(), reason });
        Ok(loaded)
    }

    /// Folds the journal before into the snapshot before, if that gives what a journal builds on.
    fn between(&self, header: &Header, previous: &Previous) -> Option<(Base, Option<Vec<u8>>)> {
        let between = journal::decode(previous.journal.as_deref()?, self.stack).ok()?;
        let (before, _) = self.base_of(&between.header, previous)?;
        let (ledger, Encoded { bytes, checksum }) = fold(before.snapshot, &between)?;
        let snapshot = Snapshot::clone(ledger.snapshot());
        let base = Base { snapshot, checksum: Some(checksum) };
        base.carries(header).then_some((base, Some(bytes)))
    }

    /// Returns the snapshot before, with its bytes if it was ever written, if it is what a journal builds on.
    fn base_of(&self, header: &Header, previous: &Previous) -> Option<(Base, Option<Vec<u8>>)> {
        if header.snapshot.is_none() {
            let snapshot = Snapshot::new(self.stack, &header.lineage);
            return Some((Base { snapshot, checksum: None }, None));
        }
        let bytes = previous.snapshot.as_ref()?;
        let format::Decoded { snapshot, checksum, .. } = format::decode(bytes, self.stack).ok()?;
        let base = Base { snapshot, checksum: Some(checksum) };
        base.carries(header).then(|| (base, Some(bytes.clone())))
    }
}

fn fold(snapshot: Snapshot, journal: &journal::Decoded) -> Option<(Ledger, Encoded)> {
    let mut ledger = Ledger::new(snapshot);
    journal.records.iter().try_for_each(|record| ledger.apply(record)).ok()?;
    let encoded = format::encode(ledger.snapshot()).ok()?;
    Some((ledger, encoded))
}
