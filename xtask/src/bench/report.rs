//! What was measured, as it stands in docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

const BEGIN: &str = "<!-- written by `cargo xtask bench` -->";
const END: &str = "<!-- end -->";

/// Tables of what was measured, and which targets were missed.
pub(crate) struct Report {
    text: String,
    missed: Vec<String>,
}

impl Report {
    pub(crate) fn new() -> Self {
        let text = format!("Measured on {}, {}.\n", machine(), date());
        Self { text, missed: Vec::new() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, title: &str, about: &str) {
        let _infallible = write!(self.text, "\n### {title}\n\n{about}\n");
    }

    /// Begins a table.
    pub(crate) fn table(&mut self, columns: &[&str]) {
        let rule = vec!["---"; columns.len()];
        let _infallible =
            write!(self.text, "\n| {} |\n| {} |\n", columns.join(" | "), rule.join(" | "));
    }

    /// Adds a row to the table.
    pub(crate) fn row(&mut self, cells: &[String]) {
        let _infallible = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// Begins a table of measurements with targets.
    pub(crate) fn targets(&mut self) {
        self.table(&["what", "measured", "target"]);
    }

    /// Adds a measurement and its target, the most that it may be.
    pub(crate) fn target(&mut self, what: &str, measured: f64, most: f64, unit: &str) {
        let shown = |number: f64| {
            let digits = if number >= 100.0 || number.fract() == 0.0 { 0 } else { 2 };
            format!("{number:.digits$}{unit}")
        };
        let held = measured <= most;
        if !held {
            self.missed.push(format!("{what}: {} instead of {}", shown(measured), shown(most)));
        }
        let mark = if held { "" } else { " **missed**" };
        self.row(&[what.to_owned(), shown(measured) + mark, format!("≤ {}", shown(most))]);
    }

    /// Adds a paragraph.
    pub(crate) fn says(&mut self, text: &str) {
        let _infallible = write!(self.text, "\n{text}\n");
    }

    /// Puts the report in its place in a page.
    pub(crate) fn write(&self, page: &Path) -> Result<()> {
        let text = fs::read_to_string(page)?;
        let (head, rest) = text.split_once(BEGIN).context("the page has no place for it")?;
        let (_, tail) = rest.split_once(END).context("the place for it does not end")?;
        Ok(fs::write(page, format!("{head}{BEGIN}\n\n{}\n{END}{tail}", self.text))?)
    }

    /// Fails when a target was missed.
    pub(crate) fn verdict(&self) -> Result<()> {
        if self.missed.is_empty() {
            return Ok(());
        }
        bail!("targets were missed:\n{}", self.missed.join("\n"))
    }
}

/// Returns what this machine is: its processors and its memory.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let model = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "a processor".into());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kib = field(&read("/proc/meminfo"), "MemTotal")
        .and_then(|it| it.trim_end_matches(" kB").parse::<u64>().ok());
    let memory = kib.map_or_else(String::new, |kib| format!(", {} GiB", kib / 1024 / 1024));
    let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
    format!("{cores} cores of {model}{memory}, load average {load} when it began")
}

/// Returns the day, as the system's own tool writes it.
fn date() -> String {
    let output = std::process::Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    output.map_or_else(
        |_| "some day".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
