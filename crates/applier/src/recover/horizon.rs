//! How long a call whose answer was lost may still be carried out, and how long what it made may stay invisible.

use std::time::Duration;

use reconcile_provider::settle::CONSISTENCY;
use reconcile_state::Intent;

use crate::context::Context;

/// From its intent on, for so long a request may land: a minute is what a client waits for one, and as much again may
/// pass inside a service or a proxy after the client is gone.
pub(crate) const HORIZON: Duration = Duration::from_secs(120);

/// How often a lookup must find nothing once nothing can land any more, and the time between two of them: indexes of
/// tags lag behind.
const EMPTY: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(15);

/// How long to wait at most between lookups while something may still land.
const LANDING: Duration = Duration::from_secs(10);

/// Returns how long ago an operation was intended. A clock that was set back since makes it younger, never older.
pub(crate) fn age(cx: &Context, intent: &Intent) -> Duration {
    Duration::from_secs((cx.clock.now() / 1000).saturating_sub(intent.at))
}

/// Tells whether what an operation made must be visible by now, if it made anything.
pub(crate) fn is_past(age: Duration) -> bool {
    age > HORIZON + CONSISTENCY
}

/// Counts lookups that find nothing until they prove that there is nothing.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    empty: u32,
    waited: Duration,
}

impl Lookups {
    /// Takes note of a lookup that found nothing, `age` after the intent. Returns how long to wait before the next one;
    /// `None` when it is certain that there is nothing.
    pub(crate) fn nothing(&mut self, age: Duration) -> Option<Duration> {
        // However the clock is set meanwhile, this ends.
        let age = age.max(self.waited);
        if is_past(age) {
            return None;
        }
        let wait = if age < HORIZON {
            (HORIZON - age).min(LANDING)
        } else {
            self.empty += 1;
            if self.empty >= EMPTY {
                return None;
            }
            BETWEEN
        };
        self.waited += wait;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(mut age: Duration) -> (usize, Duration) {
        let (mut lookups, mut count, start) = (Lookups::default(), 1, age);
        while let Some(wait) = lookups.nothing(age) {
            count += 1;
            age += wait;
        }
        (count, age - start)
    }

    #[test]
    fn a_fresh_operation_is_waited_for_until_it_can_land_no_more_and_must_be_visible() {
        assert_eq!(waits(Duration::ZERO), (15, HORIZON + 2 * BETWEEN));
        assert_eq!(waits(HORIZON), (3, 2 * BETWEEN));
    }

    #[test]
    fn an_old_one_takes_one_lookup() {
        assert_eq!(waits(Duration::from_secs(3600)), (1, Duration::ZERO));
    }

    #[test]
    fn a_clock_that_stands_still_does_not_make_it_endless() {
        let mut lookups = Lookups::default();
        let mut waited = Duration::ZERO;
        while let Some(wait) = lookups.nothing(Duration::ZERO) {
            waited += wait;
        }
        assert_eq!(waited, HORIZON + 2 * BETWEEN);
    }
}
