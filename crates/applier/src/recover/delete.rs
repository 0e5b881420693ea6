//! Settling a delete: making it again, since what is gone already counts as deleted.

use std::collections::BTreeSet;
use std::time::Duration;

use reconcile_model::{Address, Mode, ObjectId, ObjectState, ObjectStatus};
use reconcile_provider::{
    ErrorKind, Goal, Operation, ProviderError, SettleError, Target, error::Execution,
};
use reconcile_state::{Executed, Intent, Record, StateChange, StateError};

use super::{Settling, Unsettled, without_seals};

impl Settling<'_> {
    /// Makes the delete again: what is gone already counts as deleted.
    pub(super) async fn delete(
        &self,
        operation: &Operation,
        intent: &Intent,
    ) -> Result<String, Unsettled> {
        let id = intent.id.as_ref().expect("the state takes no delete without an object");
        let Some((object, is_current)) = self.recorded(&intent.address, id) else {
            self.close(operation, Executed::Yes).await?;
            return Ok("the object is no longer on record".to_owned());
        };
        let settler = self.cx.providers.settler(&intent.provider, intent.region.as_deref());
        let provider = settler.provider();
        let type_name = intent.type_name();
        let recorded = without_seals(&object.attributes);
        match provider.delete(type_name, operation, id, &recorded).await {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {}
            // Something uses it still; the plan that follows decides, in the right order.
            Err(error) if error.execution == Execution::NotExecuted => {
                let status = object.status;
                self.close(operation, Executed::No).await?;
                if status == ObjectStatus::Deleting && is_current {
                    self.restore(&intent.address, object).await?;
                }
                return Ok("it is not deleted yet".to_owned());
            }
            Err(error) => return Err(error.into()),
        }
        let timeout = intent.timeouts.get("delete").map_or_else(
            || {
                self.schemas
                    .get(Mode::Managed, type_name)
                    .map_or(Duration::from_secs(600), |it| it.timeouts.delete)
            },
            |seconds| Duration::from_secs(*seconds),
        );
        let none = BTreeSet::new();
        let target = Target { id, recorded: &recorded, arguments: &none };
        if let Err(error) = settler.settle(type_name, target, Goal::Gone, timeout, |_| {}).await {
            return Err(match error {
                SettleError::Call(error) => error.summary().into(),
                other @ (SettleError::Failed(_)
                | SettleError::Vanished(_)
                | SettleError::Timeout { .. }) => {
                    ProviderError::new(ErrorKind::NotReady, "delete", other.to_string())
                        .about(id)
                        .into()
                }
            });
        }
        let address = intent.address.clone();
        let change = if is_current {
            StateChange::RemoveCurrent { address }
        } else {
            StateChange::RemoveDeposed { address, id: id.clone() }
        };
        let commit = Record::Commit { operation: Some(operation.id.clone()), change };
        self.cx.session.append(commit).await?;
        Ok("its delete was finished".to_owned())
    }

    /// Returns an object as it is recorded, and whether it is the current one.
    fn recorded(&self, address: &Address, id: &ObjectId) -> Option<(ObjectState, bool)> {
        let snapshot = self.cx.session.snapshot();
        let resource = snapshot.resources.get(address)?;
        if let Some(current) = resource.current.as_ref().filter(|it| it.id == *id) {
            return Some((current.clone(), true));
        }
        Some((resource.deposed.iter().find(|it| it.id == *id)?.clone(), false))
    }

    /// Puts an object back on record as ready, whose delete turned out not to have been made.
    async fn restore(&self, address: &Address, object: ObjectState) -> Result<(), StateError> {
        let object = ObjectState { status: ObjectStatus::Ready, ..object };
        let change = StateChange::SetCurrent { address: address.clone(), object: Box::new(object) };
        self.cx.session.append(Record::Commit { operation: None, change }).await
    }
}
