//! In which order replacements work, where the blocks do not say.
//!
//! AWS refuses to delete what is in use. An object that another one goes on using, changed in place to use the new one,
//! can be deleted after that change, and so after the new object was made. Where the new object cannot be there at the
//! same time, [`crate::detach`] knows what to do.

use std::collections::BTreeSet;

use reconcile_model::{
    Action, Change, Mode, Object, ReplaceOrder, ResourceAddress, Schema, plan::CauseKind,
    proposed::is_same, schema::Recovery,
};

use crate::input::PlanInput;

/// Turns replacements create-first where delete-first cannot work and create-first can.
pub(crate) fn order_replacements(
    input: &PlanInput<'_, '_>,
    create_first: &BTreeSet<ResourceAddress>,
    changes: &mut [Change],
) {
    let mut used: BTreeSet<ResourceAddress> = BTreeSet::new();
    for change in changes.iter().filter(|change| change.action == Action::Update) {
        for cause in &change.causes {
            if let CauseKind::Upstream(blocks) = &cause.kind {
                used.extend(blocks.iter().cloned());
            }
        }
    }
    if used.is_empty() {
        return;
    }
    let stuck = stuck(input, changes);
    // From the back, so that what turns create-first takes along all it depends on: its new object is made while the old
    // one still uses the old objects of its dependencies.
    let mut turned = BTreeSet::new();
    for block in input.spec.order().rev() {
        let address = &block.address;
        if used.contains(address) && !stuck.contains(address) {
            turned.insert(address.clone());
        }
        if turned.contains(address) {
            turned.extend(block.dependencies().iter().cloned());
        }
    }
    for change in changes {
        let block = &change.address.resource;
        if change.action == Action::Replace(ReplaceOrder::DeleteThenCreate)
            && turned.contains(block)
            && !create_first.contains(block)
        {
            change.action = Action::Replace(ReplaceOrder::CreateThenDelete);
        }
    }
}

/// Returns the blocks that cannot be replaced create-first, because an object of theirs, or of what they depend on,
/// cannot be there twice.
fn stuck(input: &PlanInput<'_, '_>, changes: &[Change]) -> BTreeSet<ResourceAddress> {
    let mut stuck: BTreeSet<ResourceAddress> = changes
        .iter()
        .filter(|change| change.action == Action::Replace(ReplaceOrder::DeleteThenCreate))
        .filter(|change| {
            let schema = input.schemas.get(Mode::Managed, change.address.type_name());
            let (Some(schema), Some(before), Some(after)) = (schema, &change.before, &change.after)
            else {
                return true;
            };
            !can_coexist(schema, before, after)
        })
        .map(|change| change.address.resource.clone())
        .collect();
    for block in input.spec.order() {
        if block.dependencies().iter().any(|it| stuck.contains(it)) {
            stuck.insert(block.address.clone());
        }
    }
    stuck
}

/// Tells whether the old and the new object can be there at once.
///
/// A name that is made up is always another. What else is unknown, such as the VPC that AWS chooses when none is given, is
/// taken to be what it was.
pub(crate) fn can_coexist(schema: &Schema, before: &Object, after: &Object) -> bool {
    let is_another = |name: &str| {
        let planned = after.value(name);
        if planned.is_unknown() {
            return schema.attribute(&format!("{name}_prefix")).is_some();
        }
        schema.attribute(name).is_some_and(|it| !is_same(it, before.value(name), planned))
    };
    match schema.recovery {
        Recovery::NaturalKey(names) => names.iter().any(|name| is_another(name)),
        Recovery::ClientToken | Recovery::OperationTag | Recovery::None => true,
    }
}
