//! Bringing evaluated arguments to a schema's kinds, and checking them as far as they are known.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value that is not of the wanted kind is refused whatever it is, a new kind too"
)]

mod check;
mod constraint;

use reconcile_model::schema::{Blocks, Constraint};
use reconcile_model::{Attribute, Diagnostic, Kind, Object, Path, Presence, Span, Value};

use crate::eval::{to_bool, to_number, to_text};
use crate::node::{self, Entry, Part};
use crate::place::{Files, Place};
use crate::suggest::{self, did_you_mean};

/// Something wrong with an argument.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where; empty for the object as a whole.
    path: Path,
    summary: String,
    detail: String,
    hint: Option<String>,
    /// Whether the argument's name is what is wrong, rather than its value.
    about_name: bool,
    /// Whether the argument's value may not be shown, not even as it stands in the spec.
    is_hidden: bool,
}

impl Problem {
    fn new(path: &Path, summary: impl Into<String>) -> Self {
        Self {
            path: path.clone(),
            summary: summary.into(),
            detail: String::new(),
            hint: None,
            about_name: false,
            is_hidden: false,
        }
    }

    fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    fn hint(self, hint: impl Into<Option<String>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    fn hidden(path: &Path, name: &str) -> Self {
        // The place of an item is the item itself, so the name of the whole is shown.
        let is_name = |step: &reconcile_model::Step| matches!(step, reconcile_model::Step::Name(_));
        let named = path.0.iter().rposition(is_name).map_or(0, |last| last + 1);
        let path = &Path(path.0[..named].to_vec());
        let problem = Self::new(path, format!("`{name}` has a value that is not possible"))
            .detail("It is sensitive and is not shown.");
        Self { about_name: true, is_hidden: true, ..problem }
    }

    fn about_name(self) -> Self {
        Self { about_name: true, ..self }
    }

    /// Returns where in a body the problem stands; `None` when it is about the body as a whole.
    fn place(&self, body: &[Entry]) -> Option<Place> {
        let part = if self.about_name { Part::Name } else { Part::Value };
        node::place_at(body, &self.path, part)
    }

    /// Returns the span to show.
    pub(crate) fn span(&self, body: &[Entry], files: &Files) -> Option<Span> {
        let place = self.place(body)?;
        Some(if self.is_hidden { files.span_of_key(place) } else { files.span(place) })
    }

    pub(crate) fn into_diagnostic(self, span: Option<Span>) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.summary).detail(self.detail).at(span);
        Diagnostic { hint: self.hint, ..diagnostic }
    }
}

/// Brings an object to a schema's kinds, and returns it with everything that is wrong with it.
pub(crate) fn object(
    owner: &str,
    attributes: &[Attribute],
    constraints: &[Constraint],
    raw: Object,
) -> (Object, Vec<Problem>) {
    let mut coercion = Coercion::default();
    let object = coercion.object(owner, attributes, raw, &Path::default());
    for constraint in constraints {
        constraint::check(constraint, &object, &mut coercion.problems);
    }
    (object, coercion.problems)
}

#[derive(Default)]
struct Coercion {
    problems: Vec<Problem>,
}

