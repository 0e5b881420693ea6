//! Telling of a run as it happens: plain lines, a bar under them on a terminal, or JSON.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reconcile_engine::Sink;
use reconcile_model::{Address, Event, EventKind, event::Verb};
use reconcile_report::Reporter;
use reconcile_report::events::{Human, Json};

use crate::console::Console;

/// How many changes in flight the bar names.
const NAMED: usize = 3;

/// Returns where the events of a run go.
pub(crate) fn sink(console: &Console, json: bool) -> Sink {
    if json {
        return shared(Json::new(io::stdout()));
    }
    if !console.can_move() {
        return shared(Human::new(io::stderr(), console.messages()));
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}")
            .expect("the template is right")
            .progress_chars("━━ "),
    );
    let human = Human::new(Above { bar: bar.clone(), line: Vec::new() }, console.messages());
    shared(Live { human, bar, in_flight: BTreeSet::new() })
}

fn shared(reporter: impl Reporter + Send + 'static) -> Sink {
    let reporter = Mutex::new(reporter);
    Arc::new(move |event: &Event| lock(&reporter).report(event))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes whole lines above a bar.
struct Above {
    bar: ProgressBar,
    line: Vec<u8>,
}

impl io::Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.line);
        self.bar.suspend(|| io::stderr().write_all(&text))
    }
}

/// Lines, and a bar under them.
struct Live {
    human: Human<Above>,
    bar: ProgressBar,
    in_flight: BTreeSet<(Address, Verb)>,
}

impl Reporter for Live {
    fn report(&mut self, event: &Event) {
        match &event.kind {
            EventKind::ApplyStarted { steps } => {
                self.bar.set_length(*steps as u64);
                self.bar.reset();
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            EventKind::ChangeStarted { address, verb, .. } => {
                self.in_flight.insert((address.clone(), *verb));
            }
            EventKind::ChangeFinished { address, verb, .. } => {
                self.in_flight.remove(&(address.clone(), *verb));
                self.bar.inc(1);
            }
            EventKind::ApplyFinished { .. } => self.bar.finish_and_clear(),
            EventKind::RunStarted { .. }
            | EventKind::RefreshStarted { .. }
            | EventKind::RefreshFinished { .. }
            | EventKind::PlanFinished { .. }
            | EventKind::ChangeProgress { .. }
            | EventKind::RetryScheduled { .. }
            | EventKind::RunStopping { .. }
            | EventKind::Message { .. } => {}
        }
        let mut names: Vec<String> =
            self.in_flight.iter().take(NAMED).map(|(address, _)| address.to_string()).collect();
        if self.in_flight.len() > NAMED {
            names.push(format!("{} more", self.in_flight.len() - NAMED));
        }
        self.bar.set_message(names.join(", "));
        self.human.report(event);
    }
}
