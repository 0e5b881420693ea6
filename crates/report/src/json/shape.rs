//! Where Terraform's provider has another shape for the same value.

use reconcile_model::{Attribute, Kind, Object, Schema, Value};

use crate::redact;

/// What the Terraform AWS provider declares as attributes whose elements are objects, although it takes blocks ("attributes
/// as blocks"). Their elements have every member, and an empty value where ours has none; policies look for that.
const OBJECTS: [(&str, &str); 2] =
    [("aws_security_group", "ingress"), ("aws_security_group", "egress")];

/// Returns an object's values as Terraform has them, what is sensitive marked.
pub(crate) fn values(schema: Option<&Schema>, object: &Object) -> Object {
    let mut values = redact::marked(schema, object);
    for attribute in schema.into_iter().flat_map(|schema| schema.attributes) {
        let is_meant = |(type_name, name): &(&str, &str)| {
            schema.is_some_and(|it| it.type_name == *type_name) && attribute.name == *name
        };
        if OBJECTS.iter().any(is_meant)
            && let Value::List(items) = values.value(attribute.name)
        {
            let filled: Vec<Value> = items.iter().map(|item| filled(attribute, item)).collect();
            values.set(attribute.name, filled);
        }
    }
    values
}

fn filled(attribute: &Attribute, item: &Value) -> Value {
    let Value::Map(object) = item else { return item.clone() };
    let mut object = object.clone();
    for attribute in attribute.nested() {
        if !object.value(attribute.name).is_null() {
            continue;
        }
        match attribute.kind {
            Kind::List(_) | Kind::Set(_) | Kind::Blocks(_) => {
                object.set(attribute.name, Vec::<Value>::new());
            }
            Kind::String => object.set(attribute.name, ""),
            Kind::Int | Kind::Number | Kind::Bool | Kind::Map(_) => {}
        }
    }
    object.into()
}
