//! From YAML to bodies: scalars parsed, names looked up, constants read.

use std::collections::BTreeMap;

use reconcile_model::Value;

use super::Loader;
use crate::eval::Failure;
use crate::expression::lower::Names;
use crate::expression::parse::{self, is_template};
use crate::expression::{Expr, ExprKind, Scalar};
use crate::node::{Entry, Key, Node, NodeKind};
use crate::place::{Place, Style};
use crate::suggest::{did_you_mean, list, nearest};
use crate::yaml::{Yaml, YamlKey, YamlKind};

/// The fields of a mapping by name.
pub(super) type Fields<'y> = BTreeMap<&'y str, (&'y YamlKey, &'y Yaml)>;

impl Loader {
    /// Lowers a part of a document. What cannot be read is told and counts as unknown.
    pub(super) fn node(&mut self, yaml: &Yaml, names: &dyn Names) -> Node {
        let kind = match &yaml.kind {
            YamlKind::List(items) => {
                NodeKind::List(items.iter().map(|item| self.node(item, names)).collect())
            }
            YamlKind::Map(members) => NodeKind::Map(self.entries(members, names)),
            YamlKind::Scalar { text, style, .. } => match yaml.scalar() {
                Some(number @ Value::Number(_)) => NodeKind::Number(number, text.clone()),
                Some(Value::String(_)) if is_template(text) => match parse::template(text, names) {
                    Ok(Expr { kind: ExprKind::Literal(value), .. }) => NodeKind::Literal(value),
                    Ok(expr) => NodeKind::Scalar(Box::new(Scalar {
                        expr: expr.into(),
                        text: text.clone(),
                        style: *style,
                    })),
                    Err(failures) => {
                        self.tell(yaml.place, *style, text, failures);
                        NodeKind::Literal(Value::Unknown)
                    }
                },
                value => NodeKind::Literal(value.unwrap_or_default()),
            },
        };
        Node { place: yaml.place, kind }
    }

