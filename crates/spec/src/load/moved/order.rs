//! In which order `moved` blocks are followed, whatever the order in which they are written.
//!
//! What moves on comes after what moves there; what is said of one instance comes before what is said of all that are at
//! the same address, and after what brings the whole block there. These are Terraform's rules.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{Address, ResourceAddress};

use crate::spec::Moved;

/// The blocks by where they begin and end.
#[derive(Default)]
struct Ends<'m> {
    /// Whole blocks that come to an address.
    wholes_to: BTreeMap<&'m ResourceAddress, Vec<usize>>,
    /// Instances that come to an address.
    instances_to: BTreeMap<&'m Address, Vec<usize>>,
    /// Moves of single instances from a block, or to it.
    instances_of: BTreeMap<&'m ResourceAddress, Vec<usize>>,
}

/// Returns the indexes of the moves in the order in which they are to be followed.
///
/// # Errors
///
/// When there is none: some that each have to come before another one.
pub(super) fn ordered(all: &[Moved]) -> Result<Vec<usize>, Vec<usize>> {
    let mut ends = Ends::default();
    for (index, moved) in all.iter().enumerate() {
        if moved.is_whole() {
            ends.wholes_to.entry(&moved.to.resource).or_default().push(index);
        } else {
            ends.instances_to.entry(&moved.to).or_default().push(index);
            ends.instances_of.entry(&moved.from.resource).or_default().push(index);
            ends.instances_of.entry(&moved.to.resource).or_default().push(index);
        }
    }
    let mut followed = vec![Mark::Open; all.len()];
    let mut order = Vec::with_capacity(all.len());
    for start in 0..all.len() {
        follow(start, all, &ends, &mut followed, &mut order)?;
    }
    Ok(order)
}

/// How far a move has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It was not looked at.
    Open,
    /// It waits for those before it.
    Waiting,
    /// It is in its place.
    Placed,
}

/// Puts a move behind all that come before it.
fn follow(
    start: usize,
    all: &[Moved],
    ends: &Ends<'_>,
    marks: &mut [Mark],
    order: &mut Vec<usize>,
) -> Result<(), Vec<usize>> {
    // A stack of our own: a chain may be long.
    let mut stack: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut next = Some(start);
    loop {
        if let Some(index) = next.take() {
            match marks[index] {
                Mark::Placed => {}
                Mark::Waiting => {
                    let waiting = stack.iter().map(|(waiting, _)| *waiting);
                    return Err(waiting.skip_while(|waiting| *waiting != index).collect());
                }
                Mark::Open => {
                    marks[index] = Mark::Waiting;
                    stack.push((index, before(&all[index], index, ends)));
                }
            }
        }
        let Some((index, left)) = stack.last_mut() else { return Ok(()) };
        next = left.pop();
        if next.is_none() {
            marks[*index] = Mark::Placed;
            order.push(*index);
            stack.pop();
        }
    }
}

/// Returns the moves that are followed before one.
fn before(moved: &Moved, index: usize, ends: &Ends<'_>) -> Vec<usize> {
    let mut before = BTreeSet::new();
    let (from, to) = (&moved.from, &moved.to);
    before.extend(ends.wholes_to.get(&from.resource).into_iter().flatten());
    if moved.is_whole() {
        before.extend(ends.instances_of.get(&from.resource).into_iter().flatten());
    } else {
        before.extend(ends.instances_to.get(from).into_iter().flatten());
        before.extend(ends.wholes_to.get(&to.resource).into_iter().flatten());
    }
    before.remove(&index);
    before.into_iter().rev().collect()
}
