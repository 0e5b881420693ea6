//! Diffs as lines.
//!
//! Everything about what is worth a line is decided here and in the modules below; how lines look is not.

pub(crate) mod text_value;
pub(crate) mod value;

use std::collections::BTreeMap;

use reconcile_model::{
    Attribute, Diff, Path, Presence, Schema,
    diff::{Body, Label, Mark, Node, Status},
    schema::Kind,
};

use crate::{
    Configuration,
    alike::Varying,
    line::{Line, Piece, Sign, Tone, piece},
    quote::{self, counted, inline},
    usage::Usage,
};

/// What kind of change a diff belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An object, new or read: what AWS decides is named on one line.
    New,
    /// An object that stays, or that drifted: every difference has its line.
    Same,
    /// An object that another takes the place of.
    Replaced,
    /// An object that goes: what nobody need have said about it is left out.
    Gone,
}

/// What laying out a diff takes besides the diff.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// How many columns a line may take.
    pub(crate) columns: usize,
    pub(crate) shape: Shape,
    /// What the spec says, and of which block of it the diff is; absent for what no block makes.
    pub(crate) origin: Option<(&'a Configuration, &'a reconcile_model::ResourceAddress)>,
    /// What the spec, or another resource by way of it, gives a new value.
    pub(crate) stated: &'a [&'a Path],
    /// What leans on which value; absent where that is not known.
    pub(crate) usage: Option<&'a Usage>,
    /// What differs between the instances that the diff stands for.
    pub(crate) varying: Option<&'a Varying>,
    /// What is said below an attribute.
    pub(crate) notes: Option<&'a BTreeMap<Path, String>>,
}

impl View<'static> {
    /// A view without anything around the diff, and without an end of its lines.
    pub(crate) const PLAIN: Self = Self::new(usize::MAX, Shape::Same);

    /// Returns a view that knows nothing but the diff.
    pub(crate) const fn new(columns: usize, shape: Shape) -> Self {
        Self { columns, shape, origin: None, stated: &[], usage: None, varying: None, notes: None }
    }
}

impl View<'_> {
    /// Returns what an argument's value comes from: `aws_lb.web.arn`.
    fn sources(&self, path: &Path) -> Vec<&str> {
        let mut sources = self
            .origin
            .and_then(|(configuration, block)| configuration.at(block, path))
            .map(crate::configuration::Expression::references)
            .unwrap_or_default();
        // Beside a value stands the block that it is of: it says no more.
        let all = sources.clone();
        sources.retain(|source| {
            !all.iter()
                .any(|it| it.strip_prefix(*source).is_some_and(|it| it.starts_with(['.', '['])))
        });
        // A variable is known: what is not comes from the objects beside it, when there are any.
        let is_object = |source: &&str| {
            let first = source.split('.').next().unwrap_or_default();
            !matches!(first, "var" | "local" | "each" | "count" | "path" | "self")
        };
        if sources.iter().any(is_object) {
            sources.retain(is_object);
        }
        sources
    }

    fn is_configured(&self, path: &Path) -> bool {
        self.stated.contains(&path)
            || self
                .origin
                .is_some_and(|(configuration, block)| configuration.at(block, path).is_some())
    }
}

/// Returns the lines of an object's attributes.
pub(crate) fn object(diff: &Diff, depth: usize, view: View<'_>) -> Vec<Line> {
    let parent = match view.shape {
        Shape::New => Status::Added,
        Shape::Gone => Status::Removed,
        Shape::Same | Shape::Replaced => Status::Changed,
    };
    let repeated = repeats_tags(&diff.attributes, view);
    let nodes = diff.attributes.iter().filter(|node| !(repeated && is_named(node, "tags_all")));
    members(nodes, parent, Identify::No, depth, view)
}

/// Returns the lines of values that stand by themselves, as outputs do.
pub(crate) fn values(nodes: &[Node], depth: usize, view: View<'_>) -> Vec<Line> {
    let shown: Vec<&Node> = nodes.iter().filter(|node| node.status != Status::Unchanged).collect();
    entries(&shown, depth, view)
}

/// Whether unchanged attributes are shown that tell one block of many from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identify {
    Yes,
    No,
}

/// The attributes of an object or block, by how they are shown.
#[derive(Default)]
struct Sorted<'a> {
    plain: Vec<&'a Node>,
    blocks: Vec<&'a Node>,
    /// What AWS decides during apply: where it is, and its name.
    later: Vec<(Path, String)>,
    /// How many attributes of an object that goes are left out.
    left_out: usize,
    hidden: usize,
    hidden_blocks: usize,
}

