//! Settling a create: finding what it made, making it again where that is safe, or giving it up for certain.

use std::time::Duration;

use reconcile_model::{Diagnostic, EventKind, Mode, Object, ObjectId, Schema, schema::Recovery};
use reconcile_provider::{
    Created, ErrorKind, Found, Operation, Provider, ProviderError, error::Execution,
};
use reconcile_state::{Executed, Intent, Record};

use super::horizon::{Lookups, age};
use super::{Purpose, Settling, Unsettled, without_seals};
use crate::context::{Context, Stop};

/// How often a create that is made again is tried, and after what waits, when the service says that it cannot be made
/// just now.
const TRIES: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// The pause between two looks for an object that is there, as the service says, and cannot be seen yet.
const UNSEEN: Duration = Duration::from_secs(5);

/// How often it is looked for: for a minute and a half.
const LOOKS: u32 = 18;

impl Settling<'_> {
    /// Finds or makes the object that was meant, and leaves it on record as incomplete.
    pub(super) async fn create(
        &self,
        operation: &Operation,
        intent: &Intent,
    ) -> Result<String, Unsettled> {
        let provider = self.provider(intent);
        let request = without_seals(&intent.request);
        let created = if self.can_be_made_again(&*provider, intent, &request) {
            self.make_again(&*provider, operation, intent, &request).await?
        } else {
            self.look_for(&*provider, operation, intent, &request).await?
        };
        let Some(id) = created else {
            let record = Record::Abandon { operation: operation.id.clone() };
            self.cx.session.append(record).await?;
            return Ok("it was not created".to_owned());
        };
        self.found(operation, &id).await?;
        self.close(operation, Executed::Yes).await?;
        Ok(format!("{id} was created, and will be finished"))
    }

    /// Writes down that an object is there.
    pub(super) async fn found(
        &self,
        operation: &Operation,
        id: &ObjectId,
    ) -> Result<(), Unsettled> {
        let at = self.cx.clock.now() / 1000;
        let outcome = Record::Outcome { operation: operation.id.clone(), id: id.clone(), at };
        Ok(self.cx.session.append(outcome).await?)
    }

    /// Tells whether making the request again cannot make a second object, even if the first one lands only then.
    fn can_be_made_again(
        &self,
        provider: &dyn Provider,
        intent: &Intent,
        request: &Object,
    ) -> bool {
        let schema = self.schemas.get(Mode::Managed, intent.type_name());
        let is_taggable = schema.is_some_and(Schema::is_taggable);
        // What was sealed is not known any more, so the request is not either.
        let is_whole = *request == intent.request;
        is_whole
            && match provider.recovery(intent.type_name(), request) {
                Recovery::ClientToken => true,
                // Once the second was destroyed, its key is free for the first to land on. What cannot be tagged hangs on
                // objects that are destroyed with it, and cannot land without them.
                Recovery::NaturalKey(_) => self.purpose == Purpose::Apply || !is_taggable,
                Recovery::OperationTag | Recovery::None => false,
            }
    }

    /// Makes the request again: its token or key makes that safe.
    async fn make_again(
        &self,
        provider: &dyn Provider,
        operation: &Operation,
        intent: &Intent,
        request: &Object,
    ) -> Result<Option<ObjectId>, Unsettled> {
        let type_name = intent.type_name();
        let mut waits = TRIES.iter();
        let mut looks = 0;
        loop {
            // What has its name may be what it replaces, gone and still to be seen: the service itself tells.
            if let Found::Ours(id) = provider.find(type_name, operation, request).await? {
                return Ok(Some(id));
            }
            let error = match provider.create(type_name, operation, request).await {
                Ok(Created { id, .. }) => return Ok(Some(id)),
                Err(error) => error,
            };
            // Given up before it can be seen, it would be taken for somebody else's by the next plan.
            if error.kind == ErrorKind::AlreadyExists && looks < LOOKS {
                looks += 1;
                pause(self.cx, UNSEEN).await?;
                continue;
            }
            // It can no longer be made, so it was not: what it refers to is gone, or it was wrong from the start.
            let is_final = matches!(
                error.kind,
                ErrorKind::Invalid | ErrorKind::MissingReference | ErrorKind::Quota
            );
            let may_pass = error.execution == Execution::Unknown
                || error.kind == ErrorKind::AlreadyExists
                || error.kind.is_retryable();
            match waits.next() {
                Some(wait) if may_pass => pause(self.cx, *wait).await?,
                // The service said each time that it is not so; the next plan has to make it.
                Some(_) | None if is_final => return Ok(None),
                None if may_pass && error.execution == Execution::NotExecuted => return Ok(None),
                Some(_) | None => return Err(error.into()),
            }
        }
    }

    /// Looks for the object until it can land no more and would have to be visible.
    async fn look_for(
        &self,
        provider: &dyn Provider,
        operation: &Operation,
        intent: &Intent,
        request: &Object,
    ) -> Result<Option<ObjectId>, Unsettled> {
        let mut lookups = Lookups::default();
        let mut is_told = false;
        loop {
            match provider.find(intent.type_name(), operation, request).await? {
                Found::Ours(id) => return Ok(Some(id)),
                Found::Foreign { .. } => return Ok(None),
                Found::Nothing => {}
            }
            let Some(wait) = lookups.nothing(age(self.cx, intent)) else { return Ok(None) };
            if !is_told {
                is_told = true;
                self.cx.emit(EventKind::Message { diagnostic: waiting(intent) });
            }
            pause(self.cx, wait).await?;
        }
    }
}

fn waiting(intent: &Intent) -> Diagnostic {
    Diagnostic::warning(format!("{} may still be created by the run before", intent.address))
        .detail("Its create call was sent, or about to be, when that run was interrupted, and there is no token to make it again safely. It is looked for until it can come no more: at most three minutes from that call on.")
        .about(&intent.address)
}

/// Waits, unless the run is to stop: then the operation stays open for the next one.
async fn pause(cx: &Context, wait: Duration) -> Result<(), ProviderError> {
    let mut stop = cx.stop.clone();
    let stopped = async {
        // An error means that nobody is left to ask for it.
        if stop.wait_for(|it| *it != Stop::No).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = tokio::time::sleep(wait) => Ok(()),
        () = stopped => Err(ProviderError::new(ErrorKind::NotReady, "recover", "the run was stopped")),
    }
}
