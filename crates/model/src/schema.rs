//! Schemas: what a resource type's objects look like, declared once.
//!
//! Validation, diff semantics, the editor's JSON Schema, the reference pages, and sensitive marking all come from here.
//! A schema is a `static` of typed constants, one line for each attribute.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{Mode, Object, Value, normalize::Normalize};

/// The kind of an attribute's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// Items in a meaningful order.
    List(&'static Self),
    /// Items whose order means nothing; duplicates fall together.
    Set(&'static Self),
    /// Values by freely chosen keys.
    Map(&'static Self),
    /// Nested blocks: in a spec, one mapping or a list of mappings; as a value, always a list of objects.
    Blocks(&'static Blocks),
}

/// The shape of nested blocks.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Whether their order means anything.
    pub nesting: Nesting,
    /// The fewest there must be.
    pub min: usize,
    /// The most there may be.
    pub max: Option<usize>,
    /// The attributes of each.
    pub attributes: &'static [Attribute],
}

/// Whether the order of nested blocks means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// It does.
    List,
    /// It does not.
    Set,
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The spec must.
    Required,
    /// The spec may; left out, it is null or the default.
    Optional,
    /// The spec may; left out, AWS decides and what it decided is kept.
    OptionalComputed,
    /// Only AWS does.
    Computed,
}

/// A constant of a schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    /// A bool.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A string.
    String(&'static str),
}

impl Literal {
    /// Returns the constant as a value.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(flag) => flag.into(),
            Self::Int(number) => number.into(),
            Self::String(text) => text.into(),
        }
    }
}

/// Decides from the prior and the planned object whether a change to an attribute forces replacement.
pub type ReplaceRule = fn(prior: &Object, planned: &Object) -> bool;

/// What a change of an attribute costs.
#[derive(Clone, Copy)]
pub enum OnChange {
    /// Nothing: it changes in place.
    Update,
    /// A stop and a start of the instance: it changes in place, with an interruption.
    Restart,
    /// The object: it cannot change in place (Terraform: "forces replacement").
    Replace,
    /// The object, when the rule says so; otherwise it changes in place.
    ReplaceIf(ReplaceRule),
    /// The object, when the rule says so; otherwise a stop and a start.
    ReplaceIfElseRestart(ReplaceRule),
}

impl fmt::Debug for OnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Update => "Update",
            Self::Restart => "Restart",
            Self::Replace => "Replace",
            Self::ReplaceIf(_) => "ReplaceIf",
            Self::ReplaceIfElseRestart(_) => "ReplaceIfElseRestart",
        })
    }
}

/// Checks one known value beyond its kind; the error is a fragment such as "must be between 1 and 65535".
pub type ValueRule = fn(&Value) -> Result<(), String>;

/// What values an attribute takes, beyond its kind. For lists, sets, and maps it applies to each item.
#[derive(Clone, Copy)]
pub enum Check {
    /// Any.
    Any,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A whole number in this range, both ends included.
    Range(i64, i64),
    /// A string of so many characters, both ends included.
    Length(usize, usize),
    /// An IPv4 or IPv6 range in CIDR notation.
    Cidr,
    /// An IPv4 range in CIDR notation.
    Cidr4,
    /// An IPv6 range in CIDR notation.
    Cidr6,
    /// An IPv4 or IPv6 address.
    Ip,
    /// What the rule accepts.
    Rule(ValueRule),
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("Any"),
            Self::OneOf(values) => f.debug_tuple("OneOf").field(values).finish(),
            Self::Range(low, high) => f.debug_tuple("Range").field(low).field(high).finish(),
            Self::Length(low, high) => f.debug_tuple("Length").field(low).field(high).finish(),
            Self::Cidr => f.write_str("Cidr"),
            Self::Cidr4 => f.write_str("Cidr4"),
            Self::Cidr6 => f.write_str("Cidr6"),
            Self::Ip => f.write_str("Ip"),
            Self::Rule(_) => f.write_str("Rule"),
        }
    }
}