impl<'a> Sorted<'a> {
    fn of(
        nodes: impl Iterator<Item = &'a Node>,
        parent: Status,
        identify: Identify,
        view: View<'_>,
    ) -> Self {
        let mut sorted = Self::default();
        for node in nodes.filter(|node| !node.is_absent()) {
            if node.status == Status::Unchanged {
                if identify == Identify::Yes && tells_apart(node) {
                    sorted.plain.push(node);
                } else if node.is_block() {
                    sorted.hidden_blocks += block_count(node);
                } else {
                    sorted.hidden += 1;
                }
            } else if is_left_to_aws(node, parent, view) {
                sorted.later.push((node.path.clone(), quote::label(&node.label)));
            } else if is_left_out(node, view) {
                sorted.left_out += 1;
            } else if parent != Status::Changed && is_empty(&node.body) {
                // A new object without any of something says nothing by it.
            } else if let Some(names) = only_left_to_aws(node, view) {
                sorted.later.extend(names);
            } else if node.is_block() {
                sorted.blocks.push(node);
            } else {
                sorted.plain.push(node);
            }
        }
        sorted
    }
}

/// The most attributes that only AWS decides and that are still named: a new instance has some fifty, and nobody reads
/// them to approve it.
const MOST_LATER: usize = 6;

/// Says which attributes only apply will tell: where it is known what leans on them, only those, with what does.
fn later(found: &[(Path, String)], view: View<'_>) -> Option<String> {
    if let (Some(usage), Some((_, block))) = (view.usage, view.origin) {
        let used = found.iter().filter_map(|(path, name)| {
            let users = usage.users(block, path.attribute()?)?;
            Some(format!("{name} for {users}"))
        });
        let used: Vec<String> = used.collect();
        return (!used.is_empty()).then(|| format!("(known after apply: {})", used.join(", ")));
    }
    let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    Some(match names.len() {
        0 => return None,
        1..=MOST_LATER => format!("(known after apply: {})", names.join(", ")),
        count => format!("({count} attributes known after apply)"),
    })
}

/// Returns the lines of the attributes of an object or block: plain ones, what is hidden, then nested blocks.
fn members<'a>(
    nodes: impl Iterator<Item = &'a Node>,
    parent: Status,
    identify: Identify,
    depth: usize,
    view: View<'_>,
) -> Vec<Line> {
    let mut sorted = Sorted::of(nodes, parent, identify, view);
    let mut lines = entries(&sorted.plain, depth, view);
    if let Some(text) = later(&sorted.later, view) {
        lines.extend(note(&text, depth, view));
    }
    if sorted.left_out > 0 {
        let what = counted(sorted.left_out, "attribute");
        lines.extend(note(&format!("({what} not shown: left to AWS, or unset)"), depth, view));
    }
    if sorted.hidden > 0 {
        let what = counted(sorted.hidden, "unchanged attribute");
        lines.extend(note(&format!("({what} hidden)"), depth, view));
    }
    if !sorted.blocks.is_empty() && !lines.is_empty() {
        lines.push(Line::blank());
    }
    for node in sorted.blocks {
        sorted.hidden_blocks += block(node, depth, view, &mut lines);
    }
    if sorted.hidden_blocks > 0 {
        let what = counted(sorted.hidden_blocks, "unchanged block");
        lines.extend(note(&format!("({what} hidden)"), depth, view));
    }
    lines
}

/// Appends the lines of nested blocks; returns how many unchanged ones were left out.
fn block(node: &Node, depth: usize, view: View<'_>, lines: &mut Vec<Line>) -> usize {
    let name = quote::label(&node.label);
    match &node.body {
        Body::Blocks(blocks) => {
            let mut hidden = 0;
            for node in blocks {
                if node.status == Status::Unchanged {
                    hidden += 1;
                } else {
                    block(node, depth, view, lines);
                }
            }
            lines.extend(said_of(node, depth, view));
            hidden
        }
        Body::Object(nodes) => {
            let sign = sign(node.status);
            let mut head = vec![piece(sign.tone, format!("{name} {{"))];
            head.extend(suffix(node));
            lines.push(Line::item(sign, depth, head));
            let identify = match node.attribute.map(|attribute| attribute.kind) {
                Some(Kind::Blocks(blocks)) if blocks.max != Some(1) => Identify::Yes,
                _ => Identify::No,
            };
            lines.extend(members(nodes.iter(), node.status, identify, depth + 1, view));
            lines.push(Line::item(Sign::NONE, depth, vec![piece(Tone::Plain, "}")]));
            0
        }
        Body::Value { .. } | Body::Sensitive { .. } => {
            lines.extend(entries(&[node], depth, view));
            0
        }
        Body::Map(_) | Body::List(_) | Body::Set(_) => 0,
    }
}

