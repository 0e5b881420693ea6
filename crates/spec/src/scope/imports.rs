//! Which object an `import` block names.

use reconcile_model::{Diagnostic, Kind, ObjectId, Value};

use super::Scope;
use crate::eval::{Evaluator, Instance};
use crate::spec::Import;

impl Scope<'_> {
    /// Returns the id that an `import` block gives.
    ///
    /// # Errors
    ///
    /// When it cannot be evaluated, or is no text that everybody may see.
    pub fn import_id(&self, import: &Import) -> Result<ObjectId, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let mut evaluator = Evaluator::new(self, Instance::default());
        let value = evaluator.node(&import.id, Some(&Kind::String), &mut diagnostics).into_owned();
        if !diagnostics.is_empty() {
            return Err(diagnostics);
        }
        let detail = match &value {
            Value::String(text) if !text.trim().is_empty() => return Ok(ObjectId::from(&**text)),
            Value::String(_) => "It is empty.".to_owned(),
            // It could not be read, or mentions a resource: that was told.
            Value::Unknown => return Err(Vec::new()),
            Value::Sensitive(_) => "It is sensitive, and plans show it.".to_owned(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Sealed(_) => format!("It is {}.", value.kind_name()),
        };
        Err(vec![
            Diagnostic::error("`id` must be the id of an object")
                .detail(detail)
                .hint("Write it as AWS does: `i-0ab1…`, or a load balancer's ARN.")
                .at(self.spec.files.span(import.id.place)),
        ])
    }
}
