//! Moving a state between places: whole, in one place, and resumable after a crash at any call.

use std::sync::Arc;
use std::time::Duration;

use reconcile_state::migrate::{MigrateError, Migrated, migrate};
use reconcile_state::{LocalStore, MemoryStore, OpenOptions, StateError, Store, View};

use crate::bucket::*;

fn opening() -> OpenOptions {
    patient("mover")
}

async fn filled(store: &dyn Store, writer: &str) -> View {
    let session = store.open(patient(writer)).await.unwrap();
    session.append(intent("one")).await.unwrap();
    for _ in 0..3 {
        next(&*session).await.unwrap();
    }
    session.close().await.unwrap();
    store.peek().await.unwrap()
}

fn assert_same(found: &View, expected: &View) {
    assert_eq!((&found.snapshot, &found.pending), (&expected.snapshot, &expected.pending));
}

#[tokio::test(start_paused = true)]
async fn there_and_back() {
    let (local, world) = (MemoryStore::new(STACK), World::default());
    let view = filled(&local, "a").await;
    let moved = migrate(&local, &world.store(), opening).await.unwrap();
    assert_eq!(moved, Migrated::Moved { resources: 0, pending: 1 });
    assert_same(&world.store().peek().await.unwrap(), &view);
    let error = local.peek().await.unwrap_err();
    assert!(matches!(&error, StateError::Moved { to, .. } if to == "s3://states/teams/web.json"));
    let error = local.open(options("b")).await.err().unwrap();
    assert!(matches!(error, StateError::Moved { .. }), "{error}");
    // Again is no error.
    assert_eq!(migrate(&local, &world.store(), opening).await.unwrap(), Migrated::Before);

    let session = world.store().open(options("b")).await.unwrap();
    next(&*session).await.unwrap();
    session.close().await.unwrap();
    let view = world.store().peek().await.unwrap();
    migrate(&world.store(), &local, opening).await.unwrap();
    assert_same(&local.peek().await.unwrap(), &view);
    let error = world.store().peek().await.unwrap_err();
    assert!(matches!(error, StateError::Moved { .. }), "{error}");
    migrate(&local, &world.store(), opening).await.unwrap();
    assert_same(&world.store().peek().await.unwrap(), &view);
}

#[tokio::test]
async fn a_folder_can_be_left_and_come_back_to() {
    let folder = std::env::temp_dir().join(format!("reconcile-moving-{}", std::process::id()));
    let (local, memory) = (LocalStore::new(&folder, STACK).unwrap(), MemoryStore::new(STACK));
    let view = filled(&local, "a").await;
    migrate(&local, &memory, opening).await.unwrap();
    assert!(matches!(local.peek().await, Err(StateError::Moved { .. })));
    migrate(&memory, &local, opening).await.unwrap();
    assert_same(&local.peek().await.unwrap(), &view);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_call_leaves_it_whole_and_moving_again_ends_it() {
    for to_bucket in [true, false] {
        let mut at = 0;
        loop {
            let what = format!("to the bucket: {to_bucket}, call {at}");
            let (local, world) = (MemoryStore::new(STACK), World::default());
            let view = match to_bucket {
                true => filled(&local, "a").await,
                false => filled(&world.store(), "a").await,
            };
            let client = world.client_with(Some((at, Fault::StoppedAfter)));
            let is_done = {
                let remote = store(&client);
                let (from, to): (&dyn Store, &dyn Store) =
                    if to_bucket { (&local, &remote) } else { (&remote, &local) };
                tokio::select! {
                    moved = migrate(from, to, opening) => { moved.expect(&what); true }
                    () = client.struck.notified() => false,
                }
            };
            tokio::time::sleep(Duration::from_millis(100)).await;
            let remote = world.store();
            let (from, to): (&dyn Store, &dyn Store) =
                if to_bucket { (&local, &remote) } else { (&remote, &local) };
            migrate(from, to, opening).await.expect(&what);
            assert_same(&to.peek().await.expect(&what), &view);
            assert!(matches!(from.peek().await, Err(StateError::Moved { .. })), "{what}");
            if is_done {
                break;
            }
            at += 1;
        }
        assert!(at > 10, "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_another_state_is_not_written_over() {
    let (local, world) = (MemoryStore::new(STACK), World::default());
    let error = migrate(&local, &world.store(), opening).await.unwrap_err();
    assert!(matches!(error, MigrateError::Nothing { .. }), "{error}");
    let ours = filled(&local, "a").await;
    let theirs = filled(&world.store(), "b").await;
    let error = migrate(&local, &world.store(), opening).await.unwrap_err();
    assert!(matches!(error, MigrateError::OtherLineage { .. }), "{error}");
    assert_same(&local.peek().await.unwrap(), &ours);
    assert_same(&world.store().peek().await.unwrap(), &theirs);
    let error = migrate(&local, &local.clone(), opening).await.unwrap_err();
    assert!(matches!(error, MigrateError::SamePlace { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_later_version_of_the_same_state_is_not_written_over() {
    let (local, world) = (MemoryStore::new(STACK), World::default());
    filled(&local, "a").await;
    // A copy, which somebody has worked with.
    let copy = local.peek().await.unwrap();
    let session = world.store().open(options("b")).await.unwrap();
    session.import(copy.snapshot, Vec::new()).await.unwrap();
    next(&*session).await.unwrap();
    session.close().await.unwrap();
    let error = migrate(&local, &world.store(), opening).await.unwrap_err();
    assert!(matches!(error, MigrateError::NotOlder { .. }), "{error}");
    let kept: Arc<dyn Store> = Arc::new(local);
    assert_eq!(count(&kept.peek().await.unwrap().snapshot), 3);
}
