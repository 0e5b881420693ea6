//! Which element of one list answers to which of another.

use std::collections::{BTreeMap, VecDeque};

use crate::Value;

/// Beyond so many comparisons, the middle of two lists is taken as replaced as a whole: nobody reads such a diff
/// element by element, and the table would take megabytes.
const MOST_COMPARISONS: usize = 1_000_000;

/// An element of either side, or the same element on both, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Its index before.
    pub(super) before: Option<usize>,
    /// Its index after.
    pub(super) after: Option<usize>,
}

const fn removed(index: usize) -> Pair {
    Pair { before: Some(index), after: None }
}

const fn added(index: usize) -> Pair {
    Pair { before: None, after: Some(index) }
}

const fn both(before: usize, after: usize) -> Pair {
    Pair { before: Some(before), after: Some(after) }
}

/// Aligns two lists by their longest common subsequence.
///
/// Between two common elements, what `partner` accepts is one changed element; the rest is removed, then added.
pub(super) fn align_list(
    before: usize,
    after: usize,
    equal: impl Fn(usize, usize) -> bool,
    partner: impl Fn(usize, usize) -> bool,
) -> Vec<Pair> {
    let shorter = before.min(after);
    let head = (0..shorter).take_while(|&at| equal(at, at)).count();
    let tail = (0..shorter - head).take_while(|&at| equal(before - 1 - at, after - 1 - at)).count();
    let mut pairs: Vec<Pair> = (0..head).map(|at| both(at, at)).collect();
    let mut gap = Gap { before: head, after: head };
    for (i, j) in common(head..before - tail, head..after - tail, &equal) {
        gap.close(&mut pairs, i, j, &partner);
        pairs.push(both(i, j));
        gap = Gap { before: i + 1, after: j + 1 };
    }
    gap.close(&mut pairs, before - tail, after - tail, &partner);
    pairs.extend((0..tail).rev().map(|at| both(before - 1 - at, after - 1 - at)));
    pairs
}

/// Where the elements between two common ones begin.
struct Gap {
    before: usize,
    after: usize,
}

impl Gap {
    fn close(
        &self,
        pairs: &mut Vec<Pair>,
        before: usize,
        after: usize,
        partner: &impl Fn(usize, usize) -> bool,
    ) {
        let (mut i, mut j) = (self.before, self.after);
        while i < before && j < after && partner(i, j) {
            pairs.push(both(i, j));
            i += 1;
            j += 1;
        }
        pairs.extend((i..before).map(removed));
        pairs.extend((j..after).map(added));
    }
}

/// Returns a longest common subsequence of two ranges.
fn common(
    before: std::ops::Range<usize>,
    after: std::ops::Range<usize>,
    equal: &impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let (rows, columns) = (before.len(), after.len());
    if rows == 0 || columns == 0 || rows.saturating_mul(columns) > MOST_COMPARISONS {
        return Vec::new();
    }
    // lengths[i][j] is the length of the best alignment of what follows row i and column j.
    let mut lengths = vec![vec![0_usize; columns + 1]; rows + 1];
    let mut equals = vec![vec![false; columns]; rows];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            equals[i][j] = equal(before.start + i, after.start + j);
            lengths[i][j] = if equals[i][j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < rows && j < columns {
        if equals[i][j] {
            found.push((before.start + i, after.start + j));
            i += 1;
            j += 1;
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

/// Aligns two sets: equal elements first, then those that `likeness` takes for one element that changed, the most alike
/// first.
///
/// What is removed comes first, the rest in the order of `after`. An element that holds an unknown equals no other.
pub(super) fn align_set(
    before: &[Value],
    after: &[Value],
    likeness: impl Fn(usize, usize) -> Option<usize>,
) -> Vec<Pair> {
    let mut by_value: BTreeMap<&Value, VecDeque<usize>> = BTreeMap::new();
    for (at, value) in before.iter().enumerate() {
        by_value.entry(value).or_default().push_back(at);
    }
    let mut partners: Vec<Option<usize>> = after
        .iter()
        .map(|value| {
            if !value.is_known() {
                return None;
            }
            by_value.get_mut(value)?.pop_front()
        })
        .collect();
    let mut free = vec![true; before.len()];
    partners.iter().flatten().for_each(|&at| free[at] = false);
    let old: Vec<usize> = (0..before.len()).filter(|&at| free[at]).collect();
    let new: Vec<usize> = (0..after.len()).filter(|&at| partners[at].is_none()).collect();
    if old.len().saturating_mul(new.len()) <= MOST_COMPARISONS {
        let mut alike: Vec<(usize, usize, usize)> = old
            .iter()
            .flat_map(|&i| new.iter().map(move |&j| (i, j)))
            .filter_map(|(i, j)| likeness(i, j).map(|score| (score, i, j)))
            .collect();
        alike.sort_by_key(|&(score, i, j)| (std::cmp::Reverse(score), j, i));
        for (_, i, j) in alike {
            if free[i] && partners[j].is_none() {
                free[i] = false;
                partners[j] = Some(i);
            }
        }
    }
    let gone = free.iter().enumerate().filter(|(_, free)| **free).map(|(at, _)| removed(at));
    let there = partners.iter().enumerate().map(|(j, i)| Pair { before: *i, after: Some(j) });
    gone.chain(there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_list(before: &str, after: &str, expect: &str) {
        let (old, new): (Vec<char>, Vec<char>) =
            (before.chars().collect(), after.chars().collect());
        let pairs = align_list(
            old.len(),
            new.len(),
            |i, j| old[i] == new[j],
            |i, j| old[i].is_uppercase() && new[j].is_uppercase(),
        );
        let shown: Vec<String> = pairs
            .iter()
            .map(|pair| match (pair.before, pair.after) {
                (Some(i), Some(j)) if old[i] == new[j] => old[i].to_string(),
                (Some(i), Some(j)) => format!("{}>{}", old[i], new[j]),
                (Some(i), None) => format!("-{}", old[i]),
                (None, Some(j)) => format!("+{}", new[j]),
                (None, None) => String::from("?"),
            })
            .collect();
        assert_eq!(shown.join(" "), expect, "{before} to {after}");
    }

    #[test]
    fn lists_align_by_what_they_have_in_common() {
        check_list("", "", "");
        check_list("abc", "abc", "a b c");
        check_list("abc", "ac", "a -b c");
        check_list("ac", "abc", "a +b c");
        check_list("abcd", "xbcy", "-a +x b c -d +y");
        check_list("aaa", "aa", "a a -a");
        check_list("aXb", "aYb", "a X>Y b");
        check_list("", "ab", "+a +b");
        check_list("ab", "", "-a -b");
    }

    #[test]
    fn unknown_elements_of_a_set_equal_nothing() {
        let pairs = align_set(&["a".into()], &[Value::Unknown, "a".into()], |_, _| None);
        assert_eq!(pairs, [added(0), both(0, 1)]);
    }
}
