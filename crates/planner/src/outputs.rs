//! What becomes of the outputs.

use std::collections::BTreeMap;

use reconcile_model::{
    Action, Value,
    plan::{OutputChange, PlanMode},
    seal::unseal,
};

use crate::world::World;

impl World<'_, '_> {
    /// Plans every output, of the spec and of the state.
    pub(crate) fn plan_outputs(&mut self) -> BTreeMap<String, OutputChange> {
        let input = self.input;
        let destroy = input.options.mode == PlanMode::Destroy;
        let mut all = BTreeMap::new();
        if !destroy {
            for (name, output) in &input.spec.outputs {
                let value = match self.scope.output(output) {
                    Ok(value) if output.sensitive => value.sensitive(),
                    Ok(value) => value,
                    Err(errors) => {
                        self.errors.extend(errors);
                        continue;
                    }
                };
                let recorded = input.prior.outputs.get(name);
                // A sealed value that is not the new one stays sealed: it differs, and that is all that is known.
                let before =
                    recorded.map_or(Value::Null, |it| unseal(it, &value, &input.prior.lineage));
                let action = match recorded {
                    None if value.is_null() => Action::NoOp,
                    None => Action::Create,
                    Some(_) if before.unmarked() == value.unmarked() => Action::NoOp,
                    Some(_) => Action::Update,
                };
                let change =
                    OutputChange { action, before, after: value, sensitive: output.sensitive };
                all.insert(name.clone(), change);
            }
        }
        for (name, before) in &input.prior.outputs {
            let gone = destroy || !input.spec.outputs.contains_key(name);
            if gone {
                let sensitive = before.has_sensitive();
                let change = OutputChange {
                    action: Action::Delete,
                    before: before.clone(),
                    after: Value::Null,
                    sensitive,
                };
                all.insert(name.clone(), change);
            }
        }
        all
    }
}
