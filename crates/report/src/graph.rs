//! What leans on what: the graph of a spec or a plan, as DOT, Mermaid, and SVG.
//!
//! The nodes are blocks, not instances: a block with a hundred instances is one node that says so. Only edges are drawn
//! that no longer way implies; they lead from what depends to what it depends on, as in `terraform graph`.

mod dot;
mod layout;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{Action, Mode, Plan, ResourceAddress};

use crate::reason::weight;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;
pub(crate) use svg::{STYLE, embedded};

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A data source.
    Data,
    /// A resource.
    Resource,
    /// An output of the stack.
    Output,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// What it stands for.
    pub kind: NodeKind,
    /// What is done to it, to the instance that it is worst for; absent where no plan was made.
    pub action: Option<Action>,
    /// How many instances a plan knows of; absent where no plan was made, and for a block that has one without a key.
    pub instances: Option<usize>,
}

/// Blocks and outputs, and which depends on which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The nodes by name: a block's address, or `output.url`.
    nodes: BTreeMap<String, GraphNode>,
    /// For each node that depends on others, their names.
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// Returns a graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the graph of a plan: its blocks with what is done to them, and its outputs. Outputs have no edges: a plan
    /// does not say what they depend on.
    pub fn of_plan(plan: &Plan) -> Self {
        let mut graph = Self::new();
        for change in &plan.changes {
            graph.block(&change.address.resource, &change.dependencies);
        }
        for name in plan.outputs.keys() {
            graph.output(name, &[]);
        }
        graph.color(plan);
        graph
    }

    /// Adds a block and what it depends on; of one that is there already, what it depends on besides.
    pub fn block(&mut self, address: &ResourceAddress, needs: &[ResourceAddress]) {
        let kind = match address.mode {
            Mode::Managed => NodeKind::Resource,
            Mode::Data => NodeKind::Data,
        };
        self.node(address.to_string(), kind, needs);
    }

    /// Adds an output and what its value comes from.
    pub fn output(&mut self, name: &str, needs: &[ResourceAddress]) {
        self.node(output_name(name), NodeKind::Output, needs);
    }

    fn node(&mut self, name: String, kind: NodeKind, needs: &[ResourceAddress]) {
        let needs = needs.iter().map(ToString::to_string).filter(|needed| *needed != name);
        self.needs.entry(name.clone()).or_default().extend(needs);
        let node = GraphNode { kind, action: None, instances: None };
        self.nodes.entry(name).or_insert(node);
    }

    /// Says of each node what a plan does to it, and adds the blocks that only the plan has, such as what left the spec.
    pub fn color(&mut self, plan: &Plan) {
        let mut keyed: BTreeMap<String, usize> = BTreeMap::new();
        for change in &plan.changes {
            let name = change.address.resource.to_string();
            if !self.nodes.contains_key(&name) {
                self.block(&change.address.resource, &change.dependencies);
            }
            if change.address.key.is_some() && !change.deposed {
                *keyed.entry(name.clone()).or_default() += 1;
            }
            self.worsen(&name, change.action);
        }
        for (name, output) in &plan.outputs {
            let node = output_name(name);
            if !self.nodes.contains_key(&node) {
                self.output(name, &[]);
            }
            self.worsen(&node, output.action);
        }
        for (name, count) in keyed {
            if let Some(node) = self.nodes.get_mut(&name) {
                node.instances = Some(count);
            }
        }
    }

    fn worsen(&mut self, name: &str, action: Action) {
        if let Some(node) = self.nodes.get_mut(name)
            && node.action.is_none_or(|before| weight(action) > weight(before))
        {
            node.action = Some(action);
        }
    }

    /// Returns how many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Tells whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the graph of what changes, and of what that leans on directly or is leaned on by.
    pub(crate) fn around_changes(&self) -> Self {
        let changes = |name: &str| {
            let action = self.nodes.get(name).and_then(|node| node.action);
            action.is_some_and(|action| action != Action::NoOp)
        };
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for name in self.nodes.keys().filter(|name| changes(name)) {
            kept.insert(name);
        }
        for (name, needs) in &self.needs {
            for needed in needs {
                if changes(name) || changes(needed) {
                    kept.extend([name.as_str(), needed.as_str()]);
                }
            }
        }
        let mut graph = self.clone();
        graph.nodes.retain(|name, _| kept.contains(name.as_str()));
        graph.needs.retain(|name, _| kept.contains(name.as_str()));
        graph
    }

    /// Returns the edges that no longer way implies, as pairs of what depends and what it depends on.
    fn edges(&self) -> Vec<(&str, &str)> {
        let order = self.order();
        // What each node leans on in any number of steps, by its place in the order, which is that of its bit.
        let place: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(i, it)| (*it, i)).collect();
        let words = order.len().div_ceil(64);
        let mut reach: Vec<Vec<u64>> = Vec::with_capacity(order.len());
        let mut edges = Vec::new();
        for name in &order {
            let mut needs: Vec<usize> =
                self.needed(name).filter_map(|needed| place.get(needed).copied()).collect();
            // The latest first: what it leans on need not be said again.
            needs.sort_unstable_by(|a, b| b.cmp(a));
            let mut bits = vec![0_u64; words];
            for needed in needs {
                if bits[needed / 64] >> (needed % 64) & 1 == 1 {
                    continue;
                }
                // In a circle, which a checked spec has none of, what comes later is not known yet.
                let Some(further) = reach.get(needed) else { continue };
                for (word, more) in bits.iter_mut().zip(further) {
                    *word |= more;
                }
                bits[needed / 64] |= 1 << (needed % 64);
                edges.push((*name, order[needed]));
            }
            reach.push(bits);
        }
        edges.sort_unstable();
        edges
    }

    /// Returns the names of the nodes that one depends on directly.
    fn needed(&self, name: &str) -> impl Iterator<Item = &str> {
        let needs = self.needs.get(name).into_iter().flatten();
        needs.map(String::as_str).filter(|needed| self.nodes.contains_key(*needed))
    }

    /// Returns the nodes, each after all that it depends on.
    fn order(&self) -> Vec<&str> {
        let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
        let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in self.nodes.keys() {
            waits.insert(name, self.needed(name).count());
            for needed in self.needed(name) {
                dependents.entry(needed).or_default().push(name);
            }
        }
        let mut ready: BTreeSet<&str> =
            waits.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(name) = ready.pop_first() {
            order.push(name);
            for dependent in dependents.get(name).into_iter().flatten() {
                if let Some(count) = waits.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(dependent);
                    }
                }
            }
        }
        // In a circle nothing is ever ready; it is drawn all the same.
        let placed: BTreeSet<&str> = order.iter().copied().collect();
        order.extend(self.nodes.keys().map(String::as_str).filter(|name| !placed.contains(name)));
        order
    }
}

