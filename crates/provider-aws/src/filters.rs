//! EC2 filters.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use reconcile_model::Object;

/// Returns a filter for values that are meant as they are: `*`, `?`, and `\` are escaped, since EC2 takes them as
/// wildcards.
pub(crate) fn exactly(name: &str, values: impl IntoIterator<Item = impl AsRef<str>>) -> Filter {
    let values = values.into_iter().map(|value| escape(value.as_ref())).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// Returns the filters of `filter` blocks (`name`, `values`), wildcards and all.
pub(crate) fn of_blocks(config: &Object) -> Vec<Filter> {
    config
        .blocks("filter")
        .map(|block| {
            Filter::builder()
                .set_name(block.string("name"))
                .set_values(Some(block.strings("values")))
                .build()
        })
        .collect()
}

/// Returns filters for tags that must all be there.
pub(crate) fn of_tags(tags: &BTreeMap<String, String>) -> Vec<Filter> {
    tags.iter().map(|(key, value)| exactly(&format!("tag:{key}"), [value])).collect()
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_a_literal_value_are_escaped() {
        let filter = exactly("tag:Name", [r"a*b?\"]);
        assert_eq!(filter.values(), [r"a\*b\?\\"]);
    }
}
