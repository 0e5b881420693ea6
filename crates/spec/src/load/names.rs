//! What names mean in a spec, and which of them may stand where.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;
use reconcile_model::{Attribute, Kind, Mode, ResourceAddress, Schema, SchemaSet, Value};

use crate::eval::Failure;
use crate::expression::lower::{Name, Names, path};
use crate::expression::{ExprKind, Root, Step, StepKind};
use crate::place::{Place, Range};
use crate::suggest::{did_you_mean, list, nearest};

/// Everything in a spec that has a name.
pub(super) struct Tables<'a> {
    pub(super) variables: IndexMap<String, Place>,
    pub(super) locals: BTreeMap<String, usize>,
    /// The names of the checks.
    pub(super) checks: Vec<&'a str>,
    pub(super) blocks: IndexMap<ResourceAddress, Head>,
    pub(super) schemas: &'a SchemaSet,
    pub(super) root: &'a Path,
    /// How many names may still be compared for "did you mean", so that a large spec full of mistakes is told soon.
    pub(super) comparisons: Cell<usize>,
}

/// How many names are compared for "did you mean" in one run.
pub(super) const MAX_COMPARISONS: usize = 2_000_000;

impl Tables<'_> {
    /// Tells whether all blocks may be gone through for one more mistake.
    pub(super) fn may_compare(&self) -> bool {
        let left = self.comparisons.get().checked_sub(self.blocks.len());
        left.inspect(|left| self.comparisons.set(*left)).is_some()
    }
}

/// What references to a block need to know of it.
pub(super) struct Head {
    /// Absent when the type is unknown, which has been told.
    pub(super) schema: Option<&'static Schema>,
    pub(super) repeat: Repeated,
    /// The check that alone may mention it, by its index.
    pub(super) check: Option<usize>,
}

/// How a block is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    No,
    Count,
    Each,
}

/// Where an expression stands, as far as it decides which names there are.
#[derive(Clone, Copy)]
pub(super) struct Where {
    /// What is being written, for messages: "a provider".
    pub(super) what: &'static str,
    /// Whether resources and data sources may be mentioned.
    pub(super) blocks: bool,
    /// Whether and how the block is repeated.
    pub(super) repeat: Repeated,
    /// For postconditions, the block itself.
    pub(super) own: Option<&'static Schema>,
    /// In a check, which one.
    pub(super) check: Option<usize>,
}

impl Where {
    pub(super) const fn plain(what: &'static str) -> Self {
        Self { what, blocks: true, repeat: Repeated::No, own: None, check: None }
    }

    pub(super) const fn without_blocks(what: &'static str) -> Self {
        Self { blocks: false, ..Self::plain(what) }
    }
}

/// The names at one place.
pub(super) struct SpecNames<'a> {
    pub(super) tables: &'a Tables<'a>,
    pub(super) place: Where,
}

