//! What a state leaves behind that was moved, in a folder: refused whatever is beside it, and taken when one moves back.

use std::fs;
use std::path::Path;

use reconcile_model::Diagnostic;
use reconcile_state::{LocalStore, OpenOptions, StateError, Store as _};
use tempfile::TempDir;

use crate::fixtures::*;

fn store(folder: &Path) -> LocalStore {
    LocalStore::new(folder, "web").unwrap()
}

async fn assert_refused(folder: &Path, what: &str) {
    let seen = store(folder).peek().await.unwrap_err();
    let opened = store(folder).open(options()).await.err().expect(what);
    for error in [seen, opened] {
        assert!(
            matches!(&error, StateError::Moved { to, .. } if to == "s3://b/k"),
            "{what}: {error}"
        );
        let said = Diagnostic::from(&error);
        assert!(said.hint.unwrap().contains("--from s3://b/k"), "{what}");
    }
}

#[tokio::test]
async fn a_state_that_was_moved_is_refused_at_each_step_of_leaving() {
    let folder = TempDir::new().unwrap();
    let session = store(folder.path()).open(options()).await.unwrap();
    session.append_all(first_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    session.append_all(second_run()).await.unwrap();
    let journal = fs::read(folder.path().join("web.journal")).unwrap();
    let (snapshot, pending) = ((*session.snapshot()).clone(), session.pending());
    session.retire("s3://b/k").await.unwrap();
    assert_eq!(session.moved_to().as_deref(), Some("s3://b/k"));
    session.close().await.unwrap();
    assert_refused(folder.path(), "whole").await;
    // A crash after the snapshot was put in place, and before the journal was.
    fs::write(folder.path().join("web.journal"), journal).unwrap();
    assert_refused(folder.path(), "the journal before").await;
    fs::remove_file(folder.path().join("web.journal")).unwrap();
    assert_refused(folder.path(), "no journal").await;

    let back = OpenOptions { takes_moved: true, ..options() };
    let session = store(folder.path()).open(back).await.unwrap();
    assert!(session.moved_to().is_some() && session.snapshot().is_empty());
    session.import(snapshot.clone(), pending.clone()).await.unwrap();
    session.close().await.unwrap();
    let view = store(folder.path()).peek().await.unwrap();
    assert_eq!((view.snapshot, view.pending), (snapshot, pending));
}
