//! Terraform's built-in functions.
//!
//! One table, one topic a file. A function states its signature, one line of documentation, what it takes, and how it
//! stands to values that are unknown or sensitive; [`call`] does the rest for all of them alike: counts and converts
//! the arguments, refuses nulls, passes unknowns on, carries sensitive marks, and bounds the result.
//!
//! There is no set type: a set is a list that is sorted and holds each item once.
//!
//! **Architecture Invariant:** a function is a pure function of its arguments and its [`CallContext`]. It neither looks
//! at the machine nor panics, whatever its arguments are, and no error quotes a sensitive value.

mod bounds;
mod call;
mod collection;
mod convert;
mod date;
mod encoding;
mod fault;
mod file;
mod format;
mod hash;
mod json;
mod map;
mod marks;
mod network;
mod number;
mod path;
mod pattern;
mod set;
mod string;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::LazyLock;

use reconcile_model::{Object, Value};

pub use call::Function;
pub use fault::CallError;

/// The most items that a function's result may hold, at all depths together.
pub const MAX_ITEMS: usize = 1 << 20;

/// The most bytes of text that a function's result may hold.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// What a function may ask of the spec that calls it.
pub trait CallContext {
    /// Returns the content of a file. The error says why it cannot be read.
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Returns the files below a folder, at any depth, relative to it, separated by `/`, sorted.
    fn list_files(&self, dir: &str) -> Result<Vec<String>, String>;

    /// Tells whether a path leads to a file. The error says why that cannot be told.
    fn file_exists(&self, path: &str) -> Result<bool, String>;

    /// Evaluates a template with these variables and no others; `name` is what its errors call it.
    fn render_template(&self, name: &str, text: &str, vars: &Object) -> Result<Value, String>;

    /// Returns a path of the spec as an absolute one.
    fn absolute_path(&self, path: &str) -> Result<String, String> {
        Err(format!("`{path}` has no absolute form here; use it as it is"))
    }
}

/// One topic of the reference page.
struct Topic {
    title: &'static str,
    /// What there is to say besides, in Markdown; may be empty.
    note: &'static str,
    functions: &'static [Function],
}

static TOPICS: &[Topic] = &[
    Topic { title: "Strings", note: "", functions: string::FUNCTIONS },
    Topic { title: "Regular expressions", note: "", functions: pattern::FUNCTIONS },
    Topic {
        title: "Formatting",
        note: "A verb is `%`, flags (`-` left-aligned, `+` with sign, a space for the sign, `0` zeros in front, `#`), a width, `.` and \
               a precision, the number of an argument as `[1]`, and a letter: `v` any value, `s` string, `q` string in quotes, \
               `t` bool, `d` `b` `o` `x` `X` whole number in base 10, 2, 8, 16, `f` `e` `E` `g` `G` number, `%` itself. `%#v` is JSON.",
        functions: format::FUNCTIONS,
    },
    Topic { title: "Numbers", note: "", functions: number::FUNCTIONS },
    Topic { title: "Lists", note: "", functions: collection::FUNCTIONS },
    Topic { title: "Maps", note: "", functions: map::FUNCTIONS },
    Topic { title: "Sets", note: "", functions: set::FUNCTIONS },
    Topic { title: "Encoding", note: "", functions: encoding::FUNCTIONS },
    Topic { title: "JSON", note: "", functions: json::FUNCTIONS },
    Topic { title: "YAML", note: "", functions: yaml::FUNCTIONS },
    Topic { title: "Files", note: "", functions: file::FUNCTIONS },
    Topic { title: "Paths", note: "", functions: path::FUNCTIONS },
    Topic {
        title: "Dates and times",
        note: "Verbs of `formatdate`: `YYYY` `YY` year, `MMMM` `MMM` `MM` `M` month, `DD` `D` day, `EEEE` `EEE` weekday, `hh` `h` hour of 24, \
               `HH` `H` hour of 12, `AA` `aa` half of the day, `mm` `m` minute, `ss` `s` second, `ZZZZZ` `ZZZZ` `ZZZ` `Z` offset. \
               Other letters stand between single quotes; `''` is one.",
        functions: date::FUNCTIONS,
    },
    Topic { title: "Hashes", note: "", functions: hash::FUNCTIONS },
    Topic { title: "IP networks", note: "", functions: network::FUNCTIONS },
    Topic { title: "Types", note: "", functions: convert::FUNCTIONS },
];

static REGISTRY: LazyLock<Vec<&'static Function>> = LazyLock::new(|| {
    let mut all: Vec<_> = TOPICS.iter().flat_map(|topic| topic.functions).collect();
    all.sort_by_key(|function| function.name);
    all
});

/// Functions that Terraform has or had and that a spec may not call, each with the reason and the cure.
pub static REFUSED: &[(&str, &str)] = &[
    (
        "bcrypt",
        "its result is another one each time, so no plan would ever be empty; hash the password once, outside",
    ),
    ("ephemeralasnull", "there are no ephemeral values; mark what is secret with `sensitive`"),
    ("list", "Terraform removed it; write `[a, b]`, or `tolist([a, b])`"),
    ("map", "Terraform removed it; write `{ key = value }`, or `tomap({ key = value })`"),
    (
        "plantimestamp",
        "a plan must be the same each time it is made; pass the time in as a variable",
    ),
    (
        "rsadecrypt",
        "a private key would have to enter the plan; decrypt outside and pass the result in as a sensitive variable",
    ),
    (
        "timestamp",
        "its result is another one each time, so no plan would ever be empty; pass the time in as a variable",
    ),
    (
        "uuid",
        "its result is another one each time, so no plan would ever be empty; `uuidv5` makes the same id from the same name",
    ),
];

/// Returns the function of a name.
pub fn find(name: &str) -> Option<&'static Function> {
    let index = REGISTRY.binary_search_by_key(&name, |function| function.name).ok()?;
    Some(REGISTRY[index])
}

/// Returns why a function of Terraform's is refused, when it is.
pub fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)
}

/// Returns the names of all functions, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|function| function.name)
}

/// Returns the reference page `docs/functions.md`, in Markdown.
pub fn reference() -> String {
    let mut page = String::from(include_str!("functions/reference.md"));
    for topic in TOPICS {
        let _ = write!(page, "\n## {}\n\n", topic.title);
        if !topic.note.is_empty() {
            let _ = write!(page, "{}\n\n", topic.note);
        }
        page.push_str("| function | result |\n| --- | --- |\n");
        for function in topic.functions {
            let _ = writeln!(
                page,
                "| `{}` | {} |",
                function.signature,
                function.doc.replace('|', "\\|")
            );
        }
    }
    page.push_str("\n## Not available\n\n| function | why |\n| --- | --- |\n");
    for (name, why) in REFUSED {
        let _ = writeln!(page, "| `{name}` | {why} |");
    }
    page
}
