//! What an object will be: the spec's arguments, the object as it is, and the schema, brought together.
//!
//! This is the heart of planning and pure comparison: given what the spec says and what is there, [`propose`] tells
//! what should be there, what of it changes, and whether that needs a new object.

use crate::{
    Attribute, Kind, Object, Path, Presence, Schema, Value,
    normalize::{canonical, canonical_value},
    schema::{Blocks, Nesting, OnChange},
    tags,
};

/// What one object will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Every attribute, with unknown where only AWS will tell.
    pub after: Object,
    /// The attributes whose value differs from what is there, in the schema's order.
    pub changed: Vec<Path>,
    /// Those of them that force a new object.
    pub replace: Vec<Path>,
    /// Those of them that need a stop and a start.
    pub restart: Vec<Path>,
}

/// Whether a new object is wanted whatever the attributes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Only if an attribute forces it.
    IfForced,
    /// In any case: the object is tainted, or the user asked for it.
    Always,
}

/// Tells what an object will be.
///
/// `config` holds the spec's arguments, of the schema's kinds, null or absent where the spec says nothing. `prior` is the
/// live object, or the recorded one when nothing was refreshed; `None` for an object that does not exist.
pub fn propose(
    schema: &Schema,
    config: &Object,
    prior: Option<&Object>,
    default_tags: &Object,
    renewal: Renewal,
) -> Proposal {
    let fresh = || with_tags_all(schema, fill(schema.attributes, config, None), default_tags);
    let Some(prior) = prior else {
        return Proposal { after: fresh(), changed: vec![], replace: vec![], restart: vec![] };
    };
    let mut after =
        with_tags_all(schema, fill(schema.attributes, config, Some(prior)), default_tags);
    let mut changes = Changes::default();
    changes
        .compare(schema.attributes, prior, &after, &Path::default(), &|rule| rule(prior, &after));
    if renewal == Renewal::Always || !changes.replace.is_empty() {
        let after = fresh();
        let Changes { replace, .. } = changes;
        let mut against_new = Changes::default();
        against_new.compare(schema.attributes, prior, &after, &Path::default(), &|_| false);
        return Proposal { after, changed: against_new.changed, replace, restart: vec![] };
    }
    let moved: Vec<&Attribute> = schema
        .attributes
        .iter()
        .filter(|attribute| {
            config.value(attribute.name).is_null()
                && attribute.recomputed_by.iter().any(|cause| changes.touches(cause))
        })
        .collect();
    for attribute in moved {
        after.set(attribute.name, Value::Unknown);
        let path = Path::root(attribute.name);
        if !changes.changed.contains(&path) {
            changes.changed.push(path);
        }
    }
    let Changes { changed, replace, restart } = changes;
    Proposal { after, changed, replace, restart }
}

/// Returns the paths at which two objects of a schema differ in what they mean, in the schema's order.
pub fn changed_paths(schema: &Schema, before: &Object, after: &Object) -> Vec<Path> {
    let mut changes = Changes::default();
    changes.compare(schema.attributes, before, after, &Path::default(), &|_| false);
    changes.changed
}

/// Fills in what the spec leaves to the schema, to the object as it is, or to AWS.
fn fill(attributes: &[Attribute], config: &Object, prior: Option<&Object>) -> Object {
    let Some(prior) = prior else {
        let filled = |it: &Attribute| fill_value(it, config.value(it.name), None);
        return attributes.iter().map(|it| (it.name.to_owned(), filled(it))).collect();
    };
    // The object as it is, with what differs put in: mostly that is nothing, and then both share all there is.
    let mut all = prior.clone();
    let mut known = 0;
    for attribute in attributes {
        let found = prior.get(attribute.name);
        known += usize::from(found.is_some());
        let before = found.unwrap_or(&Value::Null);
        let value = fill_value(attribute, config.value(attribute.name), Some(before));
        if found != Some(&value) {
            all.insert(attribute.name.to_owned(), value);
        }
    }
    if known < prior.len() {
        all.retain(|name, _| attributes.iter().any(|attribute| attribute.name == name));
    }
    all
}

