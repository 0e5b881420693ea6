//! The top level of a spec: its sections, merged over all files, and what is defined twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use reconcile_model::{Mode, ResourceAddress, Value};

use super::Loader;
use super::names::address;
use crate::expression::parse::is_template;
use crate::place::Place;
use crate::suggest::{did_you_mean, list};
use crate::yaml::{HCL, Yaml, YamlKey, YamlKind, is_hcl};

/// The keys of the top level.
const SECTIONS: [&str; 12] = [
    "stack", "provider", "backend", "variable", "locals", "data", "resource", "output", "check",
    "import", "moved", "removed",
];

/// What Terraform does not take as a variable's name: what has a meaning in a module block.
const RESERVED: [&str; 8] =
    ["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

/// A named part of a section.
pub(super) type Part<'y> = (&'y YamlKey, &'y Yaml);

/// A `resource` or `data` block as it is written.
pub(super) struct BlockPart<'y> {
    pub(super) address: ResourceAddress,
    pub(super) type_key: &'y YamlKey,
    pub(super) key: &'y YamlKey,
    pub(super) body: &'y Yaml,
    /// The check that it belongs to, by its index.
    pub(super) check: Option<usize>,
}

/// The sections of all files together.
#[derive(Default)]
pub(super) struct Sections<'y> {
    pub(super) stack: Option<Part<'y>>,
    pub(super) backend: Option<Part<'y>>,
    pub(super) providers: Vec<Part<'y>>,
    pub(super) variables: Vec<Part<'y>>,
    pub(super) locals: Vec<Part<'y>>,
    pub(super) blocks: Vec<BlockPart<'y>>,
    pub(super) outputs: Vec<Part<'y>>,
    pub(super) checks: Vec<Part<'y>>,
    /// The `import` blocks of each file.
    pub(super) imports: Vec<&'y Yaml>,
    /// The `moved` blocks of each file.
    pub(super) moved: Vec<&'y Yaml>,
    /// The `removed` blocks of each file.
    pub(super) removed: Vec<&'y Yaml>,
}

/// Where each name was defined first.
#[derive(Default)]
struct Defined {
    places: BTreeMap<(&'static str, Arc<str>), Place>,
    blocks: BTreeMap<ResourceAddress, Place>,
}

impl<'y> Sections<'y> {
    pub(super) fn collect(documents: &'y [Yaml], loader: &mut Loader) -> Self {
        let (mut sections, mut defined) = (Self::default(), Defined::default());
        for document in documents {
            let YamlKind::Map(members) = &document.kind else {
                let found = document.kind_name();
                if matches!(&document.kind, YamlKind::Scalar { text, .. } if is_hcl(text)) {
                    let error = loader.error(document.place, "This is HCL, not YAML");
                    error.detail = "A spec says the same in YAML.".to_owned();
                    error.hint = Some(HCL.to_owned());
                    continue;
                }
                let error = loader.error(document.place, "A spec is a mapping of sections");
                error.detail = format!("This is {found}.");
                error.hint =
                    Some("Begin with `resource:`, and indent what belongs to it.".to_owned());
                continue;
            };
            for (key, value) in members {
                sections.section(key, value, &mut defined, loader);
            }
        }
        sections.data_of_checks(&mut defined, loader);
        sections
    }

    fn section(
        &mut self,
        key: &'y YamlKey,
        value: &'y Yaml,
        defined: &mut Defined,
        loader: &mut Loader,
    ) {
        match &*key.text {
            "stack" => once(&mut self.stack, (key, value), loader),
            "backend" => once(&mut self.backend, (key, value), loader),
            "provider" => {
                for part in parts(key, value, loader) {
                    self.providers.push(part);
                }
            }
            "variable" => {
                named("variable", &mut self.variables, parts(key, value, loader), defined, loader);
            }
            "locals" => {
                named("local", &mut self.locals, parts(key, value, loader), defined, loader);
            }
            "output" => {
                named("output", &mut self.outputs, parts(key, value, loader), defined, loader);
            }
            "check" => {
                named("check", &mut self.checks, parts(key, value, loader), defined, loader);
            }
            "resource" => self.blocks(Mode::Managed, None, (key, value), defined, loader),
            "data" => self.blocks(Mode::Data, None, (key, value), defined, loader),
            "import" => self.imports.push(value),
            "moved" => self.moved.push(value),
            "removed" => self.removed.push(value),
            "//" => {}
            other => unknown_section(other, key, loader),
        }
    }

    /// Adds the data sources of checks, after all other blocks. As in Terraform their names are those of the whole spec.
    fn data_of_checks(&mut self, defined: &mut Defined, loader: &mut Loader) {
        for (index, (_, body)) in self.checks.clone().into_iter().enumerate() {
            let data =
                body.map().unwrap_or_default().iter().filter(|(key, _)| &*key.text == "data");
            for (key, value) in data {
                self.blocks(Mode::Data, Some(index), (key, value), defined, loader);
            }
        }
    }