/// One attribute of a resource type or block.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// The name, as in the Terraform AWS provider.
    pub name: &'static str,
    /// The kind of value.
    pub kind: Kind,
    /// Who gives the value.
    pub presence: Presence,
    /// The value when the spec leaves it out; only for `Optional`.
    pub default: Option<Literal>,
    /// What a change costs.
    pub on_change: OnChange,
    /// Whether no output may show it.
    pub sensitive: bool,
    /// How values are brought to one form before they are compared. Applies to each item of a list, set, or map.
    pub normalize: Normalize,
    /// Which values it takes.
    pub check: Check,
    /// For what AWS computes: a change to any of these attributes, beside this one, makes the value unknown until apply.
    pub recomputed_by: &'static [&'static str],
    /// Whether AWS never tells the value, so that drift of it cannot be seen and the recorded value stands.
    pub write_only: bool,
    /// Whether only `reconcile` reads it: it is never sent to AWS, and a change to it alone calls nothing.
    pub local: bool,
    /// The resource type and attribute that a value of this one usually comes from.
    pub refers_to: Option<(&'static str, &'static str)>,
    /// One line for the reference page.
    pub doc: &'static str,
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, presence: Presence) -> Self {
        Self {
            name,
            kind,
            presence,
            default: None,
            on_change: OnChange::Update,
            sensitive: false,
            normalize: Normalize::None,
            check: Check::Any,
            recomputed_by: &[],
            write_only: false,
            local: false,
            refers_to: None,
            doc: "",
        }
    }

    /// Returns an attribute that the spec must give.
    pub const fn required(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::Required)
    }

    /// Returns an attribute that the spec may give.
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::Optional)
    }

    /// Returns an attribute that the spec may give and AWS decides otherwise.
    pub const fn optional_computed(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::OptionalComputed)
    }

    /// Returns an attribute that only AWS gives.
    pub const fn computed(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::Computed)
    }

    /// Sets the value when the spec leaves it out.
    #[must_use]
    pub const fn default(mut self, default: Literal) -> Self {
        self.default = Some(default);
        self
    }

    /// Makes a change force replacement.
    #[must_use]
    pub const fn replace(mut self) -> Self {
        self.on_change = OnChange::Replace;
        self
    }

    /// Makes a change force replacement when the rule says so.
    #[must_use]
    pub const fn replace_if(mut self, rule: ReplaceRule) -> Self {
        self.on_change = OnChange::ReplaceIf(rule);
        self
    }

    /// Makes a change force replacement when the rule says so, and need the instance stopped otherwise.
    #[must_use]
    pub const fn replace_if_else_restart(mut self, rule: ReplaceRule) -> Self {
        self.on_change = OnChange::ReplaceIfElseRestart(rule);
        self
    }

    /// Makes a change need the instance stopped.
    #[must_use]
    pub const fn restart(mut self) -> Self {
        self.on_change = OnChange::Restart;
        self
    }

    /// Hides the value in every output.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Sets how values are brought to one form.
    #[must_use]
    pub const fn normalize(mut self, normalize: Normalize) -> Self {
        self.normalize = normalize;
        self
    }

    /// Sets which values it takes.
    #[must_use]
    pub const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// Names the attributes whose change makes this one unknown until apply.
    #[must_use]
    pub const fn recomputed_by(mut self, names: &'static [&'static str]) -> Self {
        self.recomputed_by = names;
        self
    }

    /// Marks what AWS never tells.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Marks what only `reconcile` reads.
    #[must_use]
    pub const fn local(mut self) -> Self {
        self.local = true;
        self
    }

    /// Names where a value usually comes from.
    #[must_use]
    pub const fn refers_to(mut self, type_name: &'static str, attribute: &'static str) -> Self {
        self.refers_to = Some((type_name, attribute));
        self
    }

    /// Sets the line for the reference page.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Returns the attributes of nested blocks, or none for a plain value.
    pub fn nested(&self) -> &'static [Self] {
        match self.kind {
            Kind::Blocks(blocks) => blocks.attributes,
            Kind::String
            | Kind::Int
            | Kind::Number
            | Kind::Bool
            | Kind::List(_)
            | Kind::Set(_)
            | Kind::Map(_) => &[],
        }
    }

    /// Tells whether a spec may give the value.
    pub fn is_argument(&self) -> bool {
        self.presence != Presence::Computed
    }
}

