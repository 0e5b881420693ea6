//! The reference of resource types and data sources: pages for people, and a JSON Schema for editors.
//!
//! Both are made from the schemas alone, so they cannot say what the program does not do.

mod json_schema;
mod page;
mod policy;
mod wording;

pub use json_schema::{of_spec, of_type};
pub use page::{folder, index, page};
pub use policy::{Bucket, Purpose, Used, policy};
