//! Data sources: read before planning where their arguments are known, during apply where they are not.

use reconcile_model::{
    Action, Address, Change, Diagnostic, Object, Presence, Reason, Schema, Value, plan::PlanMode,
};
use reconcile_spec::{Block, When};

use crate::input::DataRead;
use crate::world::{World, blank};

impl<'a, 's> World<'a, 's> {
    /// Plans one data source and returns its value.
    ///
    /// # Errors
    ///
    /// Expressions that fail, and conditions that do not hold.
    pub(crate) fn plan_data(
        &mut self,
        block: &'s Block,
        address: &Address,
    ) -> Result<Value, Vec<Diagnostic>> {
        let config = self.scope.configure(block, address.key.as_ref())?;
        let failed = self.scope.conditions(block, address.key.as_ref(), When::Before, None);
        if !failed.is_empty() {
            return Err(failed);
        }
        let waits = self.waits_for_changes(block);
        let refresh_only = self.input.options.mode == PlanMode::RefreshOnly;
        if (config.is_known() || refresh_only) && !waits {
            if !config.is_known() {
                return Ok(Value::Map(unread(block.schema, &config)));
            }
            if let Some(result) = self.input.data.get(address, &config) {
                let value = Value::Map(result.clone());
                let failed =
                    self.scope.conditions(block, address.key.as_ref(), When::After, Some(&value));
                return if failed.is_empty() { Ok(value) } else { Err(failed) };
            }
            let provider = block.provider.clone();
            self.reads.push(DataRead {
                address: address.clone(),
                provider,
                config: config.clone(),
            });
            return Ok(Value::Map(unread(block.schema, &config)));
        }
        let after = unread(block.schema, &config);
        let reason = if waits { Reason::DependencyChanges } else { Reason::ArgumentsUnknown };
        self.push(Change {
            action: Action::Read,
            after: Some(after.clone()),
            reason,
            dependencies: block.dependencies().clone(),
            span: Some(block.span.clone()),
            ..blank(address, &block.provider)
        });
        Ok(Value::Map(after))
    }

    /// Tells whether the block's `depends_on` names something that changes: then what it reads may change too.
    fn waits_for_changes(&self, block: &Block) -> bool {
        block.explicit_dependencies(self.input.spec).any(|it| self.is_changing(it))
    }
}

/// Returns a data source that was not read yet: its arguments, and unknown for all else.
fn unread(schema: &Schema, config: &Object) -> Object {
    schema
        .attributes
        .iter()
        .map(|attribute| {
            let given = config.value(attribute.name);
            let value = match attribute.presence {
                Presence::Required => given.clone(),
                Presence::Optional => match attribute.default {
                    Some(default) if given.is_null() => default.value(),
                    _ => given.clone(),
                },
                Presence::OptionalComputed if !given.is_null() => given.clone(),
                Presence::OptionalComputed | Presence::Computed => Value::Unknown,
            };
            (attribute.name.to_owned(), value)
        })
        .collect()
}
