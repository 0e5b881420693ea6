//! Resources sorted into their modules, as `planned_values` and `prior_state` have them.

use std::collections::BTreeMap;

use reconcile_model::{Address, Object, Schema, Value};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Map, Value as Json};

use super::{Each, masked, named};

/// One resource's values.
pub(crate) struct Resource<'a> {
    pub(crate) address: &'a Address,
    pub(crate) schema: Option<&'static Schema>,
    pub(crate) schema_version: Option<u32>,
    pub(crate) attributes: &'a Object,
    /// Returns the attributes as they are written, sensitive ones marked.
    pub(crate) mark: fn(Option<&Schema>, &Object) -> Object,
}

/// The values of outputs and resources in Terraform's form.
#[derive(Serialize)]
pub(crate) struct Values<'a> {
    outputs: Json,
    root_module: Module<'a>,
}

#[derive(Default)]
struct Module<'a> {
    /// Empty for the root.
    address: String,
    resources: Vec<Resource<'a>>,
    children: BTreeMap<String, Self>,
}

/// Sorts resources into their modules.
pub(crate) fn values<'a>(
    outputs: Json,
    resources: impl Iterator<Item = Resource<'a>>,
) -> Values<'a> {
    let mut root = Module::default();
    for resource in resources {
        let mut module = &mut root;
        for step in &resource.address.resource.module {
            let step = step.to_string();
            let address = if module.address.is_empty() {
                step.clone()
            } else {
                format!("{}.{step}", module.address)
            };
            module = module
                .children
                .entry(step)
                .or_insert_with(|| Module { address, ..Module::default() });
        }
        module.resources.push(resource);
    }
    Values { outputs, root_module: root }
}

impl Serialize for Module<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        if !self.address.is_empty() {
            out.serialize_entry("address", &self.address)?;
        }
        out.serialize_entry("resources", &Each(|| self.resources.iter().map(json_of)))?;
        if !self.children.is_empty() {
            out.serialize_entry("child_modules", &Each(|| self.children.values()))?;
        }
        out.end()
    }
}

fn json_of(resource: &Resource<'_>) -> Json {
    let attributes = (resource.mark)(resource.schema, resource.attributes);
    let values = masked(&Value::Map(attributes));
    let mut out = Map::new();
    out.insert("address".to_owned(), resource.address.to_string().into());
    out.extend(named(resource.address));
    out.insert("schema_version".to_owned(), resource.schema_version.unwrap_or_default().into());
    out.insert("values".to_owned(), values.value);
    out.insert("sensitive_values".to_owned(), values.sensitive);
    Json::Object(out)
}
