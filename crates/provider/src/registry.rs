//! The registry: every resource type and data source of a provider, and the provider made of them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reconcile_model::{Mode, Object, ObjectId, Schema, SchemaSet, Value, schema::Recovery};

use crate::{
    Created, DataSource, Depth, ErrorKind, Found, Notes, Observed, Operation, Patience, Provider,
    ProviderError, ResourceType, Target, Update,
};

/// Every resource type and data source of a provider, each slice sorted by type name.
pub struct Registry<Cx: 'static> {
    /// The resource types.
    pub resources: &'static [&'static dyn ResourceType<Cx>],
    /// The data sources.
    pub data: &'static [&'static dyn DataSource<Cx>],
}

impl<Cx: Sync> Registry<Cx> {
    /// Returns every schema.
    pub fn schemas(&self) -> SchemaSet {
        let resources = self.resources.iter().map(|it| it.schema());
        resources.chain(self.data.iter().map(|it| it.schema())).collect()
    }

    fn resource(&self, type_name: &str) -> Result<&'static dyn ResourceType<Cx>, ProviderError> {
        self.resources
            .binary_search_by(|it| it.schema().type_name.cmp(type_name))
            .map(|at| self.resources[at])
            .map_err(|_| unknown_type(Mode::Managed, type_name))
    }

    fn data(&self, type_name: &str) -> Result<&'static dyn DataSource<Cx>, ProviderError> {
        self.data
            .binary_search_by(|it| it.schema().type_name.cmp(type_name))
            .map(|at| self.data[at])
            .map_err(|_| unknown_type(Mode::Data, type_name))
    }
}

/// Adds what was neither asked nor answered: it can be referred to all the same.
fn complete(schema: &Schema, mut object: Object) -> Object {
    for attribute in schema.attributes {
        object.entry(attribute.name.to_owned()).or_insert(Value::Null);
    }
    object
}

fn unknown_type(mode: Mode, type_name: &str) -> ProviderError {
    let what = match mode {
        Mode::Managed => "resource type",
        Mode::Data => "data source",
    };
    ProviderError::new(ErrorKind::Invalid, "lookup", format!("there is no {what} `{type_name}`"))
        .hint("The state was written by a version of reconcile that has it; use that one.")
}

/// Clients that tell how many calls went through them, and where to.
pub trait Clients: Send + Sync {
    /// Returns how many calls were made so far.
    fn calls(&self) -> u64;

    /// Returns the Region they talk to, once it is known.
    fn region(&self) -> Option<String>;
}

/// A provider: a registry and the clients to call with.
pub struct Registered<Cx: 'static> {
    registry: &'static Registry<Cx>,
    cx: Cx,
}

impl<Cx> Registered<Cx> {
    /// Returns the provider.
    pub fn new(registry: &'static Registry<Cx>, cx: Cx) -> Self {
        Self { registry, cx }
    }
}

#[async_trait]
impl<Cx: Clients + 'static> Provider for Registered<Cx> {
    async fn create(
        &self,
        type_name: &str,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        self.registry.resource(type_name)?.create(&self.cx, operation, planned).await
    }

    async fn read(
        &self,
        type_name: &str,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        if targets.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.registry.resource(type_name)?.read(&self.cx, targets, depth).await
    }

    async fn update(&self, type_name: &str, update: &Update<'_>) -> Result<Notes, ProviderError> {
        self.registry.resource(type_name)?.update(&self.cx, update).await
    }

    async fn delete(
        &self,
        type_name: &str,
        operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        self.registry.resource(type_name)?.delete(&self.cx, operation, id, recorded).await
    }

    async fn find(
        &self,
        type_name: &str,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        self.registry.resource(type_name)?.find(&self.cx, operation, planned).await
    }

    fn recovery(&self, type_name: &str, planned: &Object) -> Recovery {
        self.registry.resource(type_name).map_or(Recovery::None, |it| it.recovery(planned))
    }

    async fn read_data(&self, type_name: &str, config: &Object) -> Result<Object, ProviderError> {
        let data = self.registry.data(type_name)?;
        Ok(complete(data.schema(), data.read(&self.cx, config).await?))
    }

    fn patience(&self, type_name: &str, config: &Object) -> Patience {
        self.registry.data(type_name).map_or(Patience::ONCE, |data| data.patience(config))
    }

    async fn look(&self, type_name: &str, config: &Object) -> Result<Object, ProviderError> {
        let data = self.registry.data(type_name)?;
        Ok(complete(data.schema(), data.look(&self.cx, config).await?))
    }

    fn calls(&self) -> u64 {
        self.cx.calls()
    }

    fn region(&self) -> Option<String> {
        self.cx.region()
    }
}
