//! Files of the spec, and templates.

mod glob;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reconcile_model::Value;

use super::call::{Args, Function, MAP, TEXT};
use super::fault::Fault;
use super::path;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "file(path)",
        "The content of the file, which must be UTF-8 text.",
        &[TEXT],
        |args| Ok(read_text(args)?.into()),
    ),
    Function::whole("filebase64(path)", "The content of the file, in Base64.", &[TEXT], |args| {
        Ok(STANDARD.encode(read(args, 0)?).into())
    }),
    Function::whole("fileexists(path)", "Whether the path leads to a file.", &[TEXT], |args| {
        let exists = args.cx.file_exists(args.text(0));
        Ok(exists.map_err(|why| Fault::at(0, "cannot be looked up").detail(why))?.into())
    }),
    Function::whole(
        "fileset(path, pattern)",
        "The set of files below the path that match a pattern of `*`, `**`, `?`, `[a-z]`, and `{a,b}`.",
        &[TEXT, TEXT],
        file_set,
    ),
    Function::shallow(
        "templatefile(path, vars)",
        "The file's text with its `${…}` and `%{…}` evaluated over these variables.",
        &[TEXT, MAP],
        |args| render(args, args.text(0), &read_text(args)?),
    ),
    Function::shallow(
        "templatestring(template, vars)",
        "The text with its `${…}` and `%{…}` evaluated over these variables.",
        &[TEXT, MAP],
        |args| render(args, "template", args.text(0)),
    ),
];

/// Reads the file that a `TEXT` argument names.
pub(super) fn read(args: &Args<'_>, index: usize) -> Result<Vec<u8>, Fault> {
    let content = args.cx.read_file(args.text(index));
    content.map_err(|why| Fault::at(index, "names a file that cannot be read").detail(why))
}

fn read_text(args: &Args<'_>) -> Result<String, Fault> {
    let binary = "names a file that is not UTF-8 text; use `filebase64`";
    String::from_utf8(read(args, 0)?).map_err(|_| Fault::at(0, binary).quoting(args.text(0)))
}

fn render(args: &Args<'_>, name: &str, text: &str) -> Result<Value, Fault> {
    let rendered = args.cx.render_template(name, text, args.map(1));
    rendered.map_err(|why| Fault::new("the template cannot be evaluated").detail(why))
}

fn file_set(args: &Args<'_>) -> Result<Value, Fault> {
    let pattern = glob::compile(&path::clean(args.text(1)))
        .map_err(|problem| Fault::at(1, "must be a pattern for paths").detail(problem))?;
    let files = args.cx.list_files(args.text(0));
    let mut files = files.map_err(|why| Fault::at(0, "cannot be listed").detail(why))?;
    files.retain(|file| pattern.is_match(file));
    files.sort();
    files.dedup();
    Ok(files.into())
}

#[cfg(test)]
mod tests;
