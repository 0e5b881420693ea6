//! Plans as JSON, in Terraform's plan representation.
//!
//! Policy checkers and comment tools that read `terraform show -json PLAN` read this: `resource_changes`,
//! `planned_values`, `prior_state`, `configuration`, `output_changes`, `resource_drift`, `variables`. What is ours alone is
//! under `reconcile`. Two differences are on purpose:
//!
//! - Where Terraform writes sensitive values in clear, here stands the string `(sensitive value)`; the masks
//!   (`before_sensitive`, `after_sensitive`, `sensitive_values`) say where.
//! - There is no `timestamp`: the same plan is the same bytes. `terraform_version`, without which some tools take a file
//!   for no plan, names the Terraform whose representation this is.

mod configuration;
mod mask;
mod module;
mod relevant;
mod shape;

use std::io;

use reconcile_model::{
    Action, Address, InstanceKey, Mode, Object, Path, Plan, Reason, Schema, SchemaSet, Span, Step,
    Value,
    plan::{Cause, CauseKind, Change, Drift, DriftOutcome, OutputChange},
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value as Json, json};

use crate::{
    Configuration, checks,
    exposure::{Exposure, exposures},
    redact,
};
pub(crate) use mask::{Masked, kind, masked};
pub(crate) use module::{Resource, Values, values};

/// The version of Terraform's plan representation that this is.
pub const FORMAT_VERSION: &str = "1.2";

/// The Terraform whose representation this is.
pub const TERRAFORM_VERSION: &str = "1.11.4";

/// Returns a plan in its JSON form, which is made part by part while it is written.
///
/// `configuration` becomes the `configuration` section, as far as it is filled in.
pub fn plan<'a>(
    plan: &'a Plan,
    schemas: &'a SchemaSet,
    configuration: &'a Configuration,
) -> impl Serialize {
    Document { cx: Cx { plan, schemas }, configuration }
}

struct Document<'a> {
    cx: Cx<'a>,
    configuration: &'a Configuration,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { cx, configuration } = self;
        let plan = cx.plan;
        let drift = Each(|| plan.drift.iter().map(|it| cx.drift(it)));
        let changes = Each(|| cx.shown_changes().map(|it| cx.change(it)));
        let complete = plan.options.targets.is_empty() && plan.options.excludes.is_empty();
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("format_version", FORMAT_VERSION)?;
        out.serialize_entry("terraform_version", TERRAFORM_VERSION)?;
        out.serialize_entry("variables", &cx.variables())?;
        out.serialize_entry("planned_values", &cx.planned_values())?;
        out.serialize_entry("resource_drift", &drift)?;
        out.serialize_entry("resource_changes", &changes)?;
        out.serialize_entry("output_changes", &outputs(plan, output_change))?;
        out.serialize_entry("prior_state", &cx.prior_state())?;
        out.serialize_entry("configuration", &configuration::json(configuration, cx.schemas))?;
        out.serialize_entry("relevant_attributes", &relevant::json(plan, configuration))?;
        out.serialize_entry("checks", &checks::json(&plan.checks))?;
        out.serialize_entry("applyable", &!plan.is_empty())?;
        out.serialize_entry("complete", &complete)?;
        out.serialize_entry("errored", &false)?;
        out.serialize_entry("reconcile", &Own(cx))?;
        out.end()
    }
}

/// Writes JSON as a document of its own: indented, with a line end.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(json: &impl Serialize, mut out: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, json)?;
    out.write_all(b"\n")
}

/// A list whose elements are made one by one while they are written, so that a large one is never in memory.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

struct Cx<'a> {
    plan: &'a Plan,
    schemas: &'a SchemaSet,
}

