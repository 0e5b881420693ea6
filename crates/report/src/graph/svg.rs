//! Graphs as SVG: a picture of its own, and the same drawing as a part of an HTML page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use reconcile_model::Action;

use super::layout::{COLUMN, Drawing, MOST_COLUMNS, NODE_HEIGHT, PADDING, Place, Point};
use super::{Graph, GraphNode, NodeKind, parts, word};
use crate::colors;
use crate::quote::{chunks, plain, width};

/// How large the kind of a node is set, of its name's size.
pub(super) const SMALL: f64 = 0.84;

/// What is left free around the drawing.
const MARGIN: f64 = 20.0;

/// The height of the line below the drawing that says what it shows.
const LEGEND: f64 = 34.0;

/// How the drawing looks, in the colors of [`colors`].
pub(crate) const STYLE: &str = include_str!("graph.css");

/// Returns the graph as an SVG document: it needs nothing from elsewhere, and follows the reader's choice of light or
/// dark.
pub fn svg(graph: &Graph) -> String {
    let drawing = Drawing::of(graph);
    let legend = legend(graph);
    let width = drawing.width.max(columns(&legend) * COLUMN * SMALL) + 2.0 * MARGIN;
    let height = drawing.height + 2.0 * MARGIN + LEGEND;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" width=\"{0}\" height=\"{1}\" \
         viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\">",
        number(width.ceil()),
        number(height.ceil()),
        escaped(&described(graph)),
    );
    let _ = writeln!(out, "<style>\n{}</style>", colors::written_out(STYLE));
    out.push_str("<rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"10\"/>\n");
    body(graph, &drawing, Links::None, &mut out);
    let _ = writeln!(
        out,
        "<text class=\"legend\" x=\"{}\" y=\"{}\">{}</text>",
        number(MARGIN),
        number(height - MARGIN + 2.0),
        escaped(&legend)
    );
    out.push_str("</svg>\n");
    out
}

/// Returns the graph as an SVG element for an HTML page, whose nodes lead to `link(name)`.
pub(crate) fn embedded(graph: &Graph, link: &dyn Fn(&str) -> Option<String>) -> String {
    let drawing = Drawing::of(graph);
    let (width, height) = (drawing.width + 2.0 * MARGIN, drawing.height + 2.0 * MARGIN);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg class=\"graph\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"group\" \
         aria-label=\"{2}\">",
        number(width.ceil()),
        number(height.ceil()),
        escaped(&described(graph)),
    );
    body(graph, &drawing, Links::To(link), &mut out);
    out.push_str("</svg>\n");
    out
}

/// Whether nodes lead anywhere.
#[derive(Clone, Copy)]
enum Links<'a> {
    None,
    To(&'a dyn Fn(&str) -> Option<String>),
}

fn body(graph: &Graph, drawing: &Drawing<'_>, links: Links<'_>, out: &mut String) {
    out.push_str(
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"1\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path d=\"M8 0L0 4L8 8z\"/></marker></defs>\n",
    );
    let _ = writeln!(out, "<g transform=\"translate({0} {0})\">", number(MARGIN));
    for (from, to, way) in &drawing.edges {
        let _ = writeln!(
            out,
            "<path class=\"edge\" data-from=\"{}\" data-to=\"{}\" d=\"{}\" marker-start=\"url(#tip)\"/>",
            escaped(from),
            escaped(to),
            curve(way)
        );
    }
    // In the graph's order, and not by where they are: so a keyboard walks them.
    let places: BTreeMap<&str, Place> = drawing.nodes.iter().copied().collect();
    for (name, node) in &graph.nodes {
        let Some(place) = places.get(name.as_str()) else { continue };
        let link = match links {
            Links::None => None,
            Links::To(link) => link(name),
        };
        draw_node(name, node, *place, link.as_deref(), out);
    }
    out.push_str("</g>\n");
}

