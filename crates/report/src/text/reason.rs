//! Why something is done, in words.

use std::collections::BTreeMap;

use reconcile_model::{
    Action, Address, Path, Plan, Reason, ReplaceOrder, ResourceAddress, Schema, Span, Value,
    plan::{CauseKind, Change, Drift, PlanMode},
};

use crate::{
    layout::short,
    line::Tone,
    quote::{SENSITIVE, plain},
    redact,
};

/// How much of a value a reason shows: what it is can be read below it.
const VALUE_COLUMNS: usize = 48;

/// How many attributes a reason names: all of them can be read below it.
const MOST_NAMES: usize = 6;

/// A plan by address, so that a reason costs the same in a plan of ten changes and of a hundred thousand.
pub(super) struct Index<'a> {
    mode: PlanMode,
    /// What is done to each block: to the instance that it is worst for.
    worst: BTreeMap<&'a ResourceAddress, Action>,
    /// The changes, those of deposed objects aside.
    changes: BTreeMap<&'a Address, &'a Change>,
}

impl<'a> Index<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut worst: BTreeMap<&ResourceAddress, Action> = BTreeMap::new();
        for change in &plan.changes {
            let entry = worst.entry(&change.address.resource).or_insert(change.action);
            if weight(change.action) > weight(*entry) {
                *entry = change.action;
            }
        }
        let current = plan.changes.iter().filter(|change| !change.deposed);
        let changes = current.map(|change| (&change.address, change)).collect();
        Self { mode: plan.options.mode, worst, changes }
    }
}

/// Returns how much an action does to what depends on the object.
fn weight(action: Action) -> u8 {
    match action {
        Action::NoOp => 0,
        Action::Read => 1,
        Action::Forget => 2,
        Action::Create => 3,
        Action::Update => 4,
        Action::Delete => 5,
        Action::Replace(_) => 6,
    }
}

/// Returns the line that says what is done to an object.
pub(super) fn heading(change: &Change) -> (Tone, String) {
    let name = plain(&match (&change.id, change.deposed) {
        (Some(id), true) => format!("{} (deposed {id})", change.address),
        (Some(id), false) => format!("{} ({id})", change.address),
        (None, _) => change.address.to_string(),
    });
    match change.action {
        Action::NoOp => (Tone::Strong, format!("{name} is the same under another address")),
        Action::Read => (Tone::Strong, format!("{name} will be read during apply")),
        Action::Create => (Tone::Strong, format!("{name} will be created")),
        Action::Update => (Tone::Strong, format!("{name} will be updated in place")),
        Action::Replace(order) => {
            let how = match order {
                ReplaceOrder::DeleteThenCreate => "deleted, then created anew",
                ReplaceOrder::CreateThenDelete => "created anew, then the old one deleted",
            };
            let why = if change.reason == Reason::Tainted { "is tainted and " } else { "" };
            (Tone::Danger, format!("{name} {why}will be REPLACED: {how}"))
        }
        Action::Delete => (Tone::Danger, format!("{name} will be DESTROYED")),
        Action::Forget => (Tone::Strong, format!("{name} will be left alone and forgotten")),
    }
}

/// Returns why it is done, one reason a line.
pub(super) fn reasons(change: &Change, schema: Option<&Schema>, index: &Index<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(previous) = &change.previous_address {
        lines.push(plain(&format!("moved from {previous}")));
    }
    let at = change.span.as_ref().map(place);
    match &change.reason {
        Reason::Unchanged | Reason::CannotUpdate | Reason::Drifted => {}
        Reason::New => lines.push(match &at {
            Some(at) => format!("new in the spec: {at}"),
            None => "new in the spec".to_owned(),
        }),
        Reason::Missing => {
            lines.push(
                "it was there at the last apply and is gone: deleted outside of reconcile".into(),
            );
        }
        Reason::SpecChanged if change.causes.is_empty() => lines.push(match &at {
            Some(at) => format!("spec changed: {at}"),
            None => "spec changed".to_owned(),
        }),
        Reason::SpecChanged => {}
        Reason::Tainted => lines.push("it was created and failed to become usable".into()),
        Reason::Interrupted => lines.push("an earlier create did not come to its end".into()),
        Reason::Requested => lines.push("a replacement was asked for".into()),
        Reason::TriggeredBy(what) => {
            lines.push(format!("replace_triggered_by: {} changes", plain(what)));
        }
        Reason::NotInSpec => lines.push("it is no longer in the spec".into()),
        Reason::KeyGone => {
            let key = change.address.key.as_ref().map(ToString::to_string).unwrap_or_default();
            lines.push(plain(&format!("the spec's count or for_each no longer has {key}")));
        }
        Reason::Destroy if index.mode == PlanMode::Destroy => {}
        Reason::Destroy => lines.push("destroying it was asked for".into()),
        Reason::Deposed => lines.push("a replacement that was interrupted left it behind".into()),
        Reason::ArgumentsUnknown => lines.push("its arguments are known after apply only".into()),
        Reason::DependencyChanges => lines.push("it depends on something that changes".into()),
        Reason::Forgotten => lines.push("the object itself stays as it is".into()),
    }
    lines.extend(causes(change, schema, index));
    lines
}

