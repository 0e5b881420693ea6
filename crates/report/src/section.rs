//! What a plan says, in the order in which people read it: before it is text or Markdown.

use std::collections::BTreeMap;

use reconcile_model::{
    Action, Address, Diff, InstanceKey, Path, Plan, Schema, SchemaSet, Value,
    diff::Node,
    plan::{CauseKind, Change, Drift, PlanMode},
};

use crate::{
    Configuration,
    alike::{self, Instance, Varying, together},
    exposure::{Exposure, exposures},
    layout::{self, Shape, View},
    line::{Line, Sign, Tone},
    quote::plain,
    reason::{self, Heading, Index},
    usage::Usage,
};

/// What all sections look at.
pub(crate) struct Cx<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) index: Index<'a>,
    pub(crate) columns: usize,
    schemas: &'a SchemaSet,
    configuration: &'a Configuration,
    usage: Option<Usage>,
}

/// The groups of changes, in the order of what they do to the reader's sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Destroy,
    Update,
    Create,
    Read,
    Import,
    Move,
}

impl Group {
    fn of(change: &Change) -> Option<Self> {
        match change.action {
            Action::Replace(_) | Action::Delete => Some(Self::Destroy),
            Action::Update => Some(Self::Update),
            Action::Create => Some(Self::Create),
            Action::Read => Some(Self::Read),
            Action::Forget => Some(Self::Move),
            Action::NoOp if change.imported => Some(Self::Import),
            Action::NoOp => change.previous_address.is_some().then_some(Self::Move),
        }
    }
}

/// One change, or the changes of several instances of a block that are alike.
pub(crate) struct Entry<'a> {
    pub(crate) group: Group,
    /// At least one.
    pub(crate) changes: Vec<&'a Change>,
    varying: Varying,
}

/// What changed behind our back in one object, or in those of several instances of a block, alike.
pub(crate) struct Drifted<'a> {
    /// At least one.
    pub(crate) drift: Vec<&'a Drift>,
    /// What the plan does about it, one line for each thing.
    pub(crate) consequence: Vec<String>,
    varying: Varying,
}

impl<'a> Cx<'a> {
    /// Looks at a plan; text is laid out for so many columns.
    pub(crate) fn new(
        plan: &'a Plan,
        schemas: &'a SchemaSet,
        configuration: &'a Configuration,
        columns: usize,
    ) -> Self {
        let usage = Usage::of(configuration);
        Self { plan, index: Index::of(plan), columns, schemas, configuration, usage }
    }

