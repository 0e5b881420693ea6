//! Runs that nothing disturbs: what is written, what is read, and how many calls it takes.

use reconcile_state::{StateError, Store as _};

use crate::bucket::*;

#[tokio::test(start_paused = true)]
async fn a_run_and_the_one_after() {
    let world = World::default();
    let view = world.store().peek().await.unwrap();
    assert_eq!(
        (view.snapshot.lineage.as_str(), world.content().len()),
        ("", 0),
        "looking writes nothing"
    );

    let session = world.store().open(options("a")).await.unwrap();
    assert!(session.is_new());
    for _ in 0..3 {
        next(&*session).await.unwrap();
    }
    session.append(intent("one")).await.unwrap();
    let view = world.store().peek().await.unwrap();
    assert_eq!(
        (count(&view.snapshot), view.pending.len()),
        (3, 1),
        "what is acknowledged is seen by others"
    );
    session.checkpoint().await.unwrap();
    next(&*session).await.unwrap();
    session.close().await.unwrap();

    let view = world.store().peek().await.unwrap();
    assert_eq!((count(&view.snapshot), view.pending.len()), (4, 1));
    assert_eq!(view.snapshot.lineage, "lineage-of-a");
    let session = world.store().open(options("b")).await.unwrap();
    assert_eq!((count(&session.snapshot()), session.pending().len()), (4, 1));
    assert!(!session.is_new() && session.repairs().is_empty());
    for _ in 0..3 {
        session.append(record(9)).await.unwrap();
        session.checkpoint().await.unwrap();
    }
    session.close().await.unwrap();
    let keys: Vec<String> = world.content().into_keys().collect();
    let generations: Vec<&str> =
        keys.iter().filter_map(|key| key.split(".journal/").nth(1)?.split('/').next()).collect();
    assert_eq!(generations, ["00000004", "00000004", "00000005", "00000005"], "{keys:?}");
    assert_eq!(world.count().await, 9);
}

#[tokio::test(start_paused = true)]
async fn runs_that_do_nothing_leave_nothing_behind() {
    let world = World::default();
    for _ in 0..20 {
        world.store().open(options("a")).await.unwrap().close().await.unwrap();
    }
    assert_eq!(world.content().len(), 2, "the lease and one segment: {:?}", world.content().keys());
}

#[tokio::test(start_paused = true)]
async fn an_append_is_one_call_and_does_not_grow_with_the_state() {
    let world = World::default();
    let client = world.client();
    let session = store(&client).open(options("a")).await.unwrap();
    assert_eq!(client.total(), 6, "{:?}", client.calls());
    for number in 0..500 {
        session.append(record(number)).await.unwrap();
    }
    // The rest are renewals of the lease.
    let puts = client.calls()["put"];
    assert!((502..=512).contains(&puts), "{puts}");
    let longest = world.content().values().map(Vec::len).max().unwrap();
    assert!(longest < 40_000, "{longest}");
    let before = client.calls();
    session.checkpoint().await.unwrap();
    let after = client.calls();
    assert_eq!((after["put"] - before["put"], after["list"] - before["list"]), (4, 1));
    session.close().await.unwrap();

    let client = world.client();
    let session = store(&client).open(options("b")).await.unwrap();
    assert_eq!(client.total(), 6, "{:?}", client.calls());
    drop(session);
    let client = world.client();
    store(&client).peek().await.unwrap();
    assert_eq!(client.total(), 3, "{:?}", client.calls());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_without_a_journal_is_a_state() {
    let world = World::default();
    let session = world.store().open(options("a")).await.unwrap();
    next(&*session).await.unwrap();
    session.checkpoint().await.unwrap();
    session.close().await.unwrap();
    let mut content = world.content();
    content.retain(|key, _| key == "teams/web.json");
    let world = World::holding(&content);
    assert_eq!(world.count().await, 1);
    let session = world.store().open(options("b")).await.unwrap();
    assert_eq!(next(&*session).await.unwrap(), 2);
    drop(session);
    assert_eq!(world.count().await, 2);
    // What the journal builds on is proven by its copy.
    let mut content = world.content();
    content.insert("teams/web.json".to_owned(), b"{".to_vec());
    content.remove("teams/web.json.lock");
    let world = World::holding(&content);
    assert_eq!(world.count().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_state_of_another_stack_is_refused() {
    let world = World::default();
    let session = world.store().open(options("a")).await.unwrap();
    next(&*session).await.unwrap();
    session.checkpoint().await.unwrap();
    session.close().await.unwrap();
    let config = reconcile_state_s3::S3Config::new("states", "teams/web.json");
    let other = reconcile_state_s3::S3Store::with_bucket(world.client(), config, "db");
    let error = other.peek().await.unwrap_err();
    assert!(matches!(error, StateError::Snapshot { .. }), "{error}");
    let error = other.open(options("b")).await.err().unwrap();
    assert!(matches!(error, StateError::Snapshot { .. }), "{error}");
    // Who was refused does not keep the lock.
    world.store().open(options("c")).await.unwrap();
}
