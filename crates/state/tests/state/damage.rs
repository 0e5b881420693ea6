//! Files cut at every byte, and with every byte flipped: recovered or refused, never a wrong state.

use reconcile_model::Snapshot;
use reconcile_state::format::FormatError;
use reconcile_state::journal::{Chain, Header, JournalError, encode, encode_header};
use reconcile_state::load::{Current, Names, Previous, load};
use reconcile_state::{
    LocalStore, PendingOperation, Record, Repair, StateError, Store as _, View, fold,
};
use tempfile::TempDir;

use crate::fixtures::*;

/// The bytes of a state after two runs and the beginning of a third.
pub(crate) struct Sound {
    pub(crate) current: Current,
    pub(crate) previous: Previous,
}

/// What is appended after the last checkpoint.
fn third_run() -> Vec<Record> {
    vec![change(outputs(3)), change(outputs(4))]
}

fn names() -> Names {
    let name = |ending: &str| format!("web.{ending}");
    Names {
        snapshot: name("json"),
        backup: name("json.backup"),
        journal: name("journal"),
        journal_backup: name("journal.backup"),
    }
}

pub(crate) async fn sound() -> Sound {
    let folder = TempDir::new().unwrap();
    let store = LocalStore::new(folder.path(), "web").unwrap();
    let session = store.open(options()).await.unwrap();
    session.append_all(first_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    session.append_all(second_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    session.append_all(third_run()).await.unwrap();
    let read = |name: &str| Some(std::fs::read(folder.path().join(name)).unwrap());
    Sound {
        current: Current { snapshot: read("web.json"), journal: read("web.journal") },
        previous: Previous {
            snapshot: read("web.json.backup"),
            journal: read("web.journal.backup"),
        },
    }
}

pub(crate) fn read(current: &Current, previous: &Previous) -> Result<View, StateError> {
    load("web", &names(), current, || Ok(previous.clone()), "").map(|loaded| loaded.into_view())
}

/// Returns the state after each record of the third run, from none to all.
pub(crate) fn expected() -> Vec<(Snapshot, Vec<PendingOperation>)> {
    let before: Vec<_> = first_run().into_iter().chain(second_run()).collect();
    let third = third_run();
    (0..=third.len())
        .map(|count| {
            let records: Vec<_> = before.iter().chain(&third[..count]).cloned().collect();
            folded(&records)
        })
        .collect()
}

fn last() -> (Snapshot, Vec<PendingOperation>) {
    expected().pop().unwrap()
}

/// Calls `check` with every byte changed to several others, and the place.
fn flips(bytes: &[u8], mut check: impl FnMut(usize, Vec<u8>)) {
    for at in 0..bytes.len() {
        for mask in [0x02, 0x80, bytes[at], bytes[at] ^ b'\n'].into_iter().filter(|mask| *mask != 0)
        {
            let mut changed = bytes.to_vec();
            changed[at] ^= mask;
            check(at, changed);
        }
    }
}

#[tokio::test]
async fn a_sound_state_is_read() {
    let Sound { current, previous } = sound().await;
    let view = read(&current, &previous).unwrap();
    assert_eq!(((view.snapshot, view.pending), view.repairs), (last(), vec![]));
}

#[tokio::test]
async fn a_flipped_byte_of_the_snapshot_is_recovered_from() {
    let Sound { current, previous } = sound().await;
    let bytes = current.snapshot.as_ref().unwrap();
    let (mut newer, last) = (0, last());
    flips(bytes, |at, changed| {
        let damaged = Current { snapshot: Some(changed), ..current.clone() };
        match read(&damaged, &previous) {
            Ok(view) => {
                assert_eq!((view.snapshot, view.pending), last, "byte {at}");
                assert!(matches!(&view.repairs[..], [Repair::Snapshot { .. }]), "byte {at}");
            }
            Err(StateError::Snapshot { source: FormatError::Newer { .. }, .. }) => newer += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
        let alone = read(&damaged, &Previous::default());
        assert!(matches!(alone, Err(StateError::Snapshot { .. })), "byte {at}: {alone:?}");
    });
    assert_eq!(newer, 1, "only the version's own digit reads as a newer one");
}

#[tokio::test]
async fn a_snapshot_cut_short_is_recovered_from() {
    let Sound { current, previous } = sound().await;
    let bytes = current.snapshot.as_ref().unwrap();
    let last = last();
    for length in 0..bytes.len() {
        let damaged = Current { snapshot: Some(bytes[..length].to_vec()), ..current.clone() };
        let view = read(&damaged, &previous).unwrap();
        assert_eq!((view.snapshot, view.pending), last, "{length} bytes");
        let alone = read(&damaged, &Previous::default());
        assert!(matches!(alone, Err(StateError::Snapshot { .. })), "{length} bytes: {alone:?}");
    }
    let missing = Current { snapshot: None, ..current };
    let view = read(&missing, &previous).unwrap();
    assert_eq!((view.snapshot, view.pending), last);
    let alone = read(&missing, &Previous::default());
    assert!(matches!(alone, Err(StateError::Missing { .. })), "{alone:?}");
}

#[tokio::test]
async fn a_flipped_byte_of_the_journal_is_refused() {
    let Sound { current, previous } = sound().await;
    flips(current.journal.as_ref().unwrap(), |at, changed| {
        let damaged = Current { journal: Some(changed), ..current.clone() };
        let error = read(&damaged, &previous).unwrap_err();
        let is_damage =
            matches!(error, StateError::Journal { source: JournalError::Damaged { .. }, .. });
        assert!(is_damage, "byte {at}: {error}");
    });
}

#[tokio::test]
async fn a_journal_cut_short_gives_the_records_that_are_whole_or_is_refused() {
    let Sound { current, previous } = sound().await;
    let bytes = current.journal.as_ref().unwrap();
    let expected = expected();
    let carried = expected[0].1.len();
    for length in 0..bytes.len() {
        let cut = Current { journal: Some(bytes[..length].to_vec()), ..current.clone() };
        let found = read(&cut, &previous);
        // A line that lacks nothing but its end is whole.
        let lines = bytes[..=length].iter().filter(|byte| **byte == b'\n').count();
        let Some(records) = lines.checked_sub(1 + carried) else {
            // A journal begins whole: this was not a crash.
            let error = found.unwrap_err();
            assert!(matches!(error, StateError::Journal { .. }), "{length} bytes: {error}");
            continue;
        };
        let view = found.unwrap();
        assert_eq!((view.snapshot, view.pending), expected[records], "{length} bytes");
        let at_end = bytes[length - 1] == b'\n' || bytes[length] == b'\n';
        assert_eq!(view.repairs.is_empty(), at_end, "{length} bytes");
    }
}

#[tokio::test]
async fn what_is_kept_from_before_does_not_matter_to_a_sound_state() {
    let Sound { current, previous } = sound().await;
    let broken = Previous { snapshot: Some(b"{".to_vec()), journal: Some(b"{\n".to_vec()) };
    let view = read(&current, &broken).unwrap();
    assert_eq!((view.snapshot, view.pending), last());
    let damaged = Current { snapshot: Some(b"{".to_vec()), ..current };
    for (snapshot, journal) in [
        (broken.snapshot.clone(), previous.journal.clone()),
        (previous.snapshot.clone(), broken.journal.clone()),
        (previous.snapshot.clone(), None),
    ] {
        let found = read(&damaged, &Previous { snapshot, journal });
        assert!(matches!(found, Err(StateError::Snapshot { .. })), "{found:?}");
    }
}

#[tokio::test]
async fn lines_out_of_place_are_refused() {
    let Sound { current, previous } = sound().await;
    let text = String::from_utf8(current.journal.clone().unwrap()).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let [header, op_3, op_4, third, fourth] = lines[..] else { panic!("{lines:?}") };
    for order in [
        vec![header, op_3, third, op_4, fourth],
        vec![header, op_3, op_4, third, third, fourth],
        vec![header, op_3, op_4, fourth],
        vec![op_3, op_4, third, fourth],
        vec![header, header],
    ] {
        let damaged = Current { journal: Some(order.concat().into_bytes()), ..current.clone() };
        let error = read(&damaged, &previous).unwrap_err();
        assert!(matches!(error, StateError::Journal { .. }), "{error}");
    }
}

#[tokio::test]
async fn files_of_different_states_are_not_put_together() {
    let Sound { current, previous } = sound().await;
    let older = Current { snapshot: previous.snapshot.clone(), ..current.clone() };
    let error = read(&older, &previous).unwrap_err();
    assert!(matches!(error, StateError::Mismatch { .. }), "{error}");
    let alone = Current { journal: None, ..current };
    let view = read(&alone, &previous).unwrap();
    assert_eq!(view.snapshot, expected()[0].0, "a snapshot without a journal is a state");
    let journal = Previous { snapshot: None, journal: previous.journal.clone() };
    for (previous, left) in [(&previous, "web.json.backup"), (&journal, "web.journal.backup")] {
        let error = read(&Current::default(), previous).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the state in web.json is missing, but {left} is there")
        );
    }
}

#[tokio::test]
async fn newer_versions_and_other_stacks_are_refused() {
    let Sound { current, previous } = sound().await;
    let edit = |bytes: &Option<Vec<u8>>, from: &str, to: &str| {
        let text = String::from_utf8(bytes.clone().unwrap()).unwrap();
        Some(text.replacen(from, to, 1).into_bytes())
    };
    let snapshot = edit(&current.snapshot, "\"format_version\": 1", "\"format_version\": 3");
    let error = read(&Current { snapshot, ..current.clone() }, &previous).unwrap_err();
    let newer =
        matches!(error, StateError::Snapshot { source: FormatError::Newer { found: 3 }, .. });
    assert!(newer, "{error}");
    let found = load("db", &names(), &current, || Ok(previous.clone()), "").unwrap_err();
    let other =
        matches!(found, StateError::Snapshot { source: FormatError::OtherStack { .. }, .. });
    assert!(other, "{found}");

    let journal = |journal: u64, stack: &str| {
        let header = Header { journal, ..Header::of(&Snapshot::new(stack, LINEAGE), None) };
        let (mut bytes, mut chain) = (Vec::new(), Chain::default());
        chain.push(&encode_header(&header).unwrap(), &mut bytes);
        let current = Current { snapshot: None, journal: Some(bytes) };
        read(&current, &Previous::default()).unwrap_err()
    };
    let error = journal(2, "web");
    assert!(matches!(error, StateError::Journal { source: JournalError::Newer { found: 2 }, .. }));
    let error = journal(1, "db");
    assert!(matches!(error, StateError::Journal { source: JournalError::OtherStack { .. }, .. }));
}

#[test]
fn a_journal_that_makes_no_sense_is_refused_at_its_line() {
    let records = [change(outputs(1)), outcome("op", "i-1")];
    fold(Snapshot::new("web", LINEAGE), &records).unwrap_err();
    let header = Header::of(&Snapshot::new("web", LINEAGE), None);
    let (mut bytes, mut chain) = (Vec::new(), Chain::default());
    chain.push(&encode_header(&header).unwrap(), &mut bytes);
    for record in &records {
        chain.push(&encode(record).unwrap(), &mut bytes);
    }
    let current = Current { snapshot: None, journal: Some(bytes) };
    let error = read(&current, &Previous::default()).unwrap_err();
    let StateError::Journal { source, .. } = error else { panic!("{error}") };
    assert_eq!(
        source.to_string(),
        "line 3 is damaged: it cannot follow what is before it: operation op: no such operation is pending"
    );
}

/// A state of many objects, larger than a page of a disk.
async fn large() -> (TempDir, Vec<u8>, View) {
    let folder = TempDir::new().unwrap();
    let store = LocalStore::new(folder.path(), "web").unwrap();
    let session = store.open(options()).await.unwrap();
    let fill = |from: usize, to: usize| {
        (from..to).map(|number| {
            change(set(&format!("aws_instance.web[{number}]"), &format!("i-{number}")))
        })
    };
    session.append_all(fill(0, 8).collect()).await.unwrap();
    session.checkpoint().await.unwrap();
    session.append_all(fill(8, 16).collect()).await.unwrap();
    session.checkpoint().await.unwrap();
    drop(session);
    let bytes = std::fs::read(folder.path().join("web.json")).unwrap();
    let view = store.peek().await.unwrap();
    assert!(bytes.len() > 4096 + 1024, "{}", bytes.len());
    (folder, bytes, view)
}

#[tokio::test]
async fn the_last_4_kib_of_a_large_state_may_be_cut_or_flipped_anywhere() {
    let (folder, bytes, view) = large().await;
    let part = |name: &str| Some(std::fs::read(folder.path().join(name)).unwrap());
    let journal = part("web.journal");
    let previous =
        Previous { snapshot: part("web.json.backup"), journal: part("web.journal.backup") };
    for at in bytes.len() - 4096..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x01;
        for (what, damaged) in [("cut", bytes[..at].to_vec()), ("flipped", flipped)] {
            let current = Current { snapshot: Some(damaged), journal: journal.clone() };
            let found = read(&current, &previous).unwrap();
            assert_eq!(found.snapshot, view.snapshot, "{what} at byte {at}");
            assert!(matches!(&found.repairs[..], [Repair::Snapshot { .. }]), "{what} at byte {at}");
        }
    }
}
