//! What the spec says of one instance: its arguments, evaluated and brought to the schema's kinds.

use std::borrow::Cow;

use reconcile_model::{Address, Diagnostic, InstanceKey, Kind, Object, Value};

use super::{Scope, When};
use crate::coerce;
use crate::eval::{Evaluator, Instance};
use crate::node::Entry;
use crate::spec::{Block, Repeat};

/// What a provider configuration takes.
pub(crate) static PROVIDER: &[reconcile_model::Attribute] = &[
    reconcile_model::Attribute::optional("region", Kind::String)
        .check(reconcile_model::schema::Check::Rule(is_region)),
    reconcile_model::Attribute::optional("profile", Kind::String),
    reconcile_model::Attribute::optional(
        "default_tags",
        Kind::Blocks(&reconcile_model::schema::Blocks {
            nesting: reconcile_model::schema::Nesting::List,
            min: 0,
            max: Some(1),
            attributes: &[reconcile_model::Attribute::optional("tags", Kind::Map(&Kind::String))],
        }),
    ),
    reconcile_model::Attribute::optional("rate_limit_multiplier", Kind::Number)
        .check(reconcile_model::schema::Check::Rule(is_multiplier)),
];

impl<'s> Scope<'s> {
    /// Returns the arguments of one instance: of the schema's kinds, checked as far as they are known, without what is
    /// null. Unknown values and sensitive marks stay where they are.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them.
    pub fn configure(
        &self,
        block: &Block,
        key: Option<&InstanceKey>,
    ) -> Result<Object, Vec<Diagnostic>> {
        let block = self.spec.block_at(block.index);
        let address = block.address.instance(key.cloned());
        let instance = self.instance(block, key, None);
        let mut diagnostics = Vec::new();
        let raw = Evaluator::new(self, instance).body(
            &block.body,
            block.schema.attributes,
            &mut diagnostics,
        );
        let (object, problems) = coerce::object(
            block.schema.type_name,
            block.schema.attributes,
            block.schema.constraints,
            raw,
        );
        diagnostics.extend(self.told(problems, &block.body, block));
        for diagnostic in &mut diagnostics {
            diagnostic.address.get_or_insert_with(|| address.clone());
        }
        if diagnostics.is_empty() { Ok(object) } else { Err(diagnostics) }
    }

    /// Returns a provider configuration: `region`, `profile`, `rate_limit_multiplier`, and `default_tags`, which is the
    /// plain object of tags. Empty for a key that the spec does not have.
    ///
    /// # Errors
    ///
    /// When an expression fails, or a value is of the wrong kind.
    pub fn provider(&self, key: &str) -> Result<Object, Vec<Diagnostic>> {
        let Some(provider) = self.spec.providers.get(key) else { return Ok(Object::new()) };
        let mut diagnostics = Vec::new();
        let raw = Evaluator::new(self, Instance::default()).body(
            &provider.body,
            PROVIDER,
            &mut diagnostics,
        );
        let (mut object, problems) = coerce::object("a provider", PROVIDER, &[], raw);
        for problem in problems {
            let span =
                problem.span(&provider.body, &self.spec.files).or_else(|| provider.span.clone());
            diagnostics.push(problem.into_diagnostic(span));
        }
        let tags = object.block("default_tags").map(|tags| tags.value("tags").clone());
        object.set(
            "default_tags",
            tags.filter(|tags| !tags.is_null()).unwrap_or_else(|| Object::new().into()),
        );
        if diagnostics.is_empty() { Ok(object) } else { Err(diagnostics) }
    }

    /// Returns the conditions of one instance that do not hold. What is not known yet counts as holding.
    ///
    /// `self_value` is the instance's object, which postconditions call `self`.
    pub fn conditions(
        &self,
        block: &Block,
        key: Option<&InstanceKey>,
        when: When,
        self_value: Option<&Value>,
    ) -> Vec<Diagnostic> {
        let block = self.spec.block_at(block.index);
        let conditions = match when {
            When::Before => &block.lifecycle.preconditions,
            When::After => &block.lifecycle.postconditions,
        };
        let mut diagnostics = Vec::new();
        if !conditions.is_empty() {
            let instance = self.instance(block, key, self_value);
            Evaluator::new(self, instance).check_conditions(conditions, &mut diagnostics);
        }
        let address: Address = block.address.instance(key.cloned());
        diagnostics.into_iter().map(|diagnostic| diagnostic.about(&address)).collect()
    }

    fn instance<'e>(
        &'e self,
        block: &'e Block,
        key: Option<&InstanceKey>,
        self_value: Option<&'e Value>,
    ) -> Instance<'e> {
        let each_value = match (&block.repeat, key) {
            (Repeat::Each(cell), Some(InstanceKey::Name(name))) => match self.cell(*cell) {
                Ok(Value::Map(members)) => members.get(&**name).map(Cow::Borrowed),
                // The keys of a set are its values.
                Ok(_) => Some(Cow::Owned(Value::from(&**name))),
                Err(_) => None,
            },
            _ => None,
        };
        Instance { key: key.cloned(), each_value, self_value }
    }

    /// Makes diagnostics of what is wrong with a block's arguments.
    fn told<'p>(
        &'p self,
        problems: Vec<coerce::Problem>,
        body: &'p [Entry],
        block: &'p Block,
    ) -> impl Iterator<Item = Diagnostic> + 'p {
        problems.into_iter().map(move |problem| {
            let files = &self.spec.files;
            let span = problem.span(body, files).unwrap_or_else(|| files.span(block.place));
            problem.into_diagnostic(Some(span))
        })
    }
}

/// Checks a factor on rate limits: none at all would mean no calls at all.
fn is_multiplier(value: &Value) -> Result<(), String> {
    let number = value.as_number().map(reconcile_model::Number::as_f64);
    if number.is_some_and(|number| !(0.01..=1000.0).contains(&number)) {
        return Err("must be between 0.01 and 1000".to_owned());
    }
    Ok(())
}

/// Checks the form of a Region's name alone: new Regions come without notice.
fn is_region(value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let has_number = |text: &str| {
        let (_, number) = text.rsplit_once('-').unwrap_or_default();
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    let is_plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if is_plain && has_number(text) && text.matches('-').count() >= 2 {
        return Ok(());
    }
    let zone =
        text.strip_suffix(|c: char| c.is_ascii_lowercase()).filter(|start| has_number(start));
    Err(match zone {
        Some(region) => format!("must be a Region, and this is one of its zones: write `{region}`"),
        None => "must be a Region, such as `ap-northeast-2`".to_owned(),
    })
}
