//! Pages for people, in Markdown.

use std::fmt::Write as _;

use reconcile_model::schema::{Blocks, Nesting};
use reconcile_model::{Attribute, Kind, Mode, Schema, SchemaSet};

use super::wording;

/// Returns the folder of the pages of a mode, below the folder of the documentation.
pub fn folder(mode: Mode) -> &'static str {
    match mode {
        Mode::Managed => "resources",
        Mode::Data => "data-sources",
    }
}

/// Returns the page that lists all types of a mode.
pub fn index(mode: Mode, schemas: &SchemaSet) -> String {
    let (title, one) = match mode {
        Mode::Managed => ("Resource types", "resource type"),
        Mode::Data => ("Data sources", "data source"),
    };
    let mut text = format!("# {title}\n\n| {one} | what it is |\n| --- | --- |\n");
    for schema in schemas.all(mode) {
        let name = schema.type_name;
        line(&mut text, format_args!("| [`{name}`]({name}.md) | {} |", cell(schema.doc)));
    }
    text
}

/// Returns the page of one type. `example` is a spec that uses it, as YAML.
pub fn page(schema: &Schema, example: Option<&str>, schemas: &SchemaSet) -> String {
    let Schema { type_name, mode, doc, attributes, constraints, timeouts, .. } = schema;
    let what = match mode {
        Mode::Managed => "resource type",
        Mode::Data => "data source",
    };
    let mut text = format!("# {type_name} ({what})\n\n{doc}\n");
    if let Some(example) = example {
        line(&mut text, format_args!("\n## Example\n\n```yaml spec\n{}\n```", example.trim_end()));
    }

    let page = Page { mode: *mode, schemas };
    let (arguments, computed): (Vec<&Attribute>, Vec<&Attribute>) =
        attributes.iter().partition(|attribute| attribute.is_argument());
    text.push_str("\n## Arguments\n\n");
    if arguments.is_empty() {
        text.push_str("It takes none.\n");
    } else {
        page.table(&mut text, "", &arguments);
    }
    let rules: Vec<String> = constraints.iter().filter_map(wording::constraint).collect();
    if !rules.is_empty() {
        text.push('\n');
        rules.iter().for_each(|rule| line(&mut text, format_args!("- {rule}")));
    }
    text.push_str(match mode {
        Mode::Managed => "\nBesides these, [what every resource takes](../language.md#resources-and-data-sources).\n",
        Mode::Data => "\nWhat is left out is an attribute: what was found. Besides these, [what every data source takes](../language.md#resources-and-data-sources).\n",
    });
    page.blocks(&mut text, "", &arguments);
    if !computed.is_empty() {
        let what = if type_name.starts_with("aws_") { "What AWS decides" } else { "What is found" };
        line(
            &mut text,
            format_args!(
                "\n## Attributes\n\n{what}, for expressions to refer to, besides the arguments.\n"
            ),
        );
        page.table(&mut text, "", &computed);
        page.blocks(&mut text, "", &computed);
    }

    if let Some(recovery) = wording::recovery(schema) {
        line(&mut text, format_args!("\n## Timeouts\n\n| operation | time |\n| --- | --- |"));
        for (name, time) in
            [("create", timeouts.create), ("update", timeouts.update), ("delete", timeouts.delete)]
        {
            line(&mut text, format_args!("| `{name}` | {} |", wording::duration(time)));
        }
        line(
            &mut text,
            format_args!(
                "\n`timeouts: {{ create: 30m }}` in the block gives an operation another time."
            ),
        );
        line(
            &mut text,
            format_args!(
                "\n## Recovery\n\nHow an object is found again whose create call was interrupted: {}",
                wording::lower(&recovery)
            ),
        );
    }
    iam(&mut text, schema);
    text
}

fn iam(text: &mut String, schema: &Schema) {
    let list = |actions: &[&str]| {
        actions.iter().map(|action| format!("- `{action}`\n")).collect::<String>()
    };
    if schema.iam_read.is_empty() && schema.iam_write.is_empty() {
        return;
    }
    text.push_str("\n## IAM actions\n");
    if !schema.iam_read.is_empty() {
        let who = match schema.mode {
            Mode::Managed => "Planning",
            Mode::Data => "Reading it",
        };
        line(text, format_args!("\n{who} needs:\n\n{}", list(schema.iam_read).trim_end()));
    }
    if !schema.iam_write.is_empty() {
        line(
            text,
            format_args!("\nApplying needs, besides:\n\n{}", list(schema.iam_write).trim_end()),
        );
    }
}

/// What the tables of a page have in common.
struct Page<'a> {
    mode: Mode,
    schemas: &'a SchemaSet,
}

impl Page<'_> {
    /// Adds a table of attributes. What a change costs is told where changes are made.
    fn table(&self, text: &mut String, prefix: &str, attributes: &[&Attribute]) {
        let settable = attributes.iter().any(|attribute| attribute.is_argument());
        match (settable, self.mode) {
            (true, Mode::Managed) => text.push_str(
                "| name | kind | given | a change | meaning |\n| --- | --- | --- | --- | --- |\n",
            ),
            (true, Mode::Data) => {
                text.push_str("| name | kind | given | meaning |\n| --- | --- | --- | --- |\n");
            }
            (false, _) => text.push_str("| name | kind | meaning |\n| --- | --- | --- |\n"),
        }
        for attribute in attributes {
            let name = attribute.name;
            let mut cells = vec![match attribute.kind {
                Kind::Blocks(_) => format!("[`{name}`](#{})", anchor(&format!("{prefix}{name}"))),
                Kind::String
                | Kind::Int
                | Kind::Number
                | Kind::Bool
                | Kind::List(_)
                | Kind::Set(_)
                | Kind::Map(_) => format!("`{name}`"),
            }];
            cells.push(wording::kind(&attribute.kind));
            if settable {
                cells.push(wording::presence(attribute, self.mode));
                if self.mode == Mode::Managed {
                    let change = wording::on_change(attribute);
                    cells.push(if attribute.is_argument() { change } else { "–" }.to_owned());
                }
            }
            cells.push(cell(&wording::meaning(attribute, self.mode, self.schemas)));
            line(text, format_args!("| {} |", cells.join(" | ")));
        }
    }

    /// Adds a section for each attribute that is made of blocks, and for the blocks in them.
    fn blocks(&self, text: &mut String, prefix: &str, attributes: &[&Attribute]) {
        for attribute in attributes {
            let Kind::Blocks(Blocks { attributes: nested, nesting, max, .. }) = attribute.kind
            else {
                continue;
            };
            let path = format!("{prefix}{}", attribute.name);
            line(text, format_args!("\n### `{path}`\n"));
            if attribute.is_argument() && *max != Some(1) {
                let order = match nesting {
                    Nesting::List => "their order counts",
                    Nesting::Set => "their order means nothing",
                };
                line(text, format_args!("One mapping, or a list of mappings; {order}.\n"));
            }
            let nested: Vec<&Attribute> = nested.iter().collect();
            self.table(text, &format!("{path}."), &nested);
            self.blocks(text, &format!("{path}."), &nested);
        }
    }
}

/// Returns the anchor that renderers of Markdown give to a heading.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect()
}

/// Returns text as it can stand in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes all that is written to it");
}
