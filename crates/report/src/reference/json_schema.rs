//! JSON Schema of specs, for editors: completion, and the coarse mistakes while typing.
//!
//! It is wider than what `validate` accepts, never narrower: wherever a value may be an expression, a text with `${…}`
//! passes. Draft 7, which is what YAML language servers know best.

use reconcile_model::schema::{Blocks, Check};
use reconcile_model::{Attribute, Kind, Mode, Presence, Schema, SchemaSet};
use serde_json::{Map, Value, json};

use super::wording;

/// The dialect.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The meta-arguments of blocks, with those that only resources take.
const META: [(&str, &str, bool); 6] = [
    ("count", "How many instances there are, reached as `[0]`, `[1]`, and so on.", false),
    (
        "for_each",
        "A map, or a set of strings: one instance for each, reached as `[\"key\"]`.",
        false,
    ),
    (
        "depends_on",
        "Blocks that must be applied first, though no expression refers to them.",
        false,
    ),
    ("provider", "The provider configuration: `aws`, or `aws.<alias>`.", false),
    ("lifecycle", "How changes are made, and what must hold.", false),
    ("timeouts", "How long operations may take, as `90s`, `10m`, or `1h30m`.", true),
];

/// Returns the JSON Schema of a whole spec.
pub fn of_spec(schemas: &SchemaSet) -> Value {
    let mut definitions = Definitions::new();
    for mode in [Mode::Managed, Mode::Data] {
        for schema in schemas.all(mode) {
            definitions.block(schema);
        }
    }
    json!({
        "$schema": DRAFT,
        "title": "A spec of reconcile",
        "type": "object",
        "properties": {
            "stack": { "type": "string", "description": "The stack's name, which names its state." },
            "provider": section(&json!({ "aws": one_or_more(&provider()) }), false, "How AWS is reached."),
            "backend": { "type": "object", "description": "Where the state is kept." },
            "variable": section(&variable(), true, "What the spec takes from outside."),
            "locals": section(&json!({}), true, "Names for values."),
            "data": section(&types(Mode::Data, schemas), false, "What is looked up."),
            "resource": section(&types(Mode::Managed, schemas), false, "What is managed."),
            "output": section(&output(), true, "What is shown and recorded after an apply."),
            "check": section(&check(schemas), true, "What is to hold once everything is there."),
            "import": listed(&import(), "What was made elsewhere, and where it belongs."),
            "moved": listed(&moved(), "What has another address than before."),
            "removed": listed(&removed(), "What becomes of what left the spec."),
        },
        "patternProperties": comments(),
        "additionalProperties": false,
        "definitions": definitions.0,
    })
}

/// Returns the JSON Schema of a block of one type.
pub fn of_type(schema: &Schema) -> Value {
    let mut definitions = Definitions::new();
    definitions.block(schema);
    json!({
        "$schema": DRAFT,
        "title": schema.type_name,
        "allOf": [reference(&definition(schema.mode, schema.type_name))],
        "definitions": definitions.0,
    })
}

fn definition(mode: Mode, type_name: &str) -> String {
    match mode {
        Mode::Managed => type_name.to_owned(),
        Mode::Data => format!("data.{type_name}"),
    }
}

/// Returns the types of a mode, each a mapping of blocks by name.
fn types(mode: Mode, schemas: &SchemaSet) -> Value {
    let types = schemas.all(mode).map(|schema| {
        let name = schema.type_name;
        let block = reference(&definition(mode, name));
        (name.to_owned(), described(mapping(&block, true), schema.doc))
    });
    Value::Object(types.collect())
}

/// What is referred to by name, since it is used in several places: `aws_lb`, and its nested blocks as `aws_lb.access_logs`.
struct Definitions(Map<String, Value>);

impl Definitions {
    fn new() -> Self {
        let shared = [("expression", expression()), ("condition", condition())];
        Self(shared.into_iter().map(|(name, shape)| (name.to_owned(), shape)).collect())
    }

    /// Adds the block of a type, with its meta-arguments.
    fn block(&mut self, schema: &Schema) {
        let name = definition(schema.mode, schema.type_name);
        let mut object = self.object(&name, schema.attributes);
        for (name, description, managed_only) in META {
            if managed_only && schema.mode == Mode::Data {
                continue;
            }
            let shape = match name {
                "lifecycle" => lifecycle(schema.mode),
                "timeouts" => json!({
                    "type": "object",
                    "properties": { "create": {}, "read": {}, "update": {}, "delete": {} },
                    "additionalProperties": false,
                }),
                "depends_on" => json!({ "type": "array", "items": { "type": "string" } }),
                _ => json!({}),
            };
            object["properties"][name] = described(shape, description);
        }
        self.0.insert(name, described(object, schema.doc));
    }