fn fill_value(attribute: &Attribute, given: &Value, before: Option<&Value>) -> Value {
    let kept = || before.cloned().unwrap_or(Value::Unknown);
    let value = match (attribute.presence, attribute.kind) {
        (Presence::Computed, _) => kept(),
        (Presence::OptionalComputed, _) if given.is_null() => kept(),
        (_, Kind::Blocks(_)) if given.is_null() => Value::List(Vec::new()),
        (_, Kind::Blocks(blocks)) => fill_blocks(blocks, given, before),
        _ if given.is_null() => attribute.default.map_or(Value::Null, |default| default.value()),
        _ => given.clone(),
    };
    if attribute.sensitive && !value.is_null() { value.sensitive() } else { value }
}

fn fill_blocks(blocks: &Blocks, given: &Value, before: Option<&Value>) -> Value {
    if let Value::Sensitive(inner) = given {
        return fill_blocks(blocks, inner, before).sensitive();
    }
    let Value::List(items) = given else { return given.clone() };
    let before: Vec<&Object> =
        before.and_then(Value::as_list).unwrap_or(&[]).iter().filter_map(Value::as_map).collect();
    let mut free = vec![true; before.len()];
    let mut pairs: Vec<Option<usize>> = vec![None; items.len()];
    match blocks.nesting {
        Nesting::List => {
            for (at, pair) in pairs.iter_mut().enumerate() {
                *pair = (at < before.len()).then_some(at);
            }
        }
        // Exact matches are taken first, so that an edited item cannot take the partner of an unchanged one.
        Nesting::Set => {
            for same in [says_the_same, has_same_identity] {
                for (item, pair) in items.iter().zip(&mut pairs) {
                    let (None, Some(item)) = (*pair, item.as_map()) else { continue };
                    *pair = (0..before.len())
                        .find(|&at| free[at] && same(blocks.attributes, item, before[at]));
                    pair.iter().for_each(|&at| free[at] = false);
                }
            }
        }
    }
    items
        .iter()
        .zip(pairs)
        .map(|(item, pair)| {
            let Some(object) = item.as_map() else { return item.clone() };
            let before = pair.map(|at| before[at]);
            let mut filled = fill(blocks.attributes, object, before);
            if let Some(before) = before {
                forget_moved(blocks.attributes, object, before, &mut filled);
            }
            let filled = Value::Map(filled);
            if matches!(item, Value::Sensitive(_)) { filled.sensitive() } else { filled }
        })
        .collect::<Vec<_>>()
        .into()
}

/// Makes unknown what the spec leaves to AWS and the change of an attribute beside it moves.
fn forget_moved(attributes: &[Attribute], given: &Object, before: &Object, filled: &mut Object) {
    let moved = |filled: &Object, cause: &&str| {
        attributes.iter().any(|attribute| {
            attribute.name == *cause
                && !is_same(attribute, before.value(cause), filled.value(cause))
        })
    };
    for attribute in attributes {
        if given.value(attribute.name).is_null()
            && attribute.recomputed_by.iter().any(|cause| moved(filled, cause))
        {
            filled.set(attribute.name, Value::Unknown);
        }
    }
}

/// Tells whether an object has every value that the configured block gives.
fn says_the_same(attributes: &[Attribute], given: &Object, before: &Object) -> bool {
    attributes.iter().filter(|attribute| !given.value(attribute.name).is_null()).all(|attribute| {
        canonical_value(attribute, given.value(attribute.name)).unmarked()
            == canonical_value(attribute, before.value(attribute.name)).unmarked()
    })
}

/// Tells whether an object agrees with the configured block in what every such block must say.
fn has_same_identity(attributes: &[Attribute], given: &Object, before: &Object) -> bool {
    let mut required = attributes.iter().filter(|a| a.presence == Presence::Required).peekable();
    required.peek().is_some()
        && required.all(|attribute| {
            canonical_value(attribute, given.value(attribute.name)).unmarked()
                == canonical_value(attribute, before.value(attribute.name)).unmarked()
        })
}