impl<'a> Cx<'a> {
    fn schema(&self, address: &Address) -> Option<&'static Schema> {
        self.schemas.get(address.resource.mode, address.type_name())
    }

    /// Returns the changes that Terraform would list: data sources only when they are still to be read.
    fn shown_changes(&self) -> impl Iterator<Item = &'a Change> + use<'a> {
        self.plan.changes.iter().filter(|change| {
            change.address.resource.mode == Mode::Managed || change.action != Action::NoOp
        })
    }

    fn variables(&self) -> Json {
        let variables = self.plan.variables.iter();
        variables.map(|(k, v)| (k.clone(), json!({ "value": masked(v).value }))).collect()
    }

    fn planned_values(&self) -> Values<'a> {
        let outputs = outputs(self.plan, |output| {
            let after = masked_output(output, &output.after);
            let mut out = json!({ "sensitive": output.sensitive });
            if output.after.is_known() {
                out["type"] = kind(&output.after);
                out["value"] = after.value;
            }
            out
        });
        let resources = self.shown_changes().filter_map(|change| {
            let attributes = match change.action {
                Action::Delete | Action::Forget => return None,
                Action::NoOp => change.after.as_ref().or(change.before.as_ref())?,
                Action::Read | Action::Create | Action::Update | Action::Replace(_) => {
                    change.after.as_ref()?
                }
            };
            Some(self.resource(&change.address, attributes))
        });
        values(outputs, resources)
    }

    fn prior_state(&self) -> PriorState<'a> {
        let recorded = self.plan.outputs.iter().filter(|(_, output)| !output.before.is_null());
        let outputs = recorded.map(|(name, output)| {
            let before = masked_output(output, &output.before);
            let out = json!({
                "sensitive": output.sensitive, "type": kind(&output.before), "value": before.value,
            });
            (name.clone(), out)
        });
        let resources = self.plan.changes.iter().filter(|change| !change.deposed);
        let resources = resources
            .filter_map(|it| it.before.as_ref().map(|before| self.resource(&it.address, before)));
        PriorState {
            format_version: "1.0",
            terraform_version: TERRAFORM_VERSION,
            values: values(outputs.collect(), resources),
        }
    }

    fn resource(&self, address: &'a Address, attributes: &'a Object) -> Resource<'a> {
        let schema = self.schema(address);
        let schema_version = schema.map(|schema| schema.version);
        Resource { address, schema, schema_version, attributes, mark: shape::values }
    }

    fn change(&self, change: &Change) -> Json {
        let mut out = head(&change.address);
        if let Some(previous) = &change.previous_address {
            out.insert("previous_address".to_owned(), previous.to_string().into());
        }
        if let (true, Some(id)) = (change.deposed, &change.id) {
            out.insert("deposed".to_owned(), id.as_str().into());
        }
        let schema = self.schema(&change.address);
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let mut sides = sides(schema, change.action, before, after);
        if !change.replace.is_empty() {
            let paths = change.replace.iter().map(|path| {
                path.0.iter().map(|step| match step {
                    Step::Index(index) => Json::from(*index),
                    Step::Name(name) => Json::from(name.as_str()),
                })
            });
            sides["replace_paths"] = paths.map(Iterator::collect::<Json>).collect();
        }
        if let (true, Some(id)) = (change.imported, &change.id) {
            sides["importing"] = json!({ "id": id.as_str() });
        }
        out.insert("change".to_owned(), sides);
        if let Some(reason) = action_reason(change) {
            out.insert("action_reason".to_owned(), reason.into());
        }
        Json::Object(out)
    }

    fn drift(&self, drift: &Drift) -> Json {
        let mut out = head(&drift.address);
        if let Some(id) = &drift.deposed {
            out.insert("deposed".to_owned(), id.as_str().into());
        }
        let action = if drift.after.is_some() { Action::Update } else { Action::Delete };
        let schema = self.schema(&drift.address);
        let sides = sides(schema, action, Some(&drift.before), drift.after.as_ref());
        out.insert("change".to_owned(), sides);
        Json::Object(out)
    }

    /// Returns what drifted attribute by attribute: as the spec says, as recorded, as it is, and what apply does about it.
    fn drifted(&self, drift: &Drift) -> Json {
        let schema = self.schema(&drift.address);
        let shown = |path: &Path, value: &Value| {
            let marked = redact::value(schema, path, value);
            let hide = redact::is_sensitive(schema, path) && !marked.is_null();
            masked(&if hide { marked.sensitive() } else { marked }).value
        };
        let attributes = drift.changed.iter().enumerate().map(|(at, path)| {
            let of = |object: &Object| shown(path, object.at(path).unwrap_or(&Value::Null));
            let mut out = json!({ "path": path.to_string(), "recorded": of(&drift.before) });
            if let Some(after) = &drift.after {
                out["live"] = of(after);
            }
            let Some(answer) = drift.answers.get(at) else { return out };
            if let Some(spec) = &answer.spec {
                out["spec"] = shown(path, spec);
            }
            if let Some(span) = &answer.span {
                out["at"] = place(span);
            }
            out["outcome"] = match answer.outcome {
                DriftOutcome::Undone => "undone",
                DriftOutcome::Overwritten => "overwritten",
                DriftOutcome::Agreed => "agreed",
                DriftOutcome::Ignored => "ignored",
                DriftOutcome::Left => "left",
            }
            .into();
            out
        });
        let attributes = attributes.collect::<Vec<_>>();
        let changed = drift.changed.iter().map(|path| Json::from(path.to_string()));
        let mut out = json!({
            "address": drift.address.to_string(),
            "gone": drift.after.is_none(),
            "changed": changed.collect::<Json>(),
            "attributes": attributes,
        });
        if let Some(id) = &drift.deposed {
            out["deposed"] = id.as_str().into();
        }
        out
    }

    fn why(&self, change: &Change) -> Json {
        let schema = self.schema(&change.address);
        let causes = change.changed.iter().zip(&change.causes).map(|(path, cause)| {
            let Cause { kind, span, recorded } = cause;
            let mut out = json!({ "path": path.to_string() });
            out["cause"] = match kind {
                CauseKind::Spec => "spec".into(),
                CauseKind::Drift => "drift".into(),
                CauseKind::Computed => "computed".into(),
                CauseKind::Upstream(addresses) => {
                    out["upstream"] =
                        addresses.iter().map(|it| Json::from(it.to_string())).collect();
                    "upstream".into()
                }
            };
            if let Some(span) = span {
                out["at"] = place(span);
            }
            if let Some(recorded) = recorded {
                let recorded = if redact::is_sensitive(schema, path) {
                    recorded.clone().sensitive()
                } else {
                    redact::value(schema, path, recorded)
                };
                out["recorded"] = masked(&recorded).value;
            }
            out
        });
        let mut out = json!({ "address": change.address.to_string() });
        if let Some(id) = &change.id {
            out["id"] = id.as_str().into();
        }
        out["reason"] = serde_json::to_value(&change.reason).unwrap_or_default();
        if let Some(span) = &change.span {
            out["at"] = place(span);
        }
        out["changed"] = change.changed.iter().map(|path| Json::from(path.to_string())).collect();
        out["restart"] = change.restart.iter().map(|path| Json::from(path.to_string())).collect();
        out["causes"] = causes.collect();
        out
    }
}