    fn blocks(
        &mut self,
        mode: Mode,
        check: Option<usize>,
        (key, value): Part<'y>,
        defined: &mut Defined,
        loader: &mut Loader,
    ) {
        for (type_key, blocks) in parts(key, value, loader) {
            if !is_name(&type_key.text) {
                not_a_name("A type's name", type_key, loader);
                continue;
            }
            for (key, body) in parts(type_key, blocks, loader) {
                if !is_name(&key.text) {
                    not_a_name("A block's name", key, loader);
                    continue;
                }
                let address = address(mode, &type_key.text, &key.text);
                if let Some(&first) = defined.blocks.get(&address) {
                    twice(&format!("`{address}`"), first, key, loader);
                    continue;
                }
                defined.blocks.insert(address.clone(), key.place);
                self.blocks.push(BlockPart { address, type_key, key, body, check });
            }
        }
    }
}

/// Returns the members of a section, which is a mapping, or a list of mappings as Terraform's JSON syntax allows.
fn parts<'y>(key: &YamlKey, value: &'y Yaml, loader: &mut Loader) -> Vec<Part<'y>> {
    let mut found = Vec::new();
    let sources = match &value.kind {
        YamlKind::List(items) => items.iter().collect(),
        YamlKind::Map(_) | YamlKind::Scalar { .. } => vec![value],
    };
    for source in sources {
        match &source.kind {
            YamlKind::Map(members) => {
                found.extend(
                    members.iter().filter(|(key, _)| &*key.text != "//").map(|(k, v)| (k, v)),
                );
            }
            // A section whose content is commented out.
            YamlKind::Scalar { .. } if source.scalar() == Some(Value::Null) => {}
            YamlKind::Scalar { .. } | YamlKind::List(_) => {
                let kind = source.kind_name();
                let error = loader
                    .error(source.place, format!("`{}` must be a mapping of names", key.text));
                error.detail = format!("This is {kind}.");
            }
        }
    }
    found
}

fn once<'y>(slot: &mut Option<Part<'y>>, part: Part<'y>, loader: &mut Loader) {
    match slot {
        Some((first, _)) => twice(&format!("`{}`", part.0.text), first.place, part.0, loader),
        None => *slot = Some(part),
    }
}

fn named<'y>(
    what: &'static str,
    into: &mut Vec<Part<'y>>,
    parts: Vec<Part<'y>>,
    defined: &mut Defined,
    loader: &mut Loader,
) {
    for (key, value) in parts {
        if !is_name(&key.text) {
            not_a_name(
                &format!("The name of {} {what}", if what == "output" { "an" } else { "a" }),
                key,
                loader,
            );
            continue;
        }
        if what == "variable" && RESERVED.contains(&&*key.text) {
            let error =
                loader.error(key.place, format!("A variable cannot be named `{}`", key.text));
            error.detail =
                "Terraform keeps the name for itself, and a spec can go there.".to_owned();
            error.hint = Some("Choose another name.".to_owned());
        }
        if let Some(&first) = defined.places.get(&(what, key.text.clone())) {
            twice(&format!("The {what} `{}`", key.text), first, key, loader);
            continue;
        }
        defined.places.insert((what, key.text.clone()), key.place);
        into.push((key, value));
    }
}

fn twice(what: &str, first: Place, second: &YamlKey, loader: &mut Loader) {
    let first = loader.files.span(first);
    let error = loader.error(second.place, format!("{what} is defined twice"));
    error.detail = format!("It is defined at {first} already.");
    error.hint = Some("Rename or remove one of the two.".to_owned());
}

/// Tells whether a text can be a name: letters, digits, `_`, and `-`, beginning with a letter or `_`.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn not_a_name(what: &str, key: &YamlKey, loader: &mut Loader) {
    let shown = if key.text.is_empty() { "empty".to_owned() } else { format!("`{}`", key.text) };
    let error = loader.error(key.place, format!("{what} cannot be {shown}"));
    error.detail =
        "A name has letters, digits, `_`, and `-`, and begins with a letter or `_`.".to_owned();
}

fn unknown_section(name: &str, key: &YamlKey, loader: &mut Loader) {
    let error = loader.error(key.place, format!("There is no section `{name}`"));
    let not_yet = |what: &str, instead: &str| {
        (format!("{what} are not supported yet."), Some(instead.to_owned()))
    };
    let (detail, hint) = match name {
        "module" => not_yet(
            "Modules",
            "Put the module's blocks into files of this folder; `locals` and `for_each` save repetition.",
        ),
        "terraform" => (
            "The provider and its version come with `reconcile`.".to_owned(),
            Some("For where the state is kept, write `backend` at the top level.".to_owned()),
        ),
        "ephemeral" => ("There are no ephemeral resources.".to_owned(), None),
        _ => {
            let near = if name.starts_with("aws_") {
                Some("Indent it below `resource:` or `data:`.".to_owned())
            } else {
                did_you_mean(name, SECTIONS)
            };
            (format!("There are {}.", list(SECTIONS)), near)
        }
    };
    error.detail = detail;
    error.hint = hint;
}

impl Loader {
    /// Returns the stack's name: the spec's, or else the one made from the folder's or file's name.
    pub(super) fn stack(&mut self, sections: &Sections<'_>, default: &str) -> String {
        let is_valid = |name: &str| {
            name.len() <= 128
                && name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let rule = "It names the state: up to 128 letters, digits, `-`, `_`, and `.`, beginning with a letter or digit.";
        let Some((key, value)) = sections.stack else {
            if !is_valid(default) {
                self.problems.push(
                    reconcile_model::Diagnostic::error(format!(
                        "The name {default:?} cannot name a stack"
                    ))
                    .detail(rule)
                    .hint("Give the stack a name in the spec, as in `stack: lab-web`."),
                );
            }
            return default.to_owned();
        };
        let name = match &value.kind {
            YamlKind::Scalar { text, .. } => text.to_string(),
            YamlKind::List(_) | YamlKind::Map(_) => String::new(),
        };
        if is_template(&name) {
            let error = self.error(value.place, "`stack` must be a constant");
            error.detail =
                "It names the state, which is found before expressions are evaluated.".to_owned();
            error.hint = Some(
                "Write the name out; for several environments, use several folders.".to_owned(),
            );
        } else if !is_valid(&name) {
            let place = if name.is_empty() { key.place } else { value.place };
            self.error(place, "This cannot name a stack").detail = rule.to_owned();
        }
        name
    }
}
