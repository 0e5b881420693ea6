//! `data.http`: what an address answers.
//!
//! The data source has the name, the arguments, and the attributes of Terraform's `http` provider. It needs no
//! configuration, no credentials, and no cloud. [`data`] is the data source, [`client`] makes one request, [`tls`] says
//! whom to trust.
//!
//! **Architecture Invariant:** only this crate makes requests to addresses that a spec names, and it only asks: nothing
//! is downloaded to disk or executed.

mod client;
mod data;
mod tls;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use reconcile_model::SchemaSet;
use reconcile_provider::registry::Clients;
use reconcile_provider::{Provider, Registered, Registry};

pub use data::SCHEMA;

/// What the data source is read with: nothing but a count of its requests.
#[derive(Debug, Default)]
pub struct Http {
    pub(crate) requests: AtomicU64,
}

impl Clients for Http {
    fn calls(&self) -> u64 {
        self.requests.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn region(&self) -> Option<String> {
        None
    }
}

/// The provider's types.
pub static REGISTRY: Registry<Http> = Registry { resources: &[], data: &[&data::HttpData] };

/// Returns the schemas of every type.
pub fn schemas() -> SchemaSet {
    REGISTRY.schemas()
}

/// Returns the provider.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(Registered::new(&REGISTRY, Http::default()))
}
