//! Many at once on one state: no update is lost.

use std::time::Duration;

use reconcile_state::Store as _;

use crate::bucket::*;

/// How many rounds all of them do together.
const ROUNDS: i64 = 1000;

/// How many there are.
const WORKERS: i64 = 8;

#[tokio::test(start_paused = true)]
async fn a_thousand_rounds_of_eight_lose_no_update() {
    let world = World::default();
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let world = world.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for round in 0..ROUNDS / WORKERS {
                    let writer = format!("{worker}-{round}");
                    let session = world.store().open(patient(&writer)).await.unwrap();
                    done.push(next(&*session).await.unwrap());
                    if round % 3 == 0 {
                        session.checkpoint().await.unwrap();
                    }
                    if round % 7 == 0 {
                        // As after a kill: it has to expire.
                        drop(session);
                    } else {
                        session.close().await.unwrap();
                    }
                }
                done
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (1..=ROUNDS).collect::<Vec<_>>(), "each number was given once");
    assert_eq!(world.count().await, ROUNDS);
}

#[tokio::test(start_paused = true)]
async fn a_lease_taken_by_several_at_once_is_ones() {
    for round in 0..50 {
        let world = World::default();
        if round % 2 == 1 {
            // One that has expired is there.
            drop(world.store().open(options("gone")).await.unwrap());
            tokio::time::sleep(Duration::from_secs(100)).await;
        }
        let opens = (0..WORKERS).map(|worker| {
            let world = world.clone();
            async move { world.store().open(options(&format!("w{worker}"))).await }
        });
        let opened = futures::future::join_all(opens).await;
        assert_eq!(opened.iter().filter(|it| it.is_ok()).count(), 1, "round {round}");
    }
}
