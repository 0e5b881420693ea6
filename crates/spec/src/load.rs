//! Loading: from files to a checked spec, or to everything that is wrong with them.
//!
//! Each step goes on as far as it can with what it has, so that one run tells every mistake: a scalar that is no
//! expression counts as unknown, a block of an unknown type is left out and may still be mentioned.

mod backend;
mod block;
mod body;
mod check;
mod check_block;
mod graph;
mod import;
mod lifecycle;
mod moved;
mod names;
mod once;
mod provider;
mod removed;
mod sections;
#[cfg(test)]
mod tests;
mod variable;

use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use reconcile_model::{Diagnostic, Object, SchemaSet, Value};

use self::names::{SpecNames, Tables, Where};
use self::sections::Sections;
use crate::files::FileReader;
use crate::inputs::Inputs;
use crate::node::Node;
use crate::place::{Files, Place};
use crate::scope::Scope;
use crate::source::Sources;
use crate::spec::{Block, Cell, Output, Spec};
use crate::yaml::{self, Yaml};

/// A spec, and what somebody should look at.
#[derive(Debug)]
pub struct Loaded {
    /// The spec.
    pub spec: Spec,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Turns the files of a spec into a checked [`Spec`].
///
/// Everything is checked that needs no cloud: names, kinds of values, required arguments, constraints, cycles, and every
/// value that can be computed from variables and constants.
///
/// # Errors
///
/// All that is wrong, in the order of the files. When a file is not YAML, what depends on it is not told.
pub fn load(
    sources: &Sources,
    inputs: &Inputs,
    schemas: &SchemaSet,
) -> Result<Loaded, Vec<Diagnostic>> {
    let mut loader = Loader::default();
    let Some(documents) = loader.read(sources) else { return Err(loader.finish()) };
    let sections = Sections::collect(&documents, &mut loader);
    let stack = loader.stack(&sections, &sources.default_stack);
    let backend = loader.backend(&sections);
    let (variable_blocks, variables) = loader.variables(&sections, inputs);
    let mut tables = Tables {
        variables: variable_blocks.iter().map(|(name, it)| (name.clone(), it.place)).collect(),
        locals: sections
            .locals
            .iter()
            .enumerate()
            .map(|(index, (key, _))| (key.text.to_string(), index))
            .collect(),
        checks: sections.checks.iter().map(|(key, _)| &*key.text).collect(),
        blocks: IndexMap::new(),
        schemas,
        root: &sources.root,
        comparisons: names::MAX_COMPARISONS.into(),
    };
    loader.heads(&sections, &mut tables);
    let mut cells = loader.locals(&sections, &tables);
    let providers = loader.providers(&sections, &tables);
    let blocks = loader.blocks(&sections, &tables, &providers, &mut cells);
    let outputs = loader.outputs(&sections, &tables);
    let checks = loader.checks(&sections, &tables);
    let moved = loader.moved(&sections, &tables);
    let removed = loader.removed(&sections, &tables);
    let imports = loader.imports(&sections, &tables);
    let variable_blocks = loader.validations(&sections, variable_blocks, &tables);
    let mut spec = Spec {
        stack,
        digest: sources.digest(),
        backend,
        variables: variable_blocks
            .keys()
            .cloned()
            .zip(variables.iter().cloned())
            .collect::<Object>(),
        providers,
        blocks,
        outputs,
        checks,
        moved,
        removed,
        imports,
        order: Vec::new(),
        variable_blocks,
        variable_values: variables,
        first_part: cells.len(),
        cells,
        local_names: sections.locals.iter().map(|(key, _)| key.text.to_string()).collect(),
        cells_of_block: Vec::new(),
        files: std::mem::take(&mut loader.files),
        reader: FileReader::new(&sources.root, &sources.allowed),
        root: sources.root.clone(),
    };
    let cycles = graph::connect(&mut spec);
    if cycles.is_empty() {
        once::share(&mut spec);
    }
    loader.problems.extend(cycles);
    loader.problems.extend(check::check(&spec));
    let scope = Scope::new(&spec);
    loader
        .problems
        .extend(spec.imports.iter().filter_map(|it| scope.import_id(it).err()).flatten());
    if loader.problems.iter().any(Diagnostic::is_error) {
        return Err(loader.finish());
    }
    Ok(Loaded { spec, warnings: loader.finish() })
}

impl Spec {
    /// Returns what it says of its state.
    pub fn head(&self) -> Head {
        Head { stack: self.stack.clone(), backend: self.backend.clone(), root: self.root.clone() }
    }
}

/// What of a spec says whose state is meant, and where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The stack's name.
    pub stack: String,
    /// Where the state is kept: the `backend` mapping as it stands, such as `{s3: {bucket, key, region}}`.
    pub backend: Option<Object>,
    /// The spec's folder, to which a path in it is relative.
    pub root: PathBuf,
}