    /// Lowers the members of a mapping.
    pub(super) fn entries<'y>(
        &mut self,
        members: impl IntoIterator<Item = &'y (YamlKey, Yaml)>,
        names: &dyn Names,
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (key, value) in members {
            // Terraform's JSON syntax has its comments there.
            if &*key.text == "//" {
                continue;
            }
            let lowered = if is_template(&key.text) {
                match parse::template(&key.text, names) {
                    Ok(Expr { kind: ExprKind::Literal(Value::String(text)), .. }) => {
                        Key::Name(text.into())
                    }
                    Ok(expr) => Key::Computed(Box::new(Scalar {
                        expr: expr.into(),
                        text: key.text.clone(),
                        style: key.style,
                    })),
                    Err(failures) => {
                        self.tell(key.place, key.style, &key.text, failures);
                        continue;
                    }
                }
            } else {
                Key::Name(key.text.clone())
            };
            let value = self.node(value, names);
            entries.push(Entry { key: lowered, place: key.place, value });
        }
        entries
    }

    /// Adds what is wrong with a scalar.
    pub(super) fn tell(&mut self, place: Place, style: Style, text: &str, failures: Vec<Failure>) {
        for failure in failures {
            let place = self.files.within(place, style, text, failure.at);
            let span = self.files.span(place);
            self.problems.push(failure.into_diagnostic(span));
        }
    }

    /// Returns the fields of a mapping that has only certain ones.
    pub(super) fn fields<'y>(
        &mut self,
        what: &str,
        yaml: &'y Yaml,
        known: &[&'static str],
    ) -> Fields<'y> {
        self.fields_besides(what, yaml, known, &[])
    }

    /// Returns the fields of a mapping that has only certain ones, and others that are told about elsewhere.
    pub(super) fn fields_besides<'y>(
        &mut self,
        what: &str,
        yaml: &'y Yaml,
        known: &[&'static str],
        elsewhere: &[&str],
    ) -> Fields<'y> {
        let mut fields = Fields::new();
        let Some(members) = yaml.map() else {
            if yaml.scalar() != Some(Value::Null) {
                let error = self.error(yaml.place, format!("Expected a mapping for {what}"));
                error.detail = format!("This is {}.", yaml.kind_name());
            }
            return fields;
        };
        for (key, value) in members {
            if &*key.text == "//" || elsewhere.contains(&&*key.text) {
                continue;
            }
            if known.contains(&&*key.text) {
                fields.insert(&key.text, (key, value));
                continue;
            }
            let hint = did_you_mean(&key.text, known.iter().copied());
            let error = self.error(key.place, format!("There is no `{}` in {what}", key.text));
            error.detail = format!("It takes {}.", list(known.iter().copied()));
            error.hint = hint;
            // It counts as what was meant, so that this is not told to be missing as well.
            if let Some(meant) = nearest(&key.text, known.iter().copied()) {
                fields.entry(meant).or_insert((key, value));
            }
        }
        fields
    }

    /// Returns a constant text.
    pub(super) fn text(&mut self, yaml: &Yaml, what: &str) -> Option<String> {
        match &yaml.kind {
            YamlKind::Scalar { text, .. } if is_template(text) => {
                self.not_constant(yaml, what);
                None
            }
            YamlKind::Scalar { text, .. } if yaml.scalar() != Some(Value::Null) => {
                Some(text.to_string())
            }
            YamlKind::Scalar { .. } | YamlKind::List(_) | YamlKind::Map(_) => {
                let kind = yaml.kind_name();
                self.error(yaml.place, format!("`{what}` must be a text")).detail =
                    format!("This is {kind}.");
                None
            }
        }
    }

    /// Returns a constant bool; false when there is an error.
    pub(super) fn flag(&mut self, yaml: &Yaml, what: &str) -> bool {
        match (yaml.scalar(), &yaml.kind) {
            (Some(Value::Bool(flag)), _) => flag,
            (_, YamlKind::Scalar { text, .. }) if is_template(text) => {
                self.not_constant(yaml, what);
                false
            }
            _ => {
                let hint = yes_or_no(yaml);
                let kind = yaml.kind_name();
                let error = self.error(yaml.place, format!("`{what}` must be `true` or `false`"));
                error.detail = format!("This is {kind}.");
                error.hint = hint;
                false
            }
        }
    }

    fn not_constant(&mut self, yaml: &Yaml, what: &str) {
        self.error(yaml.place, format!("`{what}` must be a constant")).detail =
            "It is needed before expressions are evaluated.".to_owned();
    }

    /// Returns a constant value of any kind. Expressions are errors.
    pub(super) fn constant(&mut self, yaml: &Yaml, what: &str) -> Value {
        match &yaml.kind {
            YamlKind::Scalar { text, .. } if is_template(text) => {
                self.not_constant(yaml, what);
                Value::Unknown
            }
            YamlKind::Scalar { .. } => yaml.scalar().unwrap_or_default(),
            YamlKind::List(items) => {
                Value::List(items.iter().map(|item| self.constant(item, what)).collect())
            }
            YamlKind::Map(members) => Value::Map(
                members
                    .iter()
                    .map(|(key, value)| (key.text.to_string(), self.constant(value, what)))
                    .collect(),
            ),
        }
    }
}

/// Hints that YAML 1.2 has no `yes`, `no`, `on`, and `off`.
pub(super) fn yes_or_no(yaml: &Yaml) -> Option<String> {
    let YamlKind::Scalar { text, .. } = &yaml.kind else { return None };
    match text.to_lowercase().as_str() {
        "yes" | "on" => Some("Write `true`: `yes` and `on` are texts.".to_owned()),
        "no" | "off" => Some("Write `false`: `no` and `off` are texts.".to_owned()),
        "true" | "false" => Some("Remove the quotes.".to_owned()),
        _ => None,
    }
}
