//! `reconcile schema`.

use clap::Args;
use reconcile_model::{Diagnostic, Mode, Schema, SchemaSet};
use reconcile_report::reference;

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::load;

/// Show the reference of a resource type or data source, or the JSON Schema of specs
#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// A resource type, such as aws_instance, or a data source, such as data.aws_ami; all are listed without it
    #[arg(value_name = "TYPE")]
    name: Option<String>,

    /// Print JSON Schema, for editors: of a block of the type, or of a whole spec
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SchemaArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let schemas = load::schemas();
    let Some(name) = &args.name else {
        if args.json {
            console.print_json(&reference::of_spec(&schemas));
        } else {
            for mode in [Mode::Managed, Mode::Data] {
                for schema in schemas.all(mode) {
                    console.print(&format!("{:<42} {}\n", address(schema), schema.doc));
                }
            }
        }
        return Ok(Exit::Done);
    };
    let schema = find(name, &schemas)?;
    if args.json {
        console.print_json(&reference::of_type(schema));
    } else {
        console.print(&reference::page(schema, None, &schemas));
    }
    Ok(Exit::Done)
}

/// Returns the schema that a name means: `data.` in front makes it a data source's; without it a resource type's comes
/// first.
fn find(name: &str, schemas: &SchemaSet) -> Result<&'static Schema, Failure> {
    let found = match name.strip_prefix("data.") {
        Some(name) => schemas.get(Mode::Data, name),
        None => schemas.get(Mode::Managed, name).or_else(|| schemas.get(Mode::Data, name)),
    };
    found.ok_or_else(|| {
        vec![
            Diagnostic::error(format!("There is no resource type or data source `{name}`"))
                .hint("`reconcile schema` lists all there are."),
        ]
    })
}

/// Returns the name of a type as it stands in addresses.
fn address(schema: &Schema) -> String {
    match schema.mode {
        Mode::Managed => schema.type_name.to_owned(),
        Mode::Data => format!("data.{}", schema.type_name),
    }
}
