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
/// itself (`aws_lb.web.dns_name`, `aws_lb.web`).
fn with_owners(names: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let least = match name.split('.').next() {
            Some("data") => 3,
            _ => 2,
        };
        let mut rest = name.as_str();
        loop {
            if !all.iter().any(|it| it == rest) {
                all.push(rest.to_owned());
            }
            if rest.split('.').count() <= least {
                break;
            }
            let Some((owner, _)) = rest.rsplit_once('.') else { break };
            rest = owner;
        }
    }
    all
}