impl Names for SpecNames<'_> {
    fn resolve(&self, name: &Name<'_>, attributes: &[Name<'_>]) -> Result<(Root, usize), Failure> {
        let first = attributes.first();
        match name.text {
            "var" => {
                let first = first.ok_or_else(|| alone(name, "var.name"))?;
                match self.tables.variables.get_index_of(first.text) {
                    Some(index) => Ok((Root::Variable(index), 1)),
                    None => Err(unknown("variable", "var.", first, self.tables.variables.keys())),
                }
            }
            "local" => {
                let first = first.ok_or_else(|| alone(name, "local.name"))?;
                match self.tables.locals.get(first.text) {
                    Some(index) => Ok((Root::Cell(*index), 1)),
                    None => Err(unknown("local", "local.", first, self.tables.locals.keys())),
                }
            }
            "count" => self.count(name, first),
            "each" => self.each(name, first),
            "self" => match self.place.own {
                Some(_) => Ok((Root::SelfValue, 0)),
                None => Err(Failure::new(name.at, "There is no `self` here")
                    .detail("`self` is the object of a `postcondition`, and of nothing else.")
                    .hint("Mention other resources by their addresses; what a resource's own arguments have in common goes into `locals`.".to_owned())),
            },
            "path" => path(name, attributes, self.tables.root),
            "terraform" => Err(Failure::new(name.at, "There are no workspaces")
                .detail("Each stack has one state.")
                .hint("Use a variable, and one stack for each environment.".to_owned())),
            "module" => Err(Failure::new(name.at, "Modules are not supported yet")),
            "data" => {
                let (Some(type_name), Some(block)) = (first, attributes.get(1)) else {
                    return Err(alone(name, "data.aws_ami.name"));
                };
                self.block(Mode::Data, type_name, block).map(|root| (root, 2))
            }
            _ => match first {
                Some(block) => self.block(Mode::Managed, name, block).map(|root| (root, 1)),
                None => Err(self.not_a_name(name)),
            },
        }
    }

    fn check(&self, root: &Root, steps: &[Step], at: Range, failures: &mut Vec<Failure>) {
        let block = match root {
            Root::Block(index) => self.tables.blocks.get_index(*index),
            Root::SelfValue => {
                if let Some(schema) = self.place.own {
                    check_steps(schema.type_name, schema.attributes, steps, failures);
                }
                return;
            }
            Root::Variable(_)
            | Root::Cell(_)
            | Root::Bound(_)
            | Root::Constant(_)
            | Root::Given(_)
            | Root::CountIndex
            | Root::EachKey
            | Root::EachValue => return,
        };
        let Some((address, head)) = block else { return };
        let Some(schema) = head.schema else { return };
        let Some((first, rest)) = steps.split_first() else { return };
        let inside = match (&first.kind, head.repeat) {
            (StepKind::Attribute(_), Repeated::No) => steps,
            (StepKind::Splat(inner), Repeated::No | Repeated::Count) => inner,
            (StepKind::Index(_), Repeated::Count | Repeated::Each) => rest,
            (StepKind::Index(_), Repeated::No) => {
                failures.push(
                    Failure::new(first.at, format!("`{address}` takes no index"))
                        .detail(
                            "The block has neither `count` nor `for_each`: there is one instance.",
                        )
                        .hint(format!("Write `{address}` without the index.")),
                );
                return;
            }
            (StepKind::Attribute(name), Repeated::Count) => {
                failures.push(
                    Failure::new(at, format!("`{address}` needs an index"))
                        .detail("The block has `count`: there are several instances.")
                        .hint(format!(
                            "Write `{address}[0].{name}` for one, `{address}[*].{name}` for all, or `{address}[count.index].{name}` to pair them up."
                        )),
                );
                return;
            }
            (StepKind::Attribute(name), Repeated::Each) => {
                failures.push(
                    Failure::new(at, format!("`{address}` needs a key"))
                        .detail("The block has `for_each`: there are several instances.")
                        .hint(format!(
                            "Write `{address}[\"key\"].{name}` for one, `{address}[each.key].{name}` to pair them up, or `values({address})[*].{name}` for all."
                        )),
                );
                return;
            }
            (StepKind::Splat(_), Repeated::Each) => {
                failures.push(
                    Failure::new(first.at, "A splat works on lists")
                        .detail(format!("`{address}` has `for_each`, so it is a map."))
                        .hint(format!("Write `values({address})[*]`.")),
                );
                return;
            }
        };
        check_steps(schema.type_name, schema.attributes, inside, failures);
    }
}

