//! A provider as the engine sees it: types by name, no client in any signature.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reconcile_model::{Object, ObjectId, schema::Recovery};

use crate::{
    Created, Depth, Found, Notes, Observed, Operation, Patience, ProviderError, Target, Update,
};

/// One configuration of a cloud: its resource types and data sources, ready to be called.
///
/// The calls are those of [`ResourceType`](crate::ResourceType), by type name; `read` takes any number of targets.
#[async_trait]
pub trait Provider: Send + Sync {
    /// See [`ResourceType::create`](crate::ResourceType::create).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown type.
    async fn create(
        &self,
        type_name: &str,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError>;

    /// See [`ResourceType::read`](crate::ResourceType::read).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown type.
    async fn read(
        &self,
        type_name: &str,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError>;

    /// See [`ResourceType::update`](crate::ResourceType::update).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown type.
    async fn update(&self, type_name: &str, update: &Update<'_>) -> Result<Notes, ProviderError>;

    /// See [`ResourceType::delete`](crate::ResourceType::delete).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown type.
    async fn delete(
        &self,
        type_name: &str,
        operation: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError>;

    /// See [`ResourceType::find`](crate::ResourceType::find).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown type.
    async fn find(
        &self,
        type_name: &str,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError>;

    /// See [`ResourceType::recovery`](crate::ResourceType::recovery); [`Recovery::None`] for an unknown type.
    fn recovery(&self, type_name: &str, planned: &Object) -> Recovery;

    /// See [`DataSource::read`](crate::DataSource::read).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown data source.
    async fn read_data(&self, type_name: &str, config: &Object) -> Result<Object, ProviderError>;

    /// See [`DataSource::patience`](crate::DataSource::patience).
    fn patience(&self, _type_name: &str, _config: &Object) -> Patience {
        Patience::ONCE
    }

    /// See [`DataSource::look`](crate::DataSource::look).
    ///
    /// # Errors
    ///
    /// As there, and for an unknown data source.
    async fn look(&self, type_name: &str, config: &Object) -> Result<Object, ProviderError> {
        self.read_data(type_name, config).await
    }

    /// Returns how many calls were made so far.
    fn calls(&self) -> u64;

    /// Returns the Region the calls go to, once it is known.
    fn region(&self) -> Option<String>;
}

/// Makes providers from the `provider` blocks of a spec.
pub trait Regions: Send + Sync {
    /// Returns the provider for a configuration: its arguments (`region`, `profile`, …), known and checked, and the name
    /// of the stack, by whose tag its objects can be found.
    ///
    /// Nothing is resolved or connected before the first call is made.
    fn configure(&self, stack: &str, arguments: &Object) -> Arc<dyn Provider>;

    /// Returns the providers that need no configuration, by name.
    fn unconfigured(&self) -> Vec<(&'static str, Arc<dyn Provider>)> {
        Vec::new()
    }
}
