//! What was last known of a stack, durably.
//!
//! A [`Store`] keeps one stack's state: a [snapshot](mod@format), and beside it an append-only [journal] of what has happened
//! since. [`fold()`] makes one of the two. Whoever wants to write opens a [`Session`], which holds the stack's lock; whoever
//! only looks takes a [`View`] with [`Store::peek`], which neither locks nor writes.
//!
//! Stores differ in where bytes go, and in nothing else: [`load`] decides what the bytes found mean, [`session`] orders and
//! batches what is written, and a [`Medium`] carries it out. [`local`] is a folder, [`memory`] is for tests.
//!
//! **Architecture Invariant:** what could not be read is never overwritten. Time and random ids are arguments.

pub mod edit;
pub mod fold;
pub mod format;
pub mod journal;
pub mod load;
pub mod local;
pub mod lock;
pub mod memory;
pub mod migrate;
pub mod record;
pub mod repair;
pub mod session;
pub mod store;
pub mod verify;

pub use fold::{IllegalRecord, Ledger, fold};
pub use local::LocalStore;
pub use lock::Holder;
pub use memory::MemoryStore;
pub use record::{Executed, Intent, PendingOperation, PendingStatus, Record, StateChange};
pub use repair::Repair;
pub use session::{Medium, Session};
pub use store::{Lock, OnLost, OnWait, OpenOptions, StateError, Store, View};
