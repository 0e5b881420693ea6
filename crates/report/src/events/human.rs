//! Events as plain lines, for people and for the logs of continuous integration.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use reconcile_model::{
    Address, CheckResult, CheckStatus, Diagnostic, Event, EventKind, ObjectId,
    event::{Outcome, Verb},
    plan::Counts,
};

use crate::{
    Reporter, TextOptions, checks, diagnostic,
    line::{Line, Tone, piece, render},
    quote::{counted, plain},
};

/// How long a change is silent while it waits. Progress events come far more often.
const SILENCE: Duration = Duration::from_secs(30);

/// Tells of a run in plain lines: one when a change starts, one every half minute while it waits, one when it ends, and a
/// summary.
#[derive(Debug)]
pub struct Human<W> {
    out: W,
    options: TextOptions,
    error: Option<io::Error>,
    /// When something was last said of what is in flight, in milliseconds since the epoch.
    said: BTreeMap<(Address, Verb), u64>,
    /// The same of checks.
    said_checks: BTreeMap<String, u64>,
    /// Whether only what lasts is told, because what goes on is shown otherwise.
    lasting: bool,
    /// Whether the checks are set apart from what came before.
    checking: bool,
    /// Whether the last line was empty.
    spaced: bool,
    failed: Vec<(Address, Verb, Diagnostic)>,
    skipped: BTreeMap<Option<Address>, Vec<Address>>,
}

impl<W: io::Write> Human<W> {
    /// Returns a reporter that writes to `out`.
    pub fn new(out: W, options: TextOptions) -> Self {
        Self {
            out,
            options,
            error: None,
            said: BTreeMap::new(),
            said_checks: BTreeMap::new(),
            lasting: false,
            checking: true,
            spaced: false,
            failed: Vec::new(),
            skipped: BTreeMap::new(),
        }
    }

    /// Returns a reporter that tells only what lasts: how each change ended, what went wrong, and the summary. What goes
    /// on meanwhile is for [`Live`](crate::events::Live).
    pub fn lasting(out: W, options: TextOptions) -> Self {
        Self { lasting: true, ..Self::new(out, options) }
    }

    /// Returns what is written to.
    pub fn out(&mut self) -> &mut W {
        &mut self.out
    }

    /// Sets how text is laid out from here on, as when a terminal changes its size.
    pub fn lay_out(&mut self, options: TextOptions) {
        self.options = options;
    }

