//! What an undisturbed run comes to, and how far from it another is.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{End, Scenario, Stage, Then};

/// What an undisturbed run did, and what a plain apply leads to.
pub(crate) struct Goal {
    /// The calls, by name, in their order.
    pub(crate) calls: Vec<String>,
    /// The changes to the disk, in their order.
    pub(crate) changes: Vec<String>,
    /// How many objects there are of each kind, address, and description.
    objects: BTreeMap<Described, usize>,
    /// Every attribute as it is planned to stay, without what is different in every run.
    planned: Value,
}

/// An object as it looks in every run: its kind, its address if it has one, and the rest.
type Described = (String, String, String);

/// What a disturbed run and the one after it came to.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Objects of ours that nothing knows.
    pub(crate) leaks: Vec<String>,
    /// Objects of which there is one too many.
    pub(crate) duplicates: Vec<String>,
    /// Why the stack is not where one plain run should have brought it.
    pub(crate) wedged: Vec<String>,
}

impl Verdict {
    /// Returns the verdict on a stack that a run did not bring where it should.
    pub(crate) fn wedged(why: impl Into<String>) -> Self {
        Self { wedged: vec![why.into()], ..Self::default() }
    }
}

/// Tells whether a call of this name changes something.
pub(crate) fn mutates(operation: &str) -> bool {
    !["Describe", "Get", "List", "Head"].iter().any(|it| operation.starts_with(it))
}

impl Goal {
    /// Makes the scenario's run undisturbed.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let stage = Stage::new(scenario);
        let before = (scenario.command == "destroy").then(|| state(&stage));
        stage.begin();
        let changes = stage.kill_at_change(0).expect("the undisturbed run can be watched");
        let log = stage.world.calls()["log"].clone();
        let calls: Vec<String> = log
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|entry| entry["operation"].as_str())
            .map(str::to_owned)
            .collect();
        let changes_something = calls.iter().any(|it| mutates(it));
        assert!(changes_something, "{}: the undisturbed run changes something", scenario.name);
        // What was destroyed, a plain apply makes again.
        let (objects, planned) = before.unwrap_or_else(|| state(&stage));
        Self { calls, changes, objects, planned }
    }

    /// Makes the run that follows a disturbed one, and compares what it leads to.
    pub(crate) fn judge(&self, stage: &Stage, end: End, then: Then) -> Verdict {
        let command = match end {
            End::Apply => "apply",
            End::Destroy => "destroy",
        };
        let ended = stage.run(&[command, "--auto-approve"]);
        if then == Then::Land {
            land(stage);
        }
        let mut verdict = Verdict::default();
        if ended.code != Some(0) {
            verdict.wedged.push(format!("{command} ended with {:?}: {}", ended.code, ended.told));
        }
        match end {
            End::Apply => self.judge_applied(stage, &mut verdict),
            End::Destroy => judge_destroyed(stage, &mut verdict),
        }
        verdict
    }

    fn judge_applied(&self, stage: &Stage, verdict: &mut Verdict) {
        let planned = match planned(stage) {
            Ok(planned) => planned,
            Err(problem) => {
                verdict.wedged.push(problem);
                Value::Null
            }
        };
        let there = objects(stage);
        let by_address = |all: &BTreeMap<Described, usize>, kind: &str, address: &str| -> usize {
            all.iter().filter(|((k, a, _), _)| k == kind && a == address).map(|(_, n)| n).sum()
        };
        for (described, count) in &there {
            let (kind, address, what) = described;
            if *count > self.objects.get(described).copied().unwrap_or_default() {
                let wanted = by_address(&self.objects, kind, address);
                let told = format!("{kind} {address} {what}");
                if by_address(&there, kind, address) <= wanted {
                    verdict.wedged.push(format!("not as in an undisturbed run: {told}"));
                } else if wanted > 0 && !address.is_empty() {
                    verdict.duplicates.push(told);
                } else {
                    verdict.leaks.push(told);
                }
            }
        }
        for (described, count) in &self.objects {
            if there.get(described).copied().unwrap_or_default() < *count {
                verdict.wedged.push(format!("missing: {described:?}"));
            }
        }
        if verdict.wedged.is_empty() {
            let mut differences = Vec::new();
            compare("", &planned, &self.planned, &mut differences);
            if !differences.is_empty() {
                let told = differences.join("\n");
                verdict.wedged.push(format!("not as after an undisturbed run:\n{told}"));
            }
        }
    }
}

fn judge_destroyed(stage: &Stage, verdict: &mut Verdict) {
    for ((kind, address, what), _) in objects(stage) {
        verdict.leaks.push(format!("{kind} {address} {what}"));
    }
    let list = stage.run(&["state", "list"]);
    if list.code != Some(0) || !list.stdout.trim().is_empty() {
        verdict.wedged.push(format!("still on record: {}", list.told));
    }
}

