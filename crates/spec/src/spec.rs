//! A checked spec: what `load` returns and planning works from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use reconcile_model::{
    Address, Dependencies, InstanceKey, Object, Path, ResourceAddress, Schema, Span, Value,
};

use crate::files::FileReader;
use crate::node::{Entry, Node};
use crate::place::{Files, Place};
use crate::types::Type;

/// A spec in which everything that can be checked without the cloud has been checked.
#[derive(Debug)]
pub struct Spec {
    /// The stack's name.
    pub stack: String,
    /// SHA-256 over the files' names and contents, in lower-case hexadecimal.
    pub digest: String,
    /// Where the state is kept: the `backend` mapping as it stands, such as `{s3: {bucket, key, region}}`.
    pub backend: Option<Object>,
    /// The variables' values, sensitive ones marked.
    pub variables: Object,
    /// The provider configurations by key: `aws`, and `aws.<alias>` for each alias. `aws` is there even if the spec does
    /// not mention it.
    pub providers: IndexMap<String, ProviderBlock>,
    /// The `resource` and `data` blocks, in the order of the files, with the data sources of checks after them.
    pub blocks: IndexMap<ResourceAddress, Block>,
    /// The outputs, in the order of the files.
    pub outputs: IndexMap<String, Output>,
    /// The checks, in the order of the files.
    pub checks: IndexMap<String, Check>,
    /// The `moved` blocks, in the order in which they are to be followed.
    pub moved: Vec<Moved>,
    /// The `removed` blocks, none of them of a block that is in the spec.
    pub removed: IndexMap<ResourceAddress, Removed>,
    /// The `import` blocks, each of another instance.
    pub imports: Vec<Import>,
    /// The blocks by index, each after all that it depends on.
    pub(crate) order: Vec<usize>,
    pub(crate) variable_blocks: IndexMap<String, VariableBlock>,
    pub(crate) variable_values: Vec<Value>,
    /// What is evaluated once and kept: the locals, each `for_each`, and the parts of a block's expressions that are the same
    /// for all its instances.
    pub(crate) cells: Vec<Cell>,
    /// The first cell that is such a part. Whether it is evaluated at all is up to the expression around it.
    pub(crate) first_part: usize,
    /// The names of the locals; their cells come first, in the same order.
    pub(crate) local_names: Vec<String>,
    /// For each block, the cells that mention it.
    pub(crate) cells_of_block: Vec<Vec<usize>>,
    pub(crate) files: Files,
    pub(crate) reader: FileReader,
    pub(crate) root: PathBuf,
}

/// A `resource` or `data` block.
#[derive(Debug)]
pub struct Block {
    /// The address, without an instance's key.
    pub address: ResourceAddress,
    /// The schema of its type.
    pub schema: &'static Schema,
    /// Where the block's name stands.
    pub span: Span,
    /// The provider configuration: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// The check that the block belongs to: then it is read for that check alone, and no plan has it.
    pub check: Option<Arc<str>>,
    /// How changes to its objects are made.
    pub lifecycle: Lifecycle,
    /// The block's own `timeouts`, in seconds by operation.
    pub timeouts: BTreeMap<String, u64>,
    /// The top-level arguments that the body gives.
    pub arguments: BTreeSet<String>,
    pub(crate) index: usize,
    pub(crate) repeat: Repeat,
    pub(crate) body: Vec<Entry>,
    /// The body's own place.
    pub(crate) place: Place,
    /// The blocks it depends on directly, `depends_on` included.
    pub(crate) dependencies: Dependencies,
    /// The same by index.
    pub(crate) dependency_indexes: Vec<usize>,
    /// The blocks of `depends_on`, and where each is named.
    pub(crate) depends_on: Vec<(usize, Place)>,
}

/// How many instances a block has.
#[derive(Debug)]
pub(crate) enum Repeat {
    /// One, without a key.
    One,
    /// As many as `count` says.
    Count(Node),
    /// One for each member of `for_each`, which is the cell of this index.
    Each(usize),
}

/// The `lifecycle` of a block.
#[derive(Debug, Default)]
pub struct Lifecycle {
    /// Whether a replacement is created before the old object is deleted.
    pub create_before_destroy: bool,
    /// Whether a plan that deletes an object of the block is an error.
    pub prevent_destroy: bool,
    /// What changes are ignored.
    pub ignore_changes: IgnoreChanges,
    /// What replaces the block's objects when it changes.
    pub replace_triggered_by: Vec<Trigger>,
    pub(crate) preconditions: Vec<Condition>,
    pub(crate) postconditions: Vec<Condition>,
}

/// What changes of a block's arguments are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IgnoreChanges {
    /// None.
    #[default]
    None,
    /// All: the object is created and destroyed, never updated.
    All,
    /// Those at these paths.
    Paths(Vec<Path>),
}

/// One entry of `replace_triggered_by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The block that is watched.
    pub resource: ResourceAddress,
    /// Which instance of it; all when absent.
    pub key: Option<TriggerKey>,
    /// Which attribute of it; any change counts when the path is empty.
    pub path: Path,
    /// The entry as it is written.
    pub text: String,
}

/// Which instance of a block a trigger watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerKey {
    /// The one with this key.
    Key(InstanceKey),
    /// The one with the index of the watching instance (`count.index`).
    CountIndex,
    /// The one with the key of the watching instance (`each.key`).
    EachKey,
}

