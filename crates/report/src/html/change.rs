//! One change, or several that are alike, as a card that opens and closes.

use std::collections::BTreeMap;

use maud::{Markup, html};
use reconcile_model::{Action, ResourceAddress};

use super::{anchor, class, diff};
use crate::section::{Cx, Entry, Group};

/// So many cards are open at first; of more, only those that destroy.
const MOST_OPEN: usize = 12;

/// How many blocks a card names that its own depends on.
const MOST_NEEDED: usize = 12;

/// A change as the page shows it.
pub(super) struct Card<'a> {
    pub(super) entry: Entry<'a>,
    /// The id of its element.
    pub(super) anchor: String,
    /// The block, as the graph names it.
    pub(super) block: String,
    /// The address, with the keys of all instances.
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) action: Action,
    is_open: bool,
    count: String,
    what: String,
    /// The name with what tells one object from another.
    heading: String,
    why: Vec<String>,
    diff: Markup,
    /// What the block depends on, with the anchor of its change if it has one.
    needs: Vec<(String, Option<String>)>,
}

/// Returns the cards of a plan's changes, in reading order.
pub(super) fn cards<'a>(cx: &Cx<'a>) -> Vec<Card<'a>> {
    let entries = cx.entries();
    let few = entries.len() <= MOST_OPEN;
    let mut taken = BTreeMap::new();
    let names: Vec<(String, String)> = entries
        .iter()
        .map(|entry| {
            let name = entry.name();
            let anchor = anchor(&name, &mut taken);
            (name, anchor)
        })
        .collect();
    let mut of_block: BTreeMap<&ResourceAddress, &str> = BTreeMap::new();
    for (entry, (_, anchor)) in entries.iter().zip(&names) {
        of_block.entry(&entry.first().address.resource).or_insert(anchor);
    }
    let needs: Vec<Vec<(String, Option<String>)>> = entries
        .iter()
        .map(|entry| {
            let needed = entry.first().dependencies.iter();
            needed
                .map(|it| (it.to_string(), of_block.get(it).map(|anchor| (*anchor).to_owned())))
                .collect()
        })
        .collect();
    let cards = entries.into_iter().zip(names).zip(needs);
    cards
        .map(|((entry, (name, anchor)), needs)| card(cx, entry, name, anchor, needs, few))
        .collect()
}

fn card<'a>(
    cx: &Cx<'a>,
    entry: Entry<'a>,
    name: String,
    anchor: String,
    needs: Vec<(String, Option<String>)>,
    few: bool,
) -> Card<'a> {
    let first = entry.first();
    let heading = entry.heading();
    let side = match first.action {
        Action::Create | Action::Read => diff::Side::After,
        Action::Delete => diff::Side::Before,
        Action::NoOp | Action::Update | Action::Replace(_) | Action::Forget => diff::Side::Both,
    };
    Card {
        anchor,
        block: first.address.resource.to_string(),
        name,
        type_name: first.address.type_name().to_owned(),
        action: first.action,
        is_open: few || entry.group == Group::Destroy,
        count: heading.count,
        what: heading.what,
        heading: heading.name,
        why: cx.reasons(&entry),
        diff: diff::markup(&cx.body(&entry, 0), side),
        needs,
        entry,
    }
}

impl Card<'_> {
    /// Returns the card.
    pub(super) fn markup(&self) -> Markup {
        let class = class(self.action);
        html! {
            details class={ "card change " (class) } id=(self.anchor) open[self.is_open]
                data-action=(class) data-type=(self.type_name) data-block=(self.block) {
                summary {
                    span class="symbol" aria-hidden="true" { (self.symbol()) }
                    h4 { (self.heading) span class="which" { (self.count) } }
                    span class="what" { (self.what) }
                }
                @if !self.why.is_empty() {
                    ul class="why" { @for line in &self.why { li { (line) } } }
                }
                (self.diff)
                @if !self.needs.is_empty() { (self.needed()) }
            }
        }
    }

    /// Returns the action's sign as people see it; a change without one is only recorded.
    pub(super) fn symbol(&self) -> &'static str {
        match self.action {
            Action::NoOp => "→",
            Action::Forget => "∅",
            Action::Read
            | Action::Create
            | Action::Update
            | Action::Replace(_)
            | Action::Delete => self.action.symbol(),
        }
    }

    fn needed(&self) -> Markup {
        html! {
            p class="needs" {
                "Depends on "
                @for (at, (name, anchor)) in self.needs.iter().take(MOST_NEEDED).enumerate() {
                    @if at > 0 { ", " }
                    @match anchor {
                        Some(anchor) => { a href={ "#" (anchor) } { (name) } }
                        None => { span { (name) } }
                    }
                }
                @if self.needs.len() > MOST_NEEDED {
                    ", and " (self.needs.len() - MOST_NEEDED) " more"
                }
            }
        }
    }
}

/// Returns the heading of a group of changes.
pub(super) fn title(group: Group) -> &'static str {
    match group {
        Group::Destroy => "Destroyed or replaced",
        Group::Update => "Changed in place",
        Group::Create => "Created",
        Group::Read => "Read during apply",
        Group::Import => "Imported",
        Group::Move => "Moved or forgotten",
    }
}
