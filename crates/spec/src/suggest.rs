//! "Did you mean": the nearest of the names that would have been right.

/// Returns the name nearest to `wanted`, when one is near enough to have been meant.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A long name may have more slips in it than a short one; beyond a third it is another word.
    let length = wanted.chars().count();
    let limit = if length < 2 { 0 } else { (length / 3).max(1) };
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(wanted.len()) <= limit * 4)
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Returns "Did you mean `name`?" as a hint, when a name is near enough.
pub(crate) fn did_you_mean<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(wanted, names).map(|name| format!("Did you mean `{name}`?"))
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
