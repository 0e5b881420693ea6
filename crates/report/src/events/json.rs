//! Events as JSON, one on each line.
//!
//! A line has two parts. The envelope is that of Terraform's machine-readable output (`@level`, `@message`,
//! `@module`, `@timestamp`, `type`, and `hook`, `changes`, or `diagnostic`), with Terraform's type names where the meaning
//! is the same (`version`, `change_summary`, `apply_start`, `apply_progress`, `apply_complete`, `apply_errored`,
//! `diagnostic`), so that what reads Terraform's reads ours. `event` holds our own event in full, from which the run can
//! be told again; see [`read_line`].

use std::io;

use reconcile_model::{
    Address, CheckStatus, Event, EventKind, InstanceKey, Mode, ObjectId, check,
    event::{Outcome, Verb},
    plan::Counts,
};
use serde_json::{Value as Json_, json};
use thiserror::Error;

use super::human::{amounts, only_deletes, words};
use crate::{Reporter, checks, diagnostic, events::human::clock};

/// The version of the envelope: that of Terraform's machine-readable output.
const UI_VERSION: &str = "1.2";

/// Tells of a run in JSON, one event on each line.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    error: Option<io::Error>,
}

impl<W: io::Write> Json<W> {
    /// Returns a reporter that writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, error: None }
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
}

impl<W: io::Write> Reporter for Json<W> {
    fn report(&mut self, event: &Event) {
        if self.error.is_none() {
            let line = line(event);
            let written = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush());
            self.error = written.err();
        }
    }
}

/// A line that holds no event.
#[derive(Debug, Error)]
#[error("this is not a line of recorded events")]
pub struct NoEvent(#[source] serde_json::Error);

/// What a line holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// An event.
    Event(Box<Event>),
    /// An event of a kind that this version does not know. It is passed over: a newer version wrote it.
    Unknown,
}

/// The kinds of event that this version knows, by the `type` of their own part.
const KINDS: [&str; 16] = [
    "run_started",
    "refresh_started",
    "refresh_finished",
    "plan_finished",
    "apply_started",
    "change_started",
    "change_progress",
    "retry_scheduled",
    "change_finished",
    "recovered",
    "check_started",
    "check_progress",
    "check_finished",
    "run_stopping",
    "message",
    "apply_finished",
];

/// Returns the event of a line, as [`line()`] wrote it.
///
/// # Errors
///
/// When the line is not JSON, holds no event, or an event of a known kind that is not as it should be.
pub fn read_line(line: &str) -> Result<Read, NoEvent> {
    let mut whole: Json_ = serde_json::from_str(line).map_err(NoEvent)?;
    let event = whole.get_mut("event").map(Json_::take).unwrap_or_default();
    let kind = event.get("type").and_then(Json_::as_str);
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        return Ok(Read::Unknown);
    }
    serde_json::from_value(event).map(|event| Read::Event(Box::new(event))).map_err(NoEvent)
}

/// Returns an event as a line of JSON, line end included.
pub fn line(event: &Event) -> String {
    let Told { level, type_name, message, extra } = tell(event);
    let mut out = serde_json::Map::new();
    out.insert("@level".to_owned(), level.into());
    out.insert("@message".to_owned(), message.into());
    out.insert("@module".to_owned(), "reconcile.ui".into());
    out.insert("@timestamp".to_owned(), timestamp(event.at).into());
    out.insert("type".to_owned(), type_name.into());
    if let Json_::Object(extra) = extra {
        out.extend(extra);
    }
    let own = serde_json::to_value(event).expect("an event has nothing that JSON cannot say");
    out.insert("event".to_owned(), own);
    format!("{}\n", Json_::Object(out))
}

/// What the envelope of an event says.
struct Told {
    level: &'static str,
    type_name: &'static str,
    message: String,
    extra: Json_,
}

fn info(type_name: &'static str, message: impl Into<String>, extra: Json_) -> Told {
    Told { level: "info", type_name, message: message.into(), extra }
}

