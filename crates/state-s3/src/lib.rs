//! The store on S3: the same snapshot and journal as in a folder, shared by machines.
//!
//! A [`Bucket`] is the seam to the service, with conditional writes; [`aws`] is the real one. [`lease`] is the lock, which ends
//! by itself; [`chain`] is the end of the journal, where whoever has the lease keeps out whoever had it before; [`read`] makes
//! sense of what is there, and [`layout`] says which objects there are.
//!
//! **Architecture Invariant:** no object is written without a condition, and no clock is compared with another machine's.

mod aws;
mod bucket;
mod chain;
mod config;
mod layout;
mod lease;
mod read;
mod segment;
mod store;
mod sure;

pub use bucket::{Bucket, BucketError, Condition, Object};
pub use config::S3Config;
pub use store::S3Store;
