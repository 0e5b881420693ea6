//! Graphs in Mermaid's language, which GitHub draws in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Graph, NodeKind, dot::colors, remark, word};
use crate::quote::plain;

/// Returns the graph as a Mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let ids: BTreeMap<&str, String> = graph
        .nodes
        .keys()
        .enumerate()
        .map(|(index, name)| (name.as_str(), format!("n{index}")))
        .collect();
    let mut out = String::from("flowchart RL\n");
    let mut classes = BTreeMap::new();
    for (name, node) in &graph.nodes {
        let (open, close) = match node.kind {
            NodeKind::Resource => ("[", "]"),
            NodeKind::Data => ("[/", "/]"),
            NodeKind::Output => ("([", "])"),
        };
        let remark = remark(node).map(|it| format!("<br>{}", escaped(&it))).unwrap_or_default();
        let mut class = String::new();
        if let Some((action, colors)) = node.action.and_then(|it| Some((it, colors(it)?))) {
            class = format!(":::{}", word(action));
            classes.insert(word(action), colors);
        }
        let (id, label) = (&ids[name.as_str()], escaped(name));
        let _ = writeln!(out, "  {id}{open}\"{label}{remark}\"{close}{class}");
    }
    for (from, to) in graph.edges() {
        let _ = writeln!(out, "  {} --> {}", ids[from], ids[to]);
    }
    for (class, (line, area)) in classes {
        let _ = writeln!(out, "  classDef {class} fill:{area},stroke:{line},color:#1f2328");
    }
    out
}

/// Returns a label in which nothing means anything: Mermaid reads entities that are written with `#`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '-' | ',' | '×') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}
