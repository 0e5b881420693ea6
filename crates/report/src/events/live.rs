//! What goes on right now, as a few lines that are drawn anew again and again: for a terminal.
//!
//! It takes the same events as the other reporters, and gives lines on demand: for a time, and for so many columns and
//! rows. What lasts is told by [`Human::lasting`](crate::events::Human::lasting) above it.

use std::collections::BTreeMap;
use std::time::Duration;

use reconcile_model::{Address, Event, EventKind, event::Verb};

use super::human::{clock, words};
use crate::{
    Reporter, Style,
    line::{Tone, paint},
    quote::{counted, plain, width},
};

/// From so many columns on, what is done is written out; below, a sign stands for it.
const ROOMY: usize = 60;

/// The columns of the bar, and the fewest columns of a terminal that has one.
const BAR: usize = 20;

/// The fewest columns in which it is worth saying what something waits for.
const WORTH_SAYING: usize = 10;

/// What goes on right now.
#[derive(Debug, Default)]
pub struct Live {
    phase: Phase,
    in_flight: BTreeMap<(Address, Verb), Item>,
    checks: BTreeMap<String, Item>,
    calls: u64,
    stopping: bool,
}

/// What the run is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing that takes time, or nothing that it tells of.
    #[default]
    Idle,
    /// Reading so many objects, since then.
    Refreshing { objects: usize, since: u64 },
    /// Carrying out a plan, since then: how many steps are done, and how many there are.
    Applying { done: usize, steps: usize, since: u64 },
    /// Looking at checks, since then.
    Checking { since: u64 },
}

/// One thing in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    since: u64,
    /// What it waits for; empty when it works.
    waiting_for: String,
}

impl Item {
    fn new(since: u64) -> Self {
        Self { since, waiting_for: String::new() }
    }
}

impl Reporter for Live {
    fn report(&mut self, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::RefreshStarted { objects } if *objects > 0 => {
                self.phase = Phase::Refreshing { objects: *objects, since: at };
            }
            EventKind::ApplyStarted { steps } => {
                self.phase = Phase::Applying { done: 0, steps: *steps, since: at };
            }
            EventKind::ChangeStarted { address, verb, .. } => {
                self.in_flight.insert((address.clone(), *verb), Item::new(at));
            }
            EventKind::ChangeProgress { address, verb, waiting_for, calls, .. } => {
                self.calls = *calls;
                self.waits(address, *verb, state(waiting_for).to_owned());
            }
            EventKind::RetryScheduled { address, verb, error, delay } => {
                let text = format!("next try in {}: {error}", clock(*delay));
                self.waits(address, *verb, text);
            }
            EventKind::ChangeFinished { address, verb, calls, .. } => {
                self.calls = *calls;
                self.in_flight.remove(&(address.clone(), *verb));
                if let Phase::Applying { done, .. } = &mut self.phase {
                    *done += 1;
                }
            }
            EventKind::CheckStarted { name } => {
                self.checks.insert(name.clone(), Item::new(at));
                if !matches!(self.phase, Phase::Checking { .. }) {
                    self.phase = Phase::Checking { since: at };
                }
            }
            EventKind::CheckProgress { name, attempt, attempts, problem, .. } => {
                if let Some(item) = self.checks.get_mut(name) {
                    item.waiting_for = format!("attempt {attempt} of {attempts}: {problem}");
                }
            }
            EventKind::CheckFinished { result, .. } => {
                self.checks.remove(&result.name);
                if self.checks.is_empty() {
                    self.phase = Phase::Idle;
                }
            }
            EventKind::RunStopping { .. } => self.stopping = true,
            EventKind::RefreshStarted { .. }
            | EventKind::RefreshFinished { .. }
            | EventKind::PlanFinished { .. }
            | EventKind::ApplyFinished { .. } => {
                self.phase = Phase::Idle;
                self.in_flight.clear();
            }
            EventKind::RunStarted { .. }
            | EventKind::Recovered { .. }
            | EventKind::Message { .. } => {}
        }
    }
}

impl Live {
    /// Tells whether anything goes on that there are lines of.
    pub fn is_busy(&self) -> bool {
        self.phase != Phase::Idle
    }

    fn waits(&mut self, address: &Address, verb: Verb, waiting_for: String) {
        if let Some(item) = self.in_flight.get_mut(&(address.clone(), verb)) {
            item.waiting_for = waiting_for;
        }
    }

    /// Returns what goes on at a time, in at most so many lines of at most so many columns. None when nothing does.
    ///
    /// The first line says how far the run is. What has run longest comes first; what there is no room for is counted.
    pub fn lines(&self, now: u64, columns: usize, rows: usize, style: Style) -> Vec<String> {
        let Some(head) = self.head(now, columns, style) else { return Vec::new() };
        let mut lines = vec![head];
        let items = self.items();
        let room = rows.saturating_sub(1);
        let shown = if items.len() > room { room.saturating_sub(1) } else { items.len() };
        let layout = Layout::new(&items[..shown], columns);
        lines.extend(items[..shown].iter().map(|item| layout.line(item, now, style)));
        if shown < items.len() && room > 0 {
            let more = fit(&format!("  and {} more", items.len() - shown), columns);
            lines.push(painted(Tone::Quiet, &more, style));
        }
        lines
    }

