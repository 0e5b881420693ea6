//! EC2 filters.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use reconcile_model::schema::{Blocks, Nesting};
use reconcile_model::{Attribute, Kind, Object};

/// The `filter` blocks that most data sources take.
pub(crate) const FILTER: Attribute = Attribute::optional("filter", Kind::Blocks(&FILTER_BLOCKS))
    .doc("Filters of the API's own, which must all match.");

const FILTER_BLOCKS: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::required("name", Kind::String)
            .doc("The filter's name in the EC2 API: `tag:Name`, `vpc-id`."),
        Attribute::required("values", Kind::Set(&Kind::String))
            .doc("The values, one of which must match; `*` and `?` are wildcards."),
    ],
};

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
