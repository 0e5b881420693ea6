//! Rules between the arguments of an object.

use reconcile_model::schema::Constraint;
use reconcile_model::{Object, Path, Step, Value};

use super::Problem;
use crate::suggest::list;

/// Returns which attributes of an object break a rule, and how.
type Rule = fn(&Object) -> Vec<(&'static str, String)>;

/// Whether an argument is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    No,
    Yes,
    /// Its value, which may turn out to be null, is not known yet.
    Perhaps,
}

/// Adds what breaks a rule.
pub(super) fn check(constraint: &Constraint, object: &Object, problems: &mut Vec<Problem>) {
    match constraint {
        Constraint::Conflicts(names) => {
            at_most_one(names, object, problems);
        }
        Constraint::ExactlyOne(names) => {
            if !at_most_one(names, object, problems) {
                at_least_one(names, object, problems);
            }
        }
        Constraint::AtLeastOne(names) => at_least_one(names, object, problems),
        Constraint::Requires(name, needed) => {
            if given(object, name) != Given::Yes {
                return;
            }
            let missing: Vec<&str> =
                needed.iter().copied().filter(|name| given(object, name) == Given::No).collect();
            if !missing.is_empty() {
                let summary = format!("`{name}` needs {} beside it", list(missing.iter().copied()));
                problems.push(Problem::new(&path(name), summary).about_name());
            }
        }
        Constraint::Rule(rule) => {
            for (name, wrong) in rule(object) {
                let path = path_of_rule(*rule, name, &wrong, object);
                if object.at(&path).is_some_and(Value::has_sensitive) {
                    problems.push(Problem::hidden(&path, name));
                } else {
                    problems.push(Problem::new(&path, sentence(name, &wrong)));
                }
            }
        }
    }
}

/// Returns where a rule is broken: the one block that breaks it by itself, where there are several.
fn path_of_rule(rule: Rule, name: &str, wrong: &str, object: &Object) -> Path {
    let path = path(name);
    let Some(blocks @ [_, _, ..]) = object.value(name).bare().as_list() else { return path };
    let breaks = |block: &Value| {
        let alone = object.clone().with(name, vec![block.clone()]);
        rule(&alone).iter().any(|(other, told)| *other == name && told == wrong)
    };
    match blocks.iter().position(breaks) {
        Some(index) => path.index(index),
        None => path,
    }
}

/// Makes a sentence of what is wrong with an argument. What does not go on from its name is one of its own.
fn sentence(name: &str, wrong: &str) -> String {
    if wrong.starts_with(&format!("`{name}`")) {
        return wrong.to_owned();
    }
    let goes_on = ["is ", "must ", "needs "].iter().any(|start| wrong.starts_with(start));
    format!("`{name}`{} {wrong}", if goes_on { "" } else { ":" })
}

/// Returns true when more than one is given, which has been told.
fn at_most_one(names: &[&str], object: &Object, problems: &mut Vec<Problem>) -> bool {
    let both: Vec<&str> =
        names.iter().copied().filter(|name| given(object, name) == Given::Yes).collect();
    let [_, second, ..] = both.as_slice() else { return false };
    let summary = format!("{} exclude each other", list(both.iter().copied()));
    let problem = Problem::new(&path(second), summary).about_name();
    problems.push(problem.hint("Keep one of them.".to_owned()));
    true
}

fn at_least_one(names: &[&str], object: &Object, problems: &mut Vec<Problem>) {
    if names.iter().all(|name| given(object, name) == Given::No) {
        let summary = format!("One of {} is needed", list(names.iter().copied()));
        problems.push(Problem::new(&Path::default(), summary));
    }
}

fn path(name: &str) -> Path {
    Path(name.split('.').map(|step| Step::Name(step.to_owned())).collect())
}

/// Tells whether an argument is given; for a nested one, in any of the blocks.
fn given(object: &Object, name: &str) -> Given {
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let value = object.value(first).bare();
    match (value, rest) {
        (Value::Null, _) => Given::No,
        (Value::Unknown, _) => Given::Perhaps,
        (Value::List(items), None) if items.is_empty() => Given::No,
        (_, None) => Given::Yes,
        (Value::List(items), Some(rest)) => {
            let mut result = Given::No;
            for item in items {
                match item.bare() {
                    Value::Map(object) => match given(object, rest) {
                        Given::Yes => return Given::Yes,
                        Given::Perhaps => result = Given::Perhaps,
                        Given::No => {}
                    },
                    Value::Unknown => result = Given::Perhaps,
                    _ => {}
                }
            }
            result
        }
        (Value::Map(object), Some(rest)) => given(object, rest),
        (_, Some(_)) => Given::No,
    }
}
