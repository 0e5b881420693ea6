//! Objects cut at every byte, with every byte flipped, and missing: recovered or refused, never a wrong state.

use std::collections::BTreeMap;

use reconcile_state::{StateError, Store as _, View};

use crate::bucket::*;

type Content = BTreeMap<String, Vec<u8>>;

/// A state with a snapshot, and a journal of two segments.
async fn sound() -> (Content, View) {
    let world = World::default();
    let session = world.store().open(options("a")).await.unwrap();
    session.append(intent("one")).await.unwrap();
    for _ in 0..4 {
        next(&*session).await.unwrap();
        session.checkpoint().await.unwrap();
    }
    next(&*session).await.unwrap();
    session.close().await.unwrap();
    let view = world.store().peek().await.unwrap();
    assert_eq!((count(&view.snapshot), view.pending.len()), (5, 1));
    (world.content(), view)
}

/// Reads what is there, and checks that whoever goes on from it does so from the same.
async fn read(content: &Content, what: &str) -> Result<View, StateError> {
    let world = World::holding(content);
    let seen = world.store().peek().await;
    match (&seen, world.store().open(patient("b")).await) {
        (Ok(view), Ok(session)) => {
            assert_eq!(
                (&view.snapshot, &view.pending),
                (&*session.snapshot(), &session.pending()),
                "{what}"
            );
            next(&*session).await.expect(what);
            session.checkpoint().await.expect(what);
            session.close().await.expect(what);
            assert_eq!(world.count().await, count(&view.snapshot) + 1, "{what}");
        }
        (Err(_), Err(_)) => {
            let mut after = world.content();
            after.retain(|key, _| content.contains_key(key) && !key.ends_with(".lock"));
            // Its end may have been taken, which changes no record.
            for (key, bytes) in after {
                let is_journal = key.contains(".journal/");
                assert!(is_journal || content[&key] == bytes, "{what}: {key} was written over");
            }
        }
        (seen, opened) => panic!("{what}: {:?}, {:?}", seen.is_ok(), opened.err()),
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn any_object_may_be_damaged_anywhere() {
    let (sound, view) = sound().await;
    let (mut recovered, mut refused) = (0, 0);
    let keys: Vec<String> = sound.keys().filter(|key| !key.ends_with(".lock")).cloned().collect();
    for key in keys {
        let bytes = &sound[&key];
        let cut = (0..bytes.len()).map(|length| bytes[..length].to_vec());
        let flipped = (0..bytes.len()).map(|at| {
            let mut changed = bytes.clone();
            changed[at] ^= 0x02;
            changed
        });
        for (number, damaged) in cut.chain(flipped).enumerate() {
            let what = format!("{key}, case {number}");
            let mut content = sound.clone();
            content.insert(key.clone(), damaged);
            match read(&content, &what).await {
                Ok(found) => {
                    assert_eq!(
                        (&found.snapshot, &found.pending),
                        (&view.snapshot, &view.pending),
                        "{what}"
                    );
                    recovered += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(recovered > 1000 && refused > 500, "{recovered} recovered, {refused} refused");
}

#[tokio::test(start_paused = true)]
async fn any_object_may_be_missing() {
    let (sound, view) = sound().await;
    for key in sound.keys() {
        let mut content = sound.clone();
        content.remove(key);
        let found = read(&content, key).await;
        let is_current = key.contains("/00000005/0");
        match found {
            // Nothing tells that the segment was ever there: the snapshot alone is a state, an older one.
            Ok(found) if is_current => assert_eq!(count(&found.snapshot), 4, "{key}"),
            Ok(found) => assert_eq!(found.snapshot, view.snapshot, "{key}"),
            Err(error) => panic!("{key}: {error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_snapshot_is_kept_aside() {
    let (mut content, _) = sound().await;
    let whole = content.insert("teams/web.json".to_owned(), b"garbage".to_vec());
    let world = World::holding(&content);
    let session = world.store().open(options("b")).await.unwrap();
    assert_eq!(session.repairs().len(), 1);
    let found = world.content();
    assert_eq!(found["teams/web.json.damaged"], b"garbage");
    assert_eq!(found.get("teams/web.json"), whole.as_ref(), "it is back, byte for byte");
}
