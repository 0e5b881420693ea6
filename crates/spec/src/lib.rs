//! Specs: from YAML to a checked spec, its dependency graph, and the values of its expressions.
//!
//! [`read_sources`] reads files, [`load`] turns them into a [`Spec`] or into every diagnostic there is, and a [`Scope`]
//! evaluates a spec's expressions over what is known so far of its resources.
//!
//! **Architecture Invariant:** a spec is data. Nothing in it is executed, nothing outside its folder is read unless the
//! user allowed it, and loading it needs neither network nor credentials.

mod coerce;
mod configuration;
mod eval;
mod expression;
mod files;
pub mod functions;
mod inputs;
mod load;
mod node;
mod place;
mod scope;
mod source;
mod spec;
mod suggest;
#[cfg(test)]
mod testing;
mod types;
mod yaml;

pub use inputs::{InputFile, Inputs};
pub use load::{Head, Loaded, head, load};
pub use scope::{Assertion, Expansion, Instances, Scope, When};
pub use source::{MAX_FILE_BYTES, SourceFile, Sources, read_sources};
pub use spec::{
    Block, Check, Fate, IgnoreChanges, Import, Lifecycle, Moved, Output, ProviderBlock, Removed,
    Spec, Trigger, TriggerKey,
};

/// Returns bytes in lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
