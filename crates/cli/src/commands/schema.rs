//! `reconcile schema`.

use std::path::PathBuf;

use clap::Args;
use reconcile_model::{Diagnostic, Mode, Schema, SchemaSet};
use reconcile_report::reference::{self, Bucket, Purpose, Used};
use reconcile_spec::Spec;

use crate::args::InputArgs;
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

    /// Print the IAM policy that a spec needs, and no more than it needs
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["name", "json"])]
    iam: Option<PathBuf>,

    /// With --iam: only what planning needs, which reads and writes nothing
    #[arg(long, requires = "iam")]
    read_only: bool,

    #[command(flatten)]
    inputs: InputArgs,
}

pub(crate) fn run(args: &SchemaArgs, console: &Console) -> Result<Exit, Failure> {
    if args.json {
        console.failures_as_json();
    }
    let schemas = load::schemas();
    if let Some(path) = &args.iam {
        let spec = load::spec(path, &args.inputs, console)?;
        console.print_json(&policy(&spec, args.read_only));
        return Ok(Exit::Done);
    }
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

/// Returns the policy that a spec needs.
fn policy(spec: &Spec, read_only: bool) -> serde_json::Value {
    let purpose = if read_only { Purpose::Plan } else { Purpose::Apply };
    let configuration = spec.configuration();
    let blocks = spec.blocks.values().filter_map(|block| {
        let says = configuration.resources.get(&block.address)?;
        Some(Used { schema: block.schema, says })
    });
    let restrictions = reconcile_provider_aws::RESTRICTIONS;
    reference::policy(blocks, purpose, restrictions, bucket(spec).as_ref())
}

/// Returns where the state is, when it is on S3.
fn bucket(spec: &Spec) -> Option<Bucket> {
    let backend = spec.backend.as_ref()?.map("s3")?;
    let partition = match backend.str("region").unwrap_or_default() {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    Some(Bucket {
        partition,
        name: backend.string("bucket")?,
        key: backend.string("key")?,
        kms_key: backend.string("kms_key_id"),
    })
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
