//! The table of what a walk found.

use std::fmt;

use super::goal::Verdict;
use super::{Point, Scenario};

/// How many points were tried, and what went wrong, by scenario and kind of disturbance.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<((&'static str, &'static str), Row)>,
    /// What was wrong at each point where something was.
    problems: Vec<String>,
}

#[derive(Debug, Default)]
struct Row {
    points: usize,
    leaks: usize,
    duplicates: usize,
    wedged: usize,
}

impl Table {
    /// Adds what one point came to; tells at once what was wrong, since a walk takes long.
    #[expect(clippy::print_stdout, reason = "whoever waits for the walk wants to know")]
    pub(crate) fn add(&mut self, scenario: &Scenario, point: &Point, verdict: Verdict) {
        let key = (scenario.name, point.kind);
        let at = self.rows.iter().position(|(it, _)| *it == key).unwrap_or_else(|| {
            self.rows.push((key, Row::default()));
            self.rows.len() - 1
        });
        let row = &mut self.rows[at].1;
        row.points += 1;
        row.leaks += verdict.leaks.len();
        row.duplicates += verdict.duplicates.len();
        row.wedged += usize::from(!verdict.wedged.is_empty());
        let point = point.name(scenario);
        let told = |what: &str, found: &[String]| {
            found.iter().map(|it| format!("{point}: {what}: {it}")).collect::<Vec<_>>()
        };
        let found = [
            told("leak", &verdict.leaks),
            told("duplicate", &verdict.duplicates),
            told("wedged", &verdict.wedged),
        ];
        let found: Vec<String> = found.into_iter().flatten().collect();
        println!("{point}: {}", if found.is_empty() { "well" } else { "not well" });
        for problem in found {
            println!("{problem}\n");
            self.problems.push(problem);
        }
    }

    /// Adds the rows of another table.
    pub(crate) fn merge(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.problems.extend(other.problems);
    }

    /// Returns how many points were tried.
    pub(crate) fn points(&self) -> usize {
        self.rows.iter().map(|(_, row)| row.points).sum()
    }

    /// Checks that nothing went wrong anywhere.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert!(self.problems.is_empty(), "{self}\n{}", self.problems.join("\n\n"));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| run | disturbed | points | leaks | duplicates | wedged |")?;
        writeln!(f, "| --- | --- | ---: | ---: | ---: | ---: |")?;
        let mut sum = Row::default();
        for ((scenario, kind), row) in &self.rows {
            let Row { points, leaks, duplicates, wedged } = row;
            writeln!(f, "| {scenario} | {kind} | {points} | {leaks} | {duplicates} | {wedged} |")?;
            sum.points += points;
            sum.leaks += leaks;
            sum.duplicates += duplicates;
            sum.wedged += wedged;
        }
        let Row { points, leaks, duplicates, wedged } = sum;
        writeln!(f, "| all | | {points} | {leaks} | {duplicates} | {wedged} |")
    }
}