impl Coercion {
    fn object(
        &mut self,
        owner: &str,
        attributes: &[Attribute],
        raw: Object,
        path: &Path,
    ) -> Object {
        let mut object = Object::new();
        let (mut present, mut meant) = (Vec::new(), Vec::new());
        for (name, value) in raw {
            let at = path.name(&name);
            let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else {
                let known = attributes.iter().filter(|it| it.is_argument()).map(|it| it.name);
                let problem = Problem::new(&at, format!("`{owner}` has no argument `{name}`"));
                self.problems.push(problem.hint(did_you_mean(&name, known.clone())).about_name());
                meant.extend(suggest::meant(&name, known));
                continue;
            };
            if !attribute.is_argument() {
                self.problems.push(
                    Problem::new(&at, format!("`{name}` cannot be set"))
                        .detail("AWS decides it.")
                        .hint("Remove the line.".to_owned())
                        .about_name(),
                );
                continue;
            }
            if value.is_null() {
                continue;
            }
            present.push(attribute.name);
            // What was told is not told again by a rule that misses the value.
            let value = self.attribute(attribute, value, &at).unwrap_or(Value::Unknown);
            object.insert(name, value);
        }
        // What was misspelled is not told to be missing as well.
        for name in meant {
            if !object.contains_key(name) {
                object.set(name, Value::Unknown);
                present.push(name);
            }
        }
        for attribute in attributes {
            if attribute.presence == Presence::Required && !present.contains(&attribute.name) {
                let what = match attribute.kind {
                    Kind::Blocks(_) => "block",
                    Kind::String
                    | Kind::Int
                    | Kind::Number
                    | Kind::Bool
                    | Kind::List(_)
                    | Kind::Set(_)
                    | Kind::Map(_) => "argument",
                };
                let summary = format!("`{owner}` needs the {what} `{}`", attribute.name);
                self.problems.push(Problem::new(path, summary).detail(attribute.doc));
            }
        }
        object
    }

    /// Brings one argument to its kind; `None` when that is not possible, which has been told.
    fn attribute(&mut self, attribute: &Attribute, value: Value, at: &Path) -> Option<Value> {
        let value = self.value(attribute, &attribute.kind, value, at)?;
        let before = self.problems.len();
        check::check(attribute, &value, at, &mut self.problems);
        (self.problems.len() == before).then_some(value)
    }

    fn value(
        &mut self,
        attribute: &Attribute,
        kind: &Kind,
        value: Value,
        at: &Path,
    ) -> Option<Value> {
        let name = attribute.name;
        match (kind, value) {
            (_, Value::Sensitive(inner)) => {
                let value = self.value(attribute, kind, *inner, at)?;
                Some(if value.has_sensitive() { value.unmarked() } else { value }.sensitive())
            }
            (_, value @ (Value::Unknown | Value::Sealed(_))) => Some(value),
            (Kind::String, value @ Value::String(_))
            | (Kind::Bool, value @ Value::Bool(_))
            | (Kind::Number, value @ Value::Number(_)) => Some(value),
            (Kind::String, value) => match to_text(&value) {
                Ok(text) => text.map(|text| Value::from(&*text)),
                Err(found) => self.mismatch(name, "a string", found, at, text_hint(&value)),
            },
            (Kind::Bool, value) => match to_bool(&value) {
                Ok(flag) => flag.map(Value::from),
                Err(found) => {
                    self.mismatch(name, "`true` or `false`", found, at, flag_hint(&value))
                }
            },
            (Kind::Number, value) => match to_number(&value) {
                Ok(number) => number.map(Value::Number),
                Err(found) => self.mismatch(name, "a number", found, at, None),
            },
            (Kind::Int, value) => match to_number(&value) {
                Ok(Some(number)) if number.as_i64().is_some() => Some(Value::Number(number)),
                Ok(Some(number)) => {
                    let is_whole =
                        number.to_string().bytes().all(|b| b.is_ascii_digit() || b == b'-');
                    let found = if is_whole { "too large" } else { "a fraction" };
                    self.mismatch(name, "a whole number", found, at, None)
                }
                Ok(None) => Some(Value::Unknown),
                Err(found) => self.mismatch(name, "a whole number", found, at, None),
            },
            (Kind::List(item) | Kind::Set(item), Value::List(items)) => {
                let items = self.items(attribute, item, items, at);
                Some(Value::List(items))
            }
            (Kind::List(_) | Kind::Set(_), other) => {
                let hint = match &other {
                    Value::String(_) => Some("Put it in brackets, as in `[\"…\"]`.".to_owned()),
                    _ => None,
                };
                self.mismatch(name, "a list", other.kind_name(), at, hint)
            }
            (Kind::Map(item), Value::Map(members)) => {
                let mut object = Object::new();
                for (key, value) in members {
                    let at = at.name(&key);
                    if value.is_null() {
                        object.insert(key, Value::Null);
                    } else if let Some(value) = self.value(attribute, item, value, &at) {
                        object.insert(key, value);
                    }
                }
                Some(Value::Map(object))
            }
            (Kind::Map(_), other) => {
                let hint = matches!(other, Value::List(_))
                    .then(|| "Write `name: value` pairs, not a list.".to_owned());
                self.mismatch(name, "a map", other.kind_name(), at, hint)
            }
            (Kind::Blocks(blocks), value) => self.blocks(name, blocks, value, at),
        }
    }

