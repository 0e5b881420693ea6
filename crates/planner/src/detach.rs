//! What becomes of those that use an object which is deleted before it is made anew.
//!
//! AWS deletes nothing that is in use. Where create-first cannot work, since the new object needs the place of the old
//! one, its users have to let go of it before: by a step of their own, when the reference is one of a list; or by being
//! replaced as well.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::detach::{Detached, Reference, detached, references};
use reconcile_model::{
    Action, Change, Dependencies, Diagnostic, Mode, Object, Path, ReplaceOrder, ResourceAddress,
    Schema,
};

use crate::input::PlanInput;
use crate::replace::can_coexist;

/// The replacements that are certain to be delete-first.
#[derive(Debug, Default)]
pub(crate) struct InPlace {
    blocks: BTreeSet<ResourceAddress>,
    gone: Gone,
}

impl InPlace {
    /// Adds a replacement, by the index of its change.
    pub(crate) fn add(&mut self, index: usize, change: &Change) {
        self.blocks.insert(change.address.resource.clone());
        self.gone.add(index, change);
    }
}

/// Objects that go before they are made anew, found by what others may refer to them by, so that looking for those that an
/// object uses costs what it mentions and not how many go.
#[derive(Debug, Default)]
struct Gone {
    /// The indexes of their changes, by type, attribute, and value of the attribute.
    by_value: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<usize>>>>,
}

impl Gone {
    fn add(&mut self, index: usize, change: &Change) {
        let Some(before) = &change.before else { return };
        let attributes = self.by_value.entry(change.address.type_name().to_owned()).or_default();
        for (name, value) in before {
            if let Some(text) = value.as_str() {
                let values = attributes.entry(name.clone()).or_default();
                values.entry(text.to_owned()).or_default().push(index);
            }
        }
    }

    /// Returns the changes of the objects that a reference leads to, of blocks that its owner depends on.
    fn find<'a>(
        &'a self,
        reference: &Reference<'_>,
        changes: &'a [Change],
        dependencies: &'a Dependencies,
    ) -> impl Iterator<Item = usize> + 'a {
        let values = self.by_value.get(reference.type_name);
        let values = values.and_then(|attributes| attributes.get(reference.attribute));
        let found = values.and_then(|values| values.get(reference.value)).into_iter().flatten();
        found.copied().filter(|&index| dependencies.contains(&changes[index].address.resource))
    }
}

/// Tells whether a replacement is certain to be delete-first: the new object needs the place of the old one, or something
/// that it depends on does.
pub(crate) fn needs_the_place(
    input: &PlanInput<'_, '_>,
    change: &Change,
    in_place: &InPlace,
) -> bool {
    change.action == Action::Replace(ReplaceOrder::DeleteThenCreate)
        && (excludes_itself(input, change)
            || change.dependencies.iter().any(|it| in_place.blocks.contains(it)))
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
pub(crate) fn gives_way(
    schema: &Schema,
    live: &Object,
    in_place: &InPlace,
    changes: &[Change],
    dependencies: &Dependencies,
) -> Option<Path> {
    if in_place.blocks.is_empty() {
        return None;
    }
    let is_gone = |reference: &Reference<'_>| {
        in_place.gone.find(reference, changes, dependencies).next().is_some()
    };
    match detached(schema, live, &is_gone) {
        Detached::Never(path) => Some(path),
        Detached::Without(_) | Detached::Unused => None,
    }
}

/// Returns which objects let go of which others before those are deleted, both by the index of their change.
pub(crate) fn detachments(
    input: &PlanInput<'_, '_>,
    changes: &[Change],
) -> BTreeMap<usize, Vec<usize>> {
    let mut gone = Gone::default();
    for (index, change) in changes.iter().enumerate() {
        if change.action == Action::Replace(ReplaceOrder::DeleteThenCreate) {
            gone.add(index, change);
        }
    }
    let mut all: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    if gone.by_value.is_empty() {
        return all;
    }
    for (index, user) in changes.iter().enumerate() {
        let schema = input.schemas.get(Mode::Managed, user.address.type_name());
        let (Action::Update, Some(schema), Some(live)) = (user.action, schema, &user.before) else {
            continue;
        };
        // Of what it names in a list it can let go, unless it names it elsewhere as well.
        let (mut listed, mut held) = (BTreeSet::new(), BTreeSet::new());
        for reference in references(schema, live) {
            let found = if reference.is_only { &mut held } else { &mut listed };
            found.extend(gone.find(&reference, changes, &user.dependencies));
        }
        let of: Vec<usize> = listed.difference(&held).copied().collect();
        if !of.is_empty() {
            all.insert(index, of);
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
