//! The state crate from outside: what is written is read, what is damaged is noticed, and what is locked is left alone.

#![expect(clippy::unwrap_used, reason = "what fails here fails its test")]

mod damage;
mod edit;
mod fixtures;
mod fold;
mod formats;
mod interrupted;
mod local;
mod lock;
mod moved;
mod mutations;
mod roundtrip;
mod session;
