//! The folder: its files, their modes, and what is said when it cannot be used.

use std::fs;
use std::path::Path;
use std::process::Command;

use reconcile_model::{Diagnostic, Snapshot};
use reconcile_state::{LocalStore, Session, StateError, Store as _};
use tempfile::TempDir;

use crate::fixtures::*;

fn store(folder: &Path) -> LocalStore {
    LocalStore::new(folder, "web").unwrap()
}

async fn open(folder: &Path) -> Box<dyn Session> {
    store(folder).open(options()).await.unwrap()
}

fn listing(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_run_and_the_one_after() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("deep").join("state");
    assert_eq!(store(&inner).peek().await.unwrap().snapshot, Snapshot::new("web", ""));
    assert!(!inner.exists(), "looking writes nothing");

    let session = open(&inner).await;
    assert_eq!(listing(&inner), ["web.lock"]);
    session.append_all(first_run()).await.unwrap();
    assert_eq!(listing(&inner), ["web.journal", "web.lock"]);
    session.checkpoint().await.unwrap();
    session.close().await.unwrap();
    assert_eq!(listing(&inner), ["web.journal", "web.journal.backup", "web.json", "web.lock"]);
    let first = fs::read(inner.join("web.json")).unwrap();

    let session = open(&inner).await;
    assert_eq!((Snapshot::clone(&session.snapshot()), session.pending()), folded(&first_run()));
    session.append_all(second_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    session.append(change(outputs(3))).await.unwrap();
    drop(session);
    assert_eq!(fs::read(inner.join("web.json.backup")).unwrap(), first);
    let all = first_run().into_iter().chain(second_run()).chain([change(outputs(3))]);
    let view = store(&inner).peek().await.unwrap();
    assert_eq!((view.snapshot, view.pending), folded(&all.collect::<Vec<_>>()));
    assert_eq!(view.repairs, []);
    assert_eq!(fs::read(inner.join("web.lock")).unwrap(), b"", "nobody holds it");
}

#[cfg(unix)]
#[tokio::test]
async fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("state");
    let session = open(&inner).await;
    for records in [first_run(), second_run()] {
        session.append_all(records).await.unwrap();
        session.checkpoint().await.unwrap();
    }
    assert_eq!(listing(&inner).len(), 5);
    for name in listing(&inner) {
        let mode = fs::metadata(inner.join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = fs::metadata(&inner).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in ["lab-web", "a", "v1.2_x", "_"] {
        LocalStore::new(Path::new("state"), name).unwrap();
    }
    let long = "x".repeat(101);
    for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-f", "a b", "é", "a\0", &long] {
        let error = LocalStore::new(Path::new("state"), name).unwrap_err();
        assert!(matches!(error, StateError::Name { .. }), "{name}");
        assert!(Diagnostic::from(&error).hint.is_some());
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_before_anything_is_done() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = store(&file).open(options()).await.err().unwrap();
    let said = Diagnostic::from(&error);
    assert_eq!(said.summary, format!("Cannot create the folder {}", file.display()));
    assert!(!said.detail.is_empty());

    fs::create_dir(folder.path().join("web.lock")).unwrap();
    let error = store(folder.path()).open(options()).await.err().unwrap();
    assert!(error.to_string().starts_with("cannot lock"), "{error}");
    fs::remove_dir(folder.path().join("web.lock")).unwrap();

    fs::create_dir(folder.path().join("web.journal")).unwrap();
    let error = store(folder.path()).open(options()).await.err().unwrap();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
    let error = store(folder.path()).peek().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read"), "{error}");
}

/// Runs one test of this binary in a process of its own, under a limit on how large a file may be.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    // The signal that comes with the limit is ignored, so that the write fails as on a full disk.
    let script =
        r#"trap "" XFSZ; ulimit -f 16; exec "$0" --exact local::child_on_a_full_disk --nocapture"#;
    let test = std::env::current_exe().unwrap();
    let mut shell = Command::new("bash");
    let output =
        shell.args(["-c", script]).arg(test).env("FULL_DISK", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let acknowledged = text.lines().filter(|line| line.starts_with("acknowledged")).count();
    assert!(acknowledged > 10, "{text}");
    let failed = text.lines().find(|line| line.starts_with("failed")).unwrap();
    assert!(failed.contains("cannot write") && failed.contains("web.journal"), "{failed}");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let view = runtime.block_on(store(folder.path()).peek()).unwrap();
    assert_eq!(view.snapshot.outputs.i64("count"), i64::try_from(acknowledged).ok());
}

#[tokio::test]
async fn child_on_a_full_disk() {
    #[expect(clippy::disallowed_methods, reason = "how the parent test tells where to write")]
    let Ok(folder) = std::env::var("FULL_DISK") else { return };
    let session = open(Path::new(&folder)).await;
    for count in 1.. {
        match session.append(change(outputs(count))).await {
            #[expect(clippy::print_stdout, reason = "how the parent test is told")]
            Ok(()) => println!("acknowledged {count}"),
            Err(error) => {
                #[expect(clippy::print_stdout, reason = "how the parent test is told")]
                {
                    println!("failed: {error}");
                }
                return;
            }
        }
    }
}
