//! Static checks: every expression evaluated over what the spec alone tells.
//!
//! Each block is looked at once, however many instances it has: `count.index` and `each` are unknown, other blocks are
//! what their arguments say with the rest unknown. What can be wrong for some instances only is found when they are
//! planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use reconcile_model::schema::Presence;
use reconcile_model::{Address, Diagnostic, Kind, Object, Schema, Value};

use super::block::is_unknown;
use crate::eval::{Evaluator, Instance};
use crate::scope::{Assertion, Expansion, Extent, Held, Instances, Scope};
use crate::spec::Spec;

/// Up to how many known keys a block's instances are told apart; beyond it a wrong key is found during planning.
const MAX_TOLD_APART: usize = 1000;

/// Returns everything that is wrong with a spec whose names are in order.
pub(super) fn check(spec: &Spec) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut scope = Scope::bounded(spec);
    validations(&scope, &mut diagnostics);
    fill(&mut scope, &mut diagnostics);
    for key in spec.providers.keys() {
        diagnostics.extend(scope.provider(key).err().unwrap_or_default());
    }
    for index in 0..spec.first_part {
        if let Err(found) = scope.cell(index) {
            diagnostics.extend(found.iter().cloned());
        }
    }
    for output in spec.outputs.values() {
        diagnostics.extend(scope.output(output).err().unwrap_or_default());
    }
    for check in spec.checks.values() {
        for assertion in scope.assertions(check) {
            if let Assertion::Broken(found) = assertion {
                diagnostics.extend(found);
            }
        }
    }
    // A failed local is told at each use, with the address of the block that uses it; once is enough.
    let mut seen: BTreeMap<Diagnostic, Option<Address>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let address = diagnostic.address.clone();
        let known =
            seen.entry(Diagnostic { address: None, ..diagnostic }).or_insert(address.clone());
        if *known != address {
            *known = None;
        }
    }
    seen.into_iter().map(|(diagnostic, address)| Diagnostic { address, ..diagnostic }).collect()
}

/// Sets each block to what any of its instances looks like, in the order in which they can be evaluated.
pub(super) fn fill(scope: &mut Scope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let spec = scope.spec;
    let of_checks = spec.checks.values().flat_map(|check| &check.data);
    let of_checks = of_checks.filter_map(|address| spec.blocks.get(address));
    for block in spec.order().chain(of_checks) {
        if is_unknown(block.schema) {
            continue;
        }
        let configured = scope.configure(block, None).unwrap_or_else(|found| {
            diagnostics.extend(found);
            Object::new()
        });
        let sample = Value::Map(sample(block.schema, configured));
        let extent = scope.extent(block).unwrap_or_else(|found| {
            diagnostics.extend(found);
            Extent::Unknown
        });
        let held = match extent {
            Extent::Known(Expansion::One) => Held::Known(Instances::One(sample)),
            Extent::Known(Expansion::Count(count)) => Held::Sample(Some(count), sample),
            Extent::Known(Expansion::Each(keys)) if keys.len() <= MAX_TOLD_APART => {
                let each: BTreeMap<Arc<str>, Value> =
                    keys.into_keys().map(|key| (key, sample.clone())).collect();
                Held::Known(Instances::Each(each))
            }
            Extent::Known(Expansion::Each(keys)) => Held::Sample(Some(keys.len()), sample),
            Extent::Unknown => Held::Sample(None, sample),
        };
        scope.hold(block.index, held);
    }
}

fn validations(scope: &Scope<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for (name, variable) in &scope.spec.variable_blocks {
        let before = diagnostics.len();
        Evaluator::new(scope, Instance::default())
            .check_conditions(&variable.validations, diagnostics);
        for diagnostic in &mut diagnostics[before..] {
            if diagnostic.summary == "A condition does not hold" {
                diagnostic.summary = format!("The value of the variable `{name}` is not valid");
            }
        }
    }
}

/// Returns what is known of any instance of a block: its arguments, defaults, and nothing of what AWS decides.
fn sample(schema: &Schema, mut configured: Object) -> Object {
    schema
        .attributes
        .iter()
        .map(|attribute| {
            let given = configured.remove(attribute.name).filter(|value| !value.is_null());
            let value = given.unwrap_or_else(|| match (attribute.presence, attribute.kind) {
                (Presence::Computed | Presence::OptionalComputed | Presence::Required, _) => {
                    Value::Unknown
                }
                (Presence::Optional, Kind::Blocks(_)) => Value::List(Vec::new()),
                (Presence::Optional, _) => {
                    attribute.default.map_or(Value::Null, |default| default.value())
                }
            });
            let value =
                if attribute.sensitive && !value.is_null() { value.sensitive() } else { value };
            (attribute.name.to_owned(), value)
        })
        .collect()
}
