//! What the spec says, as far as reports show it: which argument comes from where.
//!
//! Whoever has the spec fills this in. Everything is optional: a report says less with less.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Path, ResourceAddress, Step, Value, seal};

/// What the spec says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// The provider configurations, by name: `aws`, or `aws.<alias>`.
    pub providers: BTreeMap<String, ProviderConfiguration>,
    /// The variables that are declared, by name.
    pub variables: BTreeMap<String, VariableConfiguration>,
    /// The locals, by name.
    pub locals: BTreeMap<String, Expression>,
    /// The resources and data sources, by block.
    pub resources: BTreeMap<ResourceAddress, ResourceConfiguration>,
    /// The outputs, by name.
    pub outputs: BTreeMap<String, OutputConfiguration>,
}

/// One provider configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfiguration {
    /// The alias; absent for the default configuration.
    pub alias: Option<String>,
    /// The arguments.
    pub expressions: BTreeMap<String, Expression>,
}

/// One variable's declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariableConfiguration {
    /// The default, when there is one.
    pub default: Option<Value>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether no output may show it.
    pub sensitive: bool,
}

/// One resource or data source block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceConfiguration {
    /// The provider configuration: `aws`, or `aws.<alias>`.
    pub provider: String,
    /// The arguments and nested blocks that the spec gives.
    pub expressions: BTreeMap<String, Expression>,
    /// `count`, when given.
    pub count: Option<Expression>,
    /// `for_each`, when given.
    pub for_each: Option<Expression>,
    /// The addresses of `depends_on`.
    pub depends_on: Vec<String>,
}

/// One output's declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputConfiguration {
    /// The value.
    pub expression: Expression,
    /// What it is for.
    pub description: Option<String>,
    /// Whether no output may show it.
    pub sensitive: bool,
    /// The addresses of `depends_on`.
    pub depends_on: Vec<String>,
}

/// What gives an argument its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A value written in the spec, which leans on nothing.
    Constant(Value),
    /// An expression. It leans on these, in the order in which they are written: `aws_lb.web.dns_name`, `var.name`,
    /// `local.tags`, `each.value`.
    References(Vec<String>),
    /// Nested blocks, each with its arguments.
    Blocks(Vec<BTreeMap<String, Self>>),
}

impl Default for Expression {
    fn default() -> Self {
        Self::Constant(Value::Null)
    }
}

fn seal_all(expressions: &mut BTreeMap<String, Expression>, salt: &str) {
    for expression in expressions.values_mut() {
        expression.seal(salt);
    }
}

impl Expression {
    fn seal(&mut self, salt: &str) {
        match self {
            Self::Constant(value) => *value = seal::seal(value, salt),
            Self::References(_) => {}
            Self::Blocks(blocks) => {
                for block in blocks {
                    seal_all(block, salt);
                }
            }
        }
    }

    /// Returns what the expression leans on, of nested blocks what any of their arguments does, each once.
    pub fn references(&self) -> Vec<&str> {
        let mut found: Vec<&str> = match self {
            Self::Constant(_) => Vec::new(),
            Self::References(names) => names.iter().map(String::as_str).collect(),
            Self::Blocks(blocks) => {
                blocks.iter().flat_map(BTreeMap::values).flat_map(Self::references).collect()
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|name| seen.insert(*name));
        found
    }
}

impl Configuration {
    /// Returns it with every sensitive value sealed, as it may be written to a file.
    pub fn sealed(&self, salt: &str) -> Self {
        let mut sealed = self.clone();
        for variable in sealed.variables.values_mut() {
            let default = variable.default.take();
            let sensitive = variable.sensitive;
            let marked = default.map(|it| if sensitive { it.sensitive() } else { it });
            variable.default = marked.map(|value| seal::seal(&value, salt));
        }
        let providers = sealed.providers.values_mut().map(|it| &mut it.expressions);
        let resources = sealed.resources.values_mut().map(|it| &mut it.expressions);
        for expressions in providers.chain(resources) {
            seal_all(expressions, salt);
        }
        let outputs = sealed.outputs.values_mut().map(|it| &mut it.expression);
        for expression in outputs.chain(sealed.locals.values_mut()) {
            expression.seal(salt);
        }
        sealed
    }

    /// Returns what gives the value at a path of a block's objects, when the spec does. Nested blocks of which the spec
    /// says only as a whole where they come from stand for everything in them.
    pub fn at(&self, block: &ResourceAddress, path: &Path) -> Option<&Expression> {
        let (first, mut rest) = path.0.split_first()?;
        let Step::Name(name) = first else { return None };
        let mut found = self.resources.get(block)?.expressions.get(name)?;
        while let ([Step::Index(index), Step::Name(name), more @ ..], Expression::Blocks(blocks)) =
            (rest, found)
        {
            found = blocks.get(*index)?.get(name)?;
            rest = more;
        }
        Some(found)
    }
}
