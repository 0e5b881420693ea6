//! The two streams: results go to standard output, everything else to standard error.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use reconcile_model::{Diagnostic, Event, EventKind};
use reconcile_report::{Style, TextOptions, diagnostic, events, json};
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use crate::exit::{Exit, Failure};
use crate::runtime;

/// How wide text is laid out where no terminal tells.
const DEFAULT_WIDTH: usize = 100;

/// How failures are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failures {
    /// As text, on standard error.
    Text,
    /// As one JSON document, on standard output.
    Json,
    /// As JSON, one event on each line, on standard output.
    Events,
}

/// The two streams, and what they can show.
#[derive(Debug)]
pub(crate) struct Console {
    no_color: bool,
    /// How failures are told.
    failures: Cell<Failures>,
    /// The first error in writing results.
    broken: RefCell<Option<io::Error>>,
}

impl Console {
    /// Returns the console. `NO_COLOR` counts as `--no-color` when it is set to anything.
    pub(crate) fn new(no_color: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            no_color: no_color || unwanted || dumb,
            failures: Cell::new(Failures::Text),
            broken: RefCell::new(None),
        }
    }

    /// Makes failures come out as JSON, since the command's results do.
    pub(crate) fn failures_as_json(&self) {
        self.failures.set(Failures::Json);
    }

    /// Makes failures come out as events, one on each line, since the command's results do.
    pub(crate) fn failures_as_events(&self) {
        self.failures.set(Failures::Events);
    }

    /// Tells whether somebody can be asked: questions and their answers go over a terminal.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Tells whether moving progress can be shown.
    pub(crate) fn can_move(&self) -> bool {
        !self.no_color && io::stderr().is_terminal()
    }

    /// Returns how results are laid out.
    pub(crate) fn results(&self) -> TextOptions {
        let width = terminal_size_of(io::stdout());
        self.options(io::stdout().is_terminal(), width.map(|(width, _)| width))
    }

    /// Returns how everything else is laid out.
    pub(crate) fn messages(&self) -> TextOptions {
        let width = terminal_size_of(io::stderr());
        self.options(io::stderr().is_terminal(), width.map(|(width, _)| width))
    }

    fn options(&self, terminal: bool, width: Option<Width>) -> TextOptions {
        let style = if terminal && !self.no_color { Style::Ansi } else { Style::Plain };
        let width = width.map_or(DEFAULT_WIDTH, |Width(columns)| usize::from(columns));
        TextOptions { width, style }
    }

    /// Prints a result.
    pub(crate) fn print(&self, text: &str) {
        self.print_with(|out| out.write_all(text.as_bytes()));
    }

    /// Prints a result as JSON, while it is made.
    pub(crate) fn print_json(&self, json: &impl Serialize) {
        self.print_with(|out| json::write(json, out));
    }

    fn print_with(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        // Standard output flushes at every line end, of which JSON has very many.
        let mut out = BufWriter::new(io::stdout().lock());
        if let Err(error) = write(&mut out).and_then(|()| out.flush()) {
            self.broken.borrow_mut().get_or_insert(error);
        }
    }

    /// Says something that is no result.
    #[expect(clippy::unused_self, reason = "all output goes through the console")]
    pub(crate) fn say(&self, text: &str) {
        // Whoever closed standard error does not want to know.
        let _said = io::stderr().lock().write_all(text.as_bytes()).is_ok();
    }

    /// Shows diagnostics.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        if !diagnostics.is_empty() {
            self.say(&diagnostic::text(diagnostics, &self.messages()));
        }
    }

    /// Asks a question that only `yes` affirms.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        self.say(&format!("{question}\n  Only `yes` is taken as yes: "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }

    /// Ends the program.
    pub(crate) fn finish(&self, result: Result<Exit, Failure>) -> ExitCode {
        let exit = result.unwrap_or_else(|diagnostics| {
            match self.failures.get() {
                Failures::Text => self.diagnostics(&diagnostics),
                Failures::Json => self.print_json(&diagnostic::json(&diagnostics)),
                Failures::Events => {
                    for diagnostic in diagnostics {
                        let kind = EventKind::Message { diagnostic };
                        self.print(&events::line(&Event { at: runtime::now(), kind }));
                    }
                }
            }
            Exit::Failed
        });
        match self.broken.take() {
            None => exit.into(),
            // `| head` has seen enough; that is no reason for words.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Failed.into(),
            Some(error) => {
                self.diagnostics(&[Diagnostic::error("Cannot write to standard output")
                    .detail(format!("{error}."))]);
                Exit::Failed.into()
            }
        }
    }
}