/// Lets the call that a fault holds land, though its client is gone, and waits until it has.
fn land(stage: &Stage) {
    stage.world.forget_faults();
    for _ in 0..500 {
        if stage.held().is_empty() {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("a call that was let go has not landed in 10 s");
}

/// Counts what is in the account that AWS did not make, each kind by what is the same in every run.
fn objects(stage: &Stage) -> BTreeMap<Described, usize> {
    let mut counts = BTreeMap::new();
    let inventory = stage.world.inventory();
    for (kind, objects) in inventory.as_object().expect("an inventory") {
        for object in objects.as_array().into_iter().flatten() {
            let mut object = object.clone();
            let members = object.as_object_mut().expect("an object");
            for name in ["id", "ClientToken", "reboots", "PublicIp"] {
                members.remove(name);
            }
            let tags = members.get_mut("tags").and_then(Value::as_object_mut).expect("tags");
            tags.remove("reconcile:operation");
            let address = tags.get("reconcile:address").and_then(Value::as_str);
            let address = address.unwrap_or_default().to_owned();
            scrub(&mut object);
            *counts.entry((kind.clone(), address, object.to_string())).or_default() += 1;
        }
    }
    counts
}

/// Returns what is there, and what is planned, which must be to leave it.
fn state(stage: &Stage) -> (BTreeMap<Described, usize>, Value) {
    (objects(stage), planned(stage).expect("an undisturbed run leaves nothing to do"))
}

/// Plans, and returns what every attribute is planned to be, without what is different in every run.
///
/// # Errors
///
/// When there is something to do, or planning fails.
fn planned(stage: &Stage) -> Result<Value, String> {
    let ended = stage.run(&["plan", "--json", "--detailed-exitcode"]);
    let Ok(plan) = serde_json::from_str::<Value>(&ended.stdout) else {
        return Err(format!("plan ended with {:?}: {}", ended.code, ended.told));
    };
    if ended.code != Some(0) {
        let mut changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
        changes.retain(|change| change["change"]["actions"] != serde_json::json!(["no-op"]));
        let changes: Vec<String> = changes
            .iter()
            .map(|it| format!("{} {}", it["address"], it["change"]["actions"]))
            .collect();
        let outputs = &plan["output_changes"];
        return Err(format!("the plan is not empty: {}, {outputs}", changes.join(", ")));
    }
    let mut planned = plan["planned_values"].clone();
    let resources = planned.pointer_mut("/root_module/resources").and_then(Value::as_array_mut);
    for resource in resources.into_iter().flatten() {
        // Where rules are resources of their own, a group's list of them is as old as its last read.
        if resource["address"] == "aws_security_group.ruled" {
            for name in ["ingress", "egress"] {
                resource["values"][name].take();
                resource["sensitive_values"][name].take();
            }
        }
    }
    scrub(&mut planned);
    Ok(planned)
}

/// Lists where two values differ.
fn compare(path: &str, one: &Value, other: &Value, differences: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let of = |members: &Map<String, Value>| members.get(name).cloned();
                let (one, other) = (of(one).unwrap_or_default(), of(other).unwrap_or_default());
                compare(&format!("{path}/{name}"), &one, &other, differences);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}/{at}"), one, other, differences);
            }
        }
        (one, other) if one != other => {
            differences.push(format!("{path}: {one}, undisturbed {other}"));
        }
        _ => {}
    }
}

/// Takes out ids, addresses, keys, and times, and orders lists, whose order may hang on them.
fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => *text = scrubbed(text),
        Value::Array(items) => {
            items.iter_mut().for_each(scrub);
            items.sort_by_key(Value::to_string);
        }
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "public_key" | "fingerprint" | "launch_time" | "create_time" => {
                        *value = Value::Null;
                    }
                    _ => scrub(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Replaces what looks like an id or part of an address: eight hexadecimal digits or more in a row, six decimal
/// ones, and all other numbers of a text that has three or more.
fn scrubbed(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let is_id = |word: &str| {
        (word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()))
            || (word.len() > 5 && is_number(word))
    };
    // An id that happens to have no letter is no number.
    let is_part = |word: &&str| is_number(word) && !is_id(word);
    let looks_like_an_address = text.split(|c| !is_word(c)).filter(is_part).count() > 2;
    let mut result = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_random = is_id(word) || (looks_like_an_address && is_number(word));
        result.push_str(if is_random { "#" } else { word });
        let between = after.find(is_word).unwrap_or(after.len());
        let (marks, after) = after.split_at(between);
        result.push_str(marks);
        rest = after;
    }
    result
}
