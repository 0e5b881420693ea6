//! What a check's assertions come to.

use reconcile_model::Diagnostic;

use super::Scope;
use crate::eval::{Evaluator, Instance};
use crate::spec::{Check, Condition};

/// What one assertion came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// It holds.
    Holds,
    /// It does not hold; the diagnostic has the spec's own words for that.
    Fails(Diagnostic),
    /// Something that it mentions is not known.
    Unknown(Diagnostic),
    /// It cannot be evaluated.
    Broken(Vec<Diagnostic>),
}

impl Scope<'_> {
    /// Evaluates the assertions of a check, in the order of the spec.
    pub fn assertions(&self, check: &Check) -> Vec<Assertion> {
        // The check is the spec's own, which lives as long as the scope's borrow of it.
        let Some(check) = self.spec.checks.get(&check.name) else { return Vec::new() };
        check.assertions.iter().map(|condition| self.assertion(condition)).collect()
    }

    fn assertion(&self, condition: &Condition) -> Assertion {
        let mut evaluator = Evaluator::new(self, Instance::default());
        let mut diagnostics = Vec::new();
        let holds = evaluator.holds(condition, &mut diagnostics);
        if !diagnostics.is_empty() {
            return Assertion::Broken(diagnostics);
        }
        let about = |summary: &str| {
            Diagnostic::warning(summary).at(self.spec.files.span(condition.condition.place))
        };
        match holds {
            Some(true) => Assertion::Holds,
            Some(false) => {
                // A message that fails is no reason to keep quiet.
                let text = evaluator.error_message(condition, &mut diagnostics);
                Assertion::Fails(about("An assertion does not hold").detail(text))
            }
            None => Assertion::Unknown(
                about("An assertion is known after apply only")
                    .detail("It mentions something that apply will tell."),
            ),
        }
    }
}
