//! The `configuration` section: what the spec says, as expressions.

use std::collections::BTreeMap;

use reconcile_model::{Mode, ResourceAddress, SchemaSet};
use serde_json::{Map, Value as Json, json};

use super::{masked, provider_name};
use crate::configuration::{
    Configuration, Expression, OutputConfiguration, ResourceConfiguration, VariableConfiguration,
};

/// Returns the `configuration` section.
pub(super) fn json(configuration: &Configuration, schemas: &SchemaSet) -> Json {
    let providers = configuration.providers.iter().map(|(key, provider)| {
        let name = key.split('.').next().unwrap_or_default();
        let mut out = json!({ "name": name, "full_name": provider_name(name) });
        if let Some(alias) = &provider.alias {
            out["alias"] = alias.as_str().into();
        }
        out["expressions"] = expressions(&provider.expressions);
        (key.clone(), out)
    });
    let mut root = Map::new();
    let outputs = configuration.outputs.iter().map(|(name, it)| (name.clone(), output(it)));
    root.insert("outputs".to_owned(), outputs.collect());
    // Resources of modules are not the root's; they come with the modules themselves.
    let resources = configuration.resources.iter().filter(|(block, _)| block.module.is_empty());
    let resources = resources.map(|(block, it)| resource(block, it, schemas));
    root.insert("resources".to_owned(), resources.collect());
    let variables = configuration.variables.iter().map(|(name, it)| (name.clone(), variable(it)));
    root.insert("variables".to_owned(), variables.collect());
    json!({ "provider_config": providers.collect::<Json>(), "root_module": root })
}

fn resource(block: &ResourceAddress, it: &ResourceConfiguration, schemas: &SchemaSet) -> Json {
    let mode = match block.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    };
    let schema = schemas.get(block.mode, &block.type_name);
    let mut out = json!({
        "address": block.to_string(),
        "mode": mode,
        "type": &*block.type_name,
        "name": &*block.name,
        "provider_config_key": it.provider,
        "expressions": expressions(&it.expressions),
        "schema_version": schema.map(|schema| schema.version).unwrap_or_default(),
    });
    if let Some(count) = &it.count {
        out["count_expression"] = expression(count);
    }
    if let Some(for_each) = &it.for_each {
        out["for_each_expression"] = expression(for_each);
    }
    if !it.depends_on.is_empty() {
        out["depends_on"] = it.depends_on.clone().into();
    }
    out
}

fn output(it: &OutputConfiguration) -> Json {
    let mut out = json!({ "expression": expression(&it.expression) });
    if it.sensitive {
        out["sensitive"] = true.into();
        if matches!(it.expression, Expression::Constant(_)) {
            out["expression"] = json!({ "constant_value": crate::quote::SENSITIVE });
        }
    }
    if let Some(description) = &it.description {
        out["description"] = description.as_str().into();
    }
    if !it.depends_on.is_empty() {
        out["depends_on"] = it.depends_on.clone().into();
    }
    out
}

fn variable(it: &VariableConfiguration) -> Json {
    let mut out = Map::new();
    if let Some(default) = &it.default {
        let value = if it.sensitive { default.clone().sensitive() } else { default.clone() };
        out.insert("default".to_owned(), masked(&value).value);
    }
    if let Some(description) = &it.description {
        out.insert("description".to_owned(), description.as_str().into());
    }
    if it.sensitive {
        out.insert("sensitive".to_owned(), true.into());
    }
    Json::Object(out)
}

fn expressions(of: &BTreeMap<String, Expression>) -> Json {
    of.iter().map(|(name, it)| (name.clone(), expression(it))).collect()
}

fn expression(it: &Expression) -> Json {
    match it {
        Expression::Constant(value) => json!({ "constant_value": masked(value).value }),
        Expression::References(names) if names.is_empty() => json!({}),
        Expression::References(names) => json!({ "references": with_owners(names) }),
        Expression::Blocks(blocks) => blocks.iter().map(expressions).collect(),
    }
}

/// Returns references as Terraform lists them: each followed by the shorter ones that hold it, down to the object
/// itself (`aws_lb.web[0].dns_name`, `aws_lb.web[0]`, `aws_lb.web`).
fn with_owners(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let (object, steps) = split(name);
        for count in (0..=steps.len()).rev() {
            let owner = format!("{object}{}", steps[..count].concat());
            if !all.contains(&owner) {
                all.push(owner);
            }
        }
    }
    all
}

/// Returns a reference as its object and the steps into it: `data.aws_ami.linux`, `[0]`, `.id`.
pub(super) fn split(name: &str) -> (&str, Vec<&str>) {
    let least = match name.split('.').next() {
        Some("self") => 1,
        Some("data") => 3,
        _ => 2,
    };
    let mut steps: Vec<usize> = Vec::new();
    let (mut in_key, mut in_text, mut is_escaped) = (false, false, false);
    for (at, c) in name.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' if in_key => in_text = !in_text,
            '[' if !in_text => {
                in_key = true;
                steps.push(at);
            }
            ']' if !in_text => in_key = false,
            '.' if !in_key => steps.push(at),
            _ => {}
        }
    }
    let ends = steps.iter().skip(1).copied().chain([name.len()]);
    let parts: Vec<&str> = steps.iter().zip(ends).map(|(&start, end)| &name[start..end]).collect();
    // The first dots belong to the object's own name.
    let own = parts.iter().take(least - 1).take_while(|part| part.starts_with('.')).count();
    let start = steps.get(own).copied().unwrap_or(name.len());
    (&name[..start], parts[own..].to_vec())
}
