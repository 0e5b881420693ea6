//! `resource` and `data` blocks.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use reconcile_model::{Dependencies, Mode, Schema};

use super::lifecycle::provider_key;
use super::names::{Head, Repeated, SpecNames, Tables, Where};
use super::sections::{BlockPart, Sections};
use super::{Loader, cell};
use crate::spec::{Block, Cell, Lifecycle, ProviderBlock, Repeat};
use crate::suggest::{did_you_mean, list, nearest};
use crate::yaml::{Yaml, YamlKey, YamlKind};

/// What a block says besides the arguments of its type.
const META: [&str; 6] = ["count", "for_each", "depends_on", "provider", "lifecycle", "timeouts"];

/// What of that makes no sense for a data source of a check, which is read once.
const NOT_IN_CHECKS: [&str; 4] = ["count", "for_each", "lifecycle", "timeouts"];

/// Returns the provider of a type that names none: the first word of the type's name, as in Terraform, where that needs
/// no configuration.
fn implied_provider(type_name: &str) -> &'static str {
    if type_name == "http" { "http" } else { "aws" }
}

/// The schema of blocks whose type is unknown. It takes part in nothing: a spec with such a block does not load.
static UNKNOWN: Schema = Schema {
    type_name: "unknown",
    mode: Mode::Managed,
    version: 0,
    doc: "",
    attributes: &[],
    constraints: &[],
    recovery: reconcile_model::schema::Recovery::None,
    timeouts: reconcile_model::schema::Timeouts::minutes(1, 1, 1),
    iam_read: &[],
    iam_write: &[],
};

/// Tells whether a schema is the one of an unknown type.
pub(super) fn is_unknown(schema: &Schema) -> bool {
    std::ptr::eq(schema, &raw const UNKNOWN)
}

impl Loader {
    /// Enters every block into the tables, so that expressions may mention them in any order.
    pub(super) fn heads(&mut self, sections: &Sections<'_>, tables: &mut Tables<'_>) {
        let mut told = BTreeSet::new();
        for part in &sections.blocks {
            let address = &part.address;
            let schema = tables.schemas.get(address.mode, &address.type_name);
            // The same section may be met for each of its blocks; its type is told once.
            if schema.is_none() && told.insert(part.type_key.place) {
                self.unknown_type(part, tables);
            }
            let has = |name: &str| {
                part.body.map().unwrap_or_default().iter().any(|(key, _)| &*key.text == name)
            };
            let repeat = match (has("count"), has("for_each")) {
                (true, _) => Repeated::Count,
                (false, true) => Repeated::Each,
                (false, false) => Repeated::No,
            };
            let head = Head { schema, repeat, check: part.check };
            tables.blocks.insert(address.clone(), head);
        }
    }

    fn unknown_type(&mut self, part: &BlockPart<'_>, tables: &Tables<'_>) {
        let (mode, name) = (part.address.mode, &*part.address.type_name);
        let (what, other, other_what, section) = match mode {
            Mode::Managed => ("resource type", Mode::Data, "a data source", "data"),
            Mode::Data => ("data source", Mode::Managed, "a resource type", "resource"),
        };
        let names = tables.schemas.all(mode).map(|schema| schema.type_name);
        let hint = if tables.schemas.get(other, name).is_some() {
            Some(format!("It is {other_what}: put it under `{section}`."))
        } else {
            did_you_mean(name, names)
        };
        let all = tables.schemas.all(mode).map(|schema| schema.type_name);
        let detail =
            if hint.is_none() { format!("There are {}.", list(all)) } else { String::new() };
        let error = self.error(part.type_key.place, format!("There is no {what} `{name}`"));
        error.detail = detail;
        error.hint = hint;
    }

