//! Meta-arguments: `lifecycle`, `depends_on`, `timeouts`, and conditions; and outputs, which share them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is no plain reference is refused, whatever else the parser knows"
)]

use std::collections::BTreeMap;

use hcl_edit::expr::{Expression, TraversalOperator};
use reconcile_model::{
    Attribute, Dependencies, InstanceKey, Kind, Mode, Path, ResourceAddress, Schema,
};

use super::Loader;
use super::block::is_unknown;
use super::names::{Repeated, SpecNames, Tables, Where};
use crate::expression::lower::{Name, Names as _};
use crate::expression::parse::parse_bare;
use crate::expression::{Root, walk};
use crate::place::{Place, Range, Style};
use crate::spec::{Condition, IgnoreChanges, Lifecycle, Output, Trigger, TriggerKey};
use crate::suggest::{did_you_mean, list};
use crate::yaml::{Yaml, YamlKey, YamlKind};

/// First names of what is neither a resource nor a data source.
const NO_BLOCKS: [&str; 8] =
    ["var", "local", "each", "count", "self", "path", "terraform", "module"];

impl Loader {
    pub(super) fn lifecycle(
        &mut self,
        yaml: &Yaml,
        mode: Mode,
        schema: &'static Schema,
        tables: &Tables<'_>,
        repeat: Repeated,
    ) -> Lifecycle {
        let known: &[&str] = match mode {
            Mode::Managed => &[
                "create_before_destroy",
                "prevent_destroy",
                "ignore_changes",
                "replace_triggered_by",
                "precondition",
                "postcondition",
            ],
            Mode::Data => &["precondition", "postcondition"],
        };
        let fields = self.fields("`lifecycle`", yaml, known);
        let mut lifecycle = Lifecycle::default();
        for (name, (_, value)) in fields {
            let place = Where { repeat, ..Where::plain("a condition") };
            match name {
                "create_before_destroy" => lifecycle.create_before_destroy = self.flag(value, name),
                "prevent_destroy" => lifecycle.prevent_destroy = self.flag(value, name),
                "ignore_changes" => lifecycle.ignore_changes = self.ignore_changes(value, schema),
                "replace_triggered_by" => {
                    for item in items(value) {
                        lifecycle.replace_triggered_by.extend(self.trigger(item, tables));
                    }
                }
                "precondition" => {
                    let names = SpecNames { tables, place };
                    lifecycle.preconditions = self.conditions("a precondition", value, &names);
                }
                _ => {
                    let names = SpecNames { tables, place: Where { own: Some(schema), ..place } };
                    lifecycle.postconditions = self.conditions("a postcondition", value, &names);
                }
            }
        }
        lifecycle
    }