    fn items(
        &mut self,
        attribute: &Attribute,
        kind: &Kind,
        items: Vec<Value>,
        at: &Path,
    ) -> Vec<Value> {
        let mut coerced = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let at = at.index(index);
            if item.is_null() {
                let summary = format!("An item of `{}` must not be null", attribute.name);
                self.problems.push(
                    Problem::new(&at, summary).hint("Leave nulls out with `compact()`.".to_owned()),
                );
            } else if let Some(item) = self.value(attribute, kind, item, &at) {
                coerced.push(item);
            }
        }
        coerced
    }

    fn blocks(&mut self, name: &str, blocks: &Blocks, value: Value, at: &Path) -> Option<Value> {
        let items = match value {
            Value::List(items) => items,
            one @ Value::Map(_) => vec![one],
            other => {
                return self.mismatch(
                    name,
                    "a mapping, or a list of mappings",
                    other.kind_name(),
                    at,
                    None,
                );
            }
        };
        let count = items.len();
        let mut coerced = Vec::with_capacity(count);
        for (index, item) in items.into_iter().enumerate() {
            let at = at.index(index);
            match item {
                Value::Map(members) => {
                    coerced.push(Value::Map(self.object(name, blocks.attributes, members, &at)));
                }
                Value::Sensitive(inner) => match *inner {
                    Value::Map(members) => {
                        let object = self.object(name, blocks.attributes, members, &at);
                        coerced.push(Value::Map(object.unmarked()).sensitive());
                    }
                    other => coerced.push(other.sensitive()),
                },
                Value::Unknown => coerced.push(Value::Unknown),
                other => {
                    self.mismatch(name, "a mapping", other.kind_name(), &at, None);
                }
            }
        }
        if count < blocks.min {
            let summary = format!("`{name}` is needed at least {}", times(blocks.min));
            self.problems
                .push(Problem::new(at, summary).detail(format!("It is given {}.", times(count))));
        }
        if let Some(max) = blocks.max.filter(|max| count > *max) {
            let summary = format!("`{name}` is possible at most {}", times(max));
            self.problems
                .push(Problem::new(at, summary).detail(format!("It is given {}.", times(count))));
        }
        Some(Value::List(coerced))
    }

    fn mismatch(
        &mut self,
        name: &str,
        wanted: &str,
        found: &str,
        at: &Path,
        hint: Option<String>,
    ) -> Option<Value> {
        let what = match at.0.last() {
            Some(reconcile_model::Step::Index(_)) => format!("An item of `{name}`"),
            Some(reconcile_model::Step::Name(last)) if last != name => {
                format!("`{last}` in `{name}`")
            }
            _ => format!("`{name}`"),
        };
        let problem = Problem::new(at, format!("{what} must be {wanted}"));
        self.problems.push(problem.detail(format!("This is {found}.")).hint(hint));
        None
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "not at all".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

fn text_hint(value: &Value) -> Option<String> {
    match value {
        Value::List(items) if items.len() == 1 => Some("Write it without the brackets.".to_owned()),
        Value::Map(_) => {
            Some("If this was meant as an expression, put it in quotes: `\"${…}\"`.".to_owned())
        }
        _ => None,
    }
}

fn flag_hint(value: &Value) -> Option<String> {
    match value.as_str()?.to_lowercase().as_str() {
        "yes" | "on" => Some("Write `true`: in YAML 1.2, `yes` and `on` are texts.".to_owned()),
        "no" | "off" => Some("Write `false`: in YAML 1.2, `no` and `off` are texts.".to_owned()),
        _ => None,
    }
}
