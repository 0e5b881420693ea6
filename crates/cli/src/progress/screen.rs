//! The view of what goes on: a few lines at the bottom of a terminal, drawn anew every second, and above them the lines
//! that stay.
//!
//! The terminal is not taken over. Each drawing goes up to where the last one began and writes over it, so that what was
//! said before scrolls as it always does; at the end the view is wiped away. No line is as wide as the terminal, so that
//! none is wrapped.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use reconcile_engine::Sink;
use reconcile_model::Event;
use reconcile_report::events::{Human, Live};
use reconcile_report::{Reporter, Style, TextOptions};
use terminal_size::{Height, Width, terminal_size_of};

use super::lock;
use crate::runtime;

/// How often it is looked whether there is something new to draw.
const TICK: Duration = Duration::from_millis(200);

/// The most lines that the view has; a screenful of what goes on is no view.
const MOST_LINES: u16 = 16;

/// The size that a terminal is taken to have when it does not tell.
const USUAL: (u16, u16) = (80, 24);

/// Returns a sink that draws on the terminal of standard error. The view is wiped away when the sink is dropped.
pub(super) fn sink(style: Style) -> Sink {
    let screen = Arc::new(Mutex::new(Screen::new(style)));
    let ticking = Arc::downgrade(&screen);
    std::thread::spawn(move || tick(&ticking));
    let closing = Closing(screen);
    Arc::new(move |event: &Event| lock(&closing.0).report(event))
}

/// Wipes the view away when the run is over, before anybody else writes to the terminal.
struct Closing(Arc<Mutex<Screen>>);

impl Drop for Closing {
    fn drop(&mut self) {
        lock(&self.0).close();
    }
}

fn tick(screen: &Weak<Mutex<Screen>>) {
    loop {
        std::thread::sleep(TICK);
        let Some(screen) = screen.upgrade() else { return };
        lock(&screen).tick();
    }
}

/// The view, and what is on the terminal of it.
struct Screen {
    style: Style,
    human: Human<Vec<u8>>,
    live: Live,
    /// How many columns each line on the terminal takes.
    drawn: Vec<usize>,
    /// How wide the terminal was when they were drawn.
    columns: usize,
    /// The second that they show.
    second: u64,
    /// Whether something has happened since.
    is_stale: bool,
    /// Whether the terminal wraps lines anew when it becomes narrower.
    reflows: bool,
}

impl Screen {
    fn new(style: Style) -> Self {
        let (columns, _) = size();
        Self {
            style,
            human: Human::lasting(Vec::new(), TextOptions { width: columns.into(), style }),
            live: Live::default(),
            drawn: Vec::new(),
            columns: columns.into(),
            second: 0,
            is_stale: false,
            reflows: reflows(),
        }
    }

    fn tick(&mut self) {
        let is_due = self.is_stale || self.second != runtime::now() / 1000;
        // With nothing to draw or to wipe away, the terminal belongs to others: a question may stand there.
        let is_busy = !self.drawn.is_empty() || self.live.is_busy();
        if is_due && is_busy {
            self.draw("");
        }
    }

    fn close(&mut self) {
        self.live = Live::default();
        if !self.drawn.is_empty() {
            self.draw("");
        }
    }

    /// Writes lines that stay, and the view below them.
    fn draw(&mut self, lasting: &str) {
        let (columns, rows) = size();
        let width = usize::from(columns);
        let most = usize::from((rows / 2).clamp(2, MOST_LINES));
        let now = runtime::now();
        let lines = self.live.lines(now, width.saturating_sub(1), most, self.style);
        let mut out = String::from("\r");
        let up = self.rows_taken(width).min(usize::from(rows.saturating_sub(1)));
        if up > 0 {
            let _ = write!(out, "\u{1b}[{up}A");
        }
        if !lasting.is_empty() || width != self.columns {
            out.push_str("\u{1b}[J");
        }
        out.push_str(lasting);
        for line in &lines {
            out.push_str(line);
            out.push_str("\u{1b}[K\n");
        }
        out.push_str("\u{1b}[J");
        // Whoever closed standard error does not want to know.
        let mut stderr = io::stderr().lock();
        let _shown = stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush()).is_ok();
        let plain = self.live.lines(now, width.saturating_sub(1), most, Style::Plain);
        self.drawn = plain.iter().map(|line| line.chars().count()).collect();
        self.columns = width;
        self.second = now / 1000;
        self.is_stale = false;
    }

    /// Returns how many rows of the terminal the view takes, now that it may have become narrower.
    fn rows_taken(&self, columns: usize) -> usize {
        if !self.reflows || columns >= self.columns {
            return self.drawn.len();
        }
        self.drawn.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum()
    }
}

impl Reporter for Screen {
    fn report(&mut self, event: &Event) {
        let (columns, _) = size();
        self.human.lay_out(TextOptions { width: columns.into(), style: self.style });
        self.live.report(event);
        self.human.report(event);
        self.is_stale = true;
        let lasting = std::mem::take(self.human.out());
        let ended = !self.drawn.is_empty() && !self.live.is_busy();
        if !lasting.is_empty() || ended {
            self.draw(&String::from_utf8_lossy(&lasting));
        }
    }
}

fn size() -> (u16, u16) {
    match terminal_size_of(io::stderr()) {
        Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => (columns, rows),
        Some(_) | None => USUAL,
    }
}

/// Tells whether the terminal is known to wrap lines anew when it becomes narrower. Where it is not known, too little is
/// wiped away rather than too much.
fn reflows() -> bool {
    const SAY_SO: [&str; 9] = [
        "TMUX",
        "VTE_VERSION",
        "KITTY_WINDOW_ID",
        "KONSOLE_VERSION",
        "ALACRITTY_WINDOW_ID",
        "WEZTERM_PANE",
        "GHOSTTY_RESOURCES_DIR",
        "WT_SESSION",
        "ITERM_SESSION_ID",
    ];
    SAY_SO.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