/// Returns the lines of named values, with their equals signs in one column.
fn entries(nodes: &[&Node], depth: usize, view: View<'_>) -> Vec<Line> {
    let names = nodes.iter().map(|node| quote::width(&quote::label(&node.label)));
    // One long name does not push the values of all others off the screen.
    let widest = names.filter(|it| *it <= view.columns / 2).max().unwrap_or_default();
    let one = |node: &&Node| {
        let mut lines = value::lines(node, widest, depth, view);
        lines.extend(said_of(node, depth, view));
        lines
    };
    nodes.iter().flat_map(one).collect()
}

/// Returns what is said below an attribute.
fn said_of(node: &Node, depth: usize, view: View<'_>) -> Vec<Line> {
    let text = view.notes.and_then(|notes| notes.get(&node.path));
    text.map(|text| note(text, depth, view)).unwrap_or_default()
}

/// Returns a comment, broken where it is too long.
fn note(text: &str, depth: usize, view: View<'_>) -> Vec<Line> {
    let room = view.columns.saturating_sub(crate::line::margin(depth) + 2);
    quote::wrap(text, room)
        .into_iter()
        .map(|line| Line::item(Sign::NONE, depth, vec![piece(Tone::Quiet, format!("# {line}"))]))
        .collect()
}

fn sign(status: Status) -> Sign {
    match status {
        Status::Unchanged => Sign::NONE,
        Status::Added => Sign::ADDED,
        Status::Removed => Sign::REMOVED,
        Status::Changed => Sign::CHANGED,
    }
}

/// Returns what is said after a value: what its change costs.
fn suffix(node: &Node) -> Option<Piece> {
    match node.mark {
        Some(Mark::Replace) => Some(piece(Tone::Danger, "  # forces replacement")),
        Some(Mark::Restart) => Some(piece(Tone::Danger, "  # stops and starts the instance")),
        None => None,
    }
}

fn presence(node: &Node) -> Option<Presence> {
    match node.label {
        Label::Attribute(_) => node.attribute.map(|attribute| attribute.presence),
        Label::Key(_) | Label::Element => None,
    }
}

/// Tells whether a value is one that AWS decides and nobody asked about: in a new object there are dozens.
fn is_left_to_aws(node: &Node, parent: Status, view: View<'_>) -> bool {
    let new = parent == Status::Added || view.shape == Shape::Replaced;
    new && node.is_unknown_after()
        && node.mark.is_none()
        && match presence(node) {
            Some(Presence::Computed) => true,
            Some(Presence::OptionalComputed) => !view.is_configured(&node.path),
            Some(Presence::Required | Presence::Optional) | None => false,
        }
}

/// Tells whether an attribute of an object that goes says nothing to whoever approves that: AWS decided it, or it is
/// what it is when nobody says anything. What is recorded does not tell the one from the other; where the spec still has
/// the block, what it says is shown.
pub(crate) fn is_left_out(node: &Node, view: View<'_>) -> bool {
    let Some(attribute) = node.attribute.filter(|_| matches!(node.label, Label::Attribute(_)))
    else {
        return false;
    };
    view.shape == Shape::Gone
        && match attribute.presence {
            Presence::Computed => true,
            Presence::Required => false,
            Presence::Optional | Presence::OptionalComputed if view.is_configured(&node.path) => {
                false
            }
            Presence::Optional => is_unset(node, attribute),
            Presence::OptionalComputed => is_unset(node, attribute) || only_settings(attribute),
        }
}

/// Tells whether what goes is empty, off, or the default.
fn is_unset(node: &Node, attribute: &Attribute) -> bool {
    let Body::Value { before, .. } = &node.body else { return is_empty(&node.body) };
    [false.into(), 0_i64.into(), "".into()].contains(before)
        || attribute.default.is_some_and(|it| it.value() == *before)
}

/// Tells whether nested blocks hold nothing but settings that AWS fills in: they name nothing, and nothing in them was made.
fn only_settings(attribute: &Attribute) -> bool {
    let nested = attribute.nested();
    let settings =
        nested.iter().all(|it| !matches!(it.presence, Presence::Required | Presence::Computed));
    settings && !nested.is_empty()
}

