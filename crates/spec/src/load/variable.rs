//! Variables: their declarations, and the values they are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use reconcile_model::{Diagnostic, Value};

use super::Loader;
use super::body::yes_or_no;
use super::names::{SpecNames, Tables, Where};
use super::sections::Sections;
use crate::expression::parse::parse_bare;
use crate::inputs::Inputs;
use crate::place::Files;
use crate::source::SourceFile;
use crate::spec::VariableBlock;
use crate::suggest::{did_you_mean, nearest};
use crate::types::{Mismatch, Type, constant, parse_type};
use crate::yaml::{self, Yaml, YamlKey, YamlKind};

const FIELDS: [&str; 6] = ["type", "default", "description", "validation", "sensitive", "nullable"];

/// A value a user gave, and how.
struct Given {
    value: Value,
    /// How it was given, for messages: "`--var`".
    by: String,
}

impl Loader {
    /// Returns the declarations, and the values in the same order.
    pub(super) fn variables(
        &mut self,
        sections: &Sections<'_>,
        inputs: &Inputs,
    ) -> (IndexMap<String, VariableBlock>, Vec<Value>) {
        let mut blocks = IndexMap::new();
        for (key, body) in &sections.variables {
            let block = self.variable(key, body);
            blocks.insert(key.text.to_string(), block);
        }
        let before = self.problems.len();
        let mut given = self.given(inputs, &blocks);
        // What a file that cannot be read would have given is not missing.
        let is_read = !self.problems[before..].iter().any(Diagnostic::is_error);
        let mut values = Vec::with_capacity(blocks.len());
        for (name, block) in &blocks {
            let value = self.value(name, block, given.remove(name), is_read);
            let hide = block.sensitive && !value.is_null();
            values.push(if hide { value.sensitive() } else { value });
        }
        (blocks, values)
    }

    fn variable(&mut self, key: &YamlKey, body: &Yaml) -> VariableBlock {
        let what = format!("the variable `{}`", key.text);
        let fields = self.fields(&what, body, &FIELDS);
        let kind = match fields.get("type") {
            Some((_, yaml)) => self.variable_type(yaml),
            None => Type::Any,
        };
        let sensitive =
            fields.get("sensitive").is_some_and(|(_, yaml)| self.flag(yaml, "sensitive"));
        let nullable = fields.get("nullable").is_none_or(|(_, yaml)| self.flag(yaml, "nullable"));
        let default = fields.get("default").map(|(default_key, yaml)| {
            let value = self.constant(yaml, "default");
            match kind.convert(&value) {
                Ok(_) if value.is_null() && !nullable => {
                    self.error(yaml.place, "The default is null, and the variable is not nullable");
                    Value::Unknown
                }
                Ok(value) => value,
                Err(mismatch) => {
                    let key = default_key.place;
                    let span = if sensitive {
                        self.files.span_of_key(key)
                    } else {
                        self.files.span(yaml.at(&mismatch.path).place)
                    };
                    let hint =
                        yes_or_no(yaml.at(&mismatch.path)).filter(|_| mismatch.wanted == "a bool");
                    let diagnostic = Diagnostic::error("The default is not of the variable's type")
                        .detail(told(&mismatch))
                        .at(span);
                    self.problems.push(Diagnostic { hint, ..diagnostic });
                    Value::Unknown
                }
            }
        });
        let description =
            fields.get("description").and_then(|(_, yaml)| self.text(yaml, "description"));
        VariableBlock {
            place: key.place,
            kind,
            default,
            description,
            sensitive,
            nullable,
            is_broken: body.map().is_none() && body.scalar() != Some(Value::Null),
            validations: Vec::new(),
        }
    }

    fn variable_type(&mut self, yaml: &Yaml) -> Type {
        let YamlKind::Scalar { text, style, .. } = &yaml.kind else {
            let error = self.error(yaml.place, "A type is written as text");
            error.hint = Some("Put it in quotes, as in `\"list(string)\"`.".to_owned());
            return Type::Any;
        };
        // Terraform's JSON syntax takes it in `${…}` too.
        let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
        parse_type(inner.unwrap_or(text)).unwrap_or_else(|failures| {
            self.tell(yaml.place, *style, text, failures);
            Type::Any
        })
    }

    /// Lowers the validations, once every name is known.
    pub(super) fn validations(
        &mut self,
        sections: &Sections<'_>,
        mut blocks: IndexMap<String, VariableBlock>,
        tables: &Tables<'_>,
    ) -> IndexMap<String, VariableBlock> {
        let names = SpecNames { tables, place: Where::without_blocks("a validation") };
        for (key, body) in &sections.variables {
            let Some(members) = body.map() else { continue };
            let Some((_, yaml)) = members.iter().find(|(key, _)| &*key.text == "validation") else {
                continue;
            };
            let conditions = self.conditions("a validation", yaml, &names);
            if let Some(block) = blocks.get_mut(&*key.text) {
                block.validations = conditions;
            }
        }
        blocks
    }

    /// Returns the values that were given, by name; the last one wins.
    fn given(
        &mut self,
        inputs: &Inputs,
        blocks: &IndexMap<String, VariableBlock>,
    ) -> BTreeMap<String, Given> {
        let mut given = BTreeMap::new();
        for (name, text) in &inputs.environment {
            if let Some(block) = blocks.get(name) {
                let by = format!("the environment variable `RECONCILE_VAR_{name}`");
                self.given_text(name, text, by, block, &mut given);
            }
        }
        for file in &inputs.files {
            let source = SourceFile { name: file.name.as_str().into(), bytes: file.bytes.clone() };
            self.given_file(&source, blocks, &mut given);
        }
        for (name, text) in &inputs.assignments {
            match blocks.get(name) {
                Some(block) => self.given_text(name, text, "`--var`".to_owned(), block, &mut given),
                None => {
                    let hint = match nearest(name, blocks.keys().map(String::as_str)) {
                        Some(near) => format!("Did you mean `--var {near}=…`?"),
                        None => format!(
                            "Declare it in the spec: `variable: {{ {name}: {{ type: string }} }}`."
                        ),
                    };
                    self.problems.push(
                        Diagnostic::error(format!(
                            "`--var` gives a variable `{name}` that the spec does not declare"
                        ))
                        .hint(hint),
                    );
                }
            }
        }
        given
    }

