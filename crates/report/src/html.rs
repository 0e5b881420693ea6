//! Plans as one HTML page, for a reviewer's browser.
//!
//! The page is whole: its style, its script, and the drawn graph are in it, and its content security policy names them by
//! their digests, so that nothing else is loaded or run, whatever a plan says. Without the script it is the same page,
//! with everything in it to be read and opened; the script adds filters, keys, and the choice of a view.
//!
//! All text goes through a template that escapes it. What is put in unescaped is made here: the style, the script, and
//! the drawing, which escapes for itself.

mod change;
mod diff;
mod head;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use reconcile_model::{Diagnostic, Plan, SchemaSet, plan::PlanMode};

use crate::{
    Configuration, Graph, checks, diagnostic,
    graph::{self, word},
    line::{Line, Tone},
    quote::plain,
    section::{Cx, only_records, records},
    text,
};

use change::Card;

/// How many columns a line takes before it is broken: what fits half of a wide screen. The page breaks lines itself
/// where it is narrower.
const COLUMNS: usize = 96;

/// So many drifts are open at first; of more, none.
const MOST_DRIFT_OPEN: usize = 8;

/// A graph of more nodes is drawn only around what changes.
const MOST_DRAWN: usize = 600;

/// What the page says besides the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlOptions {
    /// The words of the command that applies the plan, without `--expect` and the fingerprint; none when empty.
    pub apply: Vec<String>,
    /// The names of variables whose values the command leaves out, because they are sensitive.
    pub withheld: Vec<String>,
}

/// Returns a plan as an HTML page.
///
/// `configuration` tells where values come from that only apply will tell; an empty one is fine. `graph` is drawn with
/// what the plan does to its nodes.
pub fn plan(
    plan: &Plan,
    schemas: &SchemaSet,
    configuration: &Configuration,
    graph: &Graph,
    options: &HtmlOptions,
) -> String {
    let cx = Cx::new(plan, schemas, configuration, COLUMNS);
    let cards = change::cards(&cx);
    let style = head::style();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(head::policy(&style));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content="reconcile";
                title { (head::title(plan)) }
                style { (PreEscaped(style)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the plan" }
                (head::bar(plan))
                div class="frame" {
                    (head::side(&cards))
                    main id="main" tabindex="-1" {
                        (head::summary(&cx, options))
                        (exposures(&cx))
                        (warnings(plan))
                        (checked(plan))
                        (drift(&cx))
                        (drawing(graph, plan, &cards))
                        (changes(&cards))
                        (outputs(&cx))
                    }
                }
                (head::help())
                script { (PreEscaped(head::SCRIPT)) }
            }
        }
    };
    let mut page = page.into_string();
    page.push('\n');
    page
}

/// Returns text as it may stand in an element or between quotes.
pub(crate) fn escaped(text: &str) -> String {
    html! { (text) }.into_string()
}

/// Returns a section with its heading; nothing when it has nothing to say.
fn section(id: &str, heading: &str, note: &str, body: &Markup) -> Markup {
    html! {
        @if !body.0.is_empty() {
            section id=(id) aria-labelledby={ (id) "-heading" } {
                h2 id={ (id) "-heading" } { (heading) }
                @if !note.is_empty() { p class="note" { (note) } }
                (body)
            }
        }
    }
}

fn exposures(cx: &Cx<'_>) -> Markup {
    let found = cx.exposures();
    let list = html! {
        @if !found.is_empty() {
            ul class="callout danger" {
                @for exposure in &found { li { (exposure) } }
            }
        }
    };
    section("exposed", "Newly exposed", "Open to the world once this plan is applied.", &list)
}

fn warnings(plan: &Plan) -> Markup {
    section("warnings", "Warnings", "", &callouts(&plan.warnings))
}

fn checked(plan: &Plan) -> Markup {
    let problems: Vec<Diagnostic> = checks::problems(&plan.checks).collect();
    let body = html! {
        @if !plan.checks.is_empty() {
            (callouts(&problems))
            ul class="callout" {
                @for (_, what, names) in checks::tally(&plan.checks) {
                    li {
                        (names.len()) " " (what) ": "
                        @for (at, name) in names.iter().enumerate() {
                            @if at > 0 { ", " }
                            code { (plain(name)) }
                        }
                    }
                }
            }
        }
    };
    let note =
        "How they stand now, before anything is applied. They are no part of what is approved.";
    section("checks", "Checks", note, &body)
}

fn callouts(warnings: &[Diagnostic]) -> Markup {
    html! {
        @for warning in warnings {
            pre class="callout warning" { (toned(&diagnostic::one(warning, COLUMNS))) }
        }
    }
}

/// Returns lines of text, with classes for their tones.
fn toned(lines: &[Line]) -> Markup {
    html! {
        @for line in lines {
            @for piece in &line.pieces {
                @match piece.tone {
                    Tone::Strong | Tone::Danger => { strong { (piece.text) } }
                    Tone::Quiet => { span class="quiet" { (piece.text) } }
                    Tone::Plain | Tone::Added | Tone::Removed | Tone::Changed | Tone::Notice => {
                        (piece.text)
                    }
                }
            }
            "\n"
        }
    }
}