/// Returns what a spec says of its state. Nothing else of it is looked at, so no variable needs a value.
///
/// # Errors
///
/// When a file is not YAML, `stack` is no name, or `backend` is none.
pub fn head(sources: &Sources) -> Result<Head, Vec<Diagnostic>> {
    let mut loader = Loader::default();
    let Some(documents) = loader.read(sources) else { return Err(loader.finish()) };
    let sections = Sections::collect(&documents, &mut Loader::default());
    let stack = loader.stack(&sections, &sources.default_stack);
    let backend = loader.backend(&sections);
    let root = sources.root.clone();
    if loader.problems.is_empty() {
        Ok(Head { stack, backend, root })
    } else {
        Err(loader.finish())
    }
}

/// The work in progress.
#[derive(Default)]
struct Loader {
    files: Files,
    problems: Vec<Diagnostic>,
}

impl Loader {
    /// Reads every file. `None` when one is not YAML: what it defines would seem missing everywhere.
    fn read(&mut self, sources: &Sources) -> Option<Vec<Yaml>> {
        let (mut documents, mut is_broken) = (Vec::new(), false);
        for source in &sources.files {
            let (document, diagnostics) = yaml::read(source, &mut self.files);
            is_broken |= document.is_none() && !diagnostics.is_empty();
            self.problems.extend(diagnostics);
            documents.extend(document.filter(|document| document.scalar() != Some(Value::Null)));
        }
        if documents.is_empty() && !is_broken {
            let names: Vec<&str> = sources.files.iter().map(|file| &*file.name).collect();
            self.problems.push(
                Diagnostic::error("The spec is empty")
                    .detail(format!("There is nothing in {}.", crate::suggest::list(names)))
                    .hint("Begin with a `resource` section."),
            );
            return None;
        }
        (!is_broken).then_some(documents)
    }

    /// Returns the diagnostics in the order of the files, each once.
    fn finish(self) -> Vec<Diagnostic> {
        let mut problems = self.problems;
        let place = |it: &Diagnostic| {
            it.span.as_ref().map(|span| (span.file.clone(), span.line, span.column))
        };
        problems.sort_by_key(|it| (place(it).is_none(), place(it)));
        let mut seen = std::collections::BTreeSet::new();
        problems.retain(|it| seen.insert(it.clone()));
        problems
    }

    fn error(&mut self, place: Place, summary: impl Into<String>) -> &mut Diagnostic {
        let diagnostic = Diagnostic::error(summary).at(self.files.span(place));
        self.problems.push(diagnostic);
        self.problems.last_mut().expect("one was just added")
    }

    fn locals(&mut self, sections: &Sections<'_>, tables: &Tables<'_>) -> Vec<Cell> {
        let names = SpecNames { tables, place: Where::plain("a local") };
        let mut cells = Vec::new();
        for (_, value) in &sections.locals {
            let node = self.node(value, &names);
            cells.push(cell(node));
        }
        cells
    }

    fn blocks(
        &mut self,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
        providers: &IndexMap<String, crate::spec::ProviderBlock>,
        cells: &mut Vec<Cell>,
    ) -> IndexMap<reconcile_model::ResourceAddress, Block> {
        let mut blocks = IndexMap::new();
        for (index, part) in sections.blocks.iter().enumerate() {
            let block = self.block(index, part, tables, providers, cells);
            blocks.insert(block.address.clone(), block);
        }
        blocks
    }

    fn outputs(
        &mut self,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) -> IndexMap<String, Output> {
        let mut outputs = IndexMap::new();
        for (key, body) in &sections.outputs {
            if let Some(output) = self.output(key, body, tables) {
                outputs.insert(output.name.clone(), output);
            }
        }
        outputs
    }
}

/// Returns a cell whose connections are not known yet.
fn cell(node: Node) -> Cell {
    Cell { node, cells: Vec::new(), dependents: Vec::new(), leads_to: Arc::default() }
}

/// Fills a scope with what the static checks know.
#[cfg(test)]
pub(crate) fn sample_into(scope: &mut crate::scope::Scope<'_>) {
    check::fill(scope, &mut Vec::new());
}
