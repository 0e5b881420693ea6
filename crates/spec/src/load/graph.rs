//! The dependency graph: what mentions what, in which order all can be evaluated, and where it runs in circles.
//!
//! Blocks and cells (locals and `for_each`s) are nodes; an edge leads from what is mentioned to what mentions it. The
//! algorithms keep their own stacks, so a chain may be as long as a spec.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use reconcile_model::{Attribute, Dependencies, Diagnostic, Value};

use super::lifecycle::mentioned;
use crate::expression::walk::{self, Mentions};
use crate::expression::{Expr, Root};
use crate::node::{Key, Node, NodeKind};
use crate::place::Place;
use crate::spec::{Block, Cell, Check, Repeat, Spec};

/// Fills in the spec's dependencies and order, and returns its cycles.
pub(super) fn connect(spec: &mut Spec) -> Vec<Diagnostic> {
    let block_count = spec.blocks.len();
    let of_cells: Vec<Mentions> =
        spec.cells.iter().map(|cell| walk::mentions(&cell.node)).collect();
    spec.cells_of_block = vec![Vec::new(); block_count];
    for (index, mentions) in of_cells.iter().enumerate() {
        wire(spec, index, mentions);
    }
    let of_blocks: Vec<Mentions> =
        spec.blocks.values().map(|block| mentions_of_block(block, spec)).collect();
    let mut graph = DiGraph::<(), ()>::with_capacity(block_count + spec.cells.len(), 0);
    for _ in 0..block_count + spec.cells.len() {
        graph.add_node(());
    }
    for (index, mentions) in of_blocks.iter().chain(&of_cells).enumerate() {
        for &block in &mentions.blocks {
            graph.add_edge(NodeIndex::new(block), NodeIndex::new(index), ());
        }
        for &cell in &mentions.cells {
            graph.add_edge(NodeIndex::new(block_count + cell), NodeIndex::new(index), ());
        }
    }
    let Ok(order) = toposort(&graph, None) else {
        let found = cycles(spec, &graph);
        cut(spec, &graph);
        return found;
    };
    for node in &order {
        if let Some(cell) = node.index().checked_sub(block_count) {
            spec.cells[cell].leads_to = leads_to(&of_cells[cell], &spec.cells);
        }
    }
    let address = |index: usize| spec.blocks.get_index(index).map(|(address, _)| address.clone());
    let in_order: Vec<usize> =
        order.iter().map(|node| node.index()).filter(|&index| index < block_count).collect();
    let of_checks: Vec<Mentions> = spec.checks.values().map(mentions_of_check).collect();
    let mut all = Vec::with_capacity(block_count);
    for mentions in of_blocks {
        let mut blocks = mentions.blocks;
        walk::blocks_of_cells(mentions.cells, &spec.cells, &mut blocks);
        let addresses: Dependencies = blocks.iter().copied().filter_map(address).collect();
        all.push((addresses, blocks.into_iter().collect()));
    }
    let checks: Vec<BTreeSet<_>> = of_checks
        .into_iter()
        .map(|mentions| {
            let mut blocks = mentions.blocks;
            walk::blocks_of_cells(mentions.cells, &spec.cells, &mut blocks);
            blocks.into_iter().filter_map(address).collect()
        })
        .collect();
    let outputs: Vec<BTreeSet<_>> = spec
        .outputs
        .values()
        .map(|output| {
            let mut blocks = BTreeSet::new();
            walk::blocks_of_node(&output.value, &spec.cells, &mut blocks);
            for mentions in mentioned(&output.preconditions) {
                blocks.extend(mentions.blocks);
                walk::blocks_of_cells(mentions.cells, &spec.cells, &mut blocks);
            }
            blocks.into_iter().filter_map(address).collect()
        })
        .collect();
    for (block, (addresses, indexes)) in spec.blocks.values_mut().zip(all) {
        (block.dependencies, block.dependency_indexes) = (addresses, indexes);
    }
    for (output, dependencies) in spec.outputs.values_mut().zip(outputs) {
        output.dependencies = output.depends_on.iter().cloned().chain(dependencies).collect();
    }
    for (check, dependencies) in spec.checks.values_mut().zip(checks) {
        let of_data = check.data.iter().filter_map(|own| spec.blocks.get(own));
        check.dependencies = of_data
            .flat_map(|block| block.dependencies.iter().cloned())
            .chain(dependencies)
            .filter(|address| !check.data.contains(address))
            .collect();
        let addresses = in_order.iter().map(|&index| &spec.blocks[index].address);
        check.data = addresses.filter(|it| check.data.contains(it)).cloned().collect();
    }
    let is_planned = |index: &usize| spec.blocks[*index].check.is_none();
    spec.order = in_order.into_iter().filter(is_planned).collect();
    Vec::new()
}

