//! One file for each command: its arguments and what it does.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod destroy;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod state;
pub(crate) mod unlock;
pub(crate) mod validate;
