//! The lease: who has it, when it ends, and what one is told who waits for it or loses it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reconcile_model::Diagnostic;
use reconcile_state::{OpenOptions, StateError, Store as _};
use tokio::time::Instant;

use crate::bucket::*;

#[tokio::test(start_paused = true)]
async fn whoever_comes_second_is_told_who_was_first() {
    let world = World::default();
    let first = world.store().open(options("alice")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    let error = world.store().open(options("bob")).await.err().unwrap();
    let StateError::Locked { holder: Some(holder), left: Some(left), .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(holder.user, "alice");
    assert!(*left <= Duration::from_secs(62) && *left > Duration::from_secs(30), "{left:?}");
    assert!(Diagnostic::from(&error).hint.unwrap().contains("ends by itself"));
    next(&*first).await.unwrap();
    first.close().await.unwrap();
    // Given back, it is free at once.
    let began = Instant::now();
    world.store().open(options("bob")).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_the_dead_ends_by_itself() {
    for tells_time in [true, false] {
        let world = World::default();
        drop(world.store().open(options("alice")).await.unwrap());
        let client = || {
            let mut client = world.client();
            Arc::get_mut(&mut client).unwrap().tells_time = tells_time;
            client
        };
        let told = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&told);
        let waits = OpenOptions {
            on_wait: Some(Arc::new(move |holder| note.lock().unwrap().push(holder.cloned()))),
            ..patient("bob")
        };
        let began = Instant::now();
        let session = store(&client()).open(waits).await.unwrap();
        let waited = began.elapsed();
        let range = Duration::from_secs(62)..Duration::from_secs(65);
        assert!(range.contains(&waited), "{waited:?}");
        assert_eq!(*told.lock().unwrap(), [Some(options("alice").holder)], "it is told once");
        drop(session);
        // Long after, one who is told the time does not wait, and one who is not watches first.
        tokio::time::sleep(Duration::from_secs(1000)).await;
        let opened = store(&client()).open(options("carol")).await;
        assert_eq!(opened.is_ok(), tells_time);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_loses_the_lease_is_told_and_writes_nothing_more() {
    let world = World::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&told);
    let loses = OpenOptions {
        on_lost: Some(Arc::new(move |error| note.lock().unwrap().push(error.to_string()))),
        ..options("alice")
    };
    let session = world.store().open(loses).await.unwrap();
    next(&*session).await.unwrap();
    let lock = world.store().lock().await.unwrap().unwrap();
    assert_eq!(lock.holder.as_ref().unwrap().user, "alice");
    world.store().unlock(&lock).await.unwrap();
    assert_eq!(world.store().lock().await.unwrap(), None);
    tokio::time::sleep(Duration::from_secs(25)).await;
    assert_eq!(told.lock().unwrap().len(), 1, "the next renewal finds out");
    assert!(told.lock().unwrap()[0].contains("by force"), "{:?}", told.lock().unwrap());
    let error = next(&*session).await.unwrap_err();
    assert!(matches!(error, StateError::Lost { .. }), "{error}");
    let error = session.append(record(7)).await.unwrap_err();
    assert!(matches!(error, StateError::Stopped { .. }), "{error}");
    assert_eq!(world.count().await, 1);
    world.store().open(options("bob")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_changed_hands_is_not_taken_away() {
    let world = World::default();
    let first = world.store().open(options("alice")).await.unwrap();
    let lock = world.store().lock().await.unwrap().unwrap();
    first.close().await.unwrap();
    let second = world.store().open(options("bob")).await.unwrap();
    world.store().unlock(&lock).await.unwrap();
    tokio::time::sleep(Duration::from_secs(100)).await;
    next(&*second).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_nothing_of_ours_wrote_is_left_alone_until_it_is_unlocked() {
    let content = [("teams/web.json.lock".to_owned(), b"{}".to_vec())].into();
    let world = World::holding(&content);
    tokio::time::sleep(Duration::from_secs(10_000)).await;
    let error = world.store().open(options("alice")).await.err().unwrap();
    assert!(matches!(error, StateError::Locked { holder: None, .. }), "{error}");
    let lock = world.store().lock().await.unwrap().unwrap();
    world.store().unlock(&lock).await.unwrap();
    world.store().open(options("alice")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_without_conditions_is_refused() {
    let world = World::default();
    let mut client = world.client();
    Arc::get_mut(&mut client).unwrap().is_lax = true;
    let error = store(&client).open(options("alice")).await.err().unwrap();
    assert!(error.to_string().contains("If-None-Match"), "{error}");
}
