//! Where nodes and edges go: the layered layout of dagre, what hangs together apart from the rest.

use std::collections::{BTreeMap, BTreeSet};

use dagre::graph::{Graph as Dagre, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir, Ranker};

use super::{Graph, parts};
use crate::quote::width;

/// The height of a node.
pub(super) const NODE_HEIGHT: f64 = 46.0;

/// How wide one column of text is. It is set in a fixed-width font, so that this is known without the font.
pub(super) const COLUMN: f64 = 7.25;

/// What a node has left and right of its text.
pub(super) const PADDING: f64 = 14.0;

/// The most columns of text in a node; what is longer is cut.
pub(super) const MOST_COLUMNS: usize = 34;

/// The least width of a drawing before loose nodes go into a further row.
const ROW: f64 = 960.0;

/// The gap between parts of the drawing that do not hang together.
const GAP: f64 = 26.0;

/// How far an edge goes straight out of a node before it bends.
const STUB: f64 = 14.0;

/// A graph of more nodes is laid out by a method that is less thorough and takes seconds rather than minutes.
const THOROUGH: usize = 120;

/// A point, in pixels from the top left.
pub(super) type Point = (f64, f64);

/// A node's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The top left corner.
    pub(super) at: Point,
    pub(super) width: f64,
}

impl Place {
    /// The middle of the left side.
    fn left(&self) -> Point {
        (self.at.0, self.at.1 + NODE_HEIGHT / 2.0)
    }

    /// The middle of the right side.
    fn right(&self) -> Point {
        (self.at.0 + self.width, self.at.1 + NODE_HEIGHT / 2.0)
    }
}

/// Where everything goes.
#[derive(Debug, Default)]
pub(super) struct Drawing<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) nodes: Vec<(&'a str, Place)>,
    /// What depends, what it depends on, and the way from the latter to the former.
    pub(super) edges: Vec<(&'a str, &'a str, Vec<Point>)>,
}

impl<'a> Drawing<'a> {
    /// Lays out a graph.
    pub(super) fn of(graph: &'a Graph) -> Self {
        let edges = graph.edges();
        let mut drawing = Self::default();
        let (mut loose, mut top) = (Vec::new(), 0.0);
        for part in components(graph, &edges) {
            if let [only] = part.nodes.as_slice() {
                loose.push(*only);
                continue;
            }
            let (width, height) = drawing.add(&part, top, graph.len());
            drawing.width = drawing.width.max(width);
            top += height + GAP;
        }
        drawing.add_loose(&loose, top);
        drawing
    }

    /// Adds nodes that hang together, below what is there; returns how much room they take.
    fn add(&mut self, part: &Part<'a>, top: f64, of: usize) -> Point {
        let options = GraphOptions { directed: true, multigraph: false, compound: false };
        let mut dagre: Dagre<NodeLabel, EdgeLabel> = Dagre::with_options(options);
        for name in &part.nodes {
            let label =
                NodeLabel { width: node_width(name), height: NODE_HEIGHT, ..Default::default() };
            dagre.set_node((*name).to_owned(), Some(label));
        }
        for (from, to) in &part.edges {
            dagre.set_edge(*to, *from, Some(EdgeLabel::default()), None);
        }
        let ranker = if of > THOROUGH { Ranker::TightTree } else { Ranker::NetworkSimplex };
        dagre::layout(
            &mut dagre,
            Some(LayoutOptions {
                rankdir: RankDir::LR,
                nodesep: 20.0,
                edgesep: 12.0,
                ranksep: 64.0,
                ranker,
                ..Default::default()
            }),
        );
        let places = places(part, &dagre, top);
        let mut room = (0.0_f64, 0.0_f64);
        for (name, place) in &places {
            let (x, y) = place.at;
            room = (room.0.max(x + place.width), room.1.max(y - top + NODE_HEIGHT));
            self.nodes.push((name, *place));
        }
        for (from, to) in &part.edges {
            let points = dagre.edge(to, from, None).map(|edge| edge.points.as_slice());
            // The first and the last are where dagre meets the nodes' outlines; here edges leave and enter at the sides.
            let bends =
                points.and_then(|points| points.get(1..points.len() - 1)).unwrap_or_default();
            let (Some(start), Some(end)) = (places.get(to), places.get(from)) else { continue };
            let (start, end) = (start.right(), end.left());
            let mut way = vec![start, (start.0 + STUB, start.1)];
            way.extend(bends.iter().map(|point| (point.x, top + point.y)));
            way.extend([(end.0 - STUB, end.1), end]);
            for (x, y) in &way {
                room = (room.0.max(*x), room.1.max(y - top));
            }
            self.edges.push((from, to, way));
        }
        self.height = top + room.1;
        room
    }

