//! What the data sources have in common: they look for objects by what a spec says of them.

use aws_sdk_ec2::types::Filter;
use reconcile_model::{Object, Value};
use reconcile_provider::{ErrorKind, ProviderError};

use crate::call::Call;
use crate::filters;

/// Returns the filters of a data source: its `filter` blocks, its `tags`, and an API filter for each argument that is
/// given, by pairs of argument and filter.
pub(super) fn filters(config: &Object, arguments: &[(&str, &str)]) -> Vec<Filter> {
    let given = arguments.iter().filter_map(|(argument, filter)| {
        let value = match config.value(argument).bare() {
            Value::String(text) => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown
            | Value::Sensitive(_)
            | Value::Sealed(_) => return None,
        };
        Some(filters::exactly(filter, [value]))
    });
    let mut all = filters::of_blocks(config);
    all.extend(filters::of_tags(&config.string_map("tags")));
    all.extend(given);
    all
}

/// Returns the one object that was found. `what` names its kind: "VPC".
pub(super) fn one<T>(
    found: Vec<T>,
    call: Call,
    what: &str,
    config: &Object,
) -> Result<T, ProviderError> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(only), 1) => Ok(only),
        (None, _) => {
            let message = format!("no {what} matches {}", described(config));
            Err(ProviderError::new(ErrorKind::NotFound, call.name, message))
        }
        (Some(_), _) => {
            let message = format!("{count} {what}s match {}, and one has to", described(config));
            Err(ProviderError::new(ErrorKind::Invalid, call.name, message)
                .hint("Say more: an `id`, `tags`, or a `filter`."))
        }
    }
}

/// Returns what was looked for, for people. The values' own way to print themselves hides what is sensitive.
pub(super) fn described(config: &Object) -> String {
    let is_said =
        |value: &Value| !value.is_null() && value.as_list().is_none_or(|items| !items.is_empty());
    let said: Vec<String> = config
        .iter()
        .filter(|(_, value)| is_said(value))
        .map(|(name, value)| format!("`{name}: {value:?}`"))
        .collect();
    if said.is_empty() { "an empty query".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call = Call::read("DescribeVpcs");

    fn config() -> Object {
        let filter = Object::new().with("name", "cidr").with("values", vec!["10.*"]);
        Object::new()
            .with("default", true)
            .with("id", Value::Null)
            .with("state", Value::from("available").sensitive())
            .with("tags", Object::new().with("Name", "web*"))
            .with("filter", vec![filter])
    }

    #[test]
    fn what_is_said_becomes_filters() {
        let filters =
            filters(&config(), &[("default", "is-default"), ("id", "vpc-id"), ("state", "state")]);
        let pairs: Vec<(&str, &str)> = filters
            .iter()
            .map(|filter| (filter.name().unwrap(), filter.values()[0].as_str()))
            .collect();
        let expected = [
            ("cidr", "10.*"),
            ("tag:Name", r"web\*"),
            ("is-default", "true"),
            ("state", "available"),
        ];
        assert_eq!(pairs, expected);
    }

    #[test]
    fn one_has_to_match() {
        let config = config();
        let config: Object =
            config.into_iter().filter(|(name, _)| name != "filter" && name != "tags").collect();
        assert_eq!(one(vec![1], CALL, "VPC", &config).unwrap(), 1);
        let none = one::<i32>(vec![], CALL, "VPC", &config).unwrap_err();
        assert_eq!(none.kind, ErrorKind::NotFound);
        assert_eq!(none.message, "no VPC matches `default: true`, `state: (sensitive value)`");
        let many = one(vec![1, 2], CALL, "VPC", &Object::new()).unwrap_err();
        assert_eq!(many.message, "2 VPCs match an empty query, and one has to");
    }
}
