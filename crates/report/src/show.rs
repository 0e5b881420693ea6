//! What is recorded, for `show`, `output`, and `state`.

use reconcile_model::{
    Address, Object, ResourceState, SchemaSet, Snapshot, Value, diff::Node, snapshot::ObjectStatus,
};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::{
    TextOptions,
    json::{Resource, Values, masked, values},
    layout::{self, Shape, View},
    line::{Line, Sign, Tone, piece, render},
    quote::{inline, plain},
    redact,
};

/// Returns all that is recorded of a stack as text: every object with its attributes, then the outputs.
pub fn state(snapshot: &Snapshot, schemas: &SchemaSet, options: &TextOptions) -> String {
    let mut lines = Vec::new();
    for (address, resource) in &snapshot.resources {
        lines.extend(resource_lines(address, resource, schemas, options.columns()));
    }
    if !snapshot.outputs.is_empty() {
        lines.push(Line::text(Tone::Strong, "Outputs:"));
        lines.push(Line::blank());
        lines.extend(output_lines(&snapshot.outputs, options.columns()));
    } else if lines.is_empty() {
        lines.push(Line::text(Tone::Plain, format!("Stack {} has nothing.", snapshot.stack)));
    } else {
        lines.pop();
    }
    render(&lines, *options)
}

/// Returns what is recorded of one instance as text.
pub fn resource(
    address: &Address,
    resource: &ResourceState,
    schemas: &SchemaSet,
    options: &TextOptions,
) -> String {
    let mut lines = resource_lines(address, resource, schemas, options.columns());
    lines.pop();
    render(&lines, *options)
}

/// Returns every address of a state, one on each line.
pub fn list(snapshot: &Snapshot) -> String {
    snapshot.resources.keys().map(|address| format!("{address}\n")).collect()
}

/// Returns the outputs as text, one after the other.
pub fn outputs(outputs: &Object, options: &TextOptions) -> String {
    render(&output_lines(outputs, options.columns()), *options)
}

/// Returns one output's value by itself: a string as it is, for scripts; anything else in the language's notation.
pub fn output(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown
        | Value::Sensitive(_)
        | Value::Sealed(_) => format!("{}\n", inline(value)),
    }
}

/// Returns all that is recorded in the form of `terraform show -json`, which is made part by part while it is written.
pub fn state_json<'a>(snapshot: &'a Snapshot, schemas: &'a SchemaSet) -> impl Serialize {
    let resources = snapshot.resources.iter().filter_map(|(address, resource)| {
        let object = resource.current.as_ref()?;
        Some(Resource {
            address,
            schema: schemas.get(address.resource.mode, address.type_name()),
            schema_version: Some(object.schema_version),
            attributes: &object.attributes,
            mark: redact::marked,
        })
    });
    StateJson {
        format_version: "1.0",
        values: values(outputs_json(&snapshot.outputs), resources),
        reconcile: json!({
            "stack": snapshot.stack,
            "lineage": snapshot.lineage,
            "serial": snapshot.serial,
        }),
    }
}

#[derive(Serialize)]
struct StateJson<'a> {
    format_version: &'static str,
    values: Values<'a>,
    reconcile: Json,
}

/// Returns what is recorded of one instance as JSON: its address, id, and attributes, and what is left of objects that
/// it replaced.
pub fn resource_json(address: &Address, resource: &ResourceState, schemas: &SchemaSet) -> Json {
    let schema = schemas.get(address.resource.mode, address.type_name());
    let object = |object: &reconcile_model::ObjectState| {
        let attributes = masked(&Value::Map(redact::marked(schema, &object.attributes)));
        json!({
            "id": object.id.as_str(),
            "status": status(object.status),
            "schema_version": object.schema_version,
            "provider": object.provider,
            "region": object.region,
            "dependencies": object.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "values": attributes.value,
            "sensitive_values": attributes.sensitive,
        })
    };
    json!({
        "address": address.to_string(),
        "type": address.type_name(),
        "name": &*address.resource.name,
        "current": resource.current.as_ref().map(object),
        "deposed": resource.deposed.iter().map(object).collect::<Vec<_>>(),
    })
}

/// Returns every address of a state as a JSON list.
pub fn list_json(snapshot: &Snapshot) -> Json {
    snapshot.resources.keys().map(|address| Json::from(address.to_string())).collect()
}

/// Returns the outputs as JSON, in the form of `terraform output -json`.
pub fn outputs_json(outputs: &Object) -> Json {
    outputs
        .iter()
        .map(|(name, value)| {
            let out = json!({ "sensitive": value.has_sensitive(), "value": masked(value).value });
            (name.clone(), out)
        })
        .collect()
}

/// Returns one output's value as JSON.
pub fn output_json(value: &Value) -> Json {
    masked(value).value
}

fn output_lines(outputs: &Object, columns: usize) -> Vec<Line> {
    let nodes: Vec<Node> =
        outputs.iter().map(|(name, it)| Node::of_values(name, &Value::Null, it)).collect();
    let view = View::new(columns, Shape::New);
    let mut lines = layout::values(&nodes, 0, view);
    layout::without_signs(&mut lines);
    // Outputs stand by themselves: there is nothing to leave room for signs for.
    for line in &mut lines {
        if let Some(depth) = line.depth {
            let indent = piece(Tone::Plain, "    ".repeat(depth));
            *line = Line {
                pieces: std::iter::once(indent).chain(line.pieces.drain(..)).collect(),
                ..Line::blank()
            };
        }
    }
    lines
}

fn resource_lines(
    address: &Address,
    resource: &ResourceState,
    schemas: &SchemaSet,
    columns: usize,
) -> Vec<Line> {
    let schema = schemas.get(address.resource.mode, address.type_name());
    let current = resource.current.iter().map(|object| (object, false));
    let deposed = resource.deposed.iter().map(|object| (object, true));
    let mut lines = Vec::new();
    for (object, is_deposed) in current.chain(deposed) {
        let mut said = plain(object.id.as_str());
        if is_deposed {
            said.push_str(", replaced and not deleted yet");
        }
        if object.status != ObjectStatus::Ready {
            said.push_str(", ");
            said.push_str(status(object.status));
        }
        lines.push(Line::text(Tone::Quiet, format!("# {address} ({said})")));
        lines.push(Line::text(Tone::Strong, layout::head(address)));
        lines.extend(layout::known(schema, &object.attributes, columns));
        lines.push(Line::text(Tone::Plain, "}"));
        lines.push(Line::blank());
    }
    if lines.is_empty() {
        lines.push(Line::item(Sign::NONE, 0, vec![piece(Tone::Quiet, format!("# {address}"))]));
        lines.push(Line::blank());
    }
    lines
}

fn status(status: ObjectStatus) -> &'static str {
    match status {
        ObjectStatus::Ready => "ready",
        ObjectStatus::Incomplete => "incomplete",
        ObjectStatus::Tainted => "tainted",
        ObjectStatus::Deleting => "deleting",
    }
}