/// What was recorded, as `prior_state` has it.
#[derive(Serialize)]
struct PriorState<'a> {
    format_version: &'static str,
    terraform_version: &'static str,
    values: Values<'a>,
}

/// What Terraform's representation has no place for.
struct Own<'a>(&'a Cx<'a>);

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(cx) = self;
        let plan = cx.plan;
        let counts = plan.counts();
        let counts = json!({
            "create": counts.create,
            "update": counts.update,
            "replace": counts.replace,
            "delete": counts.delete,
            "read": counts.read,
            "forget": counts.forget,
        });
        let changes = || plan.changes.iter().filter(|change| !change.does_nothing());
        let exposures = exposures(plan);
        let exposure =
            |it: &Exposure| json!({ "address": it.address.to_string(), "what": it.what });
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("format_version", &plan.format_version)?;
        out.serialize_entry("fingerprint", &plan.fingerprint())?;
        out.serialize_entry("stack", &plan.stack)?;
        out.serialize_entry("lineage", &plan.lineage)?;
        out.serialize_entry("serial", &plan.serial)?;
        out.serialize_entry("spec_digest", &plan.spec_digest)?;
        out.serialize_entry("options", &plan.options)?;
        out.serialize_entry("counts", &counts)?;
        out.serialize_entry("changes", &Each(|| changes().map(|it| cx.why(it))))?;
        out.serialize_entry("drift", &Each(|| plan.drift.iter().map(|it| cx.drifted(it))))?;
        out.serialize_entry("exposures", &Each(|| exposures.iter().map(exposure)))?;
        let warnings = Each(|| plan.warnings.iter().map(crate::diagnostic::json_one));
        out.serialize_entry("warnings", &warnings)?;
        out.end()
    }
}

