//! Thousands of random mutations of a state's files, the same on every run: each is read as a state that there was, or refused.
//!
//! What `cargo fuzz` looks for without end (see `fuzz/`), in the time a test may take.

use reconcile_state::load::{Current, Previous};

use crate::damage::{Sound, expected, read, sound};

/// How many mutations are tried.
const ROUNDS: u64 = 4000;

/// A generator of numbers that look random: xorshift.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..(at + self.below(40)).min(bytes.len()))),
            3 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
            4 => {
                // A part of it once more, elsewhere.
                let part = bytes[at..(at + self.below(200)).min(bytes.len())].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, part);
            }
            5 => {
                // A line goes.
                let mut lines: Vec<Vec<u8>> =
                    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                if !lines.is_empty() {
                    let line = self.below(lines.len());
                    lines.remove(line);
                }
                *bytes = lines.concat();
            }
            _ => {
                // The end of another file.
                let other = &others[self.below(others.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[self.below(other.len())..]);
            }
        }
    }
}

#[tokio::test]
async fn what_was_changed_at_random_is_a_state_that_there_was_or_refused() {
    let Sound { current, previous } = sound().await;
    let parts = [
        current.snapshot.unwrap(),
        current.journal.unwrap(),
        previous.snapshot.unwrap(),
        previous.journal.unwrap(),
    ];
    let expected = expected();
    let (mut taken, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ (round + 1));
        let mut mutated = parts.to_vec();
        for _ in 0..=numbers.below(2) {
            let part = numbers.below(4);
            for _ in 0..=numbers.below(3) {
                numbers.mutate(&mut mutated[part], &parts);
            }
        }
        let mutated: [Vec<u8>; 4] = mutated.try_into().unwrap();
        let [snapshot, journal, before, between] = mutated.map(Some);
        let current = Current { snapshot, journal };
        let previous = Previous { snapshot: before, journal: between };
        match read(&current, &previous) {
            Ok(view) => {
                let is_known = expected.contains(&(view.snapshot, view.pending));
                assert!(is_known, "round {round}: a state that there never was");
                taken += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(taken > 500 && refused > 500, "{taken} taken, {refused} refused");
}