impl SpecNames<'_> {
    fn count(&self, name: &Name<'_>, first: Option<&Name<'_>>) -> Result<(Root, usize), Failure> {
        match first {
            Some(Name { text: "index", .. }) if self.place.repeat == Repeated::Count => {
                Ok((Root::CountIndex, 1))
            }
            Some(Name { text: "index", .. }) => {
                let failure = Failure::new(name.at, "There is no `count.index` here");
                Err(match self.place.repeat {
                    Repeated::Each => failure
                        .detail("The block has `for_each`, not `count`.")
                        .hint("Use `each.key` or `each.value`.".to_owned()),
                    Repeated::No | Repeated::Count => {
                        failure.detail("It exists only inside a block that has `count`.")
                    }
                })
            }
            _ => Err(Failure::new(name.at, "`count` has nothing but `count.index`")),
        }
    }

    fn each(&self, name: &Name<'_>, first: Option<&Name<'_>>) -> Result<(Root, usize), Failure> {
        let root = match first.map(|first| first.text) {
            Some("key") => Root::EachKey,
            Some("value") => Root::EachValue,
            _ => {
                return Err(Failure::new(
                    name.at,
                    "`each` has nothing but `each.key` and `each.value`",
                ));
            }
        };
        if self.place.repeat == Repeated::Each {
            return Ok((root, 1));
        }
        let failure = Failure::new(name.at, "There is no `each` here");
        Err(match self.place.repeat {
            Repeated::Count => failure
                .detail("The block has `count`, not `for_each`.")
                .hint("Use `count.index`.".to_owned()),
            Repeated::No | Repeated::Each => {
                failure.detail("It exists only inside a block that has `for_each`.")
            }
        })
    }

    fn block(&self, mode: Mode, type_name: &Name<'_>, name: &Name<'_>) -> Result<Root, Failure> {
        let wanted = address(mode, type_name.text, name.text);
        if let Some(index) = self.tables.blocks.get_index_of(&wanted) {
            let at = Range { start: type_name.at.start, end: name.at.end };
            if let Some(check) = self.tables.blocks[index].check
                && self.place.check != Some(check)
            {
                let owner = self.tables.checks[check];
                return Err(Failure::new(at, format!("`{wanted}` belongs to the check `{owner}`"))
                    .detail("It is read for that check alone, and nothing else can use it.")
                    .hint("Put it under `data` at the top level to use it anywhere.".to_owned()));
            }
            if self.place.blocks {
                return Ok(Root::Block(index));
            }
            return Err(Failure::new(
                at,
                format!("`{wanted}` cannot be used in {}", self.place.what),
            )
            .detail("This must be known before any resource is looked at.")
            .hint("Use variables and constants.".to_owned()));
        }
        let prefix = if mode == Mode::Data { "data." } else { "" };
        let all = if self.tables.may_compare() { self.tables.blocks.len() } else { 0 };
        let same_type = |mode: Mode| {
            self.tables
                .blocks
                .keys()
                .take(all)
                .filter(move |block| block.mode == mode && *block.type_name == *type_name.text)
        };
        if same_type(mode).next().is_some()
            || self.tables.schemas.get(mode, type_name.text).is_some()
        {
            let names: Vec<&str> = same_type(mode).map(|block| &*block.name).collect();
            let other = if mode == Mode::Data { Mode::Managed } else { Mode::Data };
            let hint = nearest(name.text, names.iter().copied())
                .map(|near| format!("Did you mean `{prefix}{}.{near}`?", type_name.text))
                .or_else(|| {
                    let elsewhere = address(other, type_name.text, name.text);
                    self.tables
                        .blocks
                        .contains_key(&elsewhere)
                        .then(|| format!("Did you mean `{elsewhere}`?"))
                });
            let failure = Failure::new(name.at, format!("There is no `{wanted}` in the spec"));
            let failure = match names.as_slice() {
                [] if all == 0 => failure,
                [] => failure.detail("Of this type there is none."),
                some if some.len() > 20 => {
                    failure.detail(format!("Of this type there are {} others.", some.len()))
                }
                some => {
                    failure.detail(format!("Of this type there is {}.", list(some.iter().copied())))
                }
            };
            return Err(failure.hint(hint));
        }
        // `data.` is forgotten, or put where it does not belong.
        let other = if mode == Mode::Data { Mode::Managed } else { Mode::Data };
        let elsewhere = address(other, type_name.text, name.text);
        if self.tables.blocks.contains_key(&elsewhere) {
            return Err(Failure::new(type_name.at, format!("There is no `{wanted}` in the spec"))
                .hint(format!("Did you mean `{elsewhere}`?")));
        }
        let types: Vec<&str> =
            self.tables.schemas.all(mode).map(|schema| schema.type_name).collect();
        let what = if mode == Mode::Data { "data source" } else { "resource type" };
        let hint = match nearest(type_name.text, types) {
            Some(near) => Some(format!("Did you mean `{prefix}{near}`?")),
            None => did_you_mean(
                type_name.text,
                ["var", "local", "data", "each", "count", "path", "self"],
            ),
        };
        Err(Failure::new(type_name.at, format!("There is no {what} `{}`", type_name.text))
            .hint(hint))
    }

    fn not_a_name(&self, name: &Name<'_>) -> Failure {
        let hint = if self.tables.variables.contains_key(name.text) {
            format!("Did you mean `var.{}`?", name.text)
        } else if self.tables.locals.contains_key(name.text) {
            format!("Did you mean `local.{}`?", name.text)
        } else {
            format!(
                "For the text itself, put it in quotes: `\"{0}\"`; for a `${{…}}` that the shell is to see, write `$${{…}}`.",
                name.text
            )
        };
        Failure::new(name.at, format!("`{}` alone stands for nothing", name.text))
            .detail("A reference has at least two parts, such as `var.name`, `local.name`, or `aws_instance.web`.")
            .hint(hint)
    }
}