    /// Reads conditions: one mapping or a list of them.
    pub(super) fn conditions(
        &mut self,
        what: &str,
        yaml: &Yaml,
        names: &SpecNames<'_>,
    ) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for item in items(yaml) {
            let fields = self.fields(what, item, &["condition", "error_message"]);
            if item.map().is_none() {
                continue;
            }
            let (Some((_, condition)), Some((_, message))) =
                (fields.get("condition"), fields.get("error_message"))
            else {
                let missing = ["condition", "error_message"]
                    .into_iter()
                    .filter(|name| !fields.contains_key(name));
                let summary = format!("{what} needs {}", list(missing)).replacen('a', "A", 1);
                self.error(item.place, summary);
                continue;
            };
            let is_expression = matches!(&condition.kind, YamlKind::Scalar { text, .. } if text.contains("${"))
                || matches!(condition.scalar(), Some(reconcile_model::Value::Bool(_)));
            if !is_expression {
                let error = self.error(condition.place, "A condition must be an expression");
                error.hint = Some("Write it as `${…}`.".to_owned());
                continue;
            }
            conditions.push(Condition {
                condition: self.node(condition, names),
                message: self.node(message, names),
            });
        }
        conditions
    }

    /// Reads a reference, which stands bare, as Terraform's JSON syntax has it, or in `${…}`.
    fn reference(&mut self, yaml: &Yaml, what: &str) -> Option<(Expression, String, Style, usize)> {
        let YamlKind::Scalar { text, style, .. } = &yaml.kind else {
            let kind = yaml.kind_name();
            self.error(yaml.place, format!("{what} must be a reference")).detail =
                format!("This is {kind}.");
            return None;
        };
        let inner = text.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
        let offset = if inner.is_some() { 2 } else { 0 };
        match parse_bare(inner.unwrap_or(text)) {
            Ok(expr) => Some((expr, text.to_string(), *style, offset)),
            Err(mut failures) => {
                for failure in &mut failures {
                    failure.at = shifted(failure.at, offset);
                }
                self.tell(yaml.place, *style, text, failures);
                None
            }
        }
    }

    /// Reads a reference to a block, and returns its index and the operators that follow its name.
    fn block_reference(
        &mut self,
        yaml: &Yaml,
        what: &str,
        tables: &Tables<'_>,
    ) -> Option<(usize, Vec<TraversalOperator>)> {
        let (expr, text, style, offset) = self.reference(yaml, what)?;
        let Expression::Traversal(traversal) = &expr else {
            self.no_reference(yaml, what);
            return None;
        };
        let Expression::Variable(name) = &traversal.expr else {
            self.no_reference(yaml, what);
            return None;
        };
        let operators: Vec<TraversalOperator> =
            traversal.operators.iter().map(|operator| operator.value().clone()).collect();
        let at = |node: &dyn hcl_edit::Span| {
            shifted(Range::new(node.span().unwrap_or_default()), offset)
        };
        let attributes: Vec<Name<'_>> = operators
            .iter()
            .map_while(|operator| match operator {
                TraversalOperator::GetAttr(name) => {
                    Some(Name { text: name.as_str(), at: at(name) })
                }
                TraversalOperator::Index(_)
                | TraversalOperator::LegacyIndex(_)
                | TraversalOperator::AttrSplat(_)
                | TraversalOperator::FullSplat(_) => None,
            })
            .collect();
        let name = Name { text: name.as_str(), at: at(name) };
        let names = SpecNames { tables, place: Where::plain("a reference") };
        if NO_BLOCKS.contains(&name.text) {
            self.no_reference(yaml, what);
            return None;
        }
        match names.resolve(&name, &attributes) {
            Ok((Root::Block(index), used)) => Some((index, operators[used..].to_vec())),
            Ok(_) => {
                self.no_reference(yaml, what);
                None
            }
            Err(failure) => {
                self.tell(yaml.place, style, &text, vec![failure]);
                None
            }
        }
    }

    fn no_reference(&mut self, yaml: &Yaml, what: &str) {
        let error = self.error(yaml.place, format!("{what} must name a resource or data source"));
        error.hint =
            Some("Write its address, as in `aws_instance.web` or `data.aws_ami.linux`.".to_owned());
    }

    /// Reads `depends_on`, and returns the index of each block with the place that names it.
    pub(super) fn depends_on(&mut self, yaml: &Yaml, tables: &Tables<'_>) -> Vec<(usize, Place)> {
        let YamlKind::List(items) = &yaml.kind else {
            let error = self.error(yaml.place, "`depends_on` must be a list");
            error.hint = Some("Write it in brackets, as in `[aws_instance.web]`.".to_owned());
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let Some((index, rest)) =
                self.block_reference(item, "An entry of `depends_on`", tables)
            else {
                continue;
            };
            if !rest.is_empty() {
                let error = self.error(item.place, "`depends_on` takes whole resources");
                error.hint = Some("Leave out what follows the resource's name.".to_owned());
            }
            found.push((index, item.place));
        }
        found
    }

    fn ignore_changes(&mut self, yaml: &Yaml, schema: &'static Schema) -> IgnoreChanges {
        if matches!(&yaml.kind, YamlKind::Scalar { text, .. } if &**text == "all") {
            return IgnoreChanges::All;
        }
        let YamlKind::List(entries) = &yaml.kind else {
            let error =
                self.error(yaml.place, "`ignore_changes` must be a list of arguments, or `all`");
            error.hint = Some("Write `[tags]`, or `all`.".to_owned());
            return IgnoreChanges::None;
        };
        let mut paths = Vec::new();
        for entry in entries {
            if matches!(&entry.kind, YamlKind::Scalar { text, .. } if &**text == "all")
                && entries.len() == 1
            {
                return IgnoreChanges::All;
            }
            let what = "An entry of `ignore_changes`";
            let Some((expr, ..)) = self.reference(entry, what) else { continue };
            let Some(path) = path_of(&expr) else {
                let error = self.error(entry.place, format!("{what} must name an argument"));
                error.hint = Some("Write its name, as in `tags` or `tags[\"Name\"]`.".to_owned());
                continue;
            };
            if !is_unknown(schema)
                && let Some((owner, name, attributes)) = missing_argument(schema, &path)
            {
                let names = attributes.iter().filter(|it| it.is_argument()).map(|it| it.name);
                let hint = did_you_mean(name, names);
                self.error(entry.place, format!("`{owner}` has no argument `{name}`")).hint = hint;
                continue;
            }
            paths.push(path);
        }
        IgnoreChanges::Paths(paths)
    }

    fn trigger(&mut self, yaml: &Yaml, tables: &Tables<'_>) -> Option<Trigger> {
        let what = "An entry of `replace_triggered_by`";
        let (index, operators) = self.block_reference(yaml, what, tables)?;
        let (address, head) = tables.blocks.get_index(index)?;
        if address.mode == Mode::Data {
            let error = self.error(yaml.place, "A data source cannot trigger a replacement");
            error.detail = "Only what is managed changes by a plan.".to_owned();
            return None;
        }
        let mut rest = operators.as_slice();
        let mut key = None;
        if let Some(TraversalOperator::Index(expr)) = rest.first() {
            key = trigger_key(expr);
            if key.is_none() {
                let error = self.error(yaml.place, "This index is not possible here");
                error.hint =
                    Some("Write a number, a text, `count.index`, or `each.key`.".to_owned());
                return None;
            }
            rest = &rest[1..];
        }
        let path = Path(rest.iter().map_while(step_of).collect());
        if path.0.len() != rest.len() {
            self.no_reference(yaml, what);
            return None;
        }
        if let (Some(name), Some(schema)) = (path.attribute(), head.schema)
            && schema.attribute(name).is_none()
        {
            let hint = did_you_mean(name, schema.attributes.iter().map(|it| it.name));
            let summary = format!("`{}` has no attribute `{name}`", schema.type_name);
            self.error(yaml.place, summary).hint = hint;
            return None;
        }
        let text = match &yaml.kind {
            YamlKind::Scalar { text, .. } => text.to_string(),
            YamlKind::List(_) | YamlKind::Map(_) => String::new(),
        };
        Some(Trigger { resource: address.clone(), key, path, text })
    }

    pub(super) fn timeouts(&mut self, yaml: &Yaml) -> BTreeMap<String, u64> {
        let fields = self.fields("`timeouts`", yaml, &["create", "read", "update", "delete"]);
        let mut timeouts = BTreeMap::new();
        for (name, (_, value)) in fields {
            let Some(text) = self.text(value, name) else { continue };
            match seconds(&text) {
                Some(seconds) => {
                    timeouts.insert(name.to_owned(), seconds);
                }
                None => {
                    let error = self.error(value.place, format!("`{name}` must be a duration"));
                    error.hint = Some(
                        "Write hours, minutes, and seconds, as in `90s`, `10m`, or `1h30m`."
                            .to_owned(),
                    );
                }
            }
        }
        timeouts
    }

    pub(super) fn output(
        &mut self,
        key: &YamlKey,
        body: &Yaml,
        tables: &Tables<'_>,
    ) -> Option<Output> {
        let known = ["value", "description", "sensitive", "depends_on", "precondition"];
        let fields = self.fields(&format!("the output `{}`", key.text), body, &known);
        let names = SpecNames { tables, place: Where::plain("an output") };
        let description =
            fields.get("description").and_then(|(_, yaml)| self.text(yaml, "description"));
        let sensitive =
            fields.get("sensitive").is_some_and(|(_, yaml)| self.flag(yaml, "sensitive"));
        let preconditions = match fields.get("precondition") {
            Some((_, yaml)) => self.conditions("a precondition", yaml, &names),
            None => Vec::new(),
        };
        let depends_on = match fields.get("depends_on") {
            Some((_, yaml)) => self.depends_on(yaml, tables),
            None => Vec::new(),
        };
        if !matches!(body.kind, YamlKind::Map(_))
            && body.scalar() != Some(reconcile_model::Value::Null)
        {
            return None;
        }
        let Some((_, value)) = fields.get("value") else {
            self.error(key.place, format!("The output `{}` needs `value`", key.text));
            return None;
        };
        let depends_on: Vec<ResourceAddress> = depends_on
            .into_iter()
            .filter_map(|(index, _)| {
                tables.blocks.get_index(index).map(|(address, _)| address.clone())
            })
            .collect();
        Some(Output {
            name: key.text.to_string(),
            description,
            sensitive,
            span: self.files.span(key.place),
            dependencies: Dependencies::default(),
            depends_on,
            value: self.node(value, &names),
            preconditions,
        })
    }
}

