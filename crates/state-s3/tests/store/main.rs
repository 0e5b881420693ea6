//! The store on a bucket in memory, with paused time: crashes, lost answers, and rivals at every call.

#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

mod bucket;
mod contention;
mod damage;
mod faults;
mod lease;
mod moving;
mod runs;