    fn schema(&self, address: &Address) -> Option<&'static Schema> {
        self.schemas.get(address.resource.mode, address.type_name())
    }

    /// Returns the changes in reading order, those that are alike as one.
    pub(crate) fn entries(&self) -> Vec<Entry<'a>> {
        let changes = self.plan.changes.iter();
        let mut changes: Vec<(Group, &Change)> =
            changes.filter_map(|it| Group::of(it).map(|group| (group, it))).collect();
        // Stable: within a group the plan's own order stays.
        changes.sort_by_key(|(group, _)| *group);
        let one_block = |(group, change): &(Group, &Change), other: &(Group, &Change)| {
            *group == other.0 && change.address.resource == other.1.address.resource
        };
        changes.chunk_by(one_block).flat_map(|block| self.block(block)).collect()
    }

    /// Brings together what is alike among the changes of one block.
    fn block(&self, changes: &[(Group, &'a Change)]) -> Vec<Entry<'a>> {
        let instance = |(_, change): &(Group, &'a Change)| {
            let schema = self.schema(&change.address);
            let diff = Diff::of_change(schema, change);
            let about = reason::about(change, schema, &self.index);
            let key = change.address.key.as_ref();
            Instance::of(key, &diff, self.view(change), &about)
        };
        let entry = |(members, varying): (Vec<usize>, Varying)| Entry {
            group: changes[members[0]].0,
            changes: members.iter().map(|&at| changes[at].1).collect(),
            varying,
        };
        together(changes, instance).into_iter().map(entry).collect()
    }

    /// Returns why it is done, one reason a line.
    pub(crate) fn reasons(&self, entry: &Entry<'_>) -> Vec<String> {
        let first = entry.first();
        reason::reasons(&entry.changes, self.schema(&first.address), &self.index)
    }

    /// Returns the view of a change, without what is around the change.
    fn view<'b>(&'b self, change: &'b Change) -> View<'b> {
        let origin = Some((self.configuration, &change.address.resource));
        View { origin, ..View::new(self.columns, shape(change.action)) }
    }

    /// Returns what is done to the attributes, from this depth on; nothing for what only moves or is forgotten.
    pub(crate) fn body(&self, entry: &Entry<'_>, depth: usize) -> Vec<Line> {
        let change = entry.first();
        match change.action {
            Action::Forget | Action::NoOp => return Vec::new(),
            Action::Create
            | Action::Read
            | Action::Update
            | Action::Replace(_)
            | Action::Delete => {}
        }
        let stated: Vec<&Path> = change
            .changed
            .iter()
            .zip(&change.causes)
            .filter(|(_, cause)| cause.kind != CauseKind::Computed)
            .map(|(path, _)| path)
            .collect();
        let view = View {
            usage: self.usage.as_ref(),
            stated: &stated,
            varying: Some(&entry.varying),
            ..self.view(change)
        };
        layout::object(&Diff::of_change(self.schema(&change.address), change), depth, view)
    }

    /// Returns what happened behind our back, what is alike as one.
    pub(crate) fn drift(&self) -> Vec<Drifted<'a>> {
        let drift = &self.plan.drift;
        let blocks = drift.chunk_by(|it, next| it.address.resource == next.address.resource);
        blocks.flat_map(|block| self.drifted(block)).collect()
    }

    /// Brings together what is alike among what happened to the objects of one block.
    fn drifted(&self, drift: &'a [Drift]) -> Vec<Drifted<'a>> {
        let instance = |it: &'a Drift| {
            let schema = self.schema(&it.address);
            let is_gone = it.after.is_none();
            // Of what is gone, nothing but that is shown.
            let diff = if is_gone { Diff::default() } else { Diff::of_drift(schema, it) };
            let answers = reason::answers(it, schema, &self.index);
            let about =
                format!("{is_gone} {:?} {:?} {answers:?}", it.deposed, self.consequence(it));
            let view = View::new(self.columns, Shape::Same);
            Instance::of(it.address.key.as_ref(), &diff, view, &about)
        };
        let entry = |(members, varying): (Vec<usize>, Varying)| {
            let drift: Vec<&Drift> = members.iter().map(|&at| &drift[at]).collect();
            Drifted { consequence: self.consequence(drift[0]), drift, varying }
        };
        together(drift, instance).into_iter().map(entry).collect()
    }

    fn consequence(&self, drift: &Drift) -> Vec<String> {
        reason::consequence(drift, &self.index)
    }

    /// Returns what differs between what was recorded and what is there, with what the spec says below each attribute.
    pub(crate) fn drift_body(&self, drifted: &Drifted<'_>, depth: usize) -> Vec<Line> {
        let drift = drifted.first();
        if drift.after.is_none() {
            return Vec::new();
        }
        let schema = self.schema(&drift.address);
        let notes = reason::answers(drift, schema, &self.index);
        let view = View {
            notes: Some(&notes),
            varying: Some(&drifted.varying),
            ..View::new(self.columns, Shape::Same)
        };
        layout::object(&Diff::of_drift(schema, drift), depth, view)
    }

    /// Returns the lines of the outputs that change.
    pub(crate) fn outputs(&self) -> Vec<Line> {
        let changed = self.plan.outputs.iter().filter(|(_, output)| output.action != Action::NoOp);
        let nodes: Vec<Node> = changed
            .map(|(name, output)| {
                let mark = |value: &Value| {
                    let hide = output.sensitive && !value.is_null();
                    if hide { value.clone().sensitive() } else { value.clone() }
                };
                Node::of_values(name, &mark(&output.before), &mark(&output.after))
            })
            .collect();
        layout::values(&nodes, 0, View::new(self.columns, Shape::Same))
    }

    /// Returns what the plan newly opens to the world, one line for each thing and block.
    pub(crate) fn exposures(&self) -> Vec<String> {
        let mut found: Vec<((Address, String), Vec<InstanceKey>)> = Vec::new();
        let mut places: BTreeMap<(Address, String), usize> = BTreeMap::new();
        for Exposure { address: Address { resource, key }, what } in exposures(self.plan) {
            let it = (Address { resource, key: None }, what);
            let place = *places.entry(it.clone()).or_insert(found.len());
            if place == found.len() {
                found.push((it, Vec::new()));
            }
            found[place].1.extend(key);
        }
        let one = |((block, what), keys): ((Address, String), Vec<InstanceKey>)| {
            let name = if keys.is_empty() {
                plain(&block.to_string())
            } else {
                named(&block, &keys.iter().collect::<Vec<_>>())
            };
            format!("{name}: {}", plain(&what))
        };
        found.into_iter().map(one).collect()
    }

    /// Returns each kind of action that the plan takes: its sign, and how often which thing is done.
    pub(crate) fn overview(&self) -> Vec<(Sign, String)> {
        use reconcile_model::ReplaceOrder::{CreateThenDelete, DeleteThenCreate};
        let rows = [
            (Action::Replace(DeleteThenCreate), "to replace, the old deleted first"),
            (Action::Replace(CreateThenDelete), "to replace, the new created first"),
            (Action::Delete, "to destroy"),
            (Action::Update, "to change in place"),
            (Action::Create, "to create"),
            (Action::Read, "to read during apply"),
            (Action::Forget, "to leave alone and forget"),
        ];
        let mut counts: BTreeMap<Action, usize> = BTreeMap::new();
        self.plan.changes.iter().for_each(|it| *counts.entry(it.action).or_default() += 1);
        let mut lines: Vec<(Sign, String)> = rows
            .into_iter()
            .filter_map(|(action, text)| {
                counts.get(&action).map(|count| (sign(action), format!("{count} {text}")))
            })
            .collect();
        for (count, text) in records(self.plan) {
            lines.push((Sign::NONE, format!("{count} {text}")));
        }
        lines
    }
}

impl<'a> Entry<'a> {
    /// Returns the change that stands for all.
    pub(crate) fn first(&self) -> &'a Change {
        self.changes[0]
    }

    /// Returns the address, with the keys of all instances: `aws_instance.web[0 to 9]`.
    pub(crate) fn name(&self) -> String {
        match self.changes.as_slice() {
            [change] => plain(&change.address.to_string()),
            changes => {
                let keys: Vec<&InstanceKey> =
                    changes.iter().filter_map(|change| change.address.key.as_ref()).collect();
                named(&self.first().address, &keys)
            }
        }
    }

    /// Says what is done.
    pub(crate) fn heading(&self) -> Heading {
        Heading::of(self.first(), self.name(), self.changes.len())
    }

    /// Returns the sign of what is done.
    pub(crate) fn sign(&self) -> Sign {
        sign(self.first().action)
    }
}

