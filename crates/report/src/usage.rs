//! Which values of which blocks something else in the spec leans on.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::ResourceAddress;

use crate::{Configuration, configuration::Expression};

/// How many users of a value are named.
const MOST_USERS: usize = 2;

/// The attributes that something leans on, by block, each with what does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage(BTreeMap<(String, String), BTreeSet<String>>);

impl Usage {
    /// Returns what a spec leans on; `None` when nothing is known of the spec.
    pub(crate) fn of(configuration: &Configuration) -> Option<Self> {
        if configuration.resources.is_empty() {
            return None;
        }
        let mut usage = Self::default();
        for (block, resource) in &configuration.resources {
            let of_block = resource.expressions.values();
            let repeated = [&resource.count, &resource.for_each].into_iter().flatten();
            of_block.chain(repeated).for_each(|it| usage.add(&block.to_string(), it));
        }
        for (name, output) in &configuration.outputs {
            usage.add(&format!("output.{name}"), &output.expression);
        }
        for (name, provider) in &configuration.providers {
            provider.expressions.values().for_each(|it| usage.add(&format!("provider.{name}"), it));
        }
        Some(usage)
    }

    fn add(&mut self, user: &str, expression: &Expression) {
        for reference in expression.references() {
            let Some(used) = attribute_of(reference) else { continue };
            self.0.entry(used).or_default().insert(user.to_owned());
        }
    }

    /// Returns what leans on an attribute: "aws_instance.a, aws_instance.b, and 3 more"; `None` when nothing does.
    pub(crate) fn users(&self, block: &ResourceAddress, attribute: &str) -> Option<String> {
        let users = self.0.get(&(block.to_string(), attribute.to_owned()))?;
        let mut named: Vec<&str> = users.iter().map(String::as_str).collect();
        if named.len() <= MOST_USERS {
            return Some(named.join(" and "));
        }
        let more = named.len() - MOST_USERS;
        named.truncate(MOST_USERS);
        Some(format!("{} and {more} more", named.join(", ")))
    }
}

/// Returns the block and the attribute that a reference leads to: of `aws_instance.web[0].id`, those are
/// `aws_instance.web` and `id`. A reference to a whole block, or to what is no block, has none.
fn attribute_of(reference: &str) -> Option<(String, String)> {
    let mut depth = 0_usize;
    let mut bare = String::new();
    for c in reference.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    let mut parts: Vec<&str> = bare.split('.').filter(|part| *part != "*").collect();
    let block = if parts.first() == Some(&"data") { 3 } else { 2 };
    if parts.len() <= block {
        return None;
    }
    let attribute = parts[block].to_owned();
    parts.truncate(block);
    Some((parts.join("."), attribute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_to_attributes() {
        let check = |reference: &str, expected: Option<(&str, &str)>| {
            let found = attribute_of(reference);
            let found =
                found.as_ref().map(|(block, attribute)| (block.as_str(), attribute.as_str()));
            assert_eq!(found, expected, "{reference}");
        };
        check("aws_instance.web.id", Some(("aws_instance.web", "id")));
        check(
            "aws_instance.web[\"a.b\"].root_block_device[0].volume_id",
            Some(("aws_instance.web", "root_block_device")),
        );
        check("aws_instance.web[*].id", Some(("aws_instance.web", "id")));
        check("aws_instance.web.*.id", Some(("aws_instance.web", "id")));
        check("data.aws_ami.linux.id", Some(("data.aws_ami.linux", "id")));
        check("aws_instance.web", None);
        check("data.aws_ami.linux", None);
        check("var.name", None);
    }
}