/// Returns the address of a block of the root module.
pub(super) fn address(mode: Mode, type_name: &str, name: &str) -> ResourceAddress {
    match mode {
        Mode::Managed => ResourceAddress::managed(type_name, name),
        Mode::Data => ResourceAddress::data(type_name, name),
    }
}

fn alone(name: &Name<'_>, form: &str) -> Failure {
    Failure::new(name.at, format!("`{}` alone stands for nothing", name.text))
        .hint(format!("Write `{form}`."))
}

fn unknown<'a>(
    what: &str,
    prefix: &str,
    name: &Name<'_>,
    known: impl Iterator<Item = &'a String> + Clone,
) -> Failure {
    let hint = match nearest(name.text, known.clone().map(String::as_str)) {
        Some(near) => format!("Did you mean `{prefix}{near}`?"),
        None if what == "variable" => {
            format!("Declare it: `variable: {{ {}: {{ type: string }} }}`.", name.text)
        }
        None => format!("Define it under `{what}s`."),
    };
    Failure::new(name.at, format!("There is no {what} `{}`", name.text)).hint(hint)
}

/// Checks the names of attributes on the way into an object of a schema.
fn check_steps(owner: &str, attributes: &[Attribute], steps: &[Step], failures: &mut Vec<Failure>) {
    let Some((step, rest)) = steps.split_first() else { return };
    let (name, at) = match &step.kind {
        StepKind::Attribute(name) => (name.to_string(), step.at),
        StepKind::Index(key) => {
            let ExprKind::Literal(Value::String(name)) = &key.kind else { return };
            (name.clone(), key.at)
        }
        StepKind::Splat(inner) => return check_steps(owner, attributes, inner, failures),
    };
    let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else {
        failures.push(
            Failure::new(at, format!("`{owner}` has no attribute `{name}`"))
                .hint(did_you_mean(&name, attributes.iter().map(|attribute| attribute.name))),
        );
        return;
    };
    let Some((next, after)) = rest.split_first() else { return };
    let Kind::Blocks(blocks) = attribute.kind else {
        failures.extend(no_such_part(attribute, next));
        return;
    };
    match &next.kind {
        StepKind::Index(_) => check_steps(&name, blocks.attributes, after, failures),
        StepKind::Splat(inner) => check_steps(&name, blocks.attributes, inner, failures),
        StepKind::Attribute(inner) => {
            failures.push(Failure::new(next.at, format!("`{name}` is a list")).hint(format!(
                "Write `{name}[0].{inner}` for one, or `{name}[*].{inner}` for all."
            )));
        }
    }
}

/// Tells why a step into an attribute that is no block leads nowhere, when it does.
fn no_such_part(attribute: &Attribute, step: &Step) -> Option<Failure> {
    let name = attribute.name;
    match (attribute.kind, &step.kind) {
        (Kind::String | Kind::Int | Kind::Number | Kind::Bool, StepKind::Attribute(part)) => Some(
            Failure::new(step.at, format!("`{name}` has no attribute `{part}`"))
                .detail(format!("It is {}.", kind_name(attribute.kind))),
        ),
        (Kind::String | Kind::Int | Kind::Number | Kind::Bool, StepKind::Index(_)) => Some(
            Failure::new(step.at, format!("`{name}` takes no index"))
                .detail(format!("It is {}.", kind_name(attribute.kind))),
        ),
        (Kind::List(_) | Kind::Set(_), StepKind::Attribute(part)) => Some(
            Failure::new(step.at, format!("`{name}` has no attribute `{part}`"))
                .detail("It is a list.")
                .hint(format!("Give the index of an item, as in `{name}[0]`.")),
        ),
        _ => None,
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Int | Kind::Number => "a number",
        Kind::Bool => "a bool",
        Kind::List(_) | Kind::Set(_) | Kind::Blocks(_) => "a list",
        Kind::Map(_) => "a map",
    }
}
