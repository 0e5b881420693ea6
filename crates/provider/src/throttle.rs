//! Token buckets that keep calls below a service's rate limits.
//!
//! A bucket here is a copy of the service's own: the same rate, and a burst that is one call smaller, so that calls
//! which arrive a little closer together than they were sent still find a token there. The service's bucket may be
//! shared with others all the same. When it says so, by throttling, the rate is halved, and comes back with successes.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// After the rate was halved it is not halved again for so long: calls that were under way together are throttled
/// together, and tell of one and the same overload.
const HALVED: Duration = Duration::from_secs(1);
/// The least share of the published rate that is left.
const LEAST: f64 = 1.0 / 16.0;
/// By what a success raises the share.
const RAISE: f64 = 1.02;

/// A token bucket: a burst of calls at once, then a number of calls a second, less after the service has throttled.
#[derive(Debug)]
pub struct Bucket {
    capacity: f64,
    refill: f64,
    /// Who waits for a token, in order of arrival. One at a time watches the bucket, so that a rate that is halved
    /// meanwhile is halved for everyone.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Option<Instant>,
    /// The share of the published rate that is used.
    share: f64,
    halved: Option<Instant>,
}

impl Bucket {
    /// Returns a full bucket for a published limit of `capacity` calls, refilled with `refill` calls a second.
    ///
    /// `multiplier` scales both: below 1 it leaves a part of the limit to others, above 1 it is for an account whose
    /// limits were raised.
    pub fn new(capacity: f64, refill: f64, multiplier: f64) -> Self {
        let capacity = (capacity * multiplier - 1.0).max(1.0);
        Self {
            capacity,
            refill: refill * multiplier,
            queue: tokio::sync::Mutex::const_new(()),
            state: Mutex::new(State { tokens: capacity, at: None, share: 1.0, halved: None }),
        }
    }

    /// Waits until a call may be made.
    pub async fn take(&self) {
        self.take_many(1).await;
    }

    /// Waits until a call may be made that counts as `count`.
    ///
    /// More than the bucket holds is waited for until it is full, and owed.
    pub async fn take_many(&self, count: usize) {
        let count = count as f64;
        let _turn = self.queue.lock().await;
        while let Some(wait) = self.try_take(count, Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes tokens, or returns how long it will be until they are there.
    fn try_take(&self, count: f64, now: Instant) -> Option<Duration> {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        let rate = self.refill * state.share;
        if let Some(at) = state.at {
            let gained = now.saturating_duration_since(at).as_secs_f64() * rate;
            state.tokens = (state.tokens + gained).min(self.capacity);
        }
        state.at = Some(now);
        let missing = count.min(self.capacity) - state.tokens;
        // A sleep ends on a whole millisecond, and sums of fractions are not exact.
        if missing > 1e-6 {
            return Some(Duration::from_secs_f64(missing / rate).max(Duration::from_millis(1)));
        }
        state.tokens -= count;
        None
    }

    /// Tells the bucket that the service throttled a call all the same: someone else uses the same limit.
    pub fn throttled(&self) {
        let now = Instant::now();
        let mut state = self.state.lock().expect("no panic while the lock is held");
        state.tokens = state.tokens.min(0.0);
        if state.halved.is_some_and(|at| now.saturating_duration_since(at) < HALVED) {
            return;
        }
        state.halved = Some(now);
        state.share = (state.share / 2.0).max(LEAST);
    }

    /// Tells the bucket that a call was taken.
    pub fn accepted(&self) {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        state.share = (state.share * RAISE).min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_the_refill_rate() {
        let bucket = Bucket::new(6.0, 2.0, 1.0);
        let start = Instant::now();
        for _ in 0..5 {
            bucket.take().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            bucket.take().await;
        }
        let waited = start.elapsed();
        assert!(
            waited >= Duration::from_millis(4990) && waited < Duration::from_millis(5100),
            "{waited:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_first_is_served_first() {
        let bucket = Bucket::new(2.0, 10.0, 1.0);
        let order = Mutex::new(Vec::new());
        let all = (0..20).map(|number| {
            let (bucket, order) = (&bucket, &order);
            async move {
                bucket.take().await;
                order.lock().unwrap().push(number);
            }
        });
        futures::future::join_all(all).await;
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_shared_or_raised_is_scaled() {
        for (multiplier, seconds) in [(0.5, 20), (1.0, 10), (4.0, 2)] {
            let bucket = Bucket::new(2.0, 10.0, multiplier);
            let start = Instant::now();
            for _ in 0..100 {
                bucket.take().await;
            }
            let waited = start.elapsed().as_secs_f64();
            assert!((waited - f64::from(seconds)).abs() < 0.6, "{multiplier}: {waited}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_counts_as_many_owes_what_the_bucket_does_not_hold() {
        let bucket = Bucket::new(11.0, 10.0, 1.0);
        let start = Instant::now();
        bucket.take_many(30).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        bucket.take().await;
        let waited = start.elapsed();
        assert!(waited >= Duration::from_millis(2090), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_halves_the_rate_once_for_calls_made_together() {
        let bucket = Bucket::new(2.0, 2.0, 1.0);
        bucket.take().await;
        for _ in 0..16 {
            bucket.throttled();
        }
        let start = Instant::now();
        bucket.take().await;
        let waited = start.elapsed();
        assert!(waited >= Duration::from_millis(990), "{waited:?}");
        assert!(waited < Duration::from_millis(1100), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_already_waits_longer_once_the_rate_is_halved() {
        let bucket = Bucket::new(1.0, 1.0, 1.0);
        bucket.take().await;
        let start = Instant::now();
        let waiting = async {
            bucket.take().await;
            bucket.take().await;
            start.elapsed()
        };
        let throttled = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            bucket.throttled();
        };
        let (waited, ()) = tokio::join!(waiting, throttled);
        assert!(waited >= Duration::from_millis(3400), "{waited:?}");
    }
}
