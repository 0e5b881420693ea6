//! Sessions: what is acknowledged is on record, in batches, whatever happens in between.

use std::sync::Arc;

use reconcile_model::{Object, Snapshot, Value, event::Verb};
use reconcile_state::{
    Executed, MemoryStore, Record, Session, StateChange, StateError, Store as _, format,
};

use crate::fixtures::*;

async fn open(store: &MemoryStore) -> Arc<dyn Session> {
    Arc::from(store.open(options()).await.unwrap())
}

#[tokio::test]
async fn a_new_state_has_a_lineage_from_the_start() {
    let store = MemoryStore::new("web");
    let view = store.peek().await.unwrap();
    assert_eq!(view.snapshot, Snapshot::new("web", ""));
    let session = open(&store).await;
    assert!(session.is_new());
    assert_eq!(*session.snapshot(), Snapshot::new("web", LINEAGE));
    session.checkpoint().await.unwrap();
    assert_eq!((store.writes(), session.is_new()), (0, true), "there was nothing to write");
    session.append(change(outputs(1))).await.unwrap();
    assert!(!session.is_new());
    assert_eq!(store.peek().await.unwrap().snapshot.lineage, LINEAGE);
}

#[tokio::test]
async fn a_dropped_session_loses_nothing_that_was_acknowledged() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    session.append_all(first_run()).await.unwrap();
    drop(session);
    let expected = folded(&first_run());
    let view = store.peek().await.unwrap();
    assert_eq!((view.snapshot, view.pending), expected);
    let session = open(&store).await;
    assert_eq!((Snapshot::clone(&session.snapshot()), session.pending()), expected);
    assert!(!session.is_new() && session.repairs().is_empty());
}

#[tokio::test]
async fn a_checkpoint_changes_nothing_but_where_it_stands() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    session.append_all(first_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    let expected = folded(&first_run());
    assert_eq!(session.pending(), expected.1);
    let carried = store.records();
    assert!(matches!(&carried[..], [Record::Carried(it)] if it.intent.operation == "op-3"));
    let view = store.peek().await.unwrap();
    assert_eq!((view.snapshot, view.pending), expected);

    session.append_all(second_run()).await.unwrap();
    session.checkpoint().await.unwrap();
    let view = store.peek().await.unwrap();
    let all: Vec<_> = first_run().into_iter().chain(second_run()).collect();
    assert_eq!((view.snapshot, view.pending), folded(&all));
    let writes = store.writes();
    session.checkpoint().await.unwrap();
    assert_eq!(store.writes(), writes, "nothing has happened since");
}