/// Returns the name of an output's node.
fn output_name(name: &str) -> String {
    format!("output.{name}")
}

/// Returns one word for an action, which names its color in drawings.
pub(crate) fn word(action: Action) -> &'static str {
    match action {
        Action::NoOp => "unchanged",
        Action::Read => "read",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace(_) => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
    }
}

/// Returns a name's two parts as they are drawn: what kind of thing, and which.
fn parts(name: &str) -> (&str, &str) {
    // The last dot outside of a module's key.
    let mut in_key = false;
    let mut at = None;
    let mut escaped = false;
    for (index, c) in name.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_key = !in_key,
            '.' if !in_key => at = Some(index),
            _ => {}
        }
    }
    at.map_or(("", name), |at| (&name[..at], &name[at + 1..]))
}

/// Returns what is said of a node besides its name: how many instances it has, and what is done.
fn remark(node: &GraphNode) -> Option<String> {
    let instances = node.instances.map(|count| format!("×{count}"));
    let action = node.action.filter(|action| *action != Action::NoOp);
    let action = action.map(|action| word(action).to_owned());
    let said: Vec<String> = instances.into_iter().chain(action).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(name: &str) -> ResourceAddress {
        ResourceAddress::managed("t", name)
    }

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let mut graph = Graph::new();
        for (name, needs) in edges {
            graph.block(&block(name), &needs.iter().map(|it| block(it)).collect::<Vec<_>>());
        }
        graph
    }

    #[test]
    fn only_edges_that_no_longer_way_implies_are_drawn() {
        let it = graph(&[("a", &[]), ("b", &["a"]), ("c", &["b", "a"]), ("d", &["a", "c", "b"])]);
        assert_eq!(it.edges(), [("t.b", "t.a"), ("t.c", "t.b"), ("t.d", "t.c")]);
    }

    #[test]
    fn what_is_needed_and_not_there_is_not_drawn() {
        let it = graph(&[("a", &["gone", "a"])]);
        assert_eq!(it.edges(), []);
        assert_eq!(it.len(), 1);
    }

    #[test]
    fn a_circle_is_drawn_with_what_can_be() {
        let it = graph(&[("a", &["b"]), ("b", &["a"]), ("c", &["b"])]);
        assert_eq!(it.edges(), [("t.b", "t.a"), ("t.c", "t.b")]);
        assert!(svg(&it).contains(">a</text>"));
    }

    #[test]
    fn names_split_before_what_is_theirs() {
        assert_eq!(parts("aws_instance.web"), ("aws_instance", "web"));
        assert_eq!(parts("module.net[\"a.b\"].aws_vpc.x"), ("module.net[\"a.b\"].aws_vpc", "x"));
        assert_eq!(parts("output.url"), ("output", "url"));
        assert_eq!(parts("bare"), ("", "bare"));
    }
}