/// Returns the first name on a path that its owner does not have, with the owner and what it has.
fn missing_argument<'p>(
    schema: &'static Schema,
    path: &'p Path,
) -> Option<(&'p str, &'p str, &'static [Attribute])> {
    let (mut owner, mut attributes): (&'p str, _) = (schema.type_name, schema.attributes);
    for step in &path.0 {
        // An index picks one of the blocks.
        let reconcile_model::Step::Name(name) = step else { continue };
        let Some(attribute) = attributes.iter().find(|it| it.name == *name) else {
            return Some((owner, name, attributes));
        };
        let Kind::Blocks(blocks) = attribute.kind else { return None };
        (owner, attributes) = (name, blocks.attributes);
    }
    None
}

/// Returns the items of a list, or the one thing that stands for a list of one.
pub(super) fn items(yaml: &Yaml) -> Vec<&Yaml> {
    match &yaml.kind {
        YamlKind::List(items) => items.iter().collect(),
        YamlKind::Map(_) | YamlKind::Scalar { .. } => vec![yaml],
    }
}

fn shifted(at: Range, offset: usize) -> Range {
    let offset = u32::try_from(offset).unwrap_or_default();
    Range { start: at.start + offset, end: at.end + offset }
}

fn step_of(operator: &TraversalOperator) -> Option<reconcile_model::Step> {
    use reconcile_model::Step;
    match operator {
        TraversalOperator::GetAttr(name) => Some(Step::Name(name.as_str().to_owned())),
        TraversalOperator::Index(Expression::String(name)) => {
            Some(Step::Name(name.as_str().to_owned()))
        }
        TraversalOperator::Index(Expression::Number(number)) => {
            number.value().as_u64().and_then(|index| usize::try_from(index).ok()).map(Step::Index)
        }
        TraversalOperator::LegacyIndex(index) => {
            usize::try_from(*index.value()).ok().map(Step::Index)
        }
        TraversalOperator::Index(_)
        | TraversalOperator::AttrSplat(_)
        | TraversalOperator::FullSplat(_) => None,
    }
}

/// Returns the path that a reference to an argument of one's own stands for.
fn path_of(expr: &Expression) -> Option<Path> {
    match expr {
        Expression::Variable(name) => Some(Path::root(name.as_str())),
        Expression::Traversal(traversal) => {
            let mut path = path_of(&traversal.expr)?;
            for operator in &traversal.operators {
                path.0.push(step_of(operator.value())?);
            }
            Some(path)
        }
        _ => None,
    }
}

fn trigger_key(expr: &Expression) -> Option<TriggerKey> {
    match expr {
        Expression::String(name) => Some(TriggerKey::Key(InstanceKey::Name(name.as_str().into()))),
        Expression::Number(number) => {
            let index = usize::try_from(number.value().as_u64()?).ok()?;
            Some(TriggerKey::Key(InstanceKey::Index(index)))
        }
        Expression::Traversal(_) => match path_of(expr)?.to_string().as_str() {
            "count.index" => Some(TriggerKey::CountIndex),
            "each.key" => Some(TriggerKey::EachKey),
            _ => None,
        },
        _ => None,
    }
}

/// Reads a duration such as `1h30m`.
fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut number) = (0_u64, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && total > 0).then_some(total)
}

/// Adds the blocks that conditions mention.
pub(super) fn mentioned(conditions: &[Condition]) -> impl Iterator<Item = walk::Mentions> + '_ {
    conditions.iter().flat_map(|condition| {
        [walk::mentions(&condition.condition), walk::mentions(&condition.message)]
    })
}

/// Returns the key of a provider configuration, `aws` or `aws.<alias>`.
pub(super) fn provider_key(text: &str) -> Option<String> {
    let key = match text.split_once('.') {
        None if text == "aws" => text.to_owned(),
        Some(("aws", alias)) if super::sections::is_name(alias) => text.to_owned(),
        _ => return None,
    };
    Some(key)
}
