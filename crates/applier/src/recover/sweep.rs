//! Looking again for creates that were given up: a request may land after it was waited for.

use reconcile_model::{Mode, Schema};
use reconcile_provider::{Found, Operation};
use reconcile_state::{Intent, Record};

use super::horizon::{age, is_past};
use super::{Settling, Unsettled, without_seals};

impl Settling<'_> {
    /// Looks for what a create that was given up may have made after all. If it is there, it goes on record: in the
    /// place that is still empty, or as one too many, which the plan deletes. It is ours beyond doubt: its tag names an
    /// operation of this journal.
    pub(super) async fn sweep(
        &self,
        operation: &Operation,
        intent: &Intent,
    ) -> Result<Option<String>, Unsettled> {
        let type_name = intent.type_name();
        let schema = self.schemas.get(Mode::Managed, type_name);
        // Without a tag nothing tells ours from somebody else's. Such an object hangs on others, and goes with them.
        if schema.is_some_and(Schema::is_taggable) {
            let request = without_seals(&intent.request);
            match self.provider(intent).find(type_name, operation, &request).await {
                Ok(Found::Ours(id)) => {
                    self.found(operation, &id).await?;
                    return Ok(Some(format!(
                        "{id} turned up, made by a call that an interrupted run sent and that landed late"
                    )));
                }
                Ok(Found::Foreign { .. } | Found::Nothing) => {}
                // It is looked for again by the next run, and keeps this one from nothing.
                Err(_) => return Ok(None),
            }
        }
        if is_past(age(self.cx, intent)) {
            self.cx.session.append(Record::Expire { operation: operation.id.clone() }).await?;
        }
        Ok(None)
    }
}
