//! The `relevant_attributes` section: what the changes of a plan lean on.

use std::collections::BTreeSet;

use reconcile_model::configuration::{Configuration, Expression};
use reconcile_model::{Action, Plan};
use serde_json::{Value as Json, json};

use super::configuration::split;

/// Returns every attribute of a resource that a block with changes, or an output that changes, refers to, through locals
/// too.
pub(super) fn json(plan: &Plan, configuration: &Configuration) -> Json {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let blocks: BTreeSet<_> = changes.map(|change| &change.address.resource).collect();
    let blocks = blocks.into_iter().filter_map(|block| configuration.resources.get(block));
    let of_blocks =
        blocks.flat_map(|it| it.expressions.values().chain(&it.count).chain(&it.for_each));
    let outputs = plan.outputs.iter().filter(|(_, output)| output.action != Action::NoOp);
    let of_outputs = outputs.filter_map(|(name, _)| configuration.outputs.get(name));
    let expressions = of_blocks.chain(of_outputs.map(|output| &output.expression));

    let mut waiting: Vec<&str> = expressions.flat_map(Expression::references).collect();
    let (mut locals, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        let (object, steps) = split(name);
        match object.split('.').next().unwrap_or_default() {
            "var" | "each" | "count" | "path" | "self" => {}
            "local" => {
                let local = object.trim_start_matches("local.");
                if locals.insert(local) {
                    let expression = configuration.locals.get(local);
                    waiting.extend(expression.into_iter().flat_map(Expression::references));
                }
            }
            _ => {
                // An index right behind the object chooses an instance.
                let keys = steps.iter().take_while(|step| step.starts_with('[')).count().min(1);
                let resource = format!("{object}{}", steps[..keys].concat());
                found.insert((resource, steps[keys..].to_vec()));
            }
        }
    }
    let relevant = found.iter().map(|(resource, steps)| {
        let attribute = steps.iter().map(|step| {
            let key = step.strip_prefix('[').and_then(|step| step.strip_suffix(']'));
            match key {
                Some(key) => serde_json::from_str(key).unwrap_or_default(),
                None => Json::from(step.trim_start_matches('.')),
            }
        });
        json!({ "resource": resource, "attribute": attribute.collect::<Json>() })
    });
    relevant.collect()
}
