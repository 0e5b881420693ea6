//! What becomes of those that use an object which is deleted before it is made anew.
//!
//! AWS deletes nothing that is in use. Where create-first cannot work, since the new object needs the place of the old
//! one, its users have to let go of it before: by a step of their own, when the reference is one of a list; or by being
//! replaced as well.

use std::collections::BTreeMap;

use reconcile_model::detach::{Detached, detached};
use reconcile_model::{
    Action, Change, Diagnostic, Mode, Object, Path, ReplaceOrder, ResourceAddress, Schema,
};

use crate::input::PlanInput;
use crate::replace::can_coexist;

/// The replacements that are certain to be delete-first, by block and index of the change.
pub(crate) type InPlace = BTreeMap<ResourceAddress, Vec<usize>>;

/// Tells whether a replacement is certain to be delete-first: the new object needs the place of the old one, or something
/// that it depends on does.
pub(crate) fn needs_the_place(
    input: &PlanInput<'_, '_>,
    change: &Change,
    in_place: &InPlace,
) -> bool {
    change.action == Action::Replace(ReplaceOrder::DeleteThenCreate)
        && (excludes_itself(input, change)
            || change.dependencies.iter().any(|it| in_place.contains_key(it)))
}

/// Tells whether the old and the new object of a replacement cannot be there at once.
fn excludes_itself(input: &PlanInput<'_, '_>, change: &Change) -> bool {
    let schema = input.schemas.get(Mode::Managed, change.address.type_name());
    let (Some(schema), Some(before), Some(after)) = (schema, &change.before, &change.after) else {
        return false;
    };
    !can_coexist(schema, before, after)
}

/// Returns where an object refers to one that has to be deleted before it is made anew, if that reference cannot be taken
/// out for a while: then the object has to be deleted first, and so replaced.
pub(crate) fn gives_way<'a>(
    schema: &Schema,
    live: &Object,
    gone: impl Iterator<Item = &'a Change>,
) -> Option<Path> {
    let gone: Vec<(&str, &Object)> =
        gone.filter_map(|it| Some((it.address.type_name(), it.before.as_ref()?))).collect();
    match detached(schema, live, &gone) {
        Detached::Never(path) => Some(path),
        Detached::Without(_) | Detached::Unused => None,
    }
}

/// Returns which objects let go of which others before those are deleted, both by the index of their change.
pub(crate) fn detachments(
    input: &PlanInput<'_, '_>,
    changes: &[Change],
) -> BTreeMap<usize, Vec<usize>> {
    let mut gone: BTreeMap<&ResourceAddress, Vec<usize>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        if change.action == Action::Replace(ReplaceOrder::DeleteThenCreate) {
            gone.entry(&change.address.resource).or_default().push(index);
        }
    }
    let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, user) in changes.iter().enumerate() {
        let schema = input.schemas.get(Mode::Managed, user.address.type_name());
        let (Action::Update, Some(schema), Some(live)) = (user.action, schema, &user.before) else {
            continue;
        };
        for &of in user.dependencies.iter().filter_map(|it| gone.get(it)).flatten() {
            let Some(before) = &changes[of].before else { continue };
            let gone = [(changes[of].address.type_name(), before)];
            if let Detached::Without(_) = detached(schema, live, &gone) {
                all.entry(index).or_default().push(of);
            }
        }
    }
    all
}

/// Returns a warning for each object that others let go of.
pub(crate) fn warnings(
    changes: &[Change],
    detachments: &BTreeMap<usize, Vec<usize>>,
) -> Vec<Diagnostic> {
    let mut users: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (user, all) in detachments {
        for of in all {
            users.entry(*of).or_default().push(changes[*user].address.to_string());
        }
    }
    let warning = |(of, users): (usize, Vec<String>)| {
        let change = &changes[of];
        let users = users.join(", ");
        Diagnostic::warning(format!("{} is replaced while it is in use", change.address))
            .detail(format!(
                "The new object needs the place of the old one, so the old one goes first, and AWS deletes nothing that is in use. Until the new one is there these do without it, or with AWS's default: {users}."
            ))
            .hint("To replace it without that, give it another name, or `name_prefix` and `lifecycle: { create_before_destroy: true }`.")
            .at(change.span.clone())
            .about(&change.address)
    };
    users.into_iter().map(warning).collect()
}

/// Returns an error for each replacement that has to work create-first and cannot.
pub(crate) fn impossible(input: &PlanInput<'_, '_>, changes: &[Change]) -> Vec<Diagnostic> {
    let create_first = |it: &&Change| it.action == Action::Replace(ReplaceOrder::CreateThenDelete);
    let error = |change: &Change| {
        let whose = match input.spec.blocks.get(&change.address.resource) {
            Some(block) if block.lifecycle.create_before_destroy => "its block says",
            Some(_) | None => "the block of something that depends on it says",
        };
        Diagnostic::error(format!("{} cannot be created anew before it is deleted", change.address))
            .detail(format!(
                "The new object needs the name of the old one, or whatever else AWS tells them apart by, and {whose} `create_before_destroy`."
            ))
            .hint("Give it another name, or a `name_prefix` instead of a name; or take `create_before_destroy` out.")
            .at(change.span.clone())
            .about(&change.address)
    };
    changes
        .iter()
        .filter(create_first)
        .filter(|change| excludes_itself(input, change))
        .map(error)
        .collect()
}