    fn given_text(
        &mut self,
        name: &str,
        text: &str,
        by: String,
        block: &VariableBlock,
        given: &mut BTreeMap<String, Given>,
    ) {
        let value = if block.kind.is_primitive() {
            Ok(Value::from(text))
        } else {
            // JSON is HCL too, as far as constants go.
            parse_bare(text).and_then(|expr| constant(&expr).map_err(|failure| vec![failure]))
        };
        match value {
            Ok(value) => {
                given.insert(name.to_owned(), Given { value, by });
            }
            Err(failures) => {
                // It counts as given, so that it is not told to be missing as well.
                given.insert(name.to_owned(), Given { value: Value::Unknown, by });
                let by = &given[name].by;
                // The value may be secret: neither it nor where in it the slip is gets told.
                let reason = failures.first().map_or("", |failure| failure.summary.as_str());
                self.problems.push(
                    Diagnostic::error(format!("The value of the variable `{name}` cannot be read"))
                        .detail(format!("It was given by {by}. {reason}."))
                        .hint(format!(
                            "The variable is {}: write the value as HCL or JSON, as in `--var '{name}=[\"a\", \"b\"]'`.",
                            block.kind
                        )),
                );
            }
        }
    }

    fn given_file(
        &mut self,
        source: &SourceFile,
        blocks: &IndexMap<String, VariableBlock>,
        given: &mut BTreeMap<String, Given>,
    ) {
        // The lines of a file of values may be secret, so its diagnostics show no line.
        let mut files = Files::default();
        let (document, diagnostics) = yaml::read(source, &mut files);
        for mut diagnostic in diagnostics {
            let place = diagnostic
                .span
                .take()
                .map_or_else(|| source.name.to_string(), |span| span.to_string());
            diagnostic.summary = format!("{} ({place})", diagnostic.summary);
            self.problems.push(diagnostic);
        }
        let Some(document) = document else { return };
        let Some(members) = document.map() else {
            if document.scalar() != Some(Value::Null) {
                self.problems.push(
                    Diagnostic::error(format!(
                        "The file `{}` must be a mapping of variables",
                        source.name
                    ))
                    .detail(format!("It is {}.", document.kind_name())),
                );
            }
            return;
        };
        for (key, yaml) in members {
            let name: Arc<str> = key.text.clone();
            if !blocks.contains_key(&*name) {
                let warning = Diagnostic::warning(format!(
                    "`{}` gives a variable `{name}` that the spec does not declare",
                    source.name
                ));
                let hint = did_you_mean(&name, blocks.keys().map(String::as_str));
                self.problems.push(Diagnostic { hint, ..warning });
                continue;
            }
            let by = format!("the file `{}`", source.name);
            given.insert(name.to_string(), Given { value: plain(yaml), by });
        }
    }

    /// Returns a variable's value: the one given, the default, or an error.
    fn value(
        &mut self,
        name: &str,
        block: &VariableBlock,
        given: Option<Given>,
        is_read: bool,
    ) -> Value {
        let Some(given) = given else {
            return match &block.default {
                Some(default) => default.clone(),
                None if !is_read || block.is_broken => Value::Unknown,
                None => {
                    let error =
                        self.error(block.place, format!("The variable `{name}` has no value"));
                    error.detail = "It has no default, and none was given.".to_owned();
                    error.hint = Some(format!(
                        "Give one with `--var {name}=…`, in a `--var-file`, or in the environment as `RECONCILE_VAR_{name}`."
                    ));
                    Value::Unknown
                }
            };
        };
        if given.value.is_null() && !block.nullable {
            return match &block.default {
                Some(default) => default.clone(),
                None => {
                    let error =
                        self.error(block.place, format!("The variable `{name}` must not be null"));
                    error.detail = format!("It was given by {}.", given.by);
                    Value::Unknown
                }
            };
        }
        match block.kind.convert(&given.value) {
            Ok(value) => value,
            Err(mismatch) => {
                let error = self.error(
                    block.place,
                    format!("The value of the variable `{name}` is not of its type"),
                );
                error.detail = format!("{} It was given by {}.", told(&mismatch), given.by);
                if mismatch.wanted == "a bool" {
                    error.hint = Some("Give `true` or `false`.".to_owned());
                }
                Value::Unknown
            }
        }
    }
}

/// Tells what is of the wrong type, without quoting it.
fn told(mismatch: &Mismatch) -> String {
    let what =
        if mismatch.path.0.is_empty() { "It".to_owned() } else { format!("`{}`", mismatch.path) };
    format!("{what} must be {}, and is {}.", mismatch.wanted, mismatch.found)
}

/// Returns the value of a document without expressions: in a file of values, `${` stands for itself.
fn plain(yaml: &Yaml) -> Value {
    match &yaml.kind {
        YamlKind::Scalar { .. } => yaml.scalar().unwrap_or_default(),
        YamlKind::List(items) => Value::List(items.iter().map(plain).collect()),
        YamlKind::Map(members) => Value::Map(
            members.iter().map(|(key, value)| (key.text.to_string(), plain(value))).collect(),
        ),
    }
}
