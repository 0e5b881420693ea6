//! A folder as a crash leaves it, at each step of a checkpoint and of a recovery.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reconcile_model::Diagnostic;
use reconcile_state::{LocalStore, Record, Repair, Store as _};
use tempfile::TempDir;

use crate::fixtures::*;

type Folder = BTreeMap<String, Vec<u8>>;

fn store(folder: &Path) -> LocalStore {
    LocalStore::new(folder, "web").unwrap()
}

/// Returns the files of a folder; the lock tells nothing.
fn read(folder: &Path) -> Folder {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.path().extension().is_none_or(|it| it != "lock"))
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn write(files: &Folder) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// Returns the folder with some files as they are in another folder.
fn mixed(before: &Folder, after: &Folder, names: &[&str]) -> Folder {
    let mut mixed = before.clone();
    for name in names {
        match after.get(*name) {
            Some(bytes) => mixed.insert((*name).to_owned(), bytes.clone()),
            None => mixed.remove(*name),
        };
    }
    mixed
}

/// Reads a folder as a crash left it, opens it, goes on, and reads it again.
async fn check_goes_on(files: &Folder, so_far: &[Record], repairs: usize, what: &str) {
    let folder = write(files);
    let view = store(folder.path()).peek().await.expect(what);
    assert_eq!(read(folder.path()), *files, "{what}: looking changes nothing");
    assert_eq!((view.snapshot, view.pending), folded(so_far), "{what}");
    assert_eq!(view.repairs.len(), repairs, "{what}: {:?}", view.repairs);

    let session = store(folder.path()).open(options()).await.expect(what);
    assert_eq!(session.repairs().len(), repairs, "{what}");
    session.append(change(outputs(9))).await.expect(what);
    drop(session);
    let all: Vec<_> = so_far.iter().cloned().chain([change(outputs(9))]).collect();
    let view = store(folder.path()).peek().await.expect(what);
    assert_eq!((view.snapshot, view.pending), folded(&all), "{what}");
    assert_eq!(view.repairs, [], "{what}: opening has made it good");

    let session = store(folder.path()).open(options()).await.expect(what);
    session.checkpoint().await.expect(what);
    drop(session);
    let view = store(folder.path()).peek().await.expect(what);
    assert_eq!((view.snapshot, view.pending), folded(&all), "{what}");
    // Whatever came before, the next damage can be recovered from.
    fs::write(folder.path().join("web.json"), "{").unwrap();
    let view = store(folder.path()).peek().await.expect(what);
    assert_eq!((view.snapshot, view.pending), folded(&all), "{what}");
}

/// Returns the folder before and after the checkpoint of the first or the second run.
async fn checkpointed(runs: usize) -> (Folder, Folder, Vec<Record>) {
    let folder = TempDir::new().unwrap();
    let session = store(folder.path()).open(options()).await.unwrap();
    let mut so_far = first_run();
    session.append_all(first_run()).await.unwrap();
    if runs == 2 {
        session.checkpoint().await.unwrap();
        session.append_all(second_run()).await.unwrap();
        so_far.extend(second_run());
    }
    let before = read(folder.path());
    session.checkpoint().await.unwrap();
    (before, read(folder.path()), so_far)
}

#[tokio::test]
async fn a_checkpoint_may_be_cut_short_anywhere() {
    for runs in [1, 2] {
        let (before, after, so_far) = checkpointed(runs).await;
        // The order in which the files are put in their places.
        let steps = ["web.json.backup", "web.json", "web.journal.backup", "web.journal"];
        for count in 0..=steps.len() {
            let files = mixed(&before, &after, &steps[..count]);
            check_goes_on(&files, &so_far, 0, &format!("run {runs}, {count} steps")).await;
            let mut unfinished = files.clone();
            for name in steps {
                unfinished.insert(format!("{name}.new"), b"{ half of".to_vec());
            }
            let what = format!("run {runs}, {count} steps, unfinished files");
            check_goes_on(&unfinished, &so_far, 0, &what).await;
        }
    }
}

#[tokio::test]
async fn damage_during_a_checkpoint_is_recovered_from() {
    let (before, after, so_far) = checkpointed(2).await;
    let steps = ["web.json.backup", "web.json", "web.journal.backup", "web.journal"];
    for count in 1..=steps.len() {
        let mut files = mixed(&before, &after, &steps[..count]);
        files.insert("web.json".to_owned(), b"{ \"format_version\": 1".to_vec());
        check_goes_on(&files, &so_far, 1, &format!("{count} steps")).await;
        files.remove("web.json");
        check_goes_on(&files, &so_far, 1, &format!("{count} steps, missing")).await;
    }
    let (before, after, so_far) = checkpointed(1).await;
    let mut files = mixed(&before, &after, &["web.json"]);
    files.get_mut("web.json").unwrap().truncate(100);
    check_goes_on(&files, &so_far, 1, "the first snapshot").await;
}

#[tokio::test]
async fn a_torn_tail_goes_when_the_state_is_opened() {
    let (before, _, so_far) = checkpointed(2).await;
    let mut files = before.clone();
    files.get_mut("web.journal").unwrap().extend_from_slice(b"0123abcd {\"commit\":");
    check_goes_on(&files, &so_far, 1, "torn tail").await;
    // The last line's end is missing: what it says is all there.
    let mut files = before;
    files.get_mut("web.journal").unwrap().pop();
    check_goes_on(&files, &so_far, 0, "missing end").await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_kept_aside() {
    let (_, mut files, so_far) = checkpointed(2).await;
    let whole = files.insert("web.json".to_owned(), b"garbage".to_vec());
    let folder = write(&files);
    let session = store(folder.path()).open(options()).await.unwrap();
    let [repair @ Repair::Snapshot { .. }] = session.repairs() else { panic!("no repair") };
    let said = Diagnostic::from(repair);
    assert!(said.summary.contains("recovered") && said.hint.unwrap().contains(".damaged"));
    let found = read(folder.path());
    assert_eq!(found.get("web.json.damaged").map(Vec::as_slice), Some(&b"garbage"[..]));
    assert_eq!(found.get("web.json"), whole.as_ref(), "it is back, byte for byte");
    assert_eq!(*session.snapshot(), folded(&so_far).0);
}

#[tokio::test]
async fn what_is_refused_is_left_as_it_was() {
    let (_, sound, _) = checkpointed(2).await;
    let newer = br#"{ "format_version": 7, "anything": [] }"#;
    let mut cases = vec![("newer", "web.json", newer.to_vec())];
    cases.push(("damaged journal", "web.journal", b"00000000 {}\n".to_vec()));
    cases.push(("empty journal", "web.journal", Vec::new()));
    cases.push(("stranger", "web.json", sound["web.json.backup"].clone()));
    for (what, name, bytes) in cases {
        let mut files = sound.clone();
        files.insert(name.to_owned(), bytes);
        let folder = write(&files);
        let error = store(folder.path()).open(options()).await.err().expect(what);
        let said = Diagnostic::from(&error);
        assert!(said.summary.contains("web.") && said.hint.is_some(), "{what}: {said:?}");
        assert_eq!(read(folder.path()), files, "{what}");
    }
}