/// Returns why each attribute differs, one line for each kind of cause.
fn causes(change: &Change, schema: Option<&Schema>, index: &Index<'_>) -> Vec<String> {
    let mut spec: Vec<(&Path, Option<&Span>)> = Vec::new();
    let mut drift = Vec::new();
    let mut upstream: BTreeMap<&[ResourceAddress], Vec<&Path>> = BTreeMap::new();
    for (path, cause) in change.changed.iter().zip(&change.causes) {
        match &cause.kind {
            CauseKind::Spec => spec.push((path, cause.span.as_ref())),
            CauseKind::Drift => {
                let recorded = cause.recorded.as_ref();
                drift.push(drifted(change, schema, path, recorded));
            }
            CauseKind::Upstream(addresses) => {
                upstream.entry(addresses.as_slice()).or_default().push(path);
            }
            CauseKind::Computed => {}
        }
    }
    let mut lines = Vec::new();
    lines.extend(spec_changed(&spec));
    lines.extend(drift);
    for (addresses, paths) in upstream {
        let forced = paths.iter().any(|path| change.replace.contains(path));
        let word = if forced { "forced by" } else { "follows" };
        let sources: Vec<String> = addresses.iter().map(|it| becoming(it, index)).collect();
        lines.push(format!("{word} {}: {}", sources.join(" and "), names(&paths)));
    }
    lines
}

fn spec_changed(changes: &[(&Path, Option<&Span>)]) -> Option<String> {
    let said = match changes {
        [] => return None,
        [(_, Some(span))] => place(span),
        // The place is said once for neighbors that share it.
        several => {
            let mut by_place: Vec<(Option<String>, Vec<&Path>)> = Vec::new();
            for (path, span) in several {
                let at = span.map(place);
                match by_place.iter_mut().find(|(place, _)| *place == at) {
                    Some((_, paths)) => paths.push(path),
                    None => by_place.push((at, vec![path])),
                }
            }
            let one = |(at, paths): (Option<String>, Vec<&Path>)| match at {
                Some(at) => format!("{at} ({})", names(&paths)),
                None => names(&paths),
            };
            by_place.into_iter().map(one).collect::<Vec<_>>().join(", ")
        }
    };
    Some(format!("spec changed: {said}"))
}

/// Returns paths as a list; of many, the first ones and how many more.
fn names(paths: &[&Path]) -> String {
    // What tags_all says by itself is said by the tags already.
    let tags = paths.iter().any(|path| path.attribute() == Some("tags"));
    let mut shown: Vec<String> = paths
        .iter()
        .filter(|path| !(tags && path.attribute() == Some("tags_all")))
        .map(|path| plain(&path.to_string()))
        .collect();
    if shown.len() > MOST_NAMES {
        let more = shown.len() - (MOST_NAMES - 1);
        shown.truncate(MOST_NAMES - 1);
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

fn drifted(
    change: &Change,
    schema: Option<&Schema>,
    path: &Path,
    recorded: Option<&Value>,
) -> String {
    let live = change.before.as_ref().and_then(|before| before.at(path));
    let blocks = |value: Option<&Value>| {
        value
            .and_then(Value::as_list)
            .is_some_and(|items| items.iter().any(|it| it.as_map().is_some()))
    };
    // Blocks do not fit a line, and the difference below shows them.
    if blocks(recorded) || blocks(live) {
        return format!("drifted: {} is not what was recorded", plain(&path.to_string()));
    }
    let show = |value: Option<&Value>| match value {
        Some(_) if redact::is_sensitive(schema, path) => SENSITIVE.to_owned(),
        Some(value) if value.is_null() => "not set".to_owned(),
        Some(value) => short(&redact::value(schema, path, value), VALUE_COLUMNS),
        None => "not set".to_owned(),
    };
    format!(
        "drifted: {} was {} when recorded, is {}",
        plain(&path.to_string()),
        show(recorded),
        show(live)
    )
}

/// Returns a block with what happens to it: "aws_security_group.web being replaced".
fn becoming(block: &ResourceAddress, index: &Index<'_>) -> String {
    match index.worst.get(block) {
        None | Some(Action::NoOp) => block.to_string(),
        Some(Action::Read) => format!("{block} being read"),
        Some(Action::Forget) => format!("{block} being forgotten"),
        Some(Action::Create) => format!("{block} being created"),
        Some(Action::Update) => format!("{block} being updated"),
        Some(Action::Delete) => format!("{block} being destroyed"),
        Some(Action::Replace(_)) => format!("{block} being replaced"),
    }
}

/// Returns what the plan does about a drift.
pub(super) fn consequence(drift: &Drift, index: &Index<'_>) -> Vec<String> {
    if index.mode == PlanMode::RefreshOnly {
        return vec!["apply records it and changes nothing".to_owned()];
    }
    let Some(change) = index.changes.get(&drift.address) else {
        return vec!["apply forgets it".to_owned()];
    };
    let text = match change.action {
        Action::Create => "apply creates it again".to_owned(),
        Action::Replace(_) => "apply replaces it".to_owned(),
        Action::Delete => "apply destroys it".to_owned(),
        Action::Forget => "apply forgets it".to_owned(),
        Action::NoOp | Action::Read | Action::Update => undone(drift, change),
    };
    vec![text]
}

fn undone(drift: &Drift, change: &Change) -> String {
    let is_undone = |path: &&Path| {
        change.changed.iter().any(|it| it.0.starts_with(&path.0) || path.0.starts_with(&it.0))
    };
    let (undone, left): (Vec<&Path>, Vec<&Path>) = drift.changed.iter().partition(is_undone);
    let names =
        |paths: &[&Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (undone.as_slice(), left.as_slice()) {
        (_, []) => "apply undoes it".to_owned(),
        ([], _) => "apply leaves it: the spec says nothing about it, or the same".to_owned(),
        (undone, left) => format!("apply undoes {} and leaves {}", names(undone), names(left)),
    }
}

/// Returns a place as `main.yaml:12`.
fn place(span: &Span) -> String {
    format!("{}:{}", plain(&span.file), span.line)
}