    /// Returns what was written to.
    ///
    /// # Errors
    ///
    /// The first error in writing; after it, nothing more was written.
    pub fn finish(mut self) -> io::Result<W> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn say(&mut self, lines: &[Line]) {
        if self.error.is_none() {
            self.spaced = lines.last().is_some_and(|line| line.pieces.is_empty());
            let text = render(lines, self.options);
            self.error = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).err();
        }
    }

    fn tell(&mut self, address: &Address, tone: Tone, text: String) {
        self.say(&[Line {
            pieces: vec![piece(Tone::Strong, plain(&format!("{address}: "))), piece(tone, text)],
            ..Line::blank()
        }]);
    }

    /// Tells whether it is time to say again that a change goes on.
    fn is_due(&mut self, at: u64, address: &Address, verb: Verb) -> bool {
        let said = self.said.entry((address.clone(), verb)).or_insert(at);
        !self.lasting && is_due(said, at)
    }

    fn tell_of_check(&mut self, name: &str, tone: Tone, text: String) {
        let address = reconcile_model::check::address(name);
        self.say(&[Line {
            pieces: vec![piece(Tone::Strong, plain(&format!("{address}: "))), piece(tone, text)],
            ..Line::blank()
        }]);
    }

    fn check_started(&mut self, at: u64, name: &str) {
        self.said_checks.insert(name.to_owned(), at);
        if !self.checking {
            self.checking = true;
            self.say(&[Line::blank()]);
        }
        if !self.lasting {
            self.tell_of_check(name, Tone::Plain, "Checking...".to_owned());
        }
    }

    fn check_finished(&mut self, result: &CheckResult, elapsed: Duration) {
        self.said_checks.remove(&result.name);
        let (word, tone) = checks::word(result.status);
        let text = match result.status {
            CheckStatus::Pass | CheckStatus::Fail => {
                let (first, rest) = word.split_at(1);
                format!("{}{rest} after {}", first.to_uppercase(), clock(elapsed))
            }
            CheckStatus::Error => format!("It could not be told, after {}", clock(elapsed)),
            CheckStatus::Unknown => "It cannot be told yet".to_owned(),
        };
        self.tell_of_check(&result.name, tone, text);
        let mut lines = Vec::new();
        for problem in &result.problems {
            lines.push(Line::blank());
            let problem = checks::titled(result, problem);
            lines.extend(diagnostic::one(&problem, self.options.columns()));
        }
        if !lines.is_empty() {
            lines.push(Line::blank());
            self.say(&lines);
        }
    }

    fn finished(&mut self, change: Finished<'_>) {
        let Finished { address, verb, id, elapsed, outcome, notes } = change;
        self.said.remove(&(address.clone(), verb));
        let id = named(id);
        let (_, _, noun) = words(verb);
        match outcome {
            Outcome::Done => {
                let text = format!("{noun} complete after {}{id}", clock(elapsed));
                self.tell(address, Tone::Plain, text);
            }
            Outcome::Failed { diagnostic } => {
                let summary = plain(&diagnostic.summary);
                let text = format!("{noun} failed after {}{id}: {summary}", clock(elapsed));
                self.tell(address, Tone::Danger, text);
                self.failed.push((address.clone(), verb, (**diagnostic).clone()));
            }
            Outcome::Skipped { because_of } => {
                let because_of = because_of.clone();
                self.skipped.entry(because_of).or_default().push(address.clone());
            }
        }
        for note in notes {
            self.tell(address, Tone::Notice, format!("Note: {}", plain(note)));
        }
    }

    fn summary(&mut self, done: Counts, skipped: usize, elapsed: Duration, calls: u64) {
        let failed = std::mem::take(&mut self.failed);
        let because = std::mem::take(&mut self.skipped);
        let mut lines = if self.spaced { vec![] } else { vec![Line::blank()] };
        for (address, _, diagnostic) in &failed {
            let about = diagnostic.address.clone().or_else(|| Some(address.clone()));
            let diagnostic = Diagnostic { address: about, ..diagnostic.clone() };
            lines.extend(diagnostic::one(&diagnostic, self.options.columns()));
            lines.push(Line::blank());
        }
        let took = format!(" ({}, {})", clock(elapsed), counted_calls(calls));
        let whole = failed.is_empty() && skipped == 0;
        let (tone, text) = if whole && only_deletes(done) {
            (Tone::Added, format!("Destroy complete! Resources: {} destroyed.", done.delete))
        } else if whole {
            (Tone::Added, format!("Apply complete! Resources: {}.", amounts(done)))
        } else if failed.is_empty() {
            (Tone::Changed, format!("Apply stopped. Resources: {}.", amounts(done)))
        } else {
            (Tone::Danger, format!("Apply incomplete. Resources: {}.", amounts(done)))
        };
        lines.push(Line {
            pieces: vec![piece(tone, text), piece(Tone::Quiet, took)],
            ..Line::blank()
        });
        for (address, verb, diagnostic) in &failed {
            let (_, _, noun) = words(*verb);
            let what = format!("{}: {}", noun.to_lowercase(), plain(&diagnostic.summary));
            lines.push(Line {
                pieces: vec![
                    piece(Tone::Danger, "  failed   "),
                    piece(Tone::Plain, plain(&format!("{address} ({what})"))),
                ],
                ..Line::blank()
            });
        }
        for (because, addresses) in &because {
            let why = match because {
                Some(address) => format!(" (waited for {address})"),
                None => " (the run was stopped)".to_owned(),
            };
            for address in addresses {
                lines.push(Line {
                    pieces: vec![
                        piece(Tone::Changed, "  skipped  "),
                        piece(Tone::Plain, plain(&format!("{address}{why}"))),
                    ],
                    ..Line::blank()
                });
            }
        }
        if !whole {
            let text = "What was done is recorded: apply again to go on from here.";
            lines.push(Line::text(Tone::Plain, text));
        }
        self.say(&lines);
    }
}

/// The parts of an event that tells of a change's end.
struct Finished<'a> {
    address: &'a Address,
    verb: Verb,
    id: Option<&'a ObjectId>,
    elapsed: Duration,
    outcome: &'a Outcome,
    notes: &'a [String],
}