fn drift(cx: &Cx<'_>) -> Markup {
    let drift = cx.drift();
    let few = drift.len() <= MOST_DRIFT_OPEN;
    let list = html! {
        @for drift in &drift {
            @let heading = drift.heading();
            details class="card drift" open[few] {
                summary {
                    span class="symbol" aria-hidden="true" { "≠" }
                    h3 { (heading.name) span class="which" { (heading.count) } }
                    span class="what" { (heading.what) }
                }
                ul class="why" {
                    @for line in drift.lines() { li { (line) } }
                }
                (diff::markup(&cx.drift_body(drift, 0), diff::Side::Both))
            }
        }
    };
    let note = match cx.plan.options.mode {
        PlanMode::RefreshOnly => "What is there is not what was recorded.",
        PlanMode::Apply | PlanMode::Destroy => {
            "What is there is not what was recorded: somebody else changed it."
        }
    };
    section("drift", "Changed outside of reconcile", note, &list)
}

fn drawing(graph: &Graph, plan: &Plan, cards: &[Card<'_>]) -> Markup {
    let mut graph = graph.clone();
    graph.color(plan);
    let all = graph.len();
    if all > MOST_DRAWN {
        graph = graph.around_changes();
    }
    let anchors: BTreeMap<String, &str> =
        cards.iter().rev().map(|card| (card.block.clone(), card.anchor.as_str())).collect();
    let changed =
        plan.outputs.iter().filter(|(_, output)| output.action != reconcile_model::Action::NoOp);
    let outputs: Vec<String> = changed.map(|(name, _)| format!("output.{name}")).collect();
    let link = |name: &str| match anchors.get(name) {
        Some(anchor) => Some(format!("#{anchor}")),
        None => outputs.iter().any(|it| it == name).then(|| "#outputs".to_owned()),
    };
    let body = html! {
        @if graph.is_empty() {
        } @else if graph.len() > MOST_DRAWN {
            p {
                (graph.len()) " blocks change or are beside one that does: too many to be drawn here. "
                code { "reconcile graph --plan --format svg" }
                " draws them in a picture of its own."
            }
        } @else {
            details class="drawing" open {
                summary { "Graph of " (counted(graph.len(), "node")) }
                div class="canvas" tabindex="0" role="region" aria-label="Dependency graph" {
                    (PreEscaped(graph::embedded(&graph, &link)))
                }
            }
        }
    };
    let note = if all > MOST_DRAWN {
        "Only what changes, and what is directly beside it. An arrow leads to what is needed first."
    } else {
        "An arrow leads to what is needed first. A node with a change leads to it."
    };
    section("graph", "What depends on what", note, &body)
}

fn counted(count: usize, noun: &str) -> String {
    crate::quote::counted(count, noun)
}

fn changes(cards: &[Card<'_>]) -> Markup {
    let body = html! {
        @for group in cards.chunk_by(|a, b| a.entry.group == b.entry.group) {
            div class="group" {
                h3 class="group-heading" { (change::title(group[0].entry.group)) }
                @for card in group { (card.markup()) }
            }
        }
    };
    section("changes", "Changes", "", &body)
}

fn outputs(cx: &Cx<'_>) -> Markup {
    let body = diff::markup(&cx.outputs(), diff::Side::Both);
    let body = html! { @if !body.0.is_empty() { div class="card plain" { (body) } } };
    section("outputs", "Outputs", "", &body)
}

/// Returns what a plan does in one line, the worst first.
fn lead(plan: &Plan) -> String {
    if plan.is_empty() || only_records(plan) {
        return text::summary(plan);
    }
    let counts = plan.counts();
    let parts = [
        (counts.replace, "to replace"),
        (counts.delete, "to destroy"),
        (counts.update, "to change"),
        (counts.create, "to create"),
        (counts.read, "to read"),
        (counts.forget, "to forget"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .chain(records(plan))
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() { "Only outputs change".to_owned() } else { parts.join(", ") }
}

/// Returns an id for an element that a link can lead to, from any text: letters, digits, and `._-` stay, everything else
/// is written as a dash, and what is taken gets a number.
fn anchor(name: &str, taken: &mut BTreeMap<String, usize>) -> String {
    let slug: String = plain(name)
        .chars()
        .map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect();
    let slug = slug.trim_matches('-').to_owned();
    let count = taken.entry(slug.clone()).and_modify(|count| *count += 1).or_insert(1);
    // `change-` keeps it apart from the page's own ids.
    if *count == 1 { format!("change-{slug}") } else { format!("change-{slug}--{count}") }
}

/// Returns the class of an action.
fn class(action: reconcile_model::Action) -> &'static str {
    word(action)
}
