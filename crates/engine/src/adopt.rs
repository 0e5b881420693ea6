//! Finding an object that was made elsewhere, as it would be recorded.

use reconcile_applier::{Providers as _, merged};
use reconcile_model::{
    Address, Change, Diagnostic, Object, ObjectId, ObjectState, ObjectStatus, Schema, seal, tags,
};
use reconcile_provider::{Depth, Observed, Provider, ProviderError, Status, Target};
use reconcile_spec::Scope;

use crate::pipeline::{Engine, Failure};

/// An object that was made elsewhere.
pub(crate) struct Found {
    /// As it is recorded; its id is the one that it tells of itself.
    pub(crate) object: ObjectState,
    /// As it was read.
    pub(crate) observed: Observed,
    /// What the user should know.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Engine<'_> {
    /// Looks for an object at the address of a change that would create it, and seals what is sensitive with `salt`.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not there, or can never be used.
    pub(crate) async fn find(
        &self,
        schema: &Schema,
        change: &Change,
        id: &ObjectId,
        salt: &str,
    ) -> Result<Found, Failure> {
        let address = &change.address;
        let provider = self.providers.settler(&change.provider, None).provider();
        let observed = self
            .look(&*provider, address, id)
            .await
            .map_err(|error| vec![unreadable(address, id, &error)])?
            .ok_or_else(|| vec![not_there(address, id, provider.region().as_deref())])?;
        if let Status::Failed(state) = &observed.status {
            return Err(vec![
                Diagnostic::error(format!("{id} cannot be imported"))
                    .detail(format!("It is in state `{state}`, which nothing leads out of."))
                    .hint("Delete it, and let apply create another.")
                    .about(address),
            ]);
        }
        let id = observed.object.string("id").map_or_else(|| id.clone(), ObjectId::from);
        let planned = change.after.clone().unwrap_or_default();
        let mut attributes = merged(schema, &planned, &observed.object);
        if schema.is_taggable() {
            // AWS keeps one set of tags: what the provider's default tags give is not the object's own.
            let arguments = Scope::new(self.spec).provider(&change.provider)?;
            let default_tags = arguments.map("default_tags").cloned().unwrap_or_default();
            tags::set_own(&mut attributes, &default_tags, planned.value("tags"));
        }
        let attributes = seal::mark_like(schema, &attributes, &planned);
        let object = ObjectState {
            id: id.clone(),
            status: ObjectStatus::Ready,
            attributes: seal::seal_object(&attributes, salt),
            schema_version: schema.version,
            provider: change.provider.clone(),
            region: provider.region(),
            dependencies: change.dependencies.clone(),
            created_at: None,
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            operation: None,
        };
        let warnings = self.foreign_stack(&observed, &id).into_iter().collect();
        Ok(Found { object, observed, warnings })
    }

    async fn look(
        &self,
        provider: &dyn Provider,
        address: &Address,
        id: &ObjectId,
    ) -> Result<Option<Observed>, ProviderError> {
        let nothing = Object::new();
        let arguments = self.spec.blocks.get(&address.resource).map(|it| it.arguments.clone());
        let arguments = arguments.unwrap_or_default();
        let target = Target { id, recorded: &nothing, arguments: &arguments };
        let mut found = provider.read(address.type_name(), &[target], Depth::Full).await?;
        Ok(found.remove(id))
    }

    /// Warns of an object that another stack made.
    fn foreign_stack(&self, observed: &Observed, id: &ObjectId) -> Option<Diagnostic> {
        let stack = observed.ownership.stack.as_ref().filter(|it| **it != self.spec.stack)?;
        let warning = Diagnostic::warning(format!("{id} was created by the stack {stack}"))
            .detail(
                "While that has it on record, too, both will manage it, and either may delete it.",
            )
            .hint("Drop it from the other stack's state: `reconcile state rm`.");
        Some(warning)
    }
}

fn not_there(address: &Address, id: &ObjectId, region: Option<&str>) -> Diagnostic {
    let place = region.map_or_else(String::new, |region| format!(" in {region}"));
    Diagnostic::error(format!("There is no {} with the id {id}{place}", address.type_name()))
        .hint("Check the id, the type, and the Region of the address's provider.")
        .about(address)
}

fn unreadable(address: &Address, id: &ObjectId, error: &ProviderError) -> Diagnostic {
    let mut diagnostic =
        Diagnostic::error(format!("Cannot read {id}")).detail(error.sentence()).about(address);
    diagnostic.hint.clone_from(&error.hint);
    diagnostic
}
