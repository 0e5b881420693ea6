//! What loading finds wrong, and where.

mod bad;
mod checks;
mod import;
mod inputs;
mod limits;
mod moved;
mod places;
mod values;

use crate::testing::problems;

/// Checks what is wrong with a spec, one problem a line.
fn check(spec: &str, expected: &[&str]) {
    let found = problems(spec);
    let found: Vec<&str> = found.lines().collect();
    assert_eq!(found, expected, "{spec}");
}