/// Returns what AWS decides in the only block of its kind, when of a replaced object nothing else changes there:
/// `root_block_device.volume_id`.
fn only_left_to_aws(node: &Node, view: View<'_>) -> Option<Vec<(Path, String)>> {
    let Body::Blocks(blocks) = &node.body else { return None };
    let [Node { body: Body::Object(nodes), status: Status::Changed, mark: None, .. }] =
        blocks.as_slice()
    else {
        return None;
    };
    let changed: Vec<&Node> =
        nodes.iter().filter(|node| node.status != Status::Unchanged).collect();
    let name = quote::label(&node.label);
    let one = |it: &&Node| (it.path.clone(), format!("{name}.{}", quote::label(&it.label)));
    (view.shape == Shape::Replaced
        && changed.iter().all(|node| is_left_to_aws(node, Status::Changed, view)))
    .then(|| changed.iter().map(one).collect())
}

/// Tells whether an unchanged attribute of a block tells it from its neighbors.
fn tells_apart(node: &Node) -> bool {
    let name_tells = ["name", "description", "device_name"].iter().any(|name| is_named(node, name));
    (name_tells || presence(node) == Some(Presence::Required))
        && match &node.body {
            Body::Value { after, .. } => after.as_list().is_none() && after.as_map().is_none(),
            Body::Sensitive { .. }
            | Body::Map(_)
            | Body::List(_)
            | Body::Set(_)
            | Body::Blocks(_)
            | Body::Object(_) => false,
        }
}

fn is_named(node: &Node, name: &str) -> bool {
    matches!(&node.label, Label::Attribute(label) if label == name)
}

fn is_empty(body: &Body) -> bool {
    match body {
        Body::Map(nodes) | Body::List(nodes) | Body::Set(nodes) | Body::Blocks(nodes) => {
            nodes.is_empty()
        }
        Body::Value { .. } | Body::Sensitive { .. } | Body::Object(_) => false,
    }
}

fn block_count(node: &Node) -> usize {
    match &node.body {
        Body::Value { after, .. } => after.as_list().map_or(1, <[_]>::len),
        Body::Blocks(blocks) => blocks.len(),
        Body::Sensitive { .. } | Body::Map(_) | Body::List(_) | Body::Set(_) | Body::Object(_) => 1,
    }
}

/// Tells whether `tags_all` says nothing of its own: every difference in it is one of `tags`.
fn repeats_tags(nodes: &[Node], view: View<'_>) -> bool {
    let named = |name: &str| nodes.iter().find(|node| is_named(node, name));
    let (Some(own), Some(all)) = (named("tags"), named("tags_all")) else { return false };
    match (&own.body, &all.body) {
        (Body::Map(own), Body::Map(all)) => {
            all.iter().filter(|entry| entry.status != Status::Unchanged).all(|entry| {
                own.iter().any(|it| {
                    it.label == entry.label
                        && it.status == entry.status
                        && value::inline_of(it, view) == value::inline_of(entry, view)
                })
            })
        }
        (Body::Value { after: own, .. }, Body::Value { after: all, .. }) => {
            own.is_unknown() && all.is_unknown()
        }
        _ => false,
    }
}

/// Returns the head of an object: `resource "aws_instance" "web" {`.
pub(crate) fn head(address: &reconcile_model::Address) -> String {
    let word = match address.resource.mode {
        reconcile_model::Mode::Managed => "resource",
        reconcile_model::Mode::Data => "data",
    };
    format!("{word} \"{}\" \"{}\" {{", address.resource.type_name, address.resource.name)
}

/// Returns the lines of a known object by itself, all attributes that it has, in the schema's order.
pub(crate) fn known(
    schema: Option<&Schema>,
    attributes: &reconcile_model::Object,
    columns: usize,
) -> Vec<Line> {
    let diff = Diff::of_objects(schema, None, Some(attributes), &Default::default());
    let mut lines = object(&diff, 0, View::new(columns, Shape::New));
    without_signs(&mut lines);
    lines
}

/// Makes lines of a diff into lines that only tell what there is.
pub(crate) fn without_signs(lines: &mut [Line]) {
    for line in lines {
        line.sign = Sign::NONE;
        for piece in &mut line.pieces {
            if piece.tone != Tone::Quiet {
                piece.tone = Tone::Plain;
            }
        }
    }
}

/// Returns a value on one line, shortened to `columns`.
pub(crate) fn short(value: &reconcile_model::Value, columns: usize) -> String {
    let text = inline(value);
    if quote::width(&text) <= columns {
        return text;
    }
    let mut parts = quote::chunks(&text, columns.saturating_sub(1).max(1));
    parts.truncate(1);
    format!("{}…", parts.concat())
}
