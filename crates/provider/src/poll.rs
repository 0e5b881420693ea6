//! Polling in batches: everyone who waits for something of one kind shares one request a tick.
//!
//! The first poll comes at once, then every 0.5 s, growing with the time waited to every 5 s. Who joins is polled for
//! with everyone else, so a thousand pending objects cost what one costs.
//!
//! Objects that come one after the other, as a rate limit lets them, would each have a first poll of their own. So polls
//! for newcomers are budgeted: some at once, and then one a second, or one for every eight newcomers.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::ProviderError;

/// The answer to one poll: what was found, by key; what is absent was not found.
pub type Answer<K, V> = Result<BTreeMap<K, V>, Arc<ProviderError>>;

type Fetch<K, V> =
    Box<dyn Fn(Vec<K>) -> Pin<Box<dyn Future<Output = Answer<K, V>> + Send>> + Send + Sync>;

/// How long who joins waits for others to join, before the first poll: calls made together are answered together.
const GATHER: Duration = Duration::from_millis(15);
/// The least time between two polls, however many join.
const GAP: Duration = Duration::from_millis(200);
/// How many polls for newcomers are made before they are put off to come together.
const PROMPT_BURST: f64 = 5.0;
/// How many more of them there may be each second.
const PROMPT_RATE: f64 = 1.0;
/// What a newcomer adds to their number: a poll that many share is cheap.
const PROMPT_SHARE: f64 = 1.0 / 8.0;
const FIRST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(5);

/// A shared poll loop for keys of one kind. It runs while someone waits.
pub struct Poller<K, V> {
    join: mpsc::UnboundedSender<Waiter<K, V>>,
}

struct Waiter<K, V> {
    key: K,
    since: Instant,
    answers: mpsc::UnboundedSender<Result<Option<V>, Arc<ProviderError>>>,
}

/// One participant's view of the loop: an answer for each poll, until it is dropped.
pub struct Watch<V> {
    answers: mpsc::UnboundedReceiver<Result<Option<V>, Arc<ProviderError>>>,
}

impl<V> Watch<V> {
    /// Waits for the next poll and returns what it found of the key; `None` when it found nothing.
    ///
    /// # Errors
    ///
    /// When the poll's call failed. The loop goes on: the next poll may do better.
    pub async fn next(&mut self) -> Result<Option<V>, Arc<ProviderError>> {
        self.answers.recv().await.expect("the loop runs while someone waits")
    }
}

impl<K, V> Poller<K, V>
where
    K: Ord + Clone + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Returns a loop that asks with `fetch`. It must be called inside a Tokio runtime.
    pub fn new<F, Fut>(fetch: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer<K, V>> + Send + 'static,
    {
        let fetch: Fetch<K, V> = Box::new(move |keys| Box::pin(fetch(keys)));
        let (join, joining) = mpsc::unbounded_channel();
        tokio::spawn(run(fetch, joining));
        Self { join }
    }

    /// Joins the loop for a key.
    pub fn watch(&self, key: K) -> Watch<V> {
        let (sender, answers) = mpsc::unbounded_channel();
        let waiter = Waiter { key, since: Instant::now(), answers: sender };
        // The loop ends only when this poller is dropped.
        let _sent = self.join.send(waiter).is_ok();
        Watch { answers }
    }
}

/// Returns how long after one poll the next one is due for someone who has waited so long.
fn interval(waited: Duration) -> Duration {
    (waited / 4).clamp(FIRST, SLOWEST)
}

/// The budget of polls that are made because somebody joined.
struct Prompt {
    tokens: f64,
    at: Instant,
}

impl Prompt {
    fn new() -> Self {
        Self { tokens: PROMPT_BURST, at: Instant::now() }
    }

    /// Returns when a poll for these newcomers may be made.
    fn due(&mut self, newcomers: usize) -> Instant {
        let now = Instant::now();
        let gained = (now - self.at).as_secs_f64() * PROMPT_RATE + newcomers as f64 * PROMPT_SHARE;
        self.at = now;
        // No debt grows where other polls are due before: nobody waits longer than for one of the budget's own.
        self.tokens = ((self.tokens + gained).min(PROMPT_BURST) - 1.0).max(-1.0);
        now + Duration::from_secs_f64((-self.tokens).max(0.0) / PROMPT_RATE)
    }
}

