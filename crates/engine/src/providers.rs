//! The providers of a run: one for each configuration of the spec, and one for each Region that only the state knows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reconcile_model::{Diagnostic, Object};
use reconcile_provider::{Provider, Regions, Settler};
use reconcile_spec::{Scope, Spec};

/// The providers of a run.
pub struct Providers {
    regions: Arc<dyn Regions>,
    stack: String,
    configured: BTreeMap<String, Arc<Settler>>,
    /// For objects in a Region that the spec no longer mentions.
    recorded: Mutex<BTreeMap<String, Arc<Settler>>>,
}

impl Providers {
    /// Configures the providers of a spec. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When a provider's arguments cannot be evaluated, or are not known before apply.
    pub fn configure(spec: &Spec, regions: Arc<dyn Regions>) -> Result<Self, Vec<Diagnostic>> {
        let scope = Scope::new(spec);
        let mut configured = BTreeMap::new();
        let mut errors = Vec::new();
        for (key, block) in &spec.providers {
            match scope.provider(key) {
                Ok(arguments) if arguments.is_known() => {
                    let provider = regions.configure(&spec.stack, &arguments.unmarked());
                    configured.insert(key.clone(), Arc::new(Settler::new(provider)));
                }
                Ok(_) => errors.push(
                    Diagnostic::error(format!("The provider `{key}` is not known before apply"))
                        .detail("Its arguments come from a resource, and it is needed to plan.")
                        .hint("Give them as a literal or a variable.")
                        .at(block.span.clone()),
                ),
                Err(more) => errors.extend(more),
            }
        }
        for (name, provider) in regions.unconfigured() {
            configured.entry(name.to_owned()).or_insert_with(|| Arc::new(Settler::new(provider)));
        }
        if errors.is_empty() {
            let recorded = Mutex::new(BTreeMap::new());
            Ok(Self { regions, stack: spec.stack.clone(), configured, recorded })
        } else {
            Err(errors)
        }
    }

    /// Returns the provider of a configuration: `aws`, or `aws.<alias>`.
    pub fn get(&self, key: &str) -> Arc<dyn Provider> {
        self.settler_for(key, None).provider()
    }

    /// Returns the settler, and through it the provider, for an object that was recorded with a configuration, in a
    /// Region.
    ///
    /// The spec's configuration counts as long as it is for that Region. An object stays where it was made: when the
    /// spec has moved to another Region, it is read and deleted in its own.
    fn settler_for(&self, key: &str, region: Option<&str>) -> Arc<Settler> {
        if let Some(settler) = self.configured.get(key) {
            let configured = settler.provider().region();
            if region.is_none() || configured.is_none() || configured.as_deref() == region {
                return Arc::clone(settler);
            }
        }
        let name = region.unwrap_or_default().to_owned();
        let mut recorded = self.recorded.lock().expect("no panic while the lock is held");
        let settler = recorded.entry(name).or_insert_with(|| {
            let arguments = Object::new().with("region", region.map(str::to_owned));
            Arc::new(Settler::new(self.regions.configure(&self.stack, &arguments)))
        });
        Arc::clone(settler)
    }
}

impl reconcile_applier::Providers for Providers {
    fn settler(&self, configuration: &str, region: Option<&str>) -> Arc<Settler> {
        self.settler_for(configuration, region)
    }

    fn calls(&self) -> u64 {
        let recorded = self.recorded.lock().expect("no panic while the lock is held");
        self.configured.values().chain(recorded.values()).map(|it| it.provider().calls()).sum()
    }
}