    /// Returns an object with the attributes that a spec may give.
    fn object(&mut self, path: &str, attributes: &[Attribute]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for attribute in attributes.iter().filter(|attribute| attribute.is_argument()) {
            let name = attribute.name;
            let shape = self.kind(&format!("{path}.{name}"), &attribute.kind, &attribute.check);
            let mut shape = described(shape, &description(attribute));
            if let Some(default) = attribute.default {
                shape["default"] = default.value().to_json();
            }
            properties.insert(name.to_owned(), shape);
            if attribute.presence == Presence::Required {
                required.push(name);
            }
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "patternProperties": comments(),
            "additionalProperties": false,
        })
    }

    fn kind(&mut self, path: &str, kind: &Kind, check: &Check) -> Value {
        match kind {
            Kind::String => string(check),
            Kind::Int => number("integer", check),
            Kind::Number => number("number", check),
            Kind::Bool => or_expression(json!({ "enum": [true, false, "true", "false", null] })),
            Kind::List(item) | Kind::Set(item) => or_expression(json!({
                "type": ["array", "null"],
                "items": self.kind(path, item, check),
            })),
            Kind::Map(item) => or_expression(json!({
                "type": ["object", "null"],
                "additionalProperties": self.kind(path, item, check),
            })),
            Kind::Blocks(Blocks { attributes, max, .. }) => {
                let block = self.object(path, attributes);
                self.0.insert(path.to_owned(), block);
                let block = reference(path);
                let mut list = json!({ "type": "array", "items": or_expression(block.clone()) });
                if let Some(max) = max {
                    list["maxItems"] = json!(max);
                }
                any_of([block, list, reference("expression"), json!({ "type": "null" })])
            }
        }
    }
}

fn description(attribute: &Attribute) -> String {
    match wording::on_change(attribute) {
        "in place" => attribute.doc.to_owned(),
        change => format!("{} A change: {}.", attribute.doc, change.replace("**", "")),
    }
}

fn number(kind: &str, check: &Check) -> Value {
    let mut number = json!({ "type": kind });
    if let Check::Range(low, high) = check {
        number["minimum"] = json!(low);
        number["maximum"] = json!(high);
    }
    let text = json!({ "type": "string", "pattern": "^[-+0-9.eE]+$|[$%]\\{" });
    any_of([number, text, json!({ "type": "null" })])
}

/// Returns what a string may be: numbers and bools become texts.
fn string(check: &Check) -> Value {
    match check {
        Check::OneOf(values) => any_of([
            json!({ "enum": values }),
            json!({ "type": ["number", "boolean", "null"] }),
            reference("expression"),
        ]),
        Check::Length(least, most) => any_of([
            json!({ "type": "string", "minLength": least, "maxLength": most }),
            json!({ "type": ["number", "boolean", "null"] }),
            reference("expression"),
        ]),
        Check::Any
        | Check::Range(..)
        | Check::Cidr
        | Check::Cidr4
        | Check::Cidr6
        | Check::Ip
        | Check::Rule(_) => json!({ "type": ["string", "number", "boolean", "null"] }),
    }
}