async fn run<K, V>(fetch: Fetch<K, V>, mut joining: mpsc::UnboundedReceiver<Waiter<K, V>>)
where
    K: Ord + Clone,
    V: Clone,
{
    let mut waiters: Vec<Waiter<K, V>> = Vec::new();
    let mut polled: Option<Instant> = None;
    let mut prompt = Prompt::new();
    loop {
        if waiters.is_empty() {
            match joining.recv().await {
                Some(waiter) => waiters.push(waiter),
                None => return,
            }
            let gathered = Instant::now() + GATHER;
            while gather(&mut joining, &mut waiters, gathered).await {}
            let soon = prompt.due(waiters.len());
            while gather(&mut joining, &mut waiters, soon).await {}
        } else if let Some(last) = polled {
            let youngest = waiters.iter().map(|waiter| waiter.since.elapsed()).min();
            let due = last + interval(youngest.unwrap_or_default());
            let before = waiters.len();
            if gather(&mut joining, &mut waiters, due).await {
                // Someone new: poll soon, with whoever else joins meanwhile.
                let gathered = Instant::now() + GATHER;
                while gather(&mut joining, &mut waiters, gathered).await {}
                let soon = prompt.due(waiters.len() - before).min(due).max(last + GAP);
                while gather(&mut joining, &mut waiters, soon).await {}
            }
        }
        waiters.retain(|waiter| !waiter.answers.is_closed());
        if waiters.is_empty() {
            continue;
        }
        let keys: BTreeSet<K> = waiters.iter().map(|waiter| waiter.key.clone()).collect();
        let answer = fetch(keys.into_iter().collect()).await;
        polled = Some(Instant::now());
        // Who has heard enough has dropped the receiver.
        waiters.retain(|waiter| {
            let part = match &answer {
                Ok(found) => Ok(found.get(&waiter.key).cloned()),
                Err(error) => Err(Arc::clone(error)),
            };
            waiter.answers.send(part).is_ok()
        });
        // Let those who were answered decide whether they wait on, before the next round counts them.
        tokio::task::yield_now().await;
        waiters.retain(|waiter| !waiter.answers.is_closed());
    }
}

/// Takes in who joins until `deadline`. Returns at once with true when someone did, with false at the deadline.
async fn gather<K, V>(
    joining: &mut mpsc::UnboundedReceiver<Waiter<K, V>>,
    waiters: &mut Vec<Waiter<K, V>>,
    deadline: Instant,
) -> bool {
    match tokio::time::timeout_at(deadline, joining.recv()).await {
        Ok(Some(waiter)) => {
            waiters.push(waiter);
            while let Ok(waiter) = joining.try_recv() {
                waiters.push(waiter);
            }
            true
        }
        // The poller was dropped; those who wait are still served.
        Ok(None) => {
            tokio::time::sleep_until(deadline).await;
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A service whose objects become ready at set times; it records each request.
    fn service(ready: BTreeMap<u32, Duration>) -> (Poller<u32, bool>, Arc<Mutex<Vec<usize>>>) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let start = Instant::now();
        let log = Arc::clone(&requests);
        let poller = Poller::new(move |keys: Vec<u32>| {
            log.lock().unwrap().push(keys.len());
            let found = keys.iter().map(|key| (*key, start.elapsed() >= ready[key])).collect();
            async move { Ok(found) }
        });
        (poller, requests)
    }

    async fn until_ready(mut watch: Watch<bool>) -> Duration {
        let start = Instant::now();
        while watch.next().await.unwrap() != Some(true) {}
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_waiters_share_each_poll() {
        let (poller, requests) = service((0..1000).map(|k| (k, Duration::from_secs(2))).collect());
        let all = futures::future::join_all((0..1000).map(|k| until_ready(poller.watch(k)))).await;
        assert!(all.iter().all(|waited| *waited < Duration::from_millis(2600)), "{:?}", all[0]);
        assert_eq!(*requests.lock().unwrap(), vec![1000; 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_one_after_the_other_is_polled_for_together() {
        let (poller, requests) = service((0..200).map(|k| (k, Duration::ZERO)).collect());
        let one = |k: u32| {
            let poller = &poller;
            async move {
                tokio::time::sleep(Duration::from_millis(500) * k).await;
                until_ready(poller.watch(k)).await
            }
        };
        let all = futures::future::join_all((0..200).map(one)).await;
        assert!(all.iter().all(|waited| *waited < Duration::from_millis(1100)), "{all:?}");
        let requests = requests.lock().unwrap().len();
        assert!(requests < 140, "{requests}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_is_found_at_once() {
        let (poller, _) = service([(1, Duration::ZERO)].into());
        assert!(until_ready(poller.watch(1)).await < Duration::from_millis(50));
    }

    #[tokio::test(start_paused = true)]
    async fn polls_grow_rarer_and_never_oversleep_by_more_than_one() {
        let (poller, requests) = service([(1, Duration::from_secs(120))].into());
        let waited = until_ready(poller.watch(1)).await;
        assert!(waited < Duration::from_secs(125), "{waited:?}");
        assert!(requests.lock().unwrap().len() < 45, "{}", requests.lock().unwrap().len());
    }
}