fn with_tags_all(schema: &Schema, mut after: Object, default_tags: &Object) -> Object {
    if schema.is_taggable() {
        let all = tags::merge(default_tags, after.value("tags"));
        if after.get("tags_all") != Some(&all) {
            after.set("tags_all", all);
        }
    }
    after
}

/// The differences between two objects.
#[derive(Debug, Default)]
struct Changes {
    changed: Vec<Path>,
    replace: Vec<Path>,
    restart: Vec<Path>,
}

impl Changes {
    fn touches(&self, name: &str) -> bool {
        self.changed.iter().any(|path| path.attribute() == Some(name))
    }

    fn compare(
        &mut self,
        attributes: &[Attribute],
        before: &Object,
        after: &Object,
        at: &Path,
        ask: &dyn Fn(crate::schema::ReplaceRule) -> bool,
    ) {
        if before.shares_with(after) {
            return;
        }
        for attribute in attributes {
            let old = before.value(attribute.name);
            let new = after.value(attribute.name);
            if is_same(attribute, old, new) {
                continue;
            }
            let path = at.name(attribute.name);
            match (attribute.kind, old.as_list(), new.as_list()) {
                (Kind::Blocks(blocks), Some(old), Some(new))
                    if blocks.nesting == Nesting::List && old.len() == new.len() =>
                {
                    for (index, (old, new)) in old.iter().zip(new).enumerate() {
                        let empty = Object::new();
                        let (old, new) =
                            (old.as_map().unwrap_or(&empty), new.as_map().unwrap_or(&empty));
                        self.compare(blocks.attributes, old, new, &path.index(index), ask);
                    }
                }
                (Kind::Blocks(blocks), Some(old), Some(new)) => {
                    self.note(attribute, &path, ask);
                    if matches!(attribute.on_change, OnChange::Update)
                        && forced_within(blocks, old, new)
                    {
                        self.replace.push(path);
                    }
                }
                _ => self.note(attribute, &path, ask),
            }
        }
    }

    fn note(
        &mut self,
        attribute: &Attribute,
        path: &Path,
        ask: &dyn Fn(crate::schema::ReplaceRule) -> bool,
    ) {
        match attribute.on_change {
            OnChange::Update => {}
            OnChange::Restart => self.restart.push(path.clone()),
            OnChange::Replace => self.replace.push(path.clone()),
            OnChange::ReplaceIf(rule) | OnChange::ReplaceIfElseRestart(rule) if ask(rule) => {
                self.replace.push(path.clone());
            }
            OnChange::ReplaceIf(_) => {}
            OnChange::ReplaceIfElseRestart(_) => self.restart.push(path.clone()),
        }
        self.changed.push(path.clone());
    }
}

/// Tells whether two values of an attribute mean the same, marks aside.
pub fn is_same(attribute: &Attribute, old: &Value, new: &Value) -> bool {
    // Comparing as they are first spares the common case the copies of the canonical form.
    old == new
        || canonical_value(attribute, old).unmarked() == canonical_value(attribute, new).unmarked()
}

/// Tells whether a value that was read is what was planned: the same in what it means, with anything in the place of
/// what the plan left unknown.
pub fn is_as_planned(attribute: &Attribute, planned: &Value, live: &Value) -> bool {
    if planned.is_known() {
        return is_same(attribute, planned, live);
    }
    match (attribute.kind, planned.as_list(), live.as_list()) {
        (Kind::Blocks(blocks), Some(planned), Some(live)) if planned.len() == live.len() => {
            let fits = |planned: &Value, live: &Value| match (planned.as_map(), live.as_map()) {
                (Some(planned), Some(live)) => blocks
                    .attributes
                    .iter()
                    .all(|it| is_as_planned(it, planned.value(it.name), live.value(it.name))),
                _ => planned.is_unknown(),
            };
            match blocks.nesting {
                Nesting::List => {
                    planned.iter().zip(live).all(|(planned, live)| fits(planned, live))
                }
                Nesting::Set => pairs_up(planned, live, &fits),
            }
        }
        (Kind::Blocks(_), Some(_), _) => false,
        // Within lists and maps of plain values, what is known elsewhere in them is not worth telling apart.
        _ => true,
    }
}

