//! From the text of a scalar to an expression, through the HCL parser.

use std::path::Path as FilePath;

use hcl_edit::expr::Expression;
use hcl_edit::template::Template;
use reconcile_model::Value;

use super::lower::{Lowering, Names};
use super::{Expr, ExprKind};
use crate::eval::Failure;
use crate::place::Range;

/// The longest text that is parsed as an expression, in bytes. The parser's time and memory are many times the text's.
const MAX_EXPRESSION_BYTES: usize = 1 << 20;

/// Tells whether a text holds anything but itself.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("${") || text.contains("%{")
}

/// Parses the text of a scalar. A text that is exactly one `${…}` keeps the type of its expression.
pub(crate) fn template(text: &str, names: &dyn Names) -> Result<Expr, Vec<Failure>> {
    let parsed = parse_template(text)?;
    let mut lowering = Lowering::new(names);
    let expr = lowering.template(&parsed, true);
    lowering.finish(expr)
}

/// Parses the text of a file for `templatefile`, which sees nothing but the variables it is given.
pub(crate) fn template_of_file(text: &str, root: &FilePath) -> Result<Expr, Vec<Failure>> {
    let parsed = parse_template(text)?;
    let names = super::lower::GivenNames { root };
    let mut lowering = Lowering::new(&names);
    let expr = lowering.template(&parsed, true);
    lowering.finish(expr)
}

/// Parses a text that is an expression as a whole into the parser's own tree, for what is a name rather than a value.
pub(crate) fn parse_bare(text: &str) -> Result<Expression, Vec<Failure>> {
    check_length(text)?;
    hcl_edit::parser::parse_expr(text).map_err(|error| vec![failure(text, &error)])
}

fn parse_template(text: &str) -> Result<Template, Vec<Failure>> {
    check_length(text)?;
    hcl_edit::parser::parse_template(text).map_err(|error| vec![failure(text, &error)])
}

fn check_length(text: &str) -> Result<(), Vec<Failure>> {
    if text.len() <= MAX_EXPRESSION_BYTES {
        return Ok(());
    }
    Err(vec![
        Failure::new(Range::default(), "The expression is too long")
            .detail(format!(
                "It has {} bytes; at most {MAX_EXPRESSION_BYTES} are taken.",
                text.len()
            ))
            .hint("Keep long texts in a file, and read it with `file()`.".to_owned()),
    ])
}

/// Tells what the parser found wrong.
fn failure(text: &str, error: &hcl_edit::parser::Error) -> Failure {
    let offset = error.location().offset().min(text.len());
    let offset = (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let end = text[offset..].chars().next().map_or(offset, |c| offset + c.len_utf8());
    let at = Range::new(offset..end);
    let message = error.message();
    if message.contains("nested levels") || message.contains("chained binary operators") {
        return Failure::new(at, "The expression is nested too deeply")
            .detail(format!(
                "It may have {}.",
                message.rsplit("expected ").next().unwrap_or(message)
            ))
            .hint("Give its parts names with `locals`.".to_owned());
    }
    let failure = Failure::new(at, "Not an expression");
    let opened = text.matches("${").count() + text.matches("%{").count();
    if offset + 1 >= text.len() && opened > text.matches('}').count() {
        return failure.detail("A `${` is not closed.").hint(
            "Add the missing `}`; for a `${` that stands for itself, write `$${`.".to_owned(),
        );
    }
    let rest = text[offset..].trim_start_matches([' ', '\n', '\t']);
    let misses_value = message.starts_with("invalid expression");
    if text.matches("%{").count() > 0 && message.contains("unexpected token") {
        return failure.detail("A `%{ if }` or `%{ for }` has no end, or an end too many.").hint(
            "Close it with `%{ endif }` or `%{ endfor }`; for a `%{` that stands for itself, write `%%{`."
                .to_owned(),
        );
    }
    if message.contains("unexpected token") {
        return failure
            .detail("What begins here is not closed: a `${`, or a quote inside it.")
            .hint(SHELL.to_owned());
    }
    if misses_value && (rest.is_empty() || rest.starts_with(['}', ')', ']', ','])) {
        return failure.detail("A value is missing here.");
    }
    if misses_value {
        let is_start = text[..offset].trim_end().ends_with("${");
        return failure
            .detail("A value is expected here.")
            .hint(is_start.then(|| SHELL.to_owned()));
    }
    if message == "expected `)` or expression" {
        return failure.detail("A `)` is missing.");
    }
    failure.detail(format!("{}.", capitalized(message))).hint(
        // What a shell can say between `${` and `}`, and an expression cannot.
        [":-", ":=", ":?", "##", "%%", "[@]"]
            .iter()
            .any(|it| text.contains(it))
            .then(|| SHELL.to_owned()),
    )
}

const SHELL: &str = "For a `${…}` that stands for itself, such as a shell's, write `$${…}`.";

fn capitalized(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Returns an expression that stands for one that could not be read; its errors have been told.
pub(crate) fn broken(at: Range) -> Expr {
    Expr { kind: ExprKind::Literal(Value::Unknown), at }
}