/// Returns what an entry of `resource_changes` begins with.
fn head(address: &Address) -> Map<String, Json> {
    let block = &address.resource;
    let mut out = Map::new();
    out.insert("address".to_owned(), address.to_string().into());
    if !block.module.is_empty() {
        let module: Vec<String> = block.module.iter().map(ToString::to_string).collect();
        out.insert("module_address".to_owned(), module.join(".").into());
    }
    out.extend(named(address));
    out
}

/// Returns the mode, type, name, and index of an address.
fn named(address: &Address) -> Map<String, Json> {
    let block = &address.resource;
    let mut out = Map::new();
    let mode = match block.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    };
    out.insert("mode".to_owned(), mode.into());
    out.insert("type".to_owned(), (*block.type_name).into());
    out.insert("name".to_owned(), (*block.name).into());
    match &address.key {
        None => {}
        Some(InstanceKey::Index(index)) => {
            out.insert("index".to_owned(), (*index).into());
        }
        Some(InstanceKey::Name(name)) => {
            out.insert("index".to_owned(), (**name).into());
        }
    }
    out.insert("provider_name".to_owned(), provider_name(&block.type_name).into());
    out
}

/// Returns the provider's full name as Terraform writes it, which policies compare.
pub(crate) fn provider_name(type_name: &str) -> String {
    let provider = type_name.split('_').next().unwrap_or_default();
    format!("registry.terraform.io/hashicorp/{provider}")
}

fn sides(
    schema: Option<&Schema>,
    action: Action,
    before: Option<&Object>,
    after: Option<&Object>,
) -> Json {
    let side = |object: Option<&Object>| match object {
        Some(object) => masked(&Value::Map(shape::values(schema, object))),
        None => Masked { value: Json::Null, sensitive: false.into(), unknown: json!({}) },
    };
    let (before, after) = (side(before), side(after));
    json!({
        "actions": action.terraform(),
        "before": before.value,
        "after": after.value,
        "after_unknown": after.unknown,
        "before_sensitive": before.sensitive,
        "after_sensitive": after.sensitive,
    })
}

fn outputs(plan: &Plan, one: impl Fn(&OutputChange) -> Json) -> Json {
    plan.outputs.iter().map(|(name, output)| (name.clone(), one(output))).collect()
}

fn masked_output(output: &OutputChange, value: &Value) -> Masked {
    let hide = output.sensitive && !value.is_null();
    if hide { masked(&value.clone().sensitive()) } else { masked(value) }
}

fn output_change(output: &OutputChange) -> Json {
    let before = masked_output(output, &output.before);
    let after = masked_output(output, &output.after);
    let mut out = json!({
        "actions": output.action.terraform(),
        "before": before.value,
        "after": after.value,
        "after_unknown": after.unknown,
        "before_sensitive": before.sensitive,
        "after_sensitive": after.sensitive,
    });
    if output.after.is_unknown()
        && let Some(members) = out.as_object_mut()
    {
        members.shift_remove("after");
    }
    out
}

/// Returns the reason in Terraform's words, where it has any.
fn action_reason(change: &Change) -> Option<&'static str> {
    match (&change.action, &change.reason) {
        (Action::Replace(_), Reason::Tainted) => Some("replace_because_tainted"),
        (Action::Replace(_), Reason::Requested) => Some("replace_by_request"),
        (Action::Replace(_), Reason::TriggeredBy(_)) => Some("replace_by_triggers"),
        (Action::Replace(_), _) => Some("replace_because_cannot_update"),
        (Action::Delete, Reason::NotInSpec) => Some("delete_because_no_resource_config"),
        (Action::Delete, Reason::KeyGone) => Some(match change.address.key {
            Some(InstanceKey::Index(_)) => "delete_because_count_index",
            Some(InstanceKey::Name(_)) => "delete_because_each_key",
            None => "delete_because_wrong_repetition",
        }),
        (Action::Read, Reason::ArgumentsUnknown) => Some("read_because_config_unknown"),
        (Action::Read, Reason::DependencyChanges) => Some("read_because_dependency_pending"),
        (
            Action::NoOp
            | Action::Read
            | Action::Create
            | Action::Update
            | Action::Delete
            | Action::Forget,
            _,
        ) => None,
    }
}

fn place(span: &Span) -> Json {
    json!({ "file": &*span.file, "line": span.line, "column": span.column })
}
