//! Paths, taken apart and put in order as text. They are separated by `/` on every system.

use reconcile_model::Value;

use super::call::{Args, Function, TEXT};
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole("abspath(path)", "The path as an absolute one.", &[TEXT], |args| {
        let path = args.text(0);
        if path.starts_with('/') {
            return Ok(clean(path).into());
        }
        let absolute = args.cx.absolute_path(path);
        Ok(clean(&absolute.map_err(|why| Fault::at(0, "cannot be made absolute").detail(why))?)
            .into())
    }),
    Function::whole("basename(path)", "The last part of the path.", &[TEXT], base_name),
    Function::whole("dirname(path)", "The path without its last part.", &[TEXT], |args| {
        let path = args.text(0);
        let folder = path.rfind('/').map_or("", |slash| &path[..=slash]);
        Ok(clean(folder).into())
    }),
    Function::whole(
        "pathexpand(path)",
        "The path; one that begins with `~` is refused: a plan may not depend on whose it is.",
        &[TEXT],
        |args| {
            let path = args.text(0);
            if path.starts_with('~') {
                let message = "must not begin with `~`: the plan would depend on who makes it; use a variable";
                return Err(Fault::at(0, message));
            }
            Ok(path.into())
        },
    ),
];

/// Removes what a path does not need: doubled slashes, `.`, and `..` after a name.
pub(super) fn clean(path: &str) -> String {
    let root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(&last)) if last != ".." => {
                parts.pop();
            }
            ("..", None) if root => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (root, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn base_name(args: &Args<'_>) -> Result<Value, Fault> {
    let path = args.text(0);
    let trimmed = path.trim_end_matches('/');
    Ok(match (trimmed.rsplit('/').next().unwrap_or_default(), path) {
        ("", "") => ".".into(),
        ("", _) => "/".into(),
        (name, _) => name.into(),
    })
}

#[cfg(test)]
mod tests;