impl<W: io::Write> Reporter for Human<W> {
    fn report(&mut self, event: &Event) {
        match &event.kind {
            EventKind::RunStarted { .. }
            | EventKind::PlanFinished { .. }
            | EventKind::ApplyStarted { .. } => {}
            EventKind::Recovered { what } => {
                let text = format!("Settled after an interrupted run: {}.", plain(what));
                self.say(&[Line::text(Tone::Plain, text)]);
            }
            EventKind::RefreshStarted { objects } if *objects == 0 || self.lasting => {}
            EventKind::RefreshStarted { objects } => {
                let text = format!("Refreshing {}...", counted(*objects, "object"));
                self.say(&[Line::text(Tone::Quiet, text)]);
            }
            EventKind::RefreshFinished { calls: 0, .. } => {}
            EventKind::RefreshFinished { elapsed, calls } => {
                let (elapsed, calls) = (clock(*elapsed), counted_calls(*calls));
                let text = format!("Refreshed in {elapsed} ({calls}).");
                self.say(&[Line::text(Tone::Quiet, text)]);
            }
            EventKind::ChangeStarted { address, verb, id } => {
                self.said.insert((address.clone(), *verb), event.at);
                let (doing, _, _) = words(*verb);
                if !self.lasting {
                    let text = format!("{doing}...{}", named(id.as_ref()));
                    self.tell(address, Tone::Plain, text);
                }
            }
            EventKind::ChangeProgress { address, verb, id, waiting_for, elapsed, calls: _ } => {
                if self.is_due(event.at, address, *verb) {
                    let (_, still, _) = words(*verb);
                    let id =
                        id.as_ref().map(|id| format!(", id={}", brief(id))).unwrap_or_default();
                    let elapsed = clock(*elapsed);
                    let mut text = format!("Still {still}... [{elapsed} elapsed{id}]");
                    if !waiting_for.is_empty() {
                        text.push(' ');
                        text.push_str(&plain(waiting_for));
                    }
                    self.tell(address, Tone::Quiet, text);
                }
            }
            EventKind::RetryScheduled { address, verb, error, delay } => {
                if self.is_due(event.at, address, *verb) {
                    let (_, still, _) = words(*verb);
                    let (error, delay) = (plain(error), clock(*delay));
                    let text = format!("Still {still}... next try in {delay}: {error}");
                    self.tell(address, Tone::Quiet, text);
                }
            }
            EventKind::ChangeFinished { address, verb, id, elapsed, outcome, notes, calls: _ } => {
                let (verb, id, elapsed) = (*verb, id.as_ref(), *elapsed);
                self.finished(Finished { address, verb, id, elapsed, outcome, notes });
            }
            EventKind::RunStopping { in_flight } => {
                let what = counted(*in_flight, "change");
                let text = format!(
                    "Stopping: waiting for {what} in flight, nothing new starts. Interrupt again to stop at once."
                );
                self.say(&[Line::text(Tone::Changed, text)]);
            }
            EventKind::Message { diagnostic } => {
                let mut lines = diagnostic::one(diagnostic, self.options.columns());
                lines.push(Line::blank());
                self.say(&lines);
            }
            EventKind::ApplyFinished { done, failed: _, skipped, elapsed, calls } => {
                self.summary(*done, *skipped, *elapsed, *calls);
                self.checking = false;
            }
            EventKind::CheckStarted { name } => self.check_started(event.at, name),
            EventKind::CheckProgress { name, attempt, attempts, problem, elapsed } => {
                let said = self.said_checks.entry(name.clone()).or_insert(event.at);
                if is_due(said, event.at) && !self.lasting {
                    let (elapsed, problem) = (clock(*elapsed), plain(problem));
                    let text = format!(
                        "Still checking... [{elapsed} elapsed, attempt {attempt} of {attempts}] {problem}"
                    );
                    self.tell_of_check(name, Tone::Quiet, text);
                }
            }
            EventKind::CheckFinished { result, elapsed } => self.check_finished(result, *elapsed),
        }
    }
}

/// Tells whether it is time to say something again, and if so takes note that it is said.
fn is_due(said: &mut u64, at: u64) -> bool {
    let due = u128::from(at.saturating_sub(*said)) >= SILENCE.as_millis();
    if due {
        *said = at;
    }
    due
}

/// Returns the words for starting, going on, and the thing itself.
pub(super) fn words(verb: Verb) -> (&'static str, &'static str, &'static str) {
    match verb {
        Verb::Create => ("Creating", "creating", "Creation"),
        Verb::Update => ("Modifying", "modifying", "Modifications"),
        Verb::Delete => ("Destroying", "destroying", "Destruction"),
        Verb::Read => ("Reading", "reading", "Read"),
        Verb::Forget => ("Forgetting", "forgetting", "Removal from the state"),
    }
}

/// Returns a duration as people say it: `0.4s`, `12s`, `2m5s`, `1h0m3s`.
pub(super) fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("0.{}s", elapsed.subsec_millis() / 100),
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// Returns "3 added, 1 changed, 0 destroyed", and what else there was.
pub(super) fn amounts(done: Counts) -> String {
    let Counts { create, update, replace, delete, read: _, forget } = done;
    let mut parts =
        vec![format!("{create} added"), format!("{update} changed"), format!("{delete} destroyed")];
    for (count, what) in [(replace, "replaced"), (forget, "forgotten")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

/// Tells whether deleting was all that was done.
pub(super) fn only_deletes(done: Counts) -> bool {
    let Counts { create, update, replace, delete, read, forget } = done;
    delete > 0 && create + update + replace + read + forget == 0
}

fn counted_calls(calls: u64) -> String {
    if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") }
}

/// Returns ` [id=i-0ab1]`, or nothing while there is no id.
fn named(id: Option<&ObjectId>) -> String {
    id.map(|id| format!(" [id={}]", brief(id))).unwrap_or_default()
}

/// Returns an id without the part of an ARN that is the same for all of a stack: `loadbalancer/app/web/50dc6c495c0c9188`.
fn brief(id: &ObjectId) -> String {
    let resource = |part: &str| match part.strip_prefix("arn:").map(|it| it.splitn(5, ':')) {
        Some(mut fields) => fields.nth(4).unwrap_or(part).to_owned(),
        None => part.to_owned(),
    };
    plain(&id.as_str().split(',').map(resource).collect::<Vec<_>>().join(","))
}
