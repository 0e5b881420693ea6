//! How long to wait before a call is made again.

use std::time::Duration;

/// Exponential back-off with full jitter: a random time up to a bound that doubles with each attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound for the first wait.
    pub base: Duration,
    /// The largest bound.
    pub cap: Duration,
}

impl Backoff {
    /// For throttled calls and failing services.
    pub const SERVICE: Self = Self { base: Duration::from_secs(1), cap: Duration::from_secs(30) };
    /// For objects that are in use or not ready, which usually is over in seconds.
    pub const STATE: Self = Self { base: Duration::from_millis(500), cap: Duration::from_secs(5) };
    /// For capacity, which comes back in minutes if at all.
    pub const CAPACITY: Self = Self { base: Duration::from_secs(5), cap: Duration::from_secs(60) };

    /// Returns the wait before attempt `attempt` (the first repeat is 1), given a random number in `0..1`.
    ///
    /// It is never below a tenth of the bound, so that a streak of small numbers cannot become a busy loop.
    pub fn delay(self, attempt: u32, random: f64) -> Duration {
        let bound = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.cap);
        bound.mul_f64(random.clamp(0.1, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_up_to_the_cap_and_never_spins() {
        let backoff = Backoff::SERVICE;
        assert_eq!(backoff.delay(1, 1.0), Duration::from_secs(1));
        assert_eq!(backoff.delay(4, 1.0), Duration::from_secs(8));
        assert_eq!(backoff.delay(40, 1.0), Duration::from_secs(30));
        assert_eq!(backoff.delay(1, 0.0), Duration::from_millis(100));
    }
}
