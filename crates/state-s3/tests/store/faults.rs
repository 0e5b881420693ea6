//! What goes wrong at every call in turn: lost answers, kills, and writers that come back after others took over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reconcile_state::{StateError, Store as _};

use crate::bucket::*;

/// Opens, appends, folds, appends, folds, and appends; says after each what is acknowledged.
async fn walk(
    client: &Arc<Client>,
    writer: &str,
    acknowledged: &AtomicI64,
) -> Result<(), StateError> {
    let session = store(client).open(patient(writer)).await?;
    for round in 0..3 {
        for _ in 0..2 {
            let done = next(&*session).await?;
            acknowledged.store(done, Ordering::SeqCst);
        }
        if round < 2 {
            session.checkpoint().await?;
        }
    }
    session.close().await
}

/// Returns how many calls a walk on this world takes.
async fn calls_of(content: &World) -> u64 {
    let client = World::holding(&content.content()).client();
    walk(&client, "counted", &AtomicI64::new(0)).await.unwrap();
    client.total()
}

/// A world that nobody has used, and one that has a snapshot and a journal.
async fn worlds() -> [World; 2] {
    let used = World::default();
    walk(&used.client(), "before", &AtomicI64::new(0)).await.unwrap();
    [World::default(), used]
}

#[tokio::test(start_paused = true)]
async fn lost_answers_and_conflicts_at_any_call_do_no_harm() {
    for start in worlds().await {
        let (calls, before) = (calls_of(&start).await, start.count().await);
        assert!(calls > 15, "{calls}");
        for at in 0..calls {
            for fault in [
                Fault::CutBefore,
                Fault::CutAfter,
                Fault::Conflict,
                Fault::Late(Duration::from_millis(70)),
                Fault::Late(Duration::from_millis(150)),
            ] {
                let world = World::holding(&start.content());
                let client = world.client_with(Some((at, fault.clone())));
                let acknowledged = AtomicI64::new(0);
                let result = walk(&client, "a", &acknowledged).await;
                result.unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error}"));
                assert_eq!(world.count().await, before + 6, "{fault:?} at call {at}");
                let session = world.store().open(options("b")).await.unwrap();
                assert_eq!(count(&session.snapshot()), before + 6);
                assert_eq!(session.repairs(), [], "{fault:?} at call {at}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_at_any_call_loses_nothing_that_was_acknowledged() {
    for start in worlds().await {
        let calls = calls_of(&start).await;
        for at in 0..calls {
            for fault in [Fault::StoppedBefore, Fault::StoppedAfter] {
                let what = format!("{fault:?} at call {at}");
                let world = World::holding(&start.content());
                let client = world.client_with(Some((at, fault)));
                let acknowledged = AtomicI64::new(start.count().await);
                tokio::select! {
                    result = walk(&client, "a", &acknowledged) => panic!("{what}: {result:?}"),
                    () = client.struck.notified() => {}
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                let acknowledged = acknowledged.load(Ordering::SeqCst);
                let found = world.count().await;
                assert!(
                    (acknowledged..=acknowledged + 1).contains(&found),
                    "{what}: {found}, {acknowledged}"
                );
                // Nobody has to unlock anything.
                let session = world.store().open(patient("b")).await.expect(&what);
                assert_eq!(count(&session.snapshot()), found, "{what}");
                next(&*session).await.expect(&what);
                session.checkpoint().await.expect(&what);
                session.close().await.expect(&what);
                assert_eq!(world.count().await, found + 1, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_was_stopped_past_its_lease_writes_nothing_any_more() {
    for start in worlds().await {
        let calls = calls_of(&start).await;
        let mut refused = 0;
        for at in 0..calls {
            for fault in [Fault::StoppedBefore, Fault::StoppedAfter] {
                let what = format!("{fault:?} at call {at}");
                let world = World::holding(&start.content());
                let client = world.client_with(Some((at, fault)));
                let acknowledged = Arc::new(AtomicI64::new(0));
                let run = {
                    let (client, acknowledged) = (Arc::clone(&client), Arc::clone(&acknowledged));
                    tokio::spawn(async move { walk(&client, "a", &acknowledged).await })
                };
                client.struck.notified().await;
                // A rival takes over, works, and folds.
                let session = world.store().open(patient("b")).await.expect(&what);
                let found = count(&session.snapshot());
                assert!(found >= acknowledged.load(Ordering::SeqCst), "{what}");
                for _ in 0..2 {
                    next(&*session).await.expect(&what);
                    session.checkpoint().await.expect(&what);
                }
                next(&*session).await.expect(&what);
                let before = state_of(&world);
                client.runs.send_replace(true);
                let mut run = run;
                let minutes = Duration::from_secs(600);
                let Ok(result) = tokio::time::timeout(minutes, &mut run).await else {
                    // It was about to take the lease, and waits for its turn.
                    session.close().await.expect(&what);
                    run.await.unwrap().expect(&what);
                    assert_eq!(world.count().await, found + 9, "{what}");
                    continue;
                };
                match result.unwrap() {
                    Err(StateError::Lost { .. }) => {
                        refused += 1;
                        assert_eq!(state_of(&world), before, "{what}");
                    }
                    // It was about to give the lease back.
                    result => result.unwrap_or_else(|error| panic!("{what}: {error}")),
                }
                let done = next(&*session).await.expect(&what);
                session.close().await.expect(&what);
                assert_eq!((done, world.count().await), (found + 4, found + 4), "{what}");
            }
        }
        assert!(refused > 2 * 10, "{refused}");
    }
}

/// Returns what the state is made of: not the lease, nor what is left of generations that are over.
fn state_of(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut content = world.content();
    let generation = |key: &str| Some(key.split(".journal/").nth(1)?.split('/').next()?.to_owned());
    let segments = content.keys().filter(|key| key.contains("/0") && !key.contains("base"));
    let newest = segments.filter_map(|key| generation(key)).max();
    content.retain(|key, _| {
        !key.ends_with(".lock") && generation(key).is_none_or(|it| Some(it) == newest)
    });
    content
}
