//! What frames the plan on its page: the bar, the list of changes, the summary, the help, style, script, and policy.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use maud::{Markup, PreEscaped, html};
use reconcile_model::{Plan, plan::PlanMode};
use sha2::{Digest as _, Sha256};

use super::{HtmlOptions, change::Card, class, lead};
use crate::{colors, graph, quote, section::Cx};

/// The page's script.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// Returns the page's style sheet.
pub(super) fn style() -> String {
    [&colors::variables(), include_str!("page.css"), graph::STYLE].concat()
}

/// Returns the content security policy: nothing is loaded, and nothing is run or styled but what is named by its digest.
pub(super) fn policy(style: &str) -> String {
    let digest = |text: &str| {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        format!("'sha256-{digest}'")
    };
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        digest(style),
        digest(SCRIPT)
    )
}

/// Returns the title, which a browser shows on a tab.
pub(super) fn title(plan: &Plan) -> String {
    format!("{}: {}", quote::plain(&plan.stack), lead(plan))
}

/// Returns the bar at the top.
pub(super) fn bar(plan: &Plan) -> Markup {
    html! {
        header class="bar" {
            p class="brand" { "reconcile" span { " / " (quote::plain(&plan.stack)) } }
            div class="tools" hidden {
                button type="button" id="view" aria-pressed="false" { "Side by side" }
                button type="button" id="fold" { "Open all" }
                button type="button" id="theme" { "Dark" }
                button type="button" id="keys" aria-haspopup="dialog" { "Keys " kbd { "?" } }
            }
        }
    }
}

/// Returns the list of changes with its filters.
pub(super) fn side(cards: &[Card<'_>]) -> Markup {
    html! {
        @if !cards.is_empty() {
            nav class="side" aria-label="Changes" {
                (filters(cards))
                ol class="list" {
                    @for card in cards {
                        li data-for=(card.anchor) {
                            a href={ "#" (card.anchor) } class=(class(card.action)) {
                                span class="symbol" aria-hidden="true" { (card.symbol()) }
                                span class="name" { (card.name) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn filters(cards: &[Card<'_>]) -> Markup {
    let mut actions: BTreeMap<reconcile_model::Action, usize> = BTreeMap::new();
    for card in cards {
        *actions.entry(card.action).or_default() += card.entry.changes.len();
    }
    // Both ways of replacing are one filter.
    let mut words: Vec<(&str, usize)> = Vec::new();
    for (action, count) in actions.into_iter().rev() {
        match words.iter_mut().find(|(word, _)| *word == class(action)) {
            Some((_, sum)) => *sum += count,
            None => words.push((class(action), count)),
        }
    }
    let types: BTreeSet<&str> = cards.iter().map(|card| card.type_name.as_str()).collect();
    html! {
        form class="filter" role="search" aria-label="Filter changes" hidden {
            input type="search" id="text" placeholder="Filter changes  /" aria-label="Text to look for"
                autocomplete="off" spellcheck="false";
            fieldset {
                legend { "Actions" }
                @for (word, count) in words {
                    label class={ "chip " (word) } {
                        input type="checkbox" name="action" value=(word) checked;
                        (said(word)) " " b { (count) }
                    }
                }
            }
            @if types.len() > 1 {
                select id="type" aria-label="Type" {
                    option value="" { "All types" }
                    @for name in types { option value=(name) { (name) } }
                }
            }
            p class="status" id="status" role="status" {}
        }
    }
}

/// Returns an action's word as people read it.
fn said(word: &str) -> &str {
    if word == "unchanged" { "move" } else { word }
}

/// Returns the summary: what the plan does, its fingerprint, and how to apply it.
pub(super) fn summary(cx: &Cx<'_>, options: &HtmlOptions) -> Markup {
    let plan = cx.plan;
    let kind = match plan.options.mode {
        PlanMode::Apply => "Plan",
        PlanMode::Destroy => "Plan to destroy everything",
        PlanMode::RefreshOnly => "Plan to record what is there",
    };
    html! {
        section class="summary" aria-labelledby="title" {
            p class="kind" { (kind) }
            h1 id="title" { (quote::plain(&plan.stack)) }
            (overview(cx))
            (narrowed(plan))
            (approval(plan, options))
        }
    }
}

fn overview(cx: &Cx<'_>) -> Markup {
    let rows = cx.overview();
    html! {
        @if rows.is_empty() {
            p class="lead" { (lead(cx.plan)) }
        } @else {
            ul class="overview" {
                @for (sign, what) in rows {
                    li {
                        span class={ "symbol " (tone(sign.symbol)) } aria-hidden="true" { (sign.symbol) }
                        (what)
                    }
                }
            }
        }
    }
}

fn tone(symbol: &str) -> &'static str {
    match symbol {
        "+" => "create",
        "~" => "update",
        "-" => "delete",
        "-/+" | "+/-" => "replace",
        "<=" => "read",
        _ => "forget",
    }
}

/// Says what the plan leaves out because that was asked for.
fn narrowed(plan: &Plan) -> Markup {
    let replace: Vec<String> = plan.options.replace.iter().map(ToString::to_string).collect();
    let rows = [
        ("Only", &plan.options.targets),
        ("Without", &plan.options.excludes),
        ("Asked to replace", &replace),
    ];
    html! {
        @for (what, names) in rows {
            @if !names.is_empty() {
                p class="callout notice" {
                    (what) ": "
                    @for (at, name) in names.iter().enumerate() {
                        @if at > 0 { ", " }
                        code { (quote::plain(name)) }
                    }
                }
            }
        }
    }
}

fn approval(plan: &Plan, options: &HtmlOptions) -> Markup {
    let records = plan.options.mode == PlanMode::RefreshOnly && !plan.drift.is_empty();
    if plan.is_empty() && !records {
        return PreEscaped(String::new());
    }
    let fingerprint = plan.fingerprint();
    let words = options.apply.iter().map(|word| crate::markdown::shell(word));
    let words: Vec<String> = words.chain(["--expect".to_owned(), fingerprint.clone()]).collect();
    html! {
        dl class="approval" {
            dt { "Fingerprint" }
            dd { (copied("fingerprint", &fingerprint)) }
            @if !options.apply.is_empty() {
                dt { "To apply this plan and no other" }
                dd { (copied("command", &words.join(" "))) }
            }
            @if !options.withheld.is_empty() {
                dt { "Sensitive variables, to be given again" }
                dd { @for name in &options.withheld { code { (quote::plain(name)) } " " } }
            }
        }
    }
}

/// Returns a text that a button copies.
fn copied(id: &str, text: &str) -> Markup {
    html! {
        code class="copied" id=(id) { (text) }
        button type="button" class="copy" data-copy=(id) hidden { "Copy" }
    }
}

/// Returns the list of keys, which the script shows.
pub(super) fn help() -> Markup {
    let keys = [
        ("j", "the next change"),
        ("k", "the change before"),
        ("Enter", "open or close it"),
        ("/", "filter by text"),
        ("Esc", "leave the filter, and empty it"),
        ("o", "open or close all"),
        ("v", "side by side, or unified"),
        ("g", "the graph"),
        ("t", "dark or light"),
        ("?", "this list"),
    ];
    html! {
        dialog id="help" aria-labelledby="help-heading" {
            h2 id="help-heading" { "Keys" }
            dl {
                @for (key, what) in keys {
                    div { dt { kbd { (key) } } dd { (what) } }
                }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}
