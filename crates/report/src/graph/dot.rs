//! Graphs in the DOT language, for Graphviz.

use std::fmt::Write as _;

use reconcile_model::Action;

use super::{Graph, GraphNode, NodeKind, remark, word};
use crate::{colors, quote::plain};

/// Returns the graph in the DOT language of Graphviz, laid out as `terraform graph` lays it out.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n",
    );
    for (name, node) in &graph.nodes {
        let label = match remark(node) {
            Some(remark) => format!("{name}\n{remark}"),
            None => name.clone(),
        };
        let _ = writeln!(out, "  {} [label = {}{}];", quoted(name), quoted(&label), look(node));
    }
    for (from, to) in graph.edges() {
        let _ = writeln!(out, "  {} -> {};", quoted(from), quoted(to));
    }
    out.push_str("}\n");
    out
}

/// Returns further attributes of a node: its form says what it is, its color what is done to it.
fn look(node: &GraphNode) -> String {
    let colors = node.action.and_then(colors);
    let form = match node.kind {
        NodeKind::Resource => None,
        NodeKind::Data => Some("dashed"),
        NodeKind::Output => Some("rounded"),
    };
    let styles: Vec<&str> = form.into_iter().chain(colors.map(|_| "filled")).collect();
    let mut out = String::new();
    if !styles.is_empty() {
        let _ = write!(out, ", style = \"{}\"", styles.join(","));
    }
    if let Some((line, area)) = colors {
        let _ = write!(out, ", color = \"{line}\", fillcolor = \"{area}\"");
    }
    out
}

/// Returns the colors of an action's line and of its area; none where nothing is done.
pub(super) fn colors(action: Action) -> Option<(&'static str, &'static str)> {
    let name = word(action);
    (action != Action::NoOp).then_some(())?;
    Some((colors::light(name)?, colors::light(&format!("{name}-tint"))?))
}

/// Returns a string of the language: only quotes and backslashes mean anything in it, and a line end is written `\n`.
fn quoted(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| plain(line).replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}