fn tell(event: &Event) -> Told {
    match &event.kind {
        EventKind::RunStarted { version, stack, .. } => info(
            "version",
            format!("reconcile {version}"),
            json!({ "reconcile": version, "ui": UI_VERSION, "stack": stack }),
        ),
        EventKind::RefreshStarted { objects } => {
            info("refresh_batch_start", format!("Refreshing {objects} objects"), Json_::Null)
        }
        EventKind::RefreshFinished { elapsed, .. } => {
            let message = format!("Refreshed in {}", clock(*elapsed));
            info("refresh_batch_complete", message, Json_::Null)
        }
        EventKind::PlanFinished { changes, fingerprint } => {
            let message = format!(
                "Plan: {} to add, {} to change, {} to destroy, {} to replace",
                changes.create, changes.update, changes.delete, changes.replace
            );
            let mut extra = summary(*changes, "plan");
            extra["fingerprint"] = fingerprint.as_str().into();
            info("change_summary", message, extra)
        }
        EventKind::ApplyStarted { steps } => {
            info("apply_batch_start", format!("Applying {steps} steps"), Json_::Null)
        }
        EventKind::ChangeStarted { address, verb, id } => {
            let (doing, _, _) = words(*verb);
            let hook = hook(address, *verb, id.as_ref(), None);
            info("apply_start", format!("{address}: {doing}..."), hook)
        }
        EventKind::ChangeProgress { address, verb, id, waiting_for, elapsed, calls: _ } => {
            let (_, still, _) = words(*verb);
            let mut hook = hook(address, *verb, id.as_ref(), Some(elapsed.as_secs()));
            hook["hook"]["waiting_for"] = waiting_for.as_str().into();
            let elapsed = clock(*elapsed);
            let message = format!("{address}: Still {still}... [{elapsed} elapsed] {waiting_for}");
            info("apply_progress", message, hook)
        }
        EventKind::RetryScheduled { address, verb, error, delay } => {
            let hook = hook(address, *verb, None, None);
            let message = format!("{address}: next try in {}: {error}", clock(*delay));
            Told { level: "warn", type_name: "retry_scheduled", message, extra: hook }
        }
        EventKind::ChangeFinished { address, verb, id, elapsed, outcome, .. } => {
            let (_, _, noun) = words(*verb);
            let mut hook = hook(address, *verb, id.as_ref(), Some(elapsed.as_secs()));
            let elapsed = clock(*elapsed);
            match outcome {
                Outcome::Done => {
                    let message = format!("{address}: {noun} complete after {elapsed}");
                    info("apply_complete", message, hook)
                }
                Outcome::Failed { diagnostic: failure } => {
                    hook["diagnostic"] = diagnostic::json_one(failure);
                    let message = format!("{address}: {noun} failed after {elapsed}");
                    Told { level: "error", type_name: "apply_errored", message, extra: hook }
                }
                Outcome::Skipped { because_of } => {
                    let why = match because_of {
                        Some(failed) => format!("{failed} failed"),
                        None => "the run was stopped".to_owned(),
                    };
                    info("apply_skipped", format!("{address}: Skipped, because {why}"), hook)
                }
            }
        }
        EventKind::Recovered { what } => {
            info("recovered", format!("Settled after an interrupted run: {what}"), Json_::Null)
        }
        EventKind::CheckStarted { name } => {
            let check = json!({ "check": { "address": check::address(name) } });
            info("check_start", format!("{}: Checking...", check::address(name)), check)
        }
        EventKind::CheckProgress { name, attempt, attempts, problem, elapsed } => {
            let address = check::address(name);
            let message = format!(
                "{address}: Still checking... [{} elapsed, attempt {attempt} of {attempts}] {problem}",
                clock(*elapsed)
            );
            info("check_progress", message, json!({ "check": { "address": address } }))
        }
        EventKind::CheckFinished { result, .. } => {
            let (word, _) = checks::word(result.status);
            let level = match result.status {
                CheckStatus::Pass | CheckStatus::Unknown => "info",
                CheckStatus::Fail | CheckStatus::Error => "warn",
            };
            Told {
                level,
                type_name: "check_complete",
                message: format!("{}: {word}", result.address()),
                extra: json!({ "check": checks::one_json(result) }),
            }
        }
        EventKind::RunStopping { in_flight } => {
            info("run_stopping", format!("Stopping, {in_flight} in flight"), Json_::Null)
        }
        EventKind::Message { diagnostic: told } => Told {
            level: if told.is_error() { "error" } else { "warn" },
            type_name: "diagnostic",
            message: format!("{:?}: {}", told.severity, told.summary),
            extra: json!({ "diagnostic": diagnostic::json_one(told) }),
        },
        EventKind::ApplyFinished { done, failed, skipped, .. } => {
            let operation = if only_deletes(*done) { "destroy" } else { "apply" };
            let how = if failed + skipped == 0 { "complete" } else { "incomplete" };
            let message = format!("Apply {how}! Resources: {}", amounts(*done));
            info("change_summary", message, summary(*done, operation))
        }
    }
}

/// Counts as Terraform does: a replacement is an addition and a removal.
fn summary(counts: Counts, operation: &str) -> Json_ {
    let Counts { create, update, replace, delete, read: _, forget } = counts;
    json!({
        "changes": {
            "add": create + replace,
            "change": update,
            "import": 0,
            "remove": delete + replace,
            "forget": forget,
            "operation": operation,
        },
    })
}

fn hook(address: &Address, verb: Verb, id: Option<&ObjectId>, seconds: Option<u64>) -> Json_ {
    let action = match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Read => "read",
        Verb::Forget => "forget",
    };
    let mut hook = serde_json::Map::new();
    hook.insert("resource".to_owned(), resource(address));
    hook.insert("action".to_owned(), action.into());
    if let Some(id) = id {
        hook.insert("id_key".to_owned(), "id".into());
        hook.insert("id_value".to_owned(), id.as_str().into());
    }
    if let Some(seconds) = seconds {
        hook.insert("elapsed_seconds".to_owned(), seconds.into());
    }
    json!({ "hook": hook })
}

fn resource(address: &Address) -> Json_ {
    let block = &address.resource;
    let module: Vec<String> = block.module.iter().map(ToString::to_string).collect();
    let local = reconcile_model::ResourceAddress { module: Vec::new(), ..block.clone() };
    let provider = block.type_name.split('_').next().unwrap_or_default();
    json!({
        "addr": address.to_string(),
        "module": module.join("."),
        "resource": local.instance(address.key.clone()).to_string(),
        "implied_provider": provider,
        "resource_type": &*block.type_name,
        "resource_name": &*block.name,
        "resource_key": match &address.key {
            None => Json_::Null,
            Some(InstanceKey::Index(index)) => (*index).into(),
            Some(InstanceKey::Name(name)) => (**name).into(),
        },
        "mode": match block.mode {
            Mode::Managed => "managed",
            Mode::Data => "data",
        },
    })
}

/// Returns a time as RFC 3339 has it, in UTC, to the millisecond.
fn timestamp(at: u64) -> String {
    let time = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    time.unwrap_or(jiff::Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
