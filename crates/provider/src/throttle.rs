//! Token buckets that keep calls below a service's rate limits.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// A token bucket: `capacity` calls at once, then `refill` calls a second, less after the service has throttled.
#[derive(Debug)]
pub struct Bucket {
    capacity: f64,
    refill: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    at: Option<Instant>,
    /// The share of the published rate that is used: halved by a throttled call, recovering with successes.
    share: f64,
}

impl Bucket {
    /// Returns a full bucket of `capacity` calls, refilled with `refill` calls a second.
    pub const fn new(capacity: f64, refill: f64) -> Self {
        Self {
            capacity,
            refill,
            state: Mutex::new(State { tokens: capacity, at: None, share: 1.0 }),
        }
    }

    /// Waits until a call may be made.
    pub async fn take(&self) {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes a token, on credit if need be, and returns when it is there. Credit keeps the order of arrival.
    fn reserve(&self, now: Instant) -> Duration {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        let rate = self.refill * state.share;
        if let Some(at) = state.at {
            let gained = now.saturating_duration_since(at).as_secs_f64() * rate;
            state.tokens = (state.tokens + gained).min(self.capacity);
        }
        state.at = Some(now);
        state.tokens -= 1.0;
        if state.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-state.tokens / rate)
        }
    }

    /// Tells the bucket that the service throttled a call all the same: someone else uses the same limit.
    pub fn throttled(&self) {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        state.share = (state.share / 2.0).max(1.0 / 16.0);
        state.tokens = state.tokens.min(0.0);
    }

    /// Tells the bucket that a call was taken.
    pub fn accepted(&self) {
        let mut state = self.state.lock().expect("no panic while the lock is held");
        state.share = (state.share * 1.02).min(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_the_refill_rate() {
        let bucket = Bucket::new(5.0, 2.0);
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
    async fn throttling_halves_the_rate() {
        let bucket = Bucket::new(1.0, 2.0);
        bucket.take().await;
        bucket.throttled();
        let start = Instant::now();
        bucket.take().await;
        assert!(start.elapsed() >= Duration::from_millis(990), "{:?}", start.elapsed());
    }
}
