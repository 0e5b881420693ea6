//! Reporters: what tells of a run while it runs.
//!
//! A reporter takes events and can do nothing else: it returns nothing, so that no run depends on who listens. Time comes
//! from the events alone; recorded events, told again, give the same bytes.

mod human;
mod json;
mod live;

use reconcile_model::Event;

pub use human::Human;
pub use json::{Json, NoEvent, Read, line, read_line};
pub use live::Live;

/// Something that tells of a run.
pub trait Reporter {
    /// Takes one event.
    fn report(&mut self, event: &Event);
}

impl<R: Reporter + ?Sized> Reporter for Box<R> {
    fn report(&mut self, event: &Event) {
        (**self).report(event);
    }
}

impl<R: Reporter + ?Sized> Reporter for &mut R {
    fn report(&mut self, event: &Event) {
        (**self).report(event);
    }
}

impl<R: Reporter> Reporter for Option<R> {
    fn report(&mut self, event: &Event) {
        if let Some(reporter) = self {
            reporter.report(event);
        }
    }
}

/// Tells both.
impl<A: Reporter, B: Reporter> Reporter for (A, B) {
    fn report(&mut self, event: &Event) {
        self.0.report(event);
        self.1.report(event);
    }
}
