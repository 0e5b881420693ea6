//! Why something is done, in words.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{
    Action, Address, InstanceKey, ObjectId, Path, Plan, Reason, ReplaceOrder, ResourceAddress,
    Schema, Span, Value,
    plan::{CauseKind, Change, Drift, DriftAnswer, DriftOutcome, PlanMode},
};

use crate::{
    alike,
    layout::short,
    line::Tone,
    quote::{SENSITIVE, plain, quoted},
    redact,
};

/// How much of a value a reason shows: what it is can be read below it.
const VALUE_COLUMNS: usize = 48;

/// How long the ids are that are listed of instances that are shown as one.
const LONGEST_ID: usize = 32;

/// How many attributes a reason names: all of them can be read below it.
const MOST_NAMES: usize = 6;

/// A plan by address, so that a reason costs the same in a plan of ten changes and of a hundred thousand.
pub(crate) struct Index<'a> {
    mode: PlanMode,
    /// What is done to each block: to the instance that it is worst for.
    worst: BTreeMap<&'a ResourceAddress, Action>,
    /// The changes, by instance and, of a deposed object, its id.
    changes: BTreeMap<(&'a Address, Option<&'a ObjectId>), &'a Change>,
}

impl<'a> Index<'a> {
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let mut worst: BTreeMap<&ResourceAddress, Action> = BTreeMap::new();
        for change in &plan.changes {
            let entry = worst.entry(&change.address.resource).or_insert(change.action);
            if weight(change.action) > weight(*entry) {
                *entry = change.action;
            }
        }
        let of = |change: &'a Change| {
            let deposed = change.id.as_ref().filter(|_| change.deposed);
            ((&change.address, deposed), change)
        };
        let changes = plan.changes.iter().map(of).collect();
        Self { mode: plan.options.mode, worst, changes }
    }

    /// Returns what is done to the object that drifted.
    fn change(&self, drift: &Drift) -> Option<&'a Change> {
        self.changes.get(&(&drift.address, drift.deposed.as_ref())).copied()
    }
}