/// Notes what a cell mentions, on both sides.
pub(super) fn wire(spec: &mut Spec, index: usize, mentions: &Mentions) {
    for &block in &mentions.blocks {
        spec.cells_of_block[block].push(index);
    }
    for &cell in &mentions.cells {
        spec.cells[cell].dependents.push(index);
    }
    spec.cells[index].cells = mentions.cells.iter().copied().collect();
}

/// Returns the blocks that a cell with these mentions leads to, once that is known of the cells it mentions.
pub(super) fn leads_to(mentions: &Mentions, cells: &[Cell]) -> Arc<BTreeSet<usize>> {
    let behind = || mentions.cells.iter().map(|&cell| &cells[cell].leads_to);
    let most = behind().max_by_key(|it| it.len()).cloned().unwrap_or_default();
    let others = behind().filter(|it| !Arc::ptr_eq(it, &most)).flat_map(|it| it.iter());
    let mut all = Arc::clone(&most);
    for block in mentions.blocks.iter().chain(others) {
        if !all.contains(block) {
            Arc::make_mut(&mut all).insert(*block);
        }
    }
    all
}

fn mentions_of_check(check: &Check) -> Mentions {
    let mut all = Mentions::default();
    for mentions in mentioned(&check.assertions) {
        all.blocks.extend(mentions.blocks);
        all.cells.extend(mentions.cells);
    }
    all
}

fn mentions_of_block(block: &Block, spec: &Spec) -> Mentions {
    let mut all = Mentions::default();
    let mut add = |more: Mentions| {
        all.blocks.extend(more.blocks);
        all.cells.extend(more.cells);
    };
    for entry in &block.body {
        add(walk::mentions(&entry.value));
        if let Key::Computed(scalar) = &entry.key {
            add(walk::mentions_of_expr(&scalar.expr));
        }
    }
    let lifecycle = &block.lifecycle;
    for mentions in mentioned(&lifecycle.preconditions).chain(mentioned(&lifecycle.postconditions))
    {
        add(mentions);
    }
    match &block.repeat {
        Repeat::One => {}
        Repeat::Count(node) => add(walk::mentions(node)),
        Repeat::Each(cell) => {
            all.cells.insert(*cell);
        }
    }
    all.blocks.extend(block.depends_on.iter().map(|(index, _)| *index));
    let triggers = lifecycle.replace_triggered_by.iter();
    all.blocks.extend(triggers.filter_map(|it| spec.blocks.get_index_of(&it.resource)));
    all
}

/// Tells each cycle, by its shortest way round.
fn cycles(spec: &Spec, graph: &DiGraph<(), ()>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for component in kosaraju_scc(graph) {
        let members: BTreeSet<usize> = component.iter().map(|node| node.index()).collect();
        let Some(&first) = members.first() else { continue };
        let is_loop =
            members.len() > 1 || graph.contains_edge(NodeIndex::new(first), NodeIndex::new(first));
        if is_loop {
            diagnostics.push(cycle(spec, graph, &members, first));
        }
    }
    diagnostics
}

/// Makes a spec with cycles good enough to be checked further: what runs in circles counts as unknown.
fn cut(spec: &mut Spec, graph: &DiGraph<(), ()>) {
    let block_count = spec.blocks.len();
    // Components come so that each is followed by what it depends on.
    for component in kosaraju_scc(graph).iter().rev() {
        for node in component {
            let is_loop = component.len() > 1 || graph.contains_edge(*node, *node);
            match node.index().checked_sub(block_count) {
                None => spec.order.push(node.index()),
                Some(cell) if is_loop => {
                    let cell = &mut spec.cells[cell];
                    cell.node.kind = NodeKind::Literal(Value::Unknown);
                    cell.cells.clear();
                }
                Some(_) => {}
            }
        }
    }
}

