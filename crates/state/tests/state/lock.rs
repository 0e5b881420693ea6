//! The lock: between processes, between sessions of one process, and after a kill.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconcile_model::Diagnostic;
use reconcile_state::{Holder, LocalStore, OpenOptions, StateError, Store as _};
use tempfile::TempDir;

use crate::fixtures::*;

fn store(folder: &Path) -> LocalStore {
    LocalStore::new(folder, "web").unwrap()
}

/// Starts another process that opens the state and appends to it until it is killed; returns when it has the lock.
fn start_child(folder: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lock::child_that_holds_the_lock", "--nocapture"])
        .env("HOLD_LOCK", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut lines = lines.filter_map(|line| line.strip_prefix("child: ").map(str::to_owned));
    assert_eq!(lines.next().as_deref(), Some("locked"));
    (child, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn child_that_holds_the_lock() {
    #[expect(clippy::disallowed_methods, reason = "how the parent test tells where to write")]
    let Ok(folder) = std::env::var("HOLD_LOCK") else { return };
    #[expect(clippy::print_stdout, reason = "how the parent test is told")]
    let tell = |what: String| println!("\nchild: {what}");
    let holder = Holder { pid: std::process::id(), ..options().holder };
    let session =
        store(Path::new(&folder)).open(OpenOptions { holder, ..options() }).await.unwrap();
    tell("locked".to_owned());
    let first = session.snapshot().outputs.i64("count").unwrap_or(0);
    for count in first + 1.. {
        session.append(change(outputs(count))).await.unwrap();
        tell(format!("{count}"));
        if count % 50 == 0 {
            session.checkpoint().await.unwrap();
        }
    }
}

#[tokio::test]
async fn another_process_is_kept_out_and_told_who_is_there() {
    let folder = TempDir::new().unwrap();
    let (mut child, _lines) = start_child(folder.path());
    let error = store(folder.path()).open(options()).await.err().unwrap();
    let StateError::Locked { holder: Some(holder), .. } = &error else { panic!("{error}") };
    assert_eq!(holder.pid, child.id());
    let said = Diagnostic::from(&error);
    assert!(
        said.summary.contains("is locked by `reconcile apply` of alice on build-7"),
        "{said:?}"
    );
    assert!(said.hint.unwrap().contains("--lock-timeout"));
    store(folder.path()).peek().await.expect("looking needs no lock");
    child.kill().unwrap();
    child.wait().unwrap();
    store(folder.path()).open(options()).await.expect("the lock died with its process");
}

#[tokio::test]
async fn who_has_just_taken_the_lock_is_given_time_to_say_who_they_are() {
    let folder = TempDir::new().unwrap();
    let mut file = File::create(folder.path().join("web.lock")).unwrap();
    file.try_lock().unwrap();
    let naming = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        file.write_all(&serde_json::to_vec(&options().holder).unwrap()).unwrap();
        file
    });
    let error = store(folder.path()).open(options()).await.err().unwrap();
    let StateError::Locked { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder.as_deref(), Some(&options().holder));
    drop(naming.join().unwrap());
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let mut acknowledged = 0;
    for round in 0..12 {
        let (mut child, mut lines) = start_child(folder.path());
        for _ in 0..round * 13 {
            acknowledged = lines.next().unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let told_late = lines.filter_map(|line| line.parse().ok()).last();
        acknowledged = told_late.unwrap_or(acknowledged);
        let view = store(folder.path()).peek().await.unwrap();
        let found = view.snapshot.outputs.i64("count").unwrap_or(0);
        assert!(found == acknowledged || found == acknowledged + 1, "{found}, {acknowledged}");
        acknowledged = found;
    }
    assert!(acknowledged > 600, "checkpoints were among it");
}

#[tokio::test]
async fn waiting_ends_when_the_lock_is_free_or_the_time_is_up() {
    let folder = TempDir::new().unwrap();
    let first = store(folder.path()).open(options()).await.unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let waits = |lock_timeout| {
        let told = Arc::clone(&told);
        let on_wait = move |holder: Option<&Holder>| told.lock().unwrap().push(holder.cloned());
        OpenOptions { lock_timeout, on_wait: Some(Arc::new(on_wait)), ..options() }
    };
    let brief = Duration::from_millis(250);
    let error = store(folder.path()).open(waits(brief)).await.err().unwrap();
    assert!(matches!(&error, StateError::Locked { waited, .. } if *waited == brief), "{error}");
    assert!(Diagnostic::from(&error).hint.unwrap().contains("longer"));
    assert_eq!(*told.lock().unwrap(), [Some(options().holder)], "it is told once");

    let release = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        first.close().await
    };
    let patient = store(folder.path());
    let (second, released) = tokio::join!(patient.open(waits(Duration::from_secs(60))), release);
    released.unwrap();
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_rounds_of_eight_lose_no_update() {
    let folder = TempDir::new().unwrap();
    let rounds = 125;
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let store = store(folder.path());
            tokio::spawn(async move {
                for _ in 0..rounds {
                    let lock_timeout = Duration::from_secs(600);
                    let session =
                        store.open(OpenOptions { lock_timeout, ..options() }).await.unwrap();
                    let count = session.snapshot().outputs.i64("count").unwrap_or(0);
                    session.append(change(outputs(count + 1))).await.unwrap();
                    if count % 3 == 0 {
                        session.checkpoint().await.unwrap();
                    }
                    session.close().await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let view = store(folder.path()).peek().await.unwrap();
    assert_eq!(view.snapshot.outputs.i64("count"), Some(8 * rounds));
}