    /// Adds nodes that hang together with nothing, in rows below what is there.
    fn add_loose(&mut self, names: &[&'a str], top: f64) {
        let row = self.width.max(ROW);
        let (mut x, mut y) = (0.0, top);
        for name in names {
            let width = node_width(name);
            if x > 0.0 && x + width > row {
                (x, y) = (0.0, y + NODE_HEIGHT + 16.0);
            }
            self.nodes.push((name, Place { at: (x, y), width }));
            self.width = self.width.max(x + width);
            self.height = y + NODE_HEIGHT;
            x += width + 16.0;
        }
    }
}

/// Returns where dagre put the nodes. All of one column are as wide as its widest, so that edges pass beside them.
fn places<'a>(
    part: &Part<'a>,
    dagre: &Dagre<NodeLabel, EdgeLabel>,
    top: f64,
) -> BTreeMap<&'a str, Place> {
    let mut widest: BTreeMap<i64, f64> = BTreeMap::new();
    let mut centers = Vec::new();
    for name in &part.nodes {
        let Some((x, y)) = dagre.node(name).and_then(|label| Some((label.x?, label.y?))) else {
            continue;
        };
        let column = (x * 10.0).round() as i64;
        let width = widest.entry(column).or_default();
        *width = width.max(node_width(name));
        centers.push((*name, column, x, y));
    }
    let place = |(name, column, x, y): (&'a str, i64, f64, f64)| {
        let width = widest[&column];
        (name, Place { at: (x - width / 2.0, top + y - NODE_HEIGHT / 2.0), width })
    };
    centers.into_iter().map(place).collect()
}

/// Returns a node's width, which its text decides.
fn node_width(name: &str) -> f64 {
    let (kind, own) = parts(name);
    // The kind is set smaller.
    let columns = (width(own).min(MOST_COLUMNS) as f64)
        .max(width(kind).min(MOST_COLUMNS) as f64 * super::svg::SMALL)
        .max(8.0);
    columns * COLUMN + 2.0 * PADDING
}

/// Nodes that hang together.
struct Part<'a> {
    nodes: Vec<&'a str>,
    edges: Vec<(&'a str, &'a str)>,
}

/// Returns the parts of a graph that hang together, the largest first.
fn components<'a>(graph: &'a Graph, edges: &[(&'a str, &'a str)]) -> Vec<Part<'a>> {
    let mut beside: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        beside.entry(from).or_default().push(to);
        beside.entry(to).or_default().push(from);
    }
    let mut part_of: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for name in graph.nodes.keys() {
        if part_of.contains_key(name.as_str()) {
            continue;
        }
        let mut found = BTreeSet::from([name.as_str()]);
        let mut waiting = vec![name.as_str()];
        while let Some(name) = waiting.pop() {
            for next in beside.get(name).into_iter().flatten() {
                if found.insert(next) {
                    waiting.push(next);
                }
            }
        }
        part_of.extend(found.iter().map(|name| (*name, parts.len())));
        parts.push(Part { nodes: found.into_iter().collect(), edges: Vec::new() });
    }
    for (from, to) in edges {
        parts[part_of[from]].edges.push((from, to));
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.nodes.len()));
    parts
}
