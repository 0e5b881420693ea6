//! What a run needs from the machine: a runtime, the time, random ids, signals, and who is running it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reconcile_engine::{Clock, Engine, Ids, Sink, Stop};
use reconcile_model::{Diagnostic, Object, SchemaSet, Snapshot};
use reconcile_provider::{Provider, Regions};
use reconcile_provider_aws::AwsRegions;
use reconcile_spec::Spec;
use reconcile_state::{Holder, OpenOptions, StateError, Store, View};
use tokio::sync::watch;

use crate::args::StateDirArgs;
use crate::exit::Failure;
use crate::{backend, load};

/// The system's clock.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        now()
    }
}

/// Returns the time in milliseconds since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The clouds that a spec can have something in, and what it can look at besides.
struct Clouds;

impl Regions for Clouds {
    fn configure(&self, stack: &str, arguments: &Object) -> Arc<dyn Provider> {
        AwsRegions.configure(stack, arguments)
    }

    fn unconfigured(&self) -> Vec<(&'static str, Arc<dyn Provider>)> {
        vec![("http", reconcile_provider_http::provider())]
    }
}

/// Random UUIDs.
struct RandomIds;

impl Ids for RandomIds {
    fn next(&self) -> String {
        uuid::Uuid::new_v4().to_string()
    }
}

/// Runs a command's asynchronous part to its end.
///
/// # Errors
///
/// The command's own, and when no threads can be had.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| {
        vec![Diagnostic::error("Cannot start threads").detail(format!("{error}."))]
    })?;
    let result = runtime.block_on(work);
    // Connections that idle are not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

/// Returns the engine for a spec.
///
/// # Errors
///
/// When a provider block cannot be evaluated.
pub(crate) fn engine<'a>(
    spec: &'a Spec,
    schemas: &'a SchemaSet,
    store: &'a dyn Store,
    sink: Sink,
    stop: watch::Receiver<Stop>,
) -> Result<Engine<'a>, Failure> {
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    Engine::new(spec, schemas, Arc::new(Clouds), store, clock, ids, sink, stop)
}

/// Returns what is recorded of the stack of a spec.
///
/// # Errors
///
/// When the spec has no name, or the state cannot be read.
pub(crate) fn snapshot(state: &StateDirArgs, spec: &Path) -> Result<Snapshot, Failure> {
    view(state, spec).map(|view| view.snapshot)
}

/// Returns what is recorded of the stack of a spec, with what is pending.
///
/// # Errors
///
/// When the spec has no name, or the state cannot be read.
pub(crate) fn view(state: &StateDirArgs, spec: &Path) -> Result<View, Failure> {
    let store = backend::store(state, &load::head(spec)?)?;
    block_on(async { store.peek().await.map_err(|error| vec![Diagnostic::from(&error)]) })
}

/// Returns what a store is opened with by a run that is to stop when it loses the lock.
pub(crate) fn stopping(lock_timeout: Duration, stop: watch::Sender<Stop>) -> OpenOptions {
    let on_lost = move |error: &StateError| {
        let line = format!("Stopping: {error}.\n");
        let _said =
            std::io::Write::write_all(&mut std::io::stderr().lock(), line.as_bytes()).is_ok();
        stop.send_replace(Stop::Now);
    };
    OpenOptions { on_lost: Some(Arc::new(on_lost)), ..open_options(lock_timeout) }
}

/// Returns what a store is opened with.
pub(crate) fn open_options(lock_timeout: Duration) -> OpenOptions {
    let variable = |names: &[&str]| names.iter().find_map(std::env::var_os).unwrap_or_default();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map_or_else(
        |_| variable(&["HOSTNAME", "COMPUTERNAME"]).to_string_lossy().into_owned(),
        |it| it.trim().to_owned(),
    );
    OpenOptions {
        holder: Holder {
            pid: std::process::id(),
            host,
            user: variable(&["USER", "LOGNAME", "USERNAME"]).to_string_lossy().into_owned(),
            // Values of variables may be secret, so only the command's name is told.
            command: command_name(),
            since: now() / 1000,
        },
        lock_timeout,
        lineage: uuid::Uuid::new_v4().to_string(),
        writer: uuid::Uuid::new_v4().to_string(),
        on_lost: None,
        takes_moved: false,
        on_wait: Some(Arc::new(|holder| {
            let who = holder.map_or_else(|| "another process".to_owned(), ToString::to_string);
            let line = format!("Waiting for the lock on the state, held by {who}.\n");
            let _said =
                std::io::Write::write_all(&mut std::io::stderr().lock(), line.as_bytes()).is_ok();
        })),
    }
}

fn command_name() -> String {
    let name = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    format!("reconcile {}", name.unwrap_or_default())
}

/// Listens for Ctrl-C and SIGTERM: the first asks to stop gently, the second to stop now.
///
/// It must be called inside the runtime.
pub(crate) fn signals(stop: watch::Sender<Stop>) {
    tokio::spawn(async move {
        for wish in [Stop::Gently, Stop::Now] {
            if !interrupted().await || stop.send(wish).is_err() {
                return;
            }
        }
        // A third one finds a run that is busy writing its state; it ends in a moment.
        std::future::pending::<()>().await;
    });
}

#[cfg(unix)]
async fn interrupted() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.is_ok(),
        received = terminate.recv() => received.is_some(),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

/// Returns an error that names the flag which answers the question that cannot be asked.
pub(crate) fn cannot_ask(flag: &str) -> Failure {
    vec![
        Diagnostic::error("There is nobody to ask")
            .detail("The plan has to be approved, and standard input is no terminal.")
            .hint(format!("Add `{flag}`, or approve a saved plan: `reconcile plan --out FILE`, then `reconcile apply FILE`.")),
    ]
}