fn cycle(
    spec: &Spec,
    graph: &DiGraph<(), ()>,
    members: &BTreeSet<usize>,
    first: usize,
) -> Diagnostic {
    let round = way_round(graph, members, first);
    let names: Vec<String> = round.iter().map(|&index| name(spec, index)).collect();
    let (here, next) = (round[0], round[1 % round.len()]);
    let place = place_of_mention(spec, here, next);
    if let [only] = names.as_slice() {
        let (detail, hint) = match spec.blocks.get_index(here) {
            None => ("It has no value yet while it is evaluated.", "Write the value out."),
            Some((_, block)) if block.depends_on.iter().any(|(index, _)| *index == here) => {
                ("It would wait for itself.", "Remove the entry.")
            }
            Some((_, block)) if takes_self(block.schema.attributes) => (
                "It has no value yet while its own arguments are evaluated.",
                "To mean the object itself in a block of its own, write `self: true` there.",
            ),
            Some(_) => (
                "It has no value yet while its own arguments are evaluated.",
                "Write the value out, or move it to `locals`, and mention that here.",
            ),
        };
        return Diagnostic::error(format!("`{only}` mentions itself"))
            .detail(detail)
            .hint(hint)
            .at(spec.files.span(place));
    }
    let mut detail = String::new();
    for (position, &index) in round.iter().enumerate().take(20) {
        let next = round[(position + 1) % round.len()];
        let span = spec.files.span(place_of_mention(spec, index, next));
        let space = if detail.is_empty() { "" } else { " " };
        let _ =
            write!(detail, "{space}`{}` needs `{}` ({span}).", names[position], name(spec, next));
    }
    if round.len() > 20 {
        let _ = write!(detail, " And so on, over {} more.", round.len() - 20);
    }
    let shown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .take(10)
        .chain((names.len() > 10).then_some("…"))
        .collect();
    Diagnostic::error(format!("A cycle: {} → {}", shown.join(" → "), names[0]))
        .detail(detail)
        .hint("Break it at one place, for instance with a resource of its own for what connects two others.")
        .at(spec.files.span(place))
}

/// Tells whether some block of an object has `self` for the object itself.
fn takes_self(attributes: &[Attribute]) -> bool {
    attributes.iter().flat_map(Attribute::nested).any(|nested| nested.name == "self")
}

/// Returns the nodes of the shortest cycle through `first`, each needing the next.
fn way_round(graph: &DiGraph<(), ()>, members: &BTreeSet<usize>, first: usize) -> Vec<usize> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut waiting = VecDeque::from([first]);
    while let Some(index) = waiting.pop_front() {
        // Edges lead to what mentions a node, so walking them backward leads to what it needs.
        let mut needs: Vec<usize> = graph
            .neighbors_directed(NodeIndex::new(index), petgraph::Direction::Incoming)
            .map(NodeIndex::index)
            .filter(|needed| members.contains(needed))
            .collect();
        needs.sort_unstable();
        for needed in needs {
            if needed == first {
                let mut round = vec![index];
                while let Some(&before) = came_from.get(round.last().unwrap_or(&first)) {
                    round.push(before);
                }
                round.reverse();
                return round;
            }
            if let std::collections::btree_map::Entry::Vacant(entry) = came_from.entry(needed) {
                entry.insert(index);
                waiting.push_back(needed);
            }
        }
    }
    vec![first]
}

fn name(spec: &Spec, index: usize) -> String {
    if let Some((address, _)) = spec.blocks.get_index(index) {
        return address.to_string();
    }
    let cell = index - spec.blocks.len();
    let owner =
        spec.blocks.values().find(|block| matches!(block.repeat, Repeat::Each(it) if it == cell));
    match (owner, spec.local_names.get(cell)) {
        (Some(block), _) => format!("{} (for_each)", block.address),
        (None, Some(name)) => format!("local.{name}"),
        (None, None) => "a local".to_owned(),
    }
}

/// Returns where one node mentions another.
fn place_of_mention(spec: &Spec, from: usize, to: usize) -> Place {
    let wanted = match to.checked_sub(spec.blocks.len()) {
        None => Root::Block(to),
        Some(cell) => Root::Cell(cell),
    };
    match from.checked_sub(spec.blocks.len()) {
        Some(cell) => {
            let node = &spec.cells[cell].node;
            place_in(spec, node, &wanted).unwrap_or(node.place)
        }
        None => {
            let block = spec.block_at(from);
            let count = match &block.repeat {
                Repeat::Count(node) => Some(node),
                Repeat::One | Repeat::Each(_) => None,
            };
            let conditions =
                block.lifecycle.preconditions.iter().chain(&block.lifecycle.postconditions);
            let nodes = block
                .body
                .iter()
                .map(|entry| &entry.value)
                .chain(count)
                .chain(conditions.map(|condition| &condition.condition));
            let explicit =
                block.depends_on.iter().filter(|(index, _)| wanted == Root::Block(*index));
            nodes
                .filter_map(|node| place_in(spec, node, &wanted))
                .chain(explicit.map(|(_, place)| *place))
                .min()
                .unwrap_or(block.place)
        }
    }
}

fn place_in(spec: &Spec, node: &Node, wanted: &Root) -> Option<Place> {
    let mut found: Option<Place> = None;
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        match &node.kind {
            NodeKind::Literal(_) | NodeKind::Number(..) => {}
            NodeKind::List(items) => waiting.extend(items),
            NodeKind::Map(entries) => waiting.extend(entries.iter().map(|entry| &entry.value)),
            NodeKind::Scalar(scalar) => walk::roots(&scalar.expr, &mut |root, expr: &Expr| {
                if root == wanted {
                    let place = node.place_of(&spec.files, expr.at);
                    found = Some(found.map_or(place, |found| found.min(place)));
                }
            }),
        }
    }
    found
}
