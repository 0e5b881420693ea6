//! Telling of a run as it happens: plain lines, JSON, or on a terminal a view of what goes on.

mod screen;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reconcile_engine::Sink;
use reconcile_model::{Diagnostic, Event};
use reconcile_report::Reporter;
use reconcile_report::events::{Human, Json};

use crate::console::Console;
use crate::exit::Failure;

/// Returns where the events of a run go.
pub(crate) fn sink(console: &Console, json: bool) -> Sink {
    if json {
        return shared(Json::new(io::stdout()));
    }
    if console.can_move() {
        return screen::sink(console.messages().style);
    }
    shared(Human::new(io::stderr(), console.messages()))
}

/// Returns where the events of a run go, which is also recorded in a file, one event a line.
///
/// # Errors
///
/// When the file cannot be written.
pub(crate) fn recording(
    console: &Console,
    json: bool,
    file: Option<&Path>,
) -> Result<Sink, Failure> {
    let told = sink(console, json);
    let Some(path) = file else { return Ok(told) };
    let file = File::create(path).map_err(|error| {
        vec![
            Diagnostic::error(format!("Cannot write the events to `{}`", path.display()))
                .detail(format!("{error}.")),
        ]
    })?;
    let recorded = shared(Json::new(file));
    Ok(Arc::new(move |event: &Event| {
        told(event);
        recorded(event);
    }))
}

fn shared(reporter: impl Reporter + Send + 'static) -> Sink {
    let reporter = Mutex::new(reporter);
    Arc::new(move |event: &Event| lock(&reporter).report(event))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