#[tokio::test]
async fn records_that_wait_are_written_together() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    let appends = (0..2_000).map(|count| {
        let session = Arc::clone(&session);
        tokio::spawn(async move { session.append(change(outputs(count))).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    assert!(store.writes() < 20, "{} writes", store.writes());
    assert_eq!(store.records().len(), 2_000);
    assert_eq!(store.peek().await.unwrap().snapshot, *session.snapshot());
}

#[tokio::test]
async fn a_caller_who_is_not_polled_keeps_nobody_waiting() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    // The first begins a flush, the second waits for its end, and neither is looked at again.
    let mut first = session.append(change(outputs(0)));
    let mut second = session.append(change(outputs(1)));
    for append in [&mut first, &mut second] {
        let nothing = std::future::ready(());
        tokio::select! { biased; _ = append => (), () = nothing => () }
    }
    session.append(change(outputs(2))).await.unwrap();
    assert_eq!(store.peek().await.unwrap().snapshot, *session.snapshot());
    first.await.unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn records_and_checkpoints_get_along() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    let appends: Vec<_> = (0..200)
        .map(|count| {
            let session = Arc::clone(&session);
            tokio::spawn(async move {
                session.append(change(outputs(count))).await.unwrap();
                if count % 20 == 0 {
                    session.checkpoint().await.unwrap();
                }
            })
        })
        .collect();
    for append in appends {
        append.await.unwrap();
    }
    let view = store.peek().await.unwrap();
    assert_eq!((view.snapshot.serial, &view.snapshot), (200, &*session.snapshot()));
}

#[tokio::test]
async fn a_caller_who_goes_away_leaves_the_session_whole() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    for count in 0..50 {
        let append = session.append(change(outputs(count)));
        let nothing = std::future::ready(());
        tokio::select! { biased; () = nothing => (), _ = append => () }
        let session = Arc::clone(&session);
        let append = tokio::spawn(async move { session.append(change(outputs(count))).await });
        tokio::task::yield_now().await;
        append.abort();
        append.await.ok();
    }
    session.append(change(outputs(50))).await.unwrap();
    assert_eq!(store.peek().await.unwrap().snapshot, *session.snapshot());
}

#[tokio::test]
async fn what_is_refused_is_not_written() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    let error = session.append(outcome("op", "i-1")).await.unwrap_err();
    assert!(matches!(error, StateError::Illegal { .. }), "{error}");
    let secret = Object::new().with("password", Value::from("hunter2").sensitive());
    let error =
        session.append(change(StateChange::SetOutputs { outputs: secret })).await.unwrap_err();
    assert!(matches!(error, StateError::Journal { .. }), "{error}");
    let pending = reconcile_state::PendingOperation {
        intent: intent("op", Verb::Create, "aws_vpc.a", None),
        status: reconcile_state::PendingStatus::Intended,
    };
    let error = session.append(Record::Carried(Box::new(pending))).await.unwrap_err();
    assert!(matches!(error, StateError::Illegal { .. }), "{error}");
    assert_eq!((store.writes(), session.is_new()), (0, true));

    let records = vec![change(outputs(1)), outcome("op", "i-1"), change(outputs(2))];
    session.append_all(records).await.unwrap_err();
    assert_eq!(store.records(), [change(outputs(1))], "what came before is written");
}

#[tokio::test]
async fn nothing_is_written_after_a_write_that_failed() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    session.append(intend("op", Verb::Create, "aws_vpc.a", None)).await.unwrap();
    store.fail_after(Some(0));
    let error = session.append(outcome("op", "vpc-1")).await.unwrap_err();
    assert!(matches!(error, StateError::Io { .. }), "{error}");
    store.fail_after(None);
    for error in [
        session.append(change(outputs(1))).await.unwrap_err(),
        session.checkpoint().await.unwrap_err(),
    ] {
        assert!(matches!(error, StateError::Stopped { .. }), "{error}");
        assert!(error.to_string().contains("cannot write memory:web.journal"), "{error}");
    }
    session.close().await.unwrap();
    let session = open(&store).await;
    assert_eq!(session.pending().len(), 1, "the intent is on record");
    session.append(failed("op", Executed::No)).await.unwrap();
}

#[tokio::test]
async fn a_checkpoint_that_fails_loses_nothing() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    session.append_all(first_run()).await.unwrap();
    store.fail_after(Some(0));
    session.checkpoint().await.unwrap_err();
    store.fail_after(None);
    drop(session);
    let view = store.peek().await.unwrap();
    assert_eq!((view.snapshot, view.pending), folded(&first_run()));
}

#[tokio::test]
async fn one_session_at_a_time() {
    let store = MemoryStore::new("web");
    let session = open(&store).await;
    let error = store.open(options()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the state in memory:web.json is locked by `reconcile apply` of alice on build-7, process 4242, since \
         2023-11-14T22:13:20Z"
    );
    session.close().await.unwrap();
    session.close().await.unwrap();
    let error = session.append(change(outputs(1))).await.unwrap_err();
    assert!(matches!(error, StateError::Closed), "{error}");
    drop(open(&store).await);
}

#[tokio::test]
async fn a_store_can_hold_a_state_from_the_start() {
    let (snapshot, _) = folded(&first_run());
    let store = MemoryStore::holding(&snapshot);
    assert_eq!(store.peek().await.unwrap().snapshot, snapshot);
    let session = open(&store).await;
    assert!(!session.is_new());
    session.append(change(outputs(2))).await.unwrap();
    drop(session);
    let found = store.peek().await.unwrap().snapshot;
    assert_eq!((found.serial, found.lineage.as_str()), (snapshot.serial + 1, LINEAGE));
    format::encode(&found).unwrap();
}
