//! The binary in a terminal: a pseudo-terminal, and what would be on its screen.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Enough rows for all that a run says: what has scrolled off the screen is still on this one.
const TALL: u16 = 500;

/// How long a test waits for something to be shown.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary in a terminal.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    terminal: File,
    screens: Arc<Mutex<Screens>>,
    reader: JoinHandle<()>,
}

struct Screens {
    /// What is on the screen.
    screen: vt100::Parser,
    /// What would be on a screen that is as wide and never scrolls.
    tall: vt100::Parser,
}

impl Terminal {
    /// Starts a command in a terminal of so many columns and rows.
    pub(crate) fn start(mut command: Command, columns: u16, rows: u16) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("the terminal can be used");
        resize(&terminal, columns, rows);
        let name = ptsname(&terminal, Vec::new()).expect("it has a name");
        let inner = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())
            .expect("its other end can be opened");
        let end = || inner.try_clone().expect("it can be copied");
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("the binary can be run");
        // Reading ends when nobody has the other end any more.
        drop((command, inner));
        let screens = Arc::new(Mutex::new(Screens {
            screen: vt100::Parser::new(rows, columns, 0),
            tall: vt100::Parser::new(TALL, columns, 0),
        }));
        let terminal = File::from(terminal);
        let mut from = terminal.try_clone().expect("it can be copied");
        let into = Arc::clone(&screens);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let mut screens = into.lock().expect("no panic while the lock is held");
                screens.screen.process(&bytes[..read]);
                screens.tall.process(&bytes[..read]);
            }
        });
        Self { child, terminal, screens, reader }
    }

    /// Types something.
    pub(crate) fn types(&mut self, text: &str) {
        self.terminal.write_all(text.as_bytes()).expect("it can be typed");
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut screens = self.screens.lock().expect("no panic while the lock is held");
        screens.screen.screen_mut().set_size(rows, columns);
        screens.tall.screen_mut().set_size(TALL, columns);
        let terminal: OwnedFd = self.terminal.try_clone().expect("it can be copied").into();
        resize(&terminal, columns, rows);
    }

    /// Returns the lines on the screen, without the empty ones at its end.
    pub(crate) fn lines(&self) -> Vec<String> {
        let screens = self.screens.lock().expect("no panic while the lock is held");
        lines(&screens.screen)
    }

    /// Waits until what is on the screen is as wanted, and returns its lines.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
    pub(crate) fn wait_for(&self, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
        let started = Instant::now();
        loop {
            let lines = self.lines();
            if wanted(&lines) {
                return lines;
            }
            let shown = lines.join("\n");
            assert!(started.elapsed() < PATIENCE, "waited in vain for {what}:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end. Returns the exit code, what is left on the screen, and all that stayed, scrolled off or not.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        let status = self.child.wait().expect("it ends");
        self.reader.join().expect("it reads to the end");
        let screens = self.screens.lock().expect("no panic while the lock is held");
        (status.code(), lines(&screens.screen), lines(&screens.tall))
    }
}

fn resize(terminal: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("it has a size");
}

fn lines(parser: &vt100::Parser) -> Vec<String> {
    let screen = parser.screen();
    let (_, columns) = screen.size();
    let mut lines: Vec<String> =
        screen.rows(0, columns).map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
