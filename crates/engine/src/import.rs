//! Adopting an object that was made elsewhere: from here on it is recorded at an address of the spec.

use reconcile_model::plan::PlanOptions;
use reconcile_model::{Action, Address, Change, Diagnostic, Mode, Object, ObjectId, Schema};
use reconcile_planner::Moves;
use reconcile_state::{Record, StateChange};

use crate::pipeline::{Engine, Failure, Prepared, close, failure};
use crate::planning::{self, ImportBlocks, Request};

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
        let found = self.find(schema, &change, id, &prepared.lineage).await?;
        // Some ids can be written in more than one way; the object tells its own.
        let id = found.object.id.clone();
        self.check_free(prepared, address, &id)?;
        let assumed = assumed(schema, &found.observed.object, &found.object.attributes);
        let change = StateChange::SetCurrent {
            address: address.clone(),
            object: Box::new(found.object.clone()),
        };
        let commit = Record::Commit { operation: None, change };
        prepared.session.append(commit).await.map_err(failure)?;
        Ok(Imported { id, assumed, warnings: found.warnings })
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
        let planned =
            planning::make(self, &prepared.prior, &request, ImportBlocks::Ignored).await?;
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