/// Tells whether each planned item can be given a live one of its own that fits. The first that fits is taken: items of
/// a set that both fit one place differ only in what nobody planned.
fn pairs_up(planned: &[Value], live: &[Value], fits: &dyn Fn(&Value, &Value) -> bool) -> bool {
    let mut free: Vec<&Value> = live.iter().collect();
    // What says most is placed first, so that it finds its place free.
    let mut planned: Vec<&Value> = planned.iter().collect();
    planned.sort_by_key(|it| !it.is_known());
    planned.into_iter().all(|planned| {
        let at = free.iter().position(|live| fits(planned, live));
        at.map(|at| free.swap_remove(at)).is_some()
    })
}

/// Tells whether the blocks of a set differ in what cannot change in place: what forces replacement in each of them,
/// taken together, is another set.
fn forced_within(blocks: &Blocks, old: &[Value], new: &[Value]) -> bool {
    let forcing: Vec<Attribute> = blocks
        .attributes
        .iter()
        .filter(|attribute| matches!(attribute.on_change, OnChange::Replace))
        .copied()
        .collect();
    let project = |values: &[Value]| {
        let mut all: Vec<Object> = values
            .iter()
            .filter_map(Value::as_map)
            .map(|object| canonical(&forcing, object).unmarked())
            .collect();
        all.sort();
        all
    };
    !forcing.is_empty() && project(old) != project(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Mode,
        normalize::Normalize,
        schema::{Literal, Recovery, Timeouts},
    };

    static RULE: &[Attribute] = &[
        Attribute::required("port", Kind::Int),
        Attribute::optional("cidr_blocks", Kind::Set(&Kind::String)).normalize(Normalize::Cidr),
        Attribute::optional_computed("rule_id", Kind::String),
        Attribute::optional("burst", Kind::Bool),
        Attribute::optional_computed("speed", Kind::Int).recomputed_by(&["burst"]),
    ];
    static SCHEMA: Schema = Schema {
        type_name: "test_group",
        mode: Mode::Managed,
        version: 1,
        doc: "",
        attributes: &[
            Attribute::computed("id", Kind::String),
            Attribute::computed("address", Kind::String).recomputed_by(&["size"]),
            Attribute::required("name", Kind::String).replace(),
            Attribute::optional("size", Kind::String).default(Literal::String("small")).restart(),
            Attribute::optional_computed("zone", Kind::String).replace(),
            Attribute::optional(
                "rule",
                Kind::Blocks(&Blocks {
                    nesting: Nesting::Set,
                    min: 0,
                    max: None,
                    attributes: RULE,
                }),
            ),
            Attribute::optional("tags", Kind::Map(&Kind::String)),
            Attribute::computed("tags_all", Kind::Map(&Kind::String)),
        ],
        constraints: &[],
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(1, 1, 1),
        iam_read: &[],
        iam_write: &[],
    };

    fn rule(port: i64, cidr: &str) -> Object {
        Object::new().with("port", port).with("cidr_blocks", vec![cidr])
    }

    fn config() -> Object {
        Object::new()
            .with("name", "web")
            .with("rule", vec![rule(80, "10.1.0.0/8"), rule(22, "10.0.0.0/8")])
    }

    /// The object as AWS would return it after it was created from `config`.
    fn live() -> Object {
        let mut live = propose(&SCHEMA, &config(), None, &Object::new(), Renewal::IfForced).after;
        live.set("id", "g-1");
        live.set("address", "192.0.2.1");
        live.set("zone", "a");
        live.set(
            "rule",
            vec![
                rule(22, "10.0.0.0/8").with("rule_id", "r-2"),
                rule(80, "10.0.0.0/8").with("rule_id", "r-1"),
            ],
        );
        live
    }

    fn check(config: &Object, changed: &[&str], replace: &[&str]) -> Proposal {
        let proposal = propose(&SCHEMA, config, Some(&live()), &Object::new(), Renewal::IfForced);
        let texts = |paths: &[Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&proposal.changed), changed);
        assert_eq!(texts(&proposal.replace), replace);
        proposal
    }

    #[test]
    fn a_new_object_has_defaults_and_unknowns() {
        let after = propose(&SCHEMA, &config(), None, &Object::new(), Renewal::IfForced).after;
        assert_eq!(after.value("size"), &Value::from("small"));
        assert_eq!(after.value("id"), &Value::Unknown);
        assert_eq!(after.value("zone"), &Value::Unknown);
    }

    #[test]
    fn what_was_applied_stays() {
        check(&config(), &[], &[]);
    }

    #[test]
    fn an_update_keeps_what_is_computed_and_forgets_what_it_moves() {
        let proposal = check(&config().with("size", "large"), &["size", "address"], &[]);
        assert_eq!(proposal.after.value("id"), &Value::from("g-1"));
        assert_eq!(proposal.after.value("address"), &Value::Unknown);
        assert_eq!(proposal.restart, [Path::root("size")]);
    }

    #[test]
    fn a_forced_replacement_forgets_all_that_is_computed() {
        let proposal = check(
            &config().with("name", "other"),
            &["id", "address", "name", "zone", "rule"],
            &["name"],
        );
        assert_eq!(proposal.after.value("zone"), &Value::Unknown);
    }

    #[test]
    fn one_edited_block_leaves_its_neighbors_alone() {
        let config = config().with("rule", vec![rule(443, "10.0.0.0/8"), rule(22, "10.0.0.0/8")]);
        let proposal = check(&config, &["rule"], &[]);
        let rules: Vec<_> =
            proposal.after.blocks("rule").map(|rule| rule.value("rule_id")).collect();
        assert_eq!(rules, [&Value::Unknown, &Value::from("r-2")]);
    }

    #[test]
    fn an_edited_block_forgets_what_the_edit_moves() {
        let mut before = live();
        before.set("rule", vec![rule(80, "10.0.0.0/8").with("rule_id", "r-1").with("speed", 3)]);
        let after = |rule: Object| {
            let config = config().with("rule", vec![rule]);
            propose(&SCHEMA, &config, Some(&before), &Object::new(), Renewal::IfForced).after
        };
        let speed = |after: &Object| after.block("rule").unwrap().value("speed").clone();
        assert_eq!(speed(&after(rule(80, "10.0.0.0/8"))), Value::from(3));
        let edited = after(rule(80, "10.0.0.0/8").with("burst", true));
        assert_eq!(speed(&edited), Value::Unknown);
        assert_eq!(edited.block("rule").unwrap().value("rule_id"), &Value::from("r-1"));
        assert_eq!(
            speed(&after(rule(80, "10.0.0.0/8").with("burst", true).with("speed", 4))),
            Value::from(4)
        );
    }

    #[test]
    fn what_was_planned_is_found_around_what_was_unknown() {
        let attribute = SCHEMA.attribute("rule").unwrap();
        let planned = propose(&SCHEMA, &config(), None, &Object::new(), Renewal::IfForced).after;
        let planned = planned.value("rule");
        assert!(!planned.is_known());
        let mut live = live().value("rule").clone();
        assert!(is_as_planned(attribute, planned, &live));
        assert!(!is_as_planned(attribute, planned, &vec![rule(22, "10.0.0.0/8")].into()));
        live = vec![rule(22, "10.0.0.0/8"), rule(443, "10.0.0.0/8")].into();
        assert!(!is_as_planned(attribute, planned, &live));
        assert!(is_as_planned(attribute, &Value::Unknown, &live));
    }

    #[test]
    fn default_tags_are_part_of_all_tags() {
        let defaults = Object::new().with("team", "web").with("tier", "lab");
        let config = config().with("tags", Object::new().with("tier", "prod"));
        let after = propose(&SCHEMA, &config, None, &defaults, Renewal::IfForced).after;
        let all = Object::new().with("team", "web").with("tier", "prod");
        assert_eq!(after.value("tags_all"), &Value::Map(all));
    }
}
