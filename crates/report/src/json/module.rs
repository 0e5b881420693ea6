//! Resources sorted into their modules, as `planned_values` and `prior_state` have them.

use std::collections::BTreeMap;

use reconcile_model::{Address, Object, Value};
use serde_json::{Map, Value as Json, json};

use super::{masked, named};

/// One resource's values.
pub(crate) struct Resource<'a> {
    pub(crate) address: &'a Address,
    pub(crate) schema_version: Option<u32>,
    /// Its attributes, sensitive ones marked.
    pub(crate) attributes: Object,
}

#[derive(Default)]
struct Module {
    resources: Vec<Json>,
    children: BTreeMap<String, Self>,
}

/// Returns the values of outputs and resources in Terraform's form.
pub(crate) fn values<'a>(outputs: Json, resources: impl Iterator<Item = Resource<'a>>) -> Json {
    let mut root = Module::default();
    for resource in resources {
        let steps = resource.address.resource.module.iter();
        let module = steps
            .fold(&mut root, |module, step| module.children.entry(step.to_string()).or_default());
        module.resources.push(json_of(&resource));
    }
    json!({ "outputs": outputs, "root_module": module_json("", root) })
}

fn json_of(resource: &Resource<'_>) -> Json {
    let values = masked(&Value::Map(resource.attributes.clone()));
    let mut out = Map::new();
    out.insert("address".to_owned(), resource.address.to_string().into());
    out.extend(named(resource.address));
    out.insert("schema_version".to_owned(), resource.schema_version.unwrap_or_default().into());
    out.insert("values".to_owned(), values.value);
    out.insert("sensitive_values".to_owned(), values.sensitive);
    Json::Object(out)
}

fn module_json(address: &str, module: Module) -> Json {
    let mut out = Map::new();
    if !address.is_empty() {
        out.insert("address".to_owned(), address.into());
    }
    out.insert("resources".to_owned(), module.resources.into());
    if !module.children.is_empty() {
        let children = module.children.into_iter().map(|(step, child)| {
            let whole = if address.is_empty() { step } else { format!("{address}.{step}") };
            module_json(&whole, child)
        });
        out.insert("child_modules".to_owned(), children.collect());
    }
    Json::Object(out)
}
