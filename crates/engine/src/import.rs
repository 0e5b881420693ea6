//! Adopting an object that was made elsewhere: from here on it is recorded at an address of the spec.

use reconcile_applier::merged;
use reconcile_model::plan::PlanOptions;
use reconcile_model::{
    Action, Address, Change, Diagnostic, Mode, Object, ObjectId, ObjectState, ObjectStatus, Schema,
    seal,
};
use reconcile_planner::Moves;
use reconcile_provider::{Depth, Observed, Provider, ProviderError, Status, Target};
use reconcile_state::{Record, StateChange};

use crate::pipeline::{Engine, Failure, Prepared, close, failure};
use crate::planning::{self, Request};

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The object's id, as it is recorded.
    pub id: ObjectId,
    /// The arguments that nothing tells, and that are taken to be as the spec says.
    pub assumed: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<Diagnostic>,
}

impl Engine<'_> {
    /// Records an object that is there at an address of the spec where nothing is recorded. Changes nothing in the cloud.
    ///
    /// # Errors
    ///
    /// When the spec has no such instance, something is recorded at the address or the object at another, the object is
    /// not there, or the state cannot be written. Then nothing has changed. The lock is given back either way.
    pub async fn import(
        &self,
        prepared: &Prepared,
        address: &Address,
        id: &ObjectId,
    ) -> Result<Imported, Failure> {
        let imported = self.adopt(prepared, address, id).await;
        let folded = prepared.session.checkpoint().await.map_err(failure);
        close(&*prepared.session).await?;
        let imported = imported?;
        folded.map(|()| imported)
    }

    async fn adopt(
        &self,
        prepared: &Prepared,
        address: &Address,
        id: &ObjectId,
    ) -> Result<Imported, Failure> {
        let schema = self.schemas.get(Mode::Managed, address.type_name());
        let schema = schema.filter(|_| address.resource.mode == Mode::Managed);
        let Some(schema) = schema else { return Err(vec![no_resource(address)]) };
        self.check_free(prepared, address, id)?;
        let change = self.declared(prepared, address).await?;
        let settler =
            reconcile_applier::Providers::settler(&*self.providers, &change.provider, None);
        let provider = settler.provider();
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
        // Some ids can be written in more than one way; the object tells its own.
        let id = observed.object.string("id").map_or_else(|| id.clone(), ObjectId::from);
        self.check_free(prepared, address, &id)?;
        let planned = change.after.clone().unwrap_or_default();
        let attributes = merged(schema, &planned, &observed.object);
        let assumed = assumed(schema, &observed.object, &attributes);
        let attributes = seal::mark_like(schema, &attributes, &planned);
        let object = ObjectState {
            id: id.clone(),
            status: ObjectStatus::Ready,
            attributes: seal::seal_object(&attributes, &prepared.lineage),
            schema_version: schema.version,
            provider: change.provider.clone(),
            region: provider.region(),
            dependencies: change.dependencies.clone(),
            created_at: None,
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            operation: None,
        };
        let change = StateChange::SetCurrent { address: address.clone(), object: Box::new(object) };
        let commit = Record::Commit { operation: None, change };
        prepared.session.append(commit).await.map_err(failure)?;
        let warnings = self.foreign_stack(&observed, &id).into_iter().collect();
        Ok(Imported { id, assumed, warnings })
    }

    /// Checks that nothing is recorded at the address, and the object nowhere.
    fn check_free(
        &self,
        prepared: &Prepared,
        address: &Address,
        id: &ObjectId,
    ) -> Result<(), Failure> {
        let snapshot = prepared.session.snapshot();
        if let Some(there) = snapshot.resources.get(address) {
            let what = there.current.iter().chain(&there.deposed).next();
            let what = what.map_or_else(String::new, |object| format!(": {}", object.id));
            return Err(vec![
                Diagnostic::error(format!("{address} is in the state already{what}"))
                    .hint(format!("If it shall be another object, drop that one from the state first, `reconcile state rm '{address}'`; it is not deleted."))
                    .about(address),
            ]);
        }
        if let Some(from) = Moves::of(self.spec, &snapshot).previous(address) {
            return Err(vec![
                Diagnostic::error(format!("{from} moves to {address}"))
                    .detail("The spec says so, and what is recorded there now will be here.")
                    .hint("Take that out of the spec, or name another address.")
                    .about(address),
            ]);
        }
        let type_name = address.type_name();
        let other = snapshot
            .objects()
            .find(|(other, object)| other.type_name() == type_name && object.id == *id);
        match other {
            Some((other, _)) => Err(vec![
                Diagnostic::error(format!("{id} is in the state already, at {other}"))
                    .hint(format!(
                        "To record it at the new address, move it: `reconcile state mv '{other}' '{address}'`."
                    ))
                    .about(address),
            ]),
            None => Ok(()),
        }
    }

    /// Returns the create that a plan would make at the address: only what it would create can be there already.
    async fn declared(&self, prepared: &Prepared, address: &Address) -> Result<Change, Failure> {
        if !self.spec.blocks.contains_key(&address.resource) {
            return Err(vec![
                Diagnostic::error(format!("The spec has no {}", address.resource))
                    .detail("An object is imported into a block of the spec, which says what it shall be.")
                    .hint("Write the block first, with the arguments the object has, and import then.")
                    .about(address),
            ]);
        }
        let moves = Moves::of(self.spec, &prepared.prior);
        // A plan has to have what moves.
        let moved = moves.all().map(|(_, to)| to.to_string());
        let targets = moved.chain([address.resource.to_string()]).collect();
        let options = PlanOptions { targets, ..PlanOptions::default() };
        let request = Request { options, no_refresh: true };
        let planned = planning::make(self, &prepared.prior, &request).await?;
        let change = planned.plan.changes.iter().find(|change| change.address == *address);
        change.filter(|change| change.action == Action::Create).cloned().ok_or_else(|| {
            vec![
                Diagnostic::error(format!("The spec has no instance {address}"))
                    .detail(format!("The block {} has others, by its `count` or `for_each`, or none.", address.resource))
                    .hint("Name one of its instances, with its key: `aws_instance.web[0]`, `aws_instance.web[\"a\"]`.")
                    .about(address),
            ]
        })
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

/// Returns the arguments whose value was taken from the spec, since nothing tells it.
fn assumed(schema: &Schema, live: &Object, recorded: &Object) -> Vec<String> {
    schema
        .attributes
        .iter()
        .filter(|it| it.is_argument())
        .filter(|it| it.write_only || it.local || !live.contains_key(it.name))
        .filter(|it| !recorded.value(it.name).is_null())
        .map(|it| it.name.to_owned())
        .collect()
}

fn no_resource(address: &Address) -> Diagnostic {
    let summary = match address.resource.mode {
        Mode::Data => format!("{address} is a data source, and nothing to import"),
        Mode::Managed => format!("There is no resource type `{}`", address.type_name()),
    };
    Diagnostic::error(summary).hint("`reconcile schema` lists the resource types.").about(address)
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