fn draw_node(name: &str, node: &GraphNode, place: Place, link: Option<&str>, out: &mut String) {
    let (kind, own) = parts(name);
    let action = node.action.map_or("plain", word);
    let form = match node.kind {
        NodeKind::Data => "data",
        NodeKind::Resource => "resource",
        NodeKind::Output => "output",
    };
    let said = match node.action {
        None | Some(Action::NoOp) => name.to_owned(),
        Some(action) => format!("{name}: {}", word(action)),
    };
    if let Some(link) = link {
        let _ = write!(out, "<a href=\"{}\">", escaped(link));
    }
    let _ = write!(
        out,
        "<g class=\"node {form} {action}\" data-node=\"{}\" transform=\"translate({} {})\">\
         <title>{}</title>",
        escaped(name),
        number(place.at.0),
        number(place.at.1),
        escaped(&said),
    );
    let round = if node.kind == NodeKind::Output { NODE_HEIGHT / 2.0 } else { 7.0 };
    let _ = write!(
        out,
        "<rect width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        number(place.width),
        number(NODE_HEIGHT),
        number(round)
    );
    let line = |class: &str, y: f64, text: &str| {
        format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            number(PADDING),
            number(y),
            escaped(&cut(text))
        )
    };
    out.push_str(&line("kind", 18.0, kind));
    out.push_str(&line("name", 35.0, own));
    badge(node, place, out);
    out.push_str("</g>");
    if link.is_some() {
        out.push_str("</a>");
    }
    out.push('\n');
}

/// Draws what a node carries on its upper edge: what is done, and to how many.
fn badge(node: &GraphNode, place: Place, out: &mut String) {
    let symbol = node.action.filter(|action| *action != Action::NoOp).map(Action::symbol);
    let count = node.instances.map(|count| format!("×{count}"));
    let said: Vec<&str> = symbol.into_iter().chain(count.as_deref()).collect();
    if said.is_empty() {
        return;
    }
    let text = said.join(" ");
    let wide = columns(&text) * COLUMN + 10.0;
    let _ = write!(
        out,
        "<g class=\"badge\" transform=\"translate({} -12)\"><rect width=\"{}\" height=\"18\" rx=\"9\"/>\
         <text x=\"{}\" y=\"13\" text-anchor=\"middle\">{}</text></g>",
        number(place.width - wide - 8.0),
        number(wide),
        number(wide / 2.0),
        escaped(&text)
    );
}

/// Returns a smooth way along points: a uniform cubic B-spline, which begins and ends at the first and last of them.
fn curve(points: &[Point]) -> String {
    let at = |(x, y): Point| format!("{} {}", number(x), number(y));
    let between =
        |(a, b): (Point, Point), part: f64| (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part);
    let Some((first, last)) = points.first().zip(points.last()) else { return String::new() };
    let mut out = format!("M{}", at(*first));
    if points.len() < 3 {
        let _ = write!(out, "L{}", at(*last));
        return out;
    }
    let knot = |a: Point, b: Point, c: Point| {
        ((a.0 + 4.0 * b.0 + c.0) / 6.0, (a.1 + 4.0 * b.1 + c.1) / 6.0)
    };
    let _ = write!(out, "L{}", at(between((points[0], points[1]), 1.0 / 6.0)));
    for window in points.windows(3) {
        let [a, b, c] = [window[0], window[1], window[2]];
        let from = between((a, b), 1.0 / 3.0);
        let to = between((a, b), 2.0 / 3.0);
        let _ = write!(out, "C{} {} {}", at(from), at(to), at(knot(a, b, c)));
    }
    let (before, end) = (points[points.len() - 2], *last);
    let tail = [1.0 / 3.0, 2.0 / 3.0, 5.0 / 6.0].map(|part| at(between((before, end), part)));
    let _ = write!(out, "C{} L{}", tail.join(" "), at(end));
    out
}

/// Returns a number with at most one digit after the point, as short as it gets.
fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    // No minus before a zero.
    format!("{}", tenths + 0.0)
}

fn columns(text: &str) -> f64 {
    width(text) as f64
}

/// Returns a text that fits into a node.
fn cut(text: &str) -> String {
    if width(text) <= MOST_COLUMNS {
        return text.to_owned();
    }
    let first = chunks(text, MOST_COLUMNS - 1).into_iter().next().unwrap_or_default();
    format!("{first}…")
}

/// Says what the drawing shows, for who does not see it.
fn described(graph: &Graph) -> String {
    format!("Dependency graph of {} nodes and {} edges", graph.len(), graph.edges().len())
}

fn legend(graph: &Graph) -> String {
    let mut out = String::from("An arrow leads to what is needed first. Dashed: data sources.");
    if graph.nodes.values().any(|node| node.kind == NodeKind::Output) {
        out.push_str(" Round: outputs.");
    }
    out
}

/// Returns text as it may stand in an element or between quotes.
fn escaped(text: &str) -> String {
    crate::html::escaped(&plain(text))
}
