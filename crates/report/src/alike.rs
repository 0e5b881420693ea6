//! Instances of one block to which the same happens, shown once, with what differs between them.
//!
//! Nothing is hidden by it: what differs is told value by value, unless it follows from the instance's number or key. In
//! texts of several lines, nothing else may differ.

mod together;

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{
    InstanceKey, Path,
    diff::{Body, Diff, Node, Status},
};

use crate::{
    layout::{
        self, View,
        text_value::{self, TextLine},
        value,
    },
    quote::{self, UNKNOWN, counted},
};

pub(crate) use together::{Instance, together};

/// The fewest instances that are shown as one: two are read side by side.
const FEWEST: usize = 3;

/// How many instances are named beside a value that few of them have.
const FEW: usize = 3;

/// What several instances have in common, in a form that compares equal for those that can be shown as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Skeleton(String);

/// A value that may differ between instances with the same skeleton.
#[derive(Clone, Debug)]
struct Leaf {
    path: Path,
    /// The line, when it is one of a text of several.
    line: Option<usize>,
    text: String,
}

/// The values that may differ, in the skeleton's order.
type Leaves = Vec<Leaf>;

/// What differs between the instances that are shown as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Varying {
    keys: Vec<InstanceKey>,
    values: BTreeMap<(Path, Option<usize>), Vec<String>>,
}

impl Skeleton {
    /// Takes a diff apart into what has to be the same and what may differ. `about` has to be the same, too.
    fn of(diff: &Diff, view: View<'_>, key: Option<&InstanceKey>, about: &str) -> (Self, Leaves) {
        let out = format!("{about}\n");
        let mut walk = Walk { view, key, fixed: false, out, leaves: Vec::new() };
        for node in &diff.attributes {
            if node.status == Status::Unchanged {
                // Hidden: it is only counted.
                walk.out.push(if node.is_absent() { '0' } else { '=' });
            } else {
                walk.node(node);
            }
        }
        (Self(walk.out), walk.leaves)
    }

    /// Returns a skeleton that only instances with the same texts share.
    fn with_texts(&self, leaves: &Leaves) -> Self {
        let lines = leaves.iter().filter(|leaf| leaf.line.is_some());
        let lines: Vec<&str> = lines.map(|leaf| leaf.text.as_str()).collect();
        Self(format!("{}\n{}", self.0, lines.join("\n")))
    }
}

struct Walk<'a> {
    view: View<'a>,
    key: Option<&'a InstanceKey>,
    /// Whether values have to be the same here.
    fixed: bool,
    out: String,
    leaves: Leaves,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node) {
        if layout::is_left_out(node, self.view) {
            self.out.push('-');
            return;
        }
        let kind = format!("{:?}{:?}{:?}(", node.label, node.status, node.mark);
        self.out.push_str(&kind);
        match &node.body {
            Body::Value { after, .. } => {
                if after.is_unknown() {
                    self.out.push('u');
                }
                match (text_value::of(node), value::text_of(node)) {
                    (Some(text), _) => self.text(node, &text),
                    (None, Some(text)) => self.leaf(node, None, text),
                    (None, None) => {}
                }
            }
            Body::Sensitive { unknown } => self.out.push_str(if *unknown { "s?" } else { "s" }),
            Body::List(nodes) | Body::Set(nodes) => match value::text_of(node) {
                Some(text) => self.leaf(node, None, text),
                // Which elements come and go has to be the same: they have lines of their own.
                None => {
                    self.fixed = true;
                    nodes.iter().for_each(|node| self.node(node));
                    self.fixed = false;
                }
            },
            Body::Map(nodes) | Body::Blocks(nodes) | Body::Object(nodes) => {
                nodes.iter().for_each(|node| self.node(node));
            }
        }
        self.out.push(')');
    }

    fn text(&mut self, node: &Node, text: &text_value::Text) {
        self.out.push_str(text.open);
        for (at, line) in text.lines.iter().enumerate() {
            match line {
                TextLine::Remark(remark) => self.out.extend(["#", remark, "\n"]),
                TextLine::Line(status, line) => {
                    let status = format!("{status:?} ");
                    let loose = self.loose(line);
                    self.out.extend([status.as_str(), loose.as_str(), "\n"]);
                    self.leaf(node, Some(at), line.clone());
                }
            }
        }
    }

    /// Returns a line without what may differ in it: numbers, or the instance's key.
    fn loose(&self, line: &str) -> String {
        match self.key {
            _ if self.fixed => line.to_owned(),
            None => line.to_owned(),
            Some(InstanceKey::Index(_)) => split_numbers(line)
                .into_iter()
                .map(
                    |part| if part.starts_with(|c: char| c.is_ascii_digit()) { "\0" } else { part },
                )
                .collect(),
            Some(InstanceKey::Name(name)) => without_word(line, name),
        }
    }

    fn leaf(&mut self, node: &Node, line: Option<usize>, text: String) {
        if self.fixed {
            self.out.push_str(&text);
        } else {
            self.out.push('v');
            self.leaves.push(Leaf { path: node.path.clone(), line, text });
        }
    }
}