/// A rule between the attributes of an object. Attributes are named by path: `root_block_device.iops` for nested ones.
#[derive(Clone, Copy)]
pub enum Constraint {
    /// At most one of these may be given.
    Conflicts(&'static [&'static str]),
    /// Exactly one of these must be given.
    ExactlyOne(&'static [&'static str]),
    /// At least one of these must be given.
    AtLeastOne(&'static [&'static str]),
    /// When the first is given, so must the others be.
    Requires(&'static str, &'static [&'static str]),
    /// A rule on the configured object: a list of (attribute, what is wrong with it). Unknown values count as fine.
    Rule(fn(&Object) -> Vec<(&'static str, String)>),
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflicts(names) => f.debug_tuple("Conflicts").field(names).finish(),
            Self::ExactlyOne(names) => f.debug_tuple("ExactlyOne").field(names).finish(),
            Self::AtLeastOne(names) => f.debug_tuple("AtLeastOne").field(names).finish(),
            Self::Requires(name, names) => {
                f.debug_tuple("Requires").field(name).field(names).finish()
            }
            Self::Rule(_) => f.write_str("Rule"),
        }
    }
}

/// How an interrupted create is found again. No create goes without one of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The API takes a client token: the same request gives the same object.
    ClientToken,
    /// These attributes together can exist once only.
    NaturalKey(&'static [&'static str]),
    /// Only the operation's tag tells; a duplicate is swept later.
    OperationTag,
    /// Data sources create nothing.
    None,
}

/// How long an operation on one object may take before it is given up; a block's `timeouts` overrides them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the create call until the object is ready.
    pub create: Duration,
    /// From the first update call until the object is ready again.
    pub update: Duration,
    /// From the delete call until the object is gone.
    pub delete: Duration,
}

impl Timeouts {
    /// Returns timeouts in minutes.
    pub const fn minutes(create: u64, update: u64, delete: u64) -> Self {
        Self {
            create: Duration::from_secs(create * 60),
            update: Duration::from_secs(update * 60),
            delete: Duration::from_secs(delete * 60),
        }
    }
}

/// A resource type or data source, declared.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The type's name, as in the Terraform AWS provider.
    pub type_name: &'static str,
    /// Managed resource or data source.
    pub mode: Mode,
    /// The version of the recorded attributes; raised when their meaning changes.
    pub version: u32,
    /// One sentence for the head of the reference page.
    pub doc: &'static str,
    /// The attributes, in the order of the reference page.
    pub attributes: &'static [Attribute],
    /// Rules between attributes.
    pub constraints: &'static [Constraint],
    /// How an interrupted create is found again.
    pub recovery: Recovery,
    /// Default timeouts.
    pub timeouts: Timeouts,
    /// The IAM actions that planning needs.
    pub iam_read: &'static [&'static str],
    /// The IAM actions that applying needs besides.
    pub iam_write: &'static [&'static str],
}

impl Schema {
    /// Returns the attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Tells whether objects of the type can be tagged.
    pub fn is_taggable(&self) -> bool {
        self.attribute("tags_all").is_some()
    }
}

/// The schemas of every type a run may meet.
#[derive(Clone, Debug, Default)]
pub struct SchemaSet {
    managed: BTreeMap<&'static str, &'static Schema>,
    data: BTreeMap<&'static str, &'static Schema>,
}

impl SchemaSet {
    /// Returns the schema of a type.
    pub fn get(&self, mode: Mode, type_name: &str) -> Option<&'static Schema> {
        self.of(mode).get(type_name).copied()
    }

    /// Returns every schema of a mode, by type name.
    pub fn all(&self, mode: Mode) -> impl Iterator<Item = &'static Schema> + '_ {
        self.of(mode).values().copied()
    }

    fn of(&self, mode: Mode) -> &BTreeMap<&'static str, &'static Schema> {
        match mode {
            Mode::Managed => &self.managed,
            Mode::Data => &self.data,
        }
    }
}

impl FromIterator<&'static Schema> for SchemaSet {
    fn from_iter<T: IntoIterator<Item = &'static Schema>>(schemas: T) -> Self {
        let mut set = Self::default();
        for schema in schemas {
            match schema.mode {
                Mode::Managed => set.managed.insert(schema.type_name, schema),
                Mode::Data => set.data.insert(schema.type_name, schema),
            };
        }
        set
    }
}

impl Extend<&'static Schema> for SchemaSet {
    fn extend<T: IntoIterator<Item = &'static Schema>>(&mut self, schemas: T) {
        let more: Self = schemas.into_iter().collect();
        self.managed.extend(more.managed);
        self.data.extend(more.data);
    }
}