impl<'a> Drifted<'a> {
    /// Returns the drift that stands for all.
    pub(crate) fn first(&self) -> &'a Drift {
        self.drift[0]
    }

    /// Returns what the plan does about it, and of several instances which objects it happened to.
    pub(crate) fn lines(&self) -> Vec<String> {
        let ids: Vec<&str> = self.drift.iter().filter_map(|it| it.before.str("id")).collect();
        let ids = reason::ids(self.drift.len(), &ids);
        self.consequence.iter().cloned().chain(ids).collect()
    }

    /// Says what happened.
    pub(crate) fn heading(&self) -> Heading {
        let Drift { address, deposed, before, after, .. } = self.first();
        let (name, count, is) = match self.drift.len() {
            1 => {
                let id = match deposed {
                    Some(id) => format!(" (deposed {id})"),
                    None => before.str("id").map(|id| format!(" ({id})")).unwrap_or_default(),
                };
                (plain(&format!("{address}{id}")), String::new(), "was")
            }
            several => {
                let keys = self.drift.iter().filter_map(|it| it.address.key.as_ref());
                let name = named(address, &keys.collect::<Vec<_>>());
                (name, format!(", {several} instances,"), "were")
            }
        };
        let what = if after.is_some() { "changed" } else { "deleted" };
        Heading { tone: Tone::Strong, name, count, what: format!("{is} {what}") }
    }
}

/// Returns how many objects are imported, and how many stay as they are and are recorded under another address; nothing
/// where there are none.
pub(crate) fn records(plan: &Plan) -> Vec<(usize, &'static str)> {
    let count = |is: fn(&&Change) -> bool| plan.changes.iter().filter(is).count();
    let imports = count(|it| it.imported);
    let moves = count(|it| it.action == Action::NoOp && it.previous_address.is_some());
    let all = [(imports, "to import"), (moves, "under another address")];
    all.into_iter().filter(|(count, _)| *count > 0).collect()
}

/// Tells whether nothing is done but that objects are recorded, or recorded under another address.
pub(crate) fn only_records(plan: &Plan) -> bool {
    !plan.is_empty()
        && plan.changes.iter().all(|change| change.action == Action::NoOp)
        && plan.outputs.values().all(|output| output.action == Action::NoOp)
}

/// Tells whether there is something to apply: to do, or only to record.
pub(crate) fn does_something(plan: &Plan) -> bool {
    let records = plan.options.mode == PlanMode::RefreshOnly && !plan.drift.is_empty();
    !plan.is_empty() || records
}

/// Returns a block with the keys of several instances.
fn named(address: &Address, keys: &[&InstanceKey]) -> String {
    format!("{}{}", plain(&address.resource.to_string()), alike::keys(keys))
}

/// Returns how the diff of a change is laid out.
fn shape(action: Action) -> Shape {
    match action {
        Action::Create | Action::Read => Shape::New,
        Action::Update | Action::Forget | Action::NoOp => Shape::Same,
        Action::Replace(_) => Shape::Replaced,
        Action::Delete => Shape::Gone,
    }
}

/// Returns the sign of an action.
pub(crate) fn sign(action: Action) -> Sign {
    let tone = match action {
        Action::NoOp | Action::Forget => Tone::Plain,
        Action::Read => Tone::Notice,
        Action::Create => Tone::Added,
        Action::Update => Tone::Changed,
        Action::Replace(_) => Tone::Danger,
        Action::Delete => Tone::Removed,
    };
    Sign { tone, symbol: action.symbol() }
}