    fn head(&self, now: u64, columns: usize, style: Style) -> Option<String> {
        let took = |since: u64| whole(now, since);
        let mut out = String::new();
        let text = match self.phase {
            Phase::Idle => return None,
            Phase::Refreshing { objects, since } => {
                format!("Refreshing {} · {}", counted(objects, "object"), took(since))
            }
            Phase::Applying { done, steps, since } => {
                if columns >= ROOMY {
                    let full = (done * BAR).checked_div(steps).unwrap_or(BAR).min(BAR);
                    paint(&mut out, Tone::Added, &"━".repeat(full), style);
                    paint(&mut out, Tone::Quiet, &"─".repeat(BAR - full), style);
                    out.push(' ');
                }
                let running = self.in_flight.len();
                let calls = if self.calls == 1 { "call" } else { "calls" };
                let mut parts = vec![format!("{done}/{steps} done"), format!("{running} running")];
                if columns >= ROOMY {
                    parts.push(format!("{} {calls}", self.calls));
                }
                parts.push(took(since));
                if self.stopping {
                    parts.insert(0, "stopping".to_owned());
                }
                parts.join(" · ")
            }
            Phase::Checking { since } => {
                format!("Looking at {} · {}", counted(self.checks.len(), "check"), took(since))
            }
        };
        let used = if columns >= ROOMY && matches!(self.phase, Phase::Applying { .. }) {
            BAR + 1
        } else {
            0
        };
        let tone = if self.stopping { Tone::Changed } else { Tone::Plain };
        paint(&mut out, tone, &fit(&text, columns.saturating_sub(used)), style);
        Some(out)
    }

    /// Returns what is in flight, the oldest first.
    fn items(&self) -> Vec<Shown> {
        let changes = self.in_flight.iter().map(|((address, verb), item)| Shown {
            verb: Some(*verb),
            name: plain(&address.to_string()),
            item: item.clone(),
        });
        let checks = self.checks.iter().map(|(name, item)| Shown {
            verb: None,
            name: reconcile_model::check::address(name),
            item: item.clone(),
        });
        let mut items: Vec<Shown> = changes.chain(checks).collect();
        items.sort_by(|a, b| (a.item.since, &a.name).cmp(&(b.item.since, &b.name)));
        items
    }
}

/// One thing in flight, as it is shown.
struct Shown {
    verb: Option<Verb>,
    name: String,
    item: Item,
}

/// How the lines are divided into columns.
struct Layout {
    columns: usize,
    verb: usize,
    name: usize,
}

/// The columns of a time, a space before it included: `1h0m3s` is the longest that is usual.
const TIME: usize = 7;

impl Layout {
    fn new(items: &[Shown], columns: usize) -> Self {
        let verb = if columns >= ROOMY { 13 } else { 4 };
        let longest = items.iter().map(|shown| width(&shown.name)).max().unwrap_or_default();
        let name = longest.min(columns.saturating_sub(verb + TIME));
        Self { columns, verb, name }
    }

    fn line(&self, shown: &Shown, now: u64, style: Style) -> String {
        let mut out = String::new();
        let (word, sign, tone) = match shown.verb {
            Some(verb) => {
                let (_, word, _) = words(verb);
                let (sign, tone) = sign(verb);
                (word, sign, tone)
            }
            None => ("checking", "?", Tone::Notice),
        };
        let text = if self.verb > 4 { word } else { sign };
        out.push_str("  ");
        paint(&mut out, tone, text, style);
        pad(&mut out, self.verb.saturating_sub(2 + text.len()));
        let name = fit_end(&shown.name, self.name);
        paint(&mut out, Tone::Strong, &name, style);
        pad(&mut out, self.name.saturating_sub(width(&name)));
        let time = whole(now, shown.item.since);
        pad(&mut out, TIME.saturating_sub(time.len()));
        paint(&mut out, Tone::Plain, &time, style);
        let left = self.columns.saturating_sub(self.verb + self.name + TIME.max(time.len()) + 2);
        if left >= WORTH_SAYING && !shown.item.waiting_for.is_empty() {
            out.push_str("  ");
            paint(&mut out, Tone::Quiet, &fit(&plain(&shown.item.waiting_for), left), style);
        }
        out
    }
}

/// Returns the state that something is in, without what is waited for: that is plain from what is done to it.
fn state(waiting_for: &str) -> &str {
    waiting_for.split_once(", waiting").map_or(waiting_for, |(state, _)| state)
}

fn sign(verb: Verb) -> (&'static str, Tone) {
    match verb {
        Verb::Create => ("+", Tone::Added),
        Verb::Update => ("~", Tone::Changed),
        Verb::Delete => ("-", Tone::Removed),
        Verb::Read => ("<", Tone::Notice),
        Verb::Forget => (".", Tone::Plain),
    }
}

/// Returns how long something has taken, in whole seconds: fractions that flicker tell nobody anything.
fn whole(now: u64, since: u64) -> String {
    let seconds = now.saturating_sub(since) / 1000;
    if seconds == 0 { "0s".to_owned() } else { clock(Duration::from_secs(seconds)) }
}

fn painted(tone: Tone, text: &str, style: Style) -> String {
    let mut out = String::new();
    paint(&mut out, tone, text, style);
    out
}

fn pad(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}

/// Cuts a text to so many columns, at its end.
fn fit(text: &str, columns: usize) -> String {
    cut(text.chars(), text, columns, |kept| format!("{kept}…"))
}

/// Cuts a name to so many columns, at its beginning: what tells one address from another is at the end.
fn fit_end(text: &str, columns: usize) -> String {
    cut(text.chars().rev(), text, columns, |kept| {
        format!("…{}", kept.chars().rev().collect::<String>())
    })
}

fn cut(
    chars: impl Iterator<Item = char>,
    text: &str,
    columns: usize,
    mark: impl Fn(&str) -> String,
) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = String::new();
    for c in chars {
        let more = format!("{kept}{c}");
        if width(&more) >= columns {
            break;
        }
        kept = more;
    }
    mark(kept.trim_end())
}

#[cfg(test)]
mod tests;