impl TriggerKey {
    /// Returns the key of the instance that is watched by the instance with key `own`.
    pub fn resolve(&self, own: Option<&InstanceKey>) -> Option<InstanceKey> {
        match self {
            Self::Key(key) => Some(key.clone()),
            Self::CountIndex | Self::EachKey => own.cloned(),
        }
    }
}

/// A `moved` block: what was recorded at one address belongs to another from here on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it was recorded.
    pub from: Address,
    /// Where it belongs; of the same type.
    pub to: Address,
    /// Where `from` stands.
    pub span: Span,
}

impl Moved {
    /// Tells whether it is about a block with all its instances, which keep their keys. Otherwise it is about one
    /// instance, and an address without a key is the only instance of its block.
    pub fn is_whole(&self) -> bool {
        self.from.key.is_none() && self.to.key.is_none()
    }
}

/// An `import` block: an object that was made elsewhere, and where it belongs.
#[derive(Debug)]
pub struct Import {
    /// Where it belongs.
    pub to: Address,
    /// Where `to` stands.
    pub span: Span,
    pub(crate) id: Node,
}

/// A `removed` block: what becomes of the objects of a block that left the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// What becomes of them.
    pub fate: Fate,
    /// Where the block's address stands.
    pub span: Span,
}

/// What becomes of the objects of a block that left the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are destroyed, as without a `removed` block.
    Destroyed,
    /// They stay as they are, and are no longer recorded.
    Forgotten,
}

/// A `precondition`, `postcondition`, `validation`, or an `assert` of a check.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) condition: Node,
    pub(crate) message: Node,
}

/// A provider configuration.
#[derive(Debug)]
pub struct ProviderBlock {
    /// Where it stands; absent for the default that the spec does not mention.
    pub span: Option<Span>,
    pub(crate) body: Vec<Entry>,
}

/// A `variable` block.
#[derive(Debug)]
pub(crate) struct VariableBlock {
    pub(crate) place: Place,
    pub(crate) kind: Type,
    pub(crate) default: Option<Value>,
    pub(crate) description: Option<String>,
    pub(crate) sensitive: bool,
    pub(crate) nullable: bool,
    /// Whether it is no mapping, which has been told.
    pub(crate) is_broken: bool,
    pub(crate) validations: Vec<Condition>,
}

/// An expression whose value is kept until something it mentions changes.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) node: Node,
    /// The cells it mentions.
    pub(crate) cells: Vec<usize>,
    /// The cells that mention it.
    pub(crate) dependents: Vec<usize>,
    /// The blocks that it leads to, through other cells too. A chain of cells shares what its beginning leads to.
    pub(crate) leads_to: Arc<BTreeSet<usize>>,
}

/// An `output` block.
#[derive(Debug)]
pub struct Output {
    /// The name.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Whether its value is shown nowhere but where it is asked for by name.
    pub sensitive: bool,
    /// Where the output's name stands.
    pub span: Span,
    /// The blocks it depends on, through locals too, `depends_on` included.
    pub dependencies: Dependencies,
    /// The blocks that `depends_on` names.
    pub(crate) depends_on: Vec<ResourceAddress>,
    pub(crate) value: Node,
    pub(crate) preconditions: Vec<Condition>,
}

/// A `check` block: what is to hold, looked at when a plan is made, after each apply, and whenever somebody asks.
#[derive(Debug)]
pub struct Check {
    /// The name.
    pub name: String,
    /// Where the name stands.
    pub span: Span,
    /// Its own data sources, each after those that it mentions.
    pub data: Vec<ResourceAddress>,
    /// The other blocks it depends on, through its data sources and locals too.
    pub dependencies: Dependencies,
    pub(crate) assertions: Vec<Condition>,
}

impl Spec {
    /// Returns the blocks so that each comes after all it depends on. The order is the same every time. The data sources
    /// of checks are not among them.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = &Block> + ExactSizeIterator {
        self.order.iter().map(|&index| &self.blocks[index])
    }

    /// Returns the blocks that a block depends on directly: those its expressions mention, through locals too, and those
    /// in `depends_on`. Empty for an address that is not in the spec.
    pub fn dependencies(&self, address: &ResourceAddress) -> &[ResourceAddress] {
        self.blocks.get(address).map_or(&[], |block| &block.dependencies)
    }

    /// Tells whether a variable is declared sensitive.
    pub fn is_sensitive_variable(&self, name: &str) -> bool {
        self.variable_blocks.get(name).is_some_and(|variable| variable.sensitive)
    }

    pub(crate) fn block_at(&self, index: usize) -> &Block {
        &self.blocks[index]
    }
}

impl Block {
    /// Returns its place among [`Spec::blocks`].
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the blocks that it depends on directly; see [`Spec::dependencies`].
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// Returns the places of its dependencies among [`Spec::blocks`].
    pub fn dependency_indexes(&self) -> &[usize] {
        &self.dependency_indexes
    }

    /// Returns the blocks that `depends_on` names.
    pub fn explicit_dependencies<'s>(
        &'s self,
        spec: &'s Spec,
    ) -> impl Iterator<Item = &'s ResourceAddress> {
        self.depends_on.iter().map(|(index, _)| &spec.block_at(*index).address)
    }

    /// Tells whether the block has `count` or `for_each`.
    pub fn is_repeated(&self) -> bool {
        !matches!(self.repeat, Repeat::One)
    }

    /// Tells whether the block has `count`.
    pub fn is_counted(&self) -> bool {
        matches!(self.repeat, Repeat::Count(_))
    }
}
