//! "Did you mean": the nearest of the names that would have been right.

/// Returns the name nearest to `wanted`, when one is near enough to have been meant.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    match meant(wanted, names).as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// Returns "Did you mean `name`?" as a hint, when a name is near enough, or up to three of which `wanted` is a part.
pub(crate) fn did_you_mean<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let meant = meant(wanted, names);
    let quoted: Vec<String> = meant.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => None,
        [start @ .., last] if !start.is_empty() => {
            Some(format!("Did you mean {} or {last}?", start.join(", ")))
        }
        [.., only] => Some(format!("Did you mean {only}?")),
    }
}

/// Returns the names that may have been meant: the nearest one, or else those of which `wanted` is a whole part, as
/// `size` is of `volume_size`.
pub(crate) fn meant<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // A long name may have more slips in it than a short one; beyond a third it is another word.
    let length = wanted.chars().count();
    let limit = if length < 2 { 0 } else { (length / 3).max(1) };
    let mut nearest: Option<(usize, &str)> = None;
    let mut whole = Vec::new();
    for name in names {
        if length >= 3 && is_part(wanted, name) && !whole.contains(&name) {
            whole.push(name);
        }
        if name.len().abs_diff(wanted.len()) <= limit * 4 {
            let found = (strsim::damerau_levenshtein(wanted, name), name);
            if found.0 <= limit && nearest.is_none_or(|best| found < best) {
                nearest = Some(found);
            }
        }
    }
    match nearest {
        // A slip or two make it surer than a common part does.
        Some((distance, name)) if distance <= (length / 8).max(1) || whole.is_empty() => vec![name],
        _ if whole.len() <= 3 && !whole.is_empty() => whole,
        Some((_, name)) => vec![name],
        None => Vec::new(),
    }
}

/// Tells whether one of two names is the beginning or the end of the other, by whole words.
fn is_part(wanted: &str, name: &str) -> bool {
    let (short, long) = if wanted.len() < name.len() { (wanted, name) } else { (name, wanted) };
    let begins = long.strip_prefix(short).is_some_and(|rest| rest.starts_with('_'));
    let ends = long.strip_suffix(short).is_some_and(|rest| rest.ends_with('_'));
    short.len() >= 3 && (begins || ends)
}

/// Lists names for a sentence: "`a`, `b`, and `c`"; "nothing" for none.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}