    pub(super) fn block(
        &mut self,
        index: usize,
        part: &BlockPart<'_>,
        tables: &Tables<'_>,
        providers: &IndexMap<String, ProviderBlock>,
        cells: &mut Vec<Cell>,
    ) -> Block {
        let head = &tables.blocks[index];
        let mut schema = head.schema.unwrap_or(&UNKNOWN);
        let place = Where { repeat: head.repeat, check: part.check, ..Where::plain("a resource") };
        let names = SpecNames { tables, place };
        let members = match &part.body.kind {
            YamlKind::Map(members) => members.as_slice(),
            YamlKind::Scalar { .. } if part.body.scalar() == Some(reconcile_model::Value::Null) => {
                &[]
            }
            YamlKind::Scalar { .. } | YamlKind::List(_) => {
                let kind = part.body.kind_name();
                let summary = format!("`{}` must be a mapping of arguments", part.address);
                let error = self.error(part.body.place, summary);
                error.detail = format!("This is {kind}.");
                let name = &part.key.text;
                if schema.attribute(name).is_some() {
                    error.detail = format!(
                        "`{name}` is an argument, and stands where the block's name belongs."
                    );
                    error.hint = Some(format!(
                        "Put a name in between, as in `{}: {{ main: {{ {name}: … }} }}`.",
                        schema.type_name
                    ));
                }
                // It is not checked further: everything would seem missing.
                schema = &UNKNOWN;
                &[]
            }
        };
        let mut meta: BTreeMap<&str, (&YamlKey, &Yaml)> = BTreeMap::new();
        let mut arguments = Vec::new();
        for member in members {
            let name = &*member.0.text;
            if part.check.is_some() && NOT_IN_CHECKS.contains(&name) {
                self.not_in_a_check(name, &member.0);
            } else if META.contains(&name) {
                meta.insert(name, (&member.0, &member.1));
            } else if !self.is_refused(name, &member.0, schema) {
                arguments.push(member);
            }
        }
        let body = self.entries(arguments, &names);
        let repeat = self.repeat(&meta, tables, cells);
        let lifecycle = match meta.get("lifecycle") {
            Some((_, yaml)) => self.lifecycle(yaml, part.address.mode, schema, tables, head.repeat),
            None => Lifecycle::default(),
        };
        let timeouts =
            meta.get("timeouts").map(|(_, yaml)| self.timeouts(yaml)).unwrap_or_default();
        let depends_on = match meta.get("depends_on") {
            Some((_, yaml)) => self.depends_on(yaml, tables),
            None => Vec::new(),
        };
        let implied = implied_provider(&part.address.type_name);
        let provider = match meta.get("provider") {
            Some((key, _)) if implied != "aws" => {
                let summary = format!("`{}` takes no `provider`", part.address.type_name);
                self.error(key.place, summary).detail = "It has nothing to configure.".to_owned();
                implied.to_owned()
            }
            Some((_, yaml)) => self.provider_of(yaml, providers),
            None => implied.to_owned(),
        };
        Block {
            address: part.address.clone(),
            schema,
            span: self.files.span(part.key.place),
            provider,
            check: part.check.map(|check| tables.checks[check].into()),
            lifecycle,
            timeouts,
            arguments: body
                .iter()
                .filter_map(|entry| entry.key.name().map(str::to_owned))
                .collect(),
            index,
            repeat,
            body,
            place: part.key.place,
            dependencies: Dependencies::default(),
            dependency_indexes: Vec::new(),
            depends_on,
        }
    }

    /// Tells what Terraform has and a spec has not; true when the argument is one of these.
    fn is_refused(&mut self, name: &str, key: &YamlKey, schema: &Schema) -> bool {
        if schema.attribute(name).is_some() {
            return false;
        }
        let (detail, hint) = match name {
            "dynamic" => (
                "An argument that takes blocks takes an expression, too.",
                "Give the argument itself a list, as in `ingress: ${[for port in var.ports : {…}]}`.",
            ),
            "provisioner" | "connection" => (
                "A spec is data: nothing in it is executed.",
                "Use `user_data`, or an image that has what you need.",
            ),
            _ => return false,
        };
        let error = self.error(key.place, format!("There are no `{name}` blocks"));
        error.detail = detail.to_owned();
        error.hint = Some(hint.to_owned());
        true
    }

    fn not_in_a_check(&mut self, name: &str, key: &YamlKey) {
        let summary = format!("A data source of a check takes no `{name}`");
        let error = self.error(key.place, summary);
        error.detail = "It is read once, for its check alone.".to_owned();
        error.hint = Some(match name {
            "lifecycle" => "What is to hold goes into the check's `assert`.".to_owned(),
            _ => "Put it under `data` at the top level, and mention it in the check.".to_owned(),
        });
    }

    fn repeat(
        &mut self,
        meta: &BTreeMap<&str, (&YamlKey, &Yaml)>,
        tables: &Tables<'_>,
        cells: &mut Vec<Cell>,
    ) -> Repeat {
        match (meta.get("count"), meta.get("for_each")) {
            (Some(_), Some((key, _))) => {
                let error = self.error(key.place, "`count` and `for_each` exclude each other");
                error.hint = Some("Keep one of them.".to_owned());
                Repeat::One
            }
            (Some((_, yaml)), None) => {
                let names = SpecNames { tables, place: Where::plain("`count`") };
                Repeat::Count(self.node(yaml, &names))
            }
            (None, Some((_, yaml))) => {
                let names = SpecNames { tables, place: Where::plain("`for_each`") };
                cells.push(cell(self.node(yaml, &names)));
                Repeat::Each(cells.len() - 1)
            }
            (None, None) => Repeat::One,
        }
    }

    fn provider_of(&mut self, yaml: &Yaml, providers: &IndexMap<String, ProviderBlock>) -> String {
        let text = match &yaml.kind {
            YamlKind::Scalar { text, .. } => &**text,
            YamlKind::List(_) | YamlKind::Map(_) => "",
        };
        match provider_key(text) {
            Some(key) if providers.contains_key(&key) => return key,
            Some(key) => {
                let known = list(providers.keys().map(String::as_str));
                let near = nearest(&key, providers.keys().map(String::as_str));
                let hint = match near.filter(|near| *near != "aws") {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => "Add it under `provider`, with its `alias`.".to_owned(),
                };
                let error = self.error(yaml.place, format!("There is no provider `{key}`"));
                error.detail = format!("There is {known}.");
                error.hint = Some(hint);
            }
            None => {
                let error = self.error(yaml.place, "`provider` must name a provider configuration");
                error.hint = Some("Write `aws`, or `aws.<alias>`.".to_owned());
            }
        }
        "aws".to_owned()
    }
}