fn provider() -> Value {
    json!({
        "type": "object",
        "properties": {
            "alias": { "type": "string", "description": "A name for a second configuration: `provider: aws.<alias>`." },
            "region": described(json!({ "type": "string" }), "The Region; otherwise the environment's or the profile's."),
            "profile": described(json!({ "type": "string" }), "The profile of the shared configuration; otherwise the environment's."),
            "rate_limit_multiplier": described(
                json!({ "type": "number", "minimum": 0.01, "maximum": 1000 }),
                "Scales AWS's published request rates, which calls are kept below; 1 otherwise.",
            ),
            "default_tags": one_or_more(&json!({
                "type": "object",
                "properties": { "tags": { "description": "Tags for everything that can be tagged." } },
                "additionalProperties": false,
            })),
        },
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn variable() -> Value {
    json!({
        "type": ["object", "null"],
        "properties": {
            "type": { "type": "string", "description": "As `string`, `number`, `bool`, `list(string)`, `map(object({ port = number }))`." },
            "default": { "description": "The value when none is given; a constant." },
            "description": { "type": "string" },
            "validation": one_or_more(&reference("condition")),
            "sensitive": { "type": "boolean", "description": "Whether no output shows it." },
            "nullable": { "type": "boolean", "description": "Whether it may be null." },
        },
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn check(schemas: &SchemaSet) -> Value {
    json!({
        "type": "object",
        "properties": {
            "data": section(&types(Mode::Data, schemas), false, "What is looked up for this check alone."),
            "assert": one_or_more(&reference("condition")),
        },
        "required": ["assert"],
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn import() -> Value {
    json!({
        "type": "object",
        "properties": {
            "to": { "type": "string", "description": "Where it belongs: `aws_instance.web`, or `aws_instance.web[0]`." },
            "id": { "type": "string", "description": "The object's id in AWS." },
        },
        "required": ["to", "id"],
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn moved() -> Value {
    json!({
        "type": "object",
        "properties": {
            "from": { "type": "string", "description": "Where it was recorded: `aws_instance.web`, or `aws_instance.web[0]`." },
            "to": { "type": "string", "description": "Where it belongs from here on." },
        },
        "required": ["from", "to"],
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn removed() -> Value {
    let destroy = json!({ "type": "boolean", "description": "Whether its objects are destroyed; true otherwise." });
    json!({
        "type": "object",
        "properties": {
            "from": { "type": "string", "description": "The resource that left the spec: `aws_instance.web`." },
            "lifecycle": {
                "type": "object",
                "properties": { "destroy": destroy },
                "patternProperties": comments(),
                "additionalProperties": false,
            },
        },
        "required": ["from"],
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "value": {},
            "description": { "type": "string" },
            "sensitive": { "type": "boolean", "description": "Whether no output shows it." },
            "depends_on": { "type": "array", "items": { "type": "string" } },
            "precondition": one_or_more(&reference("condition")),
        },
        "required": ["value"],
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn lifecycle(mode: Mode) -> Value {
    let mut properties = json!({
        "precondition": one_or_more(&reference("condition")),
        "postcondition": one_or_more(&reference("condition")),
    });
    if mode == Mode::Managed {
        properties["create_before_destroy"] = json!({ "type": "boolean", "description": "Whether a replacement is made before the old object goes." });
        properties["prevent_destroy"] = json!({ "type": "boolean", "description": "Whether a plan that would destroy it is an error." });
        properties["ignore_changes"] = json!({
            "description": "Arguments that follow the live object once it exists, or `all`.",
            "anyOf": [{ "enum": ["all"] }, { "type": "array", "items": { "type": "string" } }],
        });
        properties["replace_triggered_by"] = json!({
            "description": "References whose change replaces this one.",
            "type": ["array", "string"], "items": { "type": "string" },
        });
    }
    json!({
        "type": "object",
        "properties": properties,
        "patternProperties": comments(),
        "additionalProperties": false,
    })
}

fn condition() -> Value {
    json!({
        "type": "object",
        "properties": {
            "condition": { "description": "An expression that must come out true, as `${…}`." },
            "error_message": { "description": "What is told when it does not." },
        },
        "required": ["condition", "error_message"],
        "additionalProperties": false,
    })
}

/// Returns a section: a mapping, or a list of mappings, of names or of what `members` lists.
fn section(members: &Value, named: bool, description: &str) -> Value {
    described(one_or_more(&mapping(members, named)), description)
}

/// Returns a section of blocks without names: one, or a list of them; none when it is commented out.
fn listed(block: &Value, description: &str) -> Value {
    let list = json!({ "type": "array", "items": block });
    described(any_of([block.clone(), list, json!({ "type": "null" })]), description)
}

/// Returns a mapping: with the same shape under every name, or with members of their own.
fn mapping(members: &Value, named: bool) -> Value {
    if named {
        json!({ "type": ["object", "null"], "patternProperties": comments(), "additionalProperties": members })
    } else {
        json!({
            "type": ["object", "null"],
            "properties": members,
            "patternProperties": comments(),
            "additionalProperties": false,
        })
    }
}

/// Returns the keys that are comments, as in Terraform's JSON syntax, or expressions.
fn comments() -> Value {
    json!({ "^//$": {}, "[$%]\\{": {} })
}

fn expression() -> Value {
    json!({ "type": "string", "pattern": "[$%]\\{", "description": "An expression, as `${…}`." })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn one_or_more(shape: &Value) -> Value {
    json!({ "anyOf": [shape, { "type": "array", "items": shape }] })
}

fn or_expression(shape: Value) -> Value {
    any_of([shape, reference("expression")])
}

fn any_of<const N: usize>(shapes: [Value; N]) -> Value {
    json!({ "anyOf": shapes.to_vec() })
}

/// Adds a description. Beside a `$ref` editors of draft 7 ignore it, so a reference moves into an `allOf`.
fn described(shape: Value, description: &str) -> Value {
    let mut shape = if shape.get("$ref").is_some() { json!({ "allOf": [shape] }) } else { shape };
    shape["description"] = json!(description);
    shape
}