/// Returns how much an action does to what depends on the object.
pub(crate) fn weight(action: Action) -> u8 {
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

/// What is done to an object, or to those of several instances.
pub(crate) struct Heading {
    pub(crate) tone: Tone,
    /// The address with the object's id, or with the keys of all instances: `aws_instance.web (i-0ab1)`,
    /// `aws_instance.web[0 to 9]`.
    pub(crate) name: String,
    /// How many instances there are, when there are several: `, 10 instances,`.
    pub(crate) count: String,
    /// What is done: "will be created".
    pub(crate) what: String,
}

impl Heading {
    /// Returns the heading of a change, or of so many that are alike; `name` names them all.
    pub(crate) fn of(change: &Change, name: String, count: usize) -> Self {
        let name = match (&change.id, change.deposed) {
            (Some(id), true) if count == 1 => format!("{name} (deposed {})", plain(id.as_str())),
            (Some(id), false) if count == 1 => format!("{name} ({})", plain(id.as_str())),
            _ => name,
        };
        let is = if count > 1 { "are" } else { "is" };
        let (tone, what) = match change.action {
            Action::NoOp if change.imported => (Tone::Strong, "will be imported".to_owned()),
            Action::NoOp => (Tone::Strong, format!("{is} the same under another address")),
            Action::Read => (Tone::Strong, "will be read during apply".to_owned()),
            Action::Create => (Tone::Strong, "will be created".to_owned()),
            Action::Update => (Tone::Strong, "will be updated in place".to_owned()),
            Action::Replace(order) => {
                let how = match order {
                    ReplaceOrder::DeleteThenCreate => "deleted, then created anew",
                    ReplaceOrder::CreateThenDelete => "created anew, then the old one deleted",
                };
                let is_tainted = change.reason == Reason::Tainted;
                let why = if is_tainted { format!("{is} tainted and ") } else { String::new() };
                (Tone::Danger, format!("{why}will be REPLACED: {how}"))
            }
            Action::Delete => (Tone::Danger, "will be DESTROYED".to_owned()),
            Action::Forget => (Tone::Strong, "will be left alone and forgotten".to_owned()),
        };
        let count = if count > 1 { format!(", {count} instances,") } else { String::new() };
        Self { tone, name, count, what }
    }

    /// Returns the heading as one line.
    pub(crate) fn line(&self) -> String {
        format!("{}{} {}", self.name, self.count, self.what)
    }
}

/// Returns why it is done, one reason a line, for one change or several that are alike.
pub(crate) fn reasons(
    changes: &[&Change],
    schema: Option<&Schema>,
    index: &Index<'_>,
) -> Vec<String> {
    let Some(first) = changes.first() else { return Vec::new() };
    let mut lines = Vec::new();
    let previous: Vec<&Address> =
        changes.iter().filter_map(|change| change.previous_address.as_ref()).collect();
    if let Some(from) = previous.first() {
        lines.push(format!("moved from {}", together(from, &previous)));
    }
    if first.imported {
        lines.push("made elsewhere, and recorded from here on".to_owned());
    }
    if first.reason == Reason::KeyGone {
        let addresses: Vec<&Address> = changes.iter().map(|change| &change.address).collect();
        let keys: Vec<&InstanceKey> = addresses.iter().filter_map(|it| it.key.as_ref()).collect();
        let at = first.span.as_ref().map(|it| format!(" ({})", place(it))).unwrap_or_default();
        lines
            .push(format!("the spec's count or for_each{at} no longer has {}", alike::keys(&keys)));
    }
    lines.extend(reason(first, index));
    lines.extend(causes(first, schema, index));
    let known: Vec<&str> =
        changes.iter().filter_map(|change| change.id.as_ref()).map(|id| id.as_str()).collect();
    lines.extend(ids(changes.len(), &known));
    lines
}

/// Names the objects of several instances that are shown as one. One by itself has its id beside its address.
pub(crate) fn ids(count: usize, ids: &[&str]) -> Option<String> {
    // An ARN says little more than the address does.
    let are_told = count > 1 && !ids.is_empty() && ids.iter().all(|id| id.len() <= LONGEST_ID);
    are_told.then(|| format!("ids: {}", plain(&ids.join(", "))))
}

/// Returns addresses of one block as one.
fn together(first: &Address, addresses: &[&Address]) -> String {
    if addresses.len() == 1 {
        return plain(&first.to_string());
    }
    let keys: Vec<&InstanceKey> = addresses.iter().filter_map(|it| it.key.as_ref()).collect();
    format!("{}{}", plain(&first.resource.to_string()), alike::keys(&keys))
}

/// Returns what has to be the same of changes that are shown as one, besides their attributes.
pub(crate) fn about(change: &Change, schema: Option<&Schema>, index: &Index<'_>) -> String {
    let from = match &change.previous_address {
        Some(previous) if previous.key == change.address.key => previous.resource.to_string(),
        Some(previous) => previous.to_string(),
        None => String::new(),
    };
    // An object that an interrupted replacement left is told apart by its id.
    let deposed = change.id.as_ref().filter(|_| change.deposed);
    let mut reasons: Vec<String> = reason(change, index).into_iter().collect();
    reasons.extend(causes(change, schema, index));
    let Change { action, reason, imported, .. } = change;
    format!("{action:?} {reason:?} {imported} {from} {deposed:?} {reasons:?}")
}

/// Returns why the action was chosen, where the causes do not say it.
fn reason(change: &Change, index: &Index<'_>) -> Option<String> {
    let at = change.span.as_ref().map(place);
    let place = |text: &str| match &at {
        Some(at) => format!("{text}: {at}"),
        None => text.to_owned(),
    };
    let text = match &change.reason {
        Reason::Unchanged | Reason::CannotUpdate | Reason::Drifted | Reason::KeyGone => {
            return None;
        }
        Reason::New => place("new in the spec"),
        Reason::Missing => {
            "it was there at the last apply and is gone: deleted outside of reconcile".to_owned()
        }
        Reason::SpecChanged if change.causes.is_empty() => place("spec changed"),
        Reason::SpecChanged => return None,
        Reason::Tainted => "it was created and failed to become usable".to_owned(),
        Reason::Interrupted => "an earlier create did not come to its end".to_owned(),
        Reason::Requested => "--replace asks for it".to_owned(),
        Reason::TriggeredBy(what) => {
            let at = at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
            format!("replace_triggered_by{at}: {} changes", plain(what))
        }
        Reason::NotInSpec => place("it is no longer in the spec"),
        Reason::Destroy if index.mode == PlanMode::Destroy => return None,
        Reason::Destroy => "destroying it was asked for".to_owned(),
        Reason::Deposed => "a replacement that was interrupted left it behind".to_owned(),
        Reason::ArgumentsUnknown => place("its arguments are known after apply only"),
        Reason::DependencyChanges => place("it depends on something that changes"),
        Reason::Forgotten => place("the object itself stays as it is"),
    };
    Some(text)
}

/// Returns why each attribute differs, one line for each kind of cause.
fn causes(change: &Change, schema: Option<&Schema>, index: &Index<'_>) -> Vec<String> {
    let mut spec: Vec<(&Path, Option<&Span>)> = Vec::new();
    let mut drift = Vec::new();
    let mut upstream: BTreeMap<&[ResourceAddress], Vec<&Path>> = BTreeMap::new();
    for (path, cause) in change.changed.iter().zip(&change.causes) {
        match &cause.kind {
            CauseKind::Spec => {
                spec.push((path, cause.span.as_ref()));
                // Somebody changed it, too, and not to what the spec says now.
                let recorded = cause.recorded.as_ref();
                drift.extend(
                    recorded.map(|it| drifted(change, schema, path, Some(it))).unwrap_or_default(),
                );
            }
            CauseKind::Drift => {
                let recorded = cause.recorded.as_ref();
                drift.extend(drifted(change, schema, path, recorded));
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
pub(crate) fn names(paths: &[&Path]) -> String {
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

/// Says of an attribute that drifted what it was and what it is; of a map, of each entry.
fn drifted(
    change: &Change,
    schema: Option<&Schema>,
    path: &Path,
    recorded: Option<&Value>,
) -> Vec<String> {
    // What tags_all says by itself is said by the tags already.
    let tags = change.changed.iter().any(|it| it.attribute() == Some("tags"));
    if tags && path.attribute() == Some("tags_all") {
        return Vec::new();
    }
    let live = change.before.as_ref().and_then(|before| before.at(path));
    let name = plain(&path.to_string());
    // Blocks do not fit a line, and the difference below shows them.
    if recorded.is_some_and(is_block) || live.is_some_and(is_block) {
        return vec![format!("drifted: {name} is not what was recorded")];
    }
    let hidden = redact::is_sensitive(schema, path);
    let show = |value: Option<&Value>| match value {
        Some(_) if hidden => SENSITIVE.to_owned(),
        Some(value) if value.is_null() => "not set".to_owned(),
        Some(value) => short(&redact::value(schema, path, value), VALUE_COLUMNS),
        None => "not set".to_owned(),
    };
    let one = |name: &str, was: Option<&Value>, is: Option<&Value>| {
        format!("drifted: {name} was {} when recorded, is {}", show(was), show(is))
    };
    if !hidden && let Some(keys) = different_keys(recorded, live) {
        return keys
            .iter()
            .map(|key| {
                let entry = |side: Option<&Value>| side?.as_map()?.get(key).cloned();
                let name = plain(&path.name(key).to_string());
                one(&name, entry(recorded).as_ref(), entry(live).as_ref())
            })
            .collect();
    }
    vec![one(&name, recorded, live)]
}

/// Returns the keys at which two maps differ, when they are maps and there are few.
fn different_keys(one: Option<&Value>, other: Option<&Value>) -> Option<Vec<String>> {
    let map = |value: Option<&Value>| match value {
        Some(Value::Map(entries)) => Some(entries.clone()),
        _ => None,
    };
    let (one, other) = (map(one)?, map(other)?);
    let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let keys = keys.into_iter().filter(|key| one.value(key) != other.value(key));
    let keys: Vec<String> = keys.cloned().collect();
    (1..=MOST_NAMES).contains(&keys.len()).then_some(keys)
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
pub(crate) fn consequence(drift: &Drift, index: &Index<'_>) -> Vec<String> {
    if index.mode == PlanMode::RefreshOnly {
        return vec!["apply --refresh-only records it and changes nothing".to_owned()];
    }
    let Some(change) = index.change(drift) else {
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

/// Says which attributes apply sets back, and which it leaves.
fn undone(drift: &Drift, change: &Change) -> String {
    let is_undone = |path: &&Path| change.changed.iter().any(|it| it.overlaps(path));
    let (undone, left): (Vec<&Path>, Vec<&Path>) = drift.changed.iter().partition(is_undone);
    let names = |paths: &[&Path]| {
        let roots: BTreeSet<&str> = paths.iter().filter_map(|path| path.attribute()).collect();
        roots.into_iter().collect::<Vec<_>>().join(", ")
    };
    match (undone.as_slice(), left.as_slice()) {
        (_, []) => "apply undoes it".to_owned(),
        ([], _) => "apply leaves it, and records it".to_owned(),
        (undone, left) => format!("apply undoes {} and leaves {}", names(undone), names(left)),
    }
}

/// Returns what the spec says of each attribute that drifted, and what apply does about it.
pub(crate) fn answers(
    drift: &Drift,
    schema: Option<&Schema>,
    index: &Index<'_>,
) -> BTreeMap<Path, String> {
    let action = index.change(drift).map(|change| change.action);
    let one = |(path, answer): (&Path, &DriftAnswer)| {
        let said = match &answer.spec {
            None => "the spec says nothing".to_owned(),
            Some(_) if redact::is_sensitive(schema, path) => format!("the spec says {SENSITIVE}"),
            Some(value) if is_block(value) => "the spec says otherwise".to_owned(),
            Some(Value::Map(said)) if keys_of(drift, path).is_some() => {
                let keys = keys_of(drift, path).unwrap_or_default();
                let one = |key: &String| match said.get(key) {
                    Some(value) => format!("{} = {}", quoted(key), short(value, VALUE_COLUMNS)),
                    None => format!("no {}", quoted(key)),
                };
                format!("the spec says {}", keys.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            Some(value) => {
                let value = short(&redact::value(schema, path, value), VALUE_COLUMNS);
                format!("the spec says {value}")
            }
        };
        let said = match (&answer.spec, answer.outcome) {
            (Some(value), DriftOutcome::Agreed) if is_block(value) => "the spec says so".to_owned(),
            _ => said,
        };
        let at = answer.span.as_ref().map(|span| format!(" ({})", place(span))).unwrap_or_default();
        (path.clone(), format!("{said}{at}: {}", done(answer.outcome, action, index.mode)))
    };
    drift.changed.iter().zip(&drift.answers).map(one).collect()
}

/// Returns the keys of a map that drifted.
fn keys_of(drift: &Drift, path: &Path) -> Option<Vec<String>> {
    different_keys(drift.before.at(path), drift.after.as_ref()?.at(path))
}

fn is_block(value: &Value) -> bool {
    value.as_list().is_some_and(|items| items.iter().any(|it| it.as_map().is_some()))
}

/// Says what is done about an attribute that drifted.
fn done(outcome: DriftOutcome, action: Option<Action>, mode: PlanMode) -> &'static str {
    let refresh_only = mode == PlanMode::RefreshOnly;
    match (outcome, action) {
        (DriftOutcome::Undone, _) if refresh_only => "an ordinary apply sets it back",
        (DriftOutcome::Overwritten, _) if refresh_only => "an ordinary apply sets that",
        (_, Some(Action::Replace(_))) => "apply replaces the object",
        (DriftOutcome::Undone, _) => "apply sets it back",
        (DriftOutcome::Overwritten, _) => "apply sets that",
        (DriftOutcome::Agreed, _) => "apply records it",
        (DriftOutcome::Ignored, _) => "ignore_changes leaves it, and apply records it",
        (DriftOutcome::Left, _) => "apply leaves it, and records it",
    }
}

/// Returns a place as `main.yaml:12`.
fn place(span: &Span) -> String {
    format!("{}:{}", plain(&span.file), span.line)
}