/// Returns a text with a placeholder for a word, where no letter or digit stands beside it.
fn without_word(text: &str, word: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = (!word.is_empty()).then(|| rest.split_once(word)).flatten() {
        let is_word =
            !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        out.extend([before, if is_word { "\0" } else { word }]);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Tells which of several instances with the same skeleton do not go along with the others in their texts: a line of theirs
/// differs, and not as the instances' numbers do.
fn odd_ones(keys: &[&InstanceKey], leaves: &[&Leaves]) -> BTreeSet<usize> {
    let mut odd = BTreeSet::new();
    let Some(first) = leaves.first() else { return odd };
    // Of instances with keys, the skeleton has let nothing differ but the key.
    let numbers: Option<Vec<i128>> = keys.iter().map(|key| number(key)).collect();
    let Some(numbers) = numbers else { return odd };
    for at in (0..first.len()).filter(|&at| first[at].line.is_some()) {
        let lines: Vec<&str> = leaves.iter().map(|it| it[at].text.as_str()).collect();
        if lines.iter().all(|line| *line == lines[0]) {
            continue;
        }
        let parts: Vec<Vec<&str>> = lines.iter().map(|line| split_numbers(line)).collect();
        for column in 0..parts[0].len() {
            let texts: Vec<&str> =
                parts.iter().map(|it| it.get(column).copied().unwrap_or_default()).collect();
            if texts.iter().all(|text| *text == texts[0]) {
                continue;
            }
            // Either most say the same, or most are as far from their instance's number.
            let offsets: Vec<Option<i128>> = texts
                .iter()
                .enumerate()
                .map(|(at, text)| Some(text.parse::<i128>().ok()? - numbers[at]))
                .collect();
            let (text, same) = commonest(&texts);
            let (offset, along) = commonest(&offsets);
            let goes_along = |at: usize| {
                if along > same && offset.is_some() {
                    offsets[at] == *offset
                } else {
                    texts[at] == *text
                }
            };
            odd.extend((0..texts.len()).filter(|&at| !goes_along(at)));
        }
    }
    odd
}

/// Returns an instance's number, when it is not a key.
fn number(key: &InstanceKey) -> Option<i128> {
    match key {
        InstanceKey::Index(index) => i128::try_from(*index).ok(),
        InstanceKey::Name(_) => None,
    }
}

/// Returns the value that comes most often, the first of those, and how often.
fn commonest<T: Ord>(values: &[T]) -> (&T, usize) {
    let mut counts: BTreeMap<&T, usize> = BTreeMap::new();
    values.iter().for_each(|it| *counts.entry(it).or_default() += 1);
    let mut best = (&values[0], 0);
    for value in values {
        if counts[value] > best.1 {
            best = (value, counts[value]);
        }
    }
    best
}

impl Varying {
    /// Brings together what was found in several instances.
    fn of(instances: &[(InstanceKey, Leaves)]) -> Self {
        let keys = instances.iter().map(|(key, _)| key.clone()).collect();
        let Some((_, first)) = instances.first() else { return Self::default() };
        let values = first
            .iter()
            .enumerate()
            .map(|(at, leaf)| {
                let of = |(_, leaves): &(InstanceKey, Leaves)| leaves[at].text.clone();
                let place = (leaf.path.clone(), leaf.line);
                (place, instances.iter().map(of).collect::<Vec<_>>())
            })
            .filter(|(_, values)| values.iter().any(|value| *value != values[0]))
            .collect();
        Self { keys, values }
    }

    /// Says what the values at a path are; `None` when all instances have the same there.
    pub(crate) fn at(&self, path: &Path) -> Option<String> {
        self.values.get(&(path.clone(), None)).map(|values| describe(&self.keys, values))
    }

    /// Tells whether anything differs at a path or in what is there.
    pub(crate) fn is_within(&self, path: &Path) -> bool {
        self.values.keys().any(|(it, _)| it.0.starts_with(&path.0))
    }

    /// Says how a line of a text differs: what is shown is the first instance's; `None` when all have the same.
    pub(crate) fn at_line(&self, path: &Path, line: usize) -> Option<String> {
        self.values.get(&(path.clone(), Some(line)))?;
        let key = self.keys.first()?;
        let how = match key {
            InstanceKey::Index(_) => "number",
            InstanceKey::Name(_) => "key",
        };
        Some(format!(
            "(this is {}'s line; the others differ by {how})",
            quote::plain(&key.to_string())
        ))
    }
}

/// Says which values there are.
fn describe(keys: &[InstanceKey], values: &[String]) -> String {
    let becomes_unknown = format!(" -> {UNKNOWN}");
    if values.iter().all(|value| value.ends_with(&becomes_unknown)) {
        // What each of them was says nothing of what it will be.
        return format!("each its own{becomes_unknown}");
    }
    let ends = || format!("{} to {}", values[0], values[values.len() - 1]);
    if is_numbered(keys, values) {
        return format!("{}, by number", ends());
    }
    if is_keyed(keys, values) {
        return format!("{}, by key", ends());
    }
    let mut found: Vec<(&String, Vec<&InstanceKey>)> = Vec::new();
    let mut places: BTreeMap<&String, usize> = BTreeMap::new();
    for (key, value) in keys.iter().zip(values) {
        let place = *places.entry(value).or_insert(found.len());
        if place == found.len() {
            found.push((value, Vec::new()));
        }
        found[place].1.push(key);
    }
    if found.len() * 2 > values.len() {
        let each = keys.iter().zip(values).map(|(key, value)| format!("{value} for {key}"));
        return each.map(|it| quote::plain(&it)).collect::<Vec<_>>().join(", ");
    }
    let one = |(value, keys): (&String, Vec<&InstanceKey>)| {
        if keys.len() > FEW {
            return format!("{value} {}", counted(keys.len(), "time"));
        }
        let keys: Vec<String> = keys.iter().map(|key| quote::plain(&key.to_string())).collect();
        format!("{value} for {}", keys.join(" and "))
    };
    found.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Tells whether every value is made in the same way from the instance's number: `"web-07"` of 7.
fn is_numbered(keys: &[InstanceKey], values: &[String]) -> bool {
    let numbers: Option<Vec<i128>> = keys.iter().map(number).collect();
    let Some(numbers) = numbers else { return false };
    let parts: Vec<Vec<&str>> = values.iter().map(|value| split_numbers(value)).collect();
    let Some(first) = parts.first() else { return false };
    if parts.iter().any(|it| it.len() != first.len()) {
        return false;
    }
    (0..first.len()).all(|at| {
        let column: Vec<&str> = parts.iter().map(|it| it[at]).collect();
        column.iter().all(|it| *it == first[at]) || counts_along(&numbers, &column)
    })
}

/// Tells whether texts are numbers that grow as the instances' do, all padded or none.
fn counts_along(numbers: &[i128], column: &[&str]) -> bool {
    let read: Option<Vec<i128>> = column.iter().map(|it| it.parse().ok()).collect();
    let Some(read) = read else { return false };
    let offset = read[0] - numbers[0];
    let counts = read.iter().zip(numbers).all(|(value, number)| value - number == offset);
    let is_bare = column.iter().zip(&read).all(|(text, value)| *text == value.to_string());
    let is_padded = column.iter().all(|text| text.len() == column[0].len());
    counts && (is_bare || is_padded)
}

/// Splits a text where digits begin and end.
fn split_numbers(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut was_digit = None;
    for (at, byte) in text.bytes().enumerate() {
        let is_digit = byte.is_ascii_digit();
        if was_digit.is_some_and(|was| was != is_digit) {
            parts.push(&text[start..at]);
            start = at;
        }
        was_digit = Some(is_digit);
    }
    parts.push(&text[start..]);
    parts
}

/// Tells whether every value is the instance's key between the same two texts.
fn is_keyed(keys: &[InstanceKey], values: &[String]) -> bool {
    let names: Option<Vec<String>> = keys
        .iter()
        .map(|key| match key {
            InstanceKey::Index(_) => None,
            InstanceKey::Name(name) => Some(quote::escaped(name)),
        })
        .collect();
    let Some(names) = names else { return false };
    let (Some(name), Some(value)) = (names.first(), values.first()) else { return false };
    value.match_indices(name.as_str()).any(|(at, _)| {
        let (before, after) = (&value[..at], &value[at + name.len()..]);
        names.iter().zip(values).all(|(name, value)| {
            value.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) == Some(name)
        })
    })
}

/// Returns the keys of several instances in one pair of brackets: `[0 to 9, 12]`, `["a", "b"]`.
pub(crate) fn keys(keys: &[&InstanceKey]) -> String {
    let mut numbers = BTreeSet::new();
    let mut names = Vec::new();
    for key in keys {
        match key {
            InstanceKey::Index(index) => {
                numbers.insert(*index);
            }
            InstanceKey::Name(name) => names.push(quote::quoted(name)),
        }
    }
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => runs.push((number, number)),
        }
    }
    let runs = runs.into_iter().map(|(start, end)| match end - start {
        0 => start.to_string(),
        1 => format!("{start}, {end}"),
        _ => format!("{start} to {end}"),
    });
    format!("[{}]", runs.chain(names).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(keys: &[InstanceKey], values: &[&str], expected: &str) {
        let values: Vec<String> = values.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(describe(keys, &values), expected);
    }

    fn indexes(numbers: &[usize]) -> Vec<InstanceKey> {
        numbers.iter().map(|number| InstanceKey::Index(*number)).collect()
    }

    fn names(names: &[&str]) -> Vec<InstanceKey> {
        names.iter().map(|name| InstanceKey::Name((*name).into())).collect()
    }

    #[test]
    fn what_follows_from_the_number_is_told_by_its_ends() {
        check(
            &indexes(&[0, 1, 5]),
            &["\"w-0\"", "\"w-1\"", "\"w-5\""],
            "\"w-0\" to \"w-5\", by number",
        );
        check(
            &indexes(&[8, 9, 10]),
            &["\"009\"", "\"010\"", "\"011\""],
            "\"009\" to \"011\", by number",
        );
        check(&indexes(&[8, 9, 10]), &["8", "9", "10"], "8 to 10, by number");
        check(
            &indexes(&[0, 1, 2]),
            &["10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"],
            "10.0.0.0/16 to 10.2.0.0/16, by number",
        );
    }

    #[test]
    fn what_does_not_is_told_value_by_value() {
        check(
            &indexes(&[0, 1, 2]),
            &["\"w-0\"", "\"w-7\"", "\"w-2\""],
            "\"w-0\" for [0], \"w-7\" for [1], \"w-2\" for [2]",
        );
        check(&indexes(&[0, 1, 2]), &["08", "9", "10"], "08 for [0], 9 for [1], 10 for [2]");
        check(
            &indexes(&[0, 1, 2]),
            &[
                "\"a\" -> (known after apply)",
                "\"b\" -> (known after apply)",
                "\"c\" -> (known after apply)",
            ],
            "each its own -> (known after apply)",
        );
        let values = ["a", "b", "a", "a", "a", "a"];
        check(&indexes(&[0, 1, 2, 3, 4, 5]), &values, "a 5 times, b for [1]");
    }

    #[test]
    fn what_follows_from_the_key_is_told_by_its_ends() {
        check(
            &names(&["a", "e", "m"]),
            &["\"team-a\"", "\"team-e\"", "\"team-m\""],
            "\"team-a\" to \"team-m\", by key",
        );
        check(
            &names(&["a", "b", "c"]),
            &["\"a\"", "\"b\"", "\"d\""],
            "\"a\" for [\"a\"], \"b\" for [\"b\"], \"d\" for [\"c\"]",
        );
    }

    #[test]
    fn keys_share_brackets() {
        let show = |all: &[InstanceKey]| keys(&all.iter().collect::<Vec<_>>());
        assert_eq!(show(&indexes(&[0, 1, 2, 5, 7, 8])), "[0 to 2, 5, 7, 8]");
        assert_eq!(show(&names(&["a", "b\""])), r#"["a", "b\""]"#);
    }
}
