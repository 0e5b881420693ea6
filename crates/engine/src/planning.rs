//! From a recorded state to a plan: refresh, then ask the planner until it has every data source it needs.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _};
use reconcile_applier::{Providers as _, Secrets};
use reconcile_model::{
    Address, Diagnostic, EventKind, Mode, Object, SchemaSet, Snapshot, Value, plan::PlanOptions,
    seal::mark_like,
};
use reconcile_planner::{
    DataRead, DataResults, Moves, Observation, Outcome, PlanInput, Planned, plan,
};
use reconcile_provider::ProviderError;
use reconcile_spec::Spec;
use tokio::time::Instant;

use crate::imports;
use crate::pipeline::Engine;
use crate::refresh::refresh;

/// How many data sources are read at once.
const DATA_READS: usize = 16;

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What was asked for besides the spec.
    pub options: PlanOptions,
    /// Whether to trust the recorded state and read nothing but data sources.
    pub no_refresh: bool,
}

/// Whether a plan follows the spec's `import` blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportBlocks {
    /// It does.
    Followed,
    /// It does not: an object is being imported by hand.
    Ignored,
}

/// Makes a plan from a recorded state.
///
/// # Errors
///
/// Whatever keeps the live state from being read, or the spec from being planned.
pub(crate) async fn make<'a>(
    engine: &Engine<'a>,
    prior: &Snapshot,
    request: &Request,
    import_blocks: ImportBlocks,
) -> Result<Planned<'a>, Vec<Diagnostic>> {
    let moves = Moves::of(engine.spec, prior);
    let prior = moves.relocated(prior);
    let mut observed = observe(engine, &prior, request).await?;
    let mut data = DataResults::default();
    let none = BTreeSet::new();
    let mut planned = ask(engine, request, &prior, &moves, &none, &observed, &mut data).await?;
    if import_blocks == ImportBlocks::Followed
        && imports::is_any_pending(engine, &request.options, &prior)
    {
        let mut prior = prior.into_owned();
        let imports = imports::follow(engine, &planned.plan, &mut prior, &mut observed).await?;
        let addresses = &imports.addresses;
        planned = ask(engine, request, &prior, &moves, addresses, &observed, &mut data).await?;
        planned.plan.warnings.extend(imports.warnings);
    }
    let plan = &planned.plan;
    engine
        .emit(EventKind::PlanFinished { changes: plan.counts(), fingerprint: plan.fingerprint() });
    Ok(planned)
}

/// Reads what is recorded, unless that was not wanted.
async fn observe(
    engine: &Engine<'_>,
    prior: &Snapshot,
    request: &Request,
) -> Result<Observation, Vec<Diagnostic>> {
    if request.no_refresh || prior.is_empty() {
        return Ok(Observation::default());
    }
    let started = Instant::now();
    engine.emit(EventKind::RefreshStarted { objects: prior.objects().count() });
    let before = engine.providers.calls();
    let now = engine.clock.now() / 1000;
    let observed = refresh(engine.spec, prior, engine.schemas, &engine.providers, now)
        .await
        .map_err(|error| vec![diagnostic("Cannot read the live state", &error)])?;
    let calls = engine.providers.calls() - before;
    engine.emit(EventKind::RefreshFinished { elapsed: started.elapsed(), calls });
    Ok(observed)
}

/// Asks the planner until it has every data source that it needs; what was read before is in `data`, and what is read now
/// comes to it.
async fn ask<'a>(
    engine: &Engine<'a>,
    request: &Request,
    prior: &Snapshot,
    moves: &Moves,
    imported: &BTreeSet<Address>,
    observed: &Observation,
    data: &mut DataResults,
) -> Result<Planned<'a>, Vec<Diagnostic>> {
    loop {
        let input = PlanInput {
            spec: engine.spec,
            prior,
            moves,
            imported,
            observed,
            data,
            schemas: engine.schemas,
            options: &request.options,
        };
        match plan(&input)? {
            Outcome::Planned(planned) => return Ok(*planned),
            Outcome::NeedsData(reads) => read_data(engine, reads, data).await?,
        }
    }
}

/// Reads data sources, several at once, and adds what they say.
async fn read_data(
    engine: &Engine<'_>,
    reads: Vec<DataRead>,
    data: &mut DataResults,
) -> Result<(), Vec<Diagnostic>> {
    let results: Vec<(DataRead, Result<Object, ProviderError>)> = stream::iter(reads)
        .map(|read| async move {
            let provider = engine.providers.get(&read.provider);
            let config = read.config.unmarked();
            let result = provider.read_data(read.address.type_name(), &config).await;
            (read, result)
        })
        .buffered(DATA_READS)
        .collect()
        .await;
    let mut errors = Vec::new();
    for (read, result) in results {
        match result {
            Ok(object) => {
                let object = marked(engine.schemas, &read, object);
                data.insert(read, object);
            }
            Err(mut error) => {
                // What was asked for may be named by a secret.
                if read.config.values().any(Value::has_sensitive) {
                    error.id = None;
                }
                errors.push(about(engine.spec, &read, &error));
            }
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    // Without credentials or network every one fails in the same words.
    errors.dedup_by(|a, b| a.detail == b.detail && a.summary == b.summary);
    Err(errors)
}

fn marked(schemas: &SchemaSet, read: &DataRead, object: Object) -> Object {
    match schemas.get(Mode::Data, read.address.type_name()) {
        Some(schema) => mark_like(schema, &object, &read.config),
        None => object,
    }
}

fn about(spec: &Spec, read: &DataRead, error: &ProviderError) -> Diagnostic {
    if is_everywhere(error) {
        return diagnostic("Cannot read the live state", error);
    }
    let span = spec.blocks.get(&read.address.resource).map(|block| block.span.clone());
    let mut diagnostic = diagnostic(&format!("Cannot read {}", read.address), error);
    diagnostic.detail = Secrets::of(&read.config).hide(diagnostic.detail);
    diagnostic.at(span).about(&read.address)
}

/// Tells whether an error is about the connection and not about any one object.
fn is_everywhere(error: &ProviderError) -> bool {
    use reconcile_provider::ErrorKind::{Denied, Transient};
    matches!(error.kind, Denied | Transient) && !error.has_code("UnauthorizedOperation")
}

/// Returns a provider's error as a person should read it.
pub(crate) fn diagnostic(summary: &str, error: &ProviderError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(summary).detail(error.sentence());
    diagnostic.hint.clone_from(&error.hint);
    diagnostic
}
