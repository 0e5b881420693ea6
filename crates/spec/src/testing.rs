//! What the tests share: a few small schemas, and diagnostics in a compact text form.

use reconcile_model::schema::{Blocks, Check, Constraint, Literal, Nesting, Recovery, Timeouts};
use reconcile_model::{Attribute, Diagnostic, Kind, Mode, Schema, SchemaSet};

use crate::{Inputs, Loaded, Sources, load};

const fn schema(
    type_name: &'static str,
    mode: Mode,
    attributes: &'static [Attribute],
    constraints: &'static [Constraint],
) -> Schema {
    Schema {
        type_name,
        mode,
        version: 1,
        doc: "",
        attributes,
        constraints,
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(1, 1, 1),
        iam_read: &[],
        iam_write: &[],
    }
}

static INSTANCE: Schema = schema(
    "aws_instance",
    Mode::Managed,
    &[
        Attribute::required("ami", Kind::String),
        Attribute::optional("instance_type", Kind::String)
            .check(Check::OneOf(&["t3.micro", "t3.small"])),
        Attribute::optional_computed("subnet_id", Kind::String),
        Attribute::optional("vpc_security_group_ids", Kind::Set(&Kind::String)),
        Attribute::optional("user_data", Kind::String),
        Attribute::optional("user_data_base64", Kind::String),
        Attribute::optional("monitoring", Kind::Bool).default(Literal::Bool(false)),
        Attribute::optional("password", Kind::String).sensitive().check(Check::Length(8, 64)),
        Attribute::optional(
            "root_block_device",
            Kind::Blocks(&Blocks {
                nesting: Nesting::List,
                min: 0,
                max: Some(1),
                attributes: &[
                    Attribute::optional("volume_size", Kind::Int).check(Check::Range(1, 16384)),
                    Attribute::optional("iops", Kind::Int),
                    Attribute::optional("throughput", Kind::Number),
                ],
            }),
        ),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::computed("tags_all", Kind::Map(&Kind::String)),
        Attribute::computed("id", Kind::String),
        Attribute::computed("private_ip", Kind::String),
    ],
    &[
        Constraint::Conflicts(&["user_data", "user_data_base64"]),
        Constraint::Requires("root_block_device.iops", &["root_block_device.volume_size"]),
    ],
);

static GROUP: Schema = schema(
    "aws_security_group",
    Mode::Managed,
    &[
        Attribute::required("name", Kind::String),
        Attribute::optional(
            "ingress",
            Kind::Blocks(&Blocks {
                nesting: Nesting::Set,
                min: 0,
                max: None,
                attributes: &[
                    Attribute::required("from_port", Kind::Int).check(Check::Range(-1, 65535)),
                    Attribute::optional("cidr_blocks", Kind::List(&Kind::String))
                        .check(Check::Cidr4),
                    Attribute::optional("security_groups", Kind::Set(&Kind::String)),
                    Attribute::optional("protocol", Kind::String),
                ],
            }),
        ),
        Attribute::computed("id", Kind::String),
    ],
    &[],
);

static BALANCER: Schema = schema(
    "aws_lb",
    Mode::Managed,
    &[
        Attribute::optional("name", Kind::String),
        Attribute::optional("subnets", Kind::Set(&Kind::String)),
        Attribute::computed("id", Kind::String),
        Attribute::computed("dns_name", Kind::String),
    ],
    &[],
);

static IMAGE: Schema = schema(
    "aws_ami",
    Mode::Data,
    &[
        Attribute::optional("owners", Kind::List(&Kind::String)),
        Attribute::optional("name_regex", Kind::String),
        Attribute::computed("id", Kind::String),
        Attribute::computed("names", Kind::List(&Kind::String)),
    ],
    &[],
);

/// Returns the schemas of the tests.
pub(crate) fn schemas() -> SchemaSet {
    [&INSTANCE, &GROUP, &BALANCER, &IMAGE].into_iter().collect()
}

/// Loads a spec of one file.
pub(crate) fn load_text(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load_with(text, &Inputs::default())
}

/// Loads a spec of one file with values for its variables.
pub(crate) fn load_with(text: &str, inputs: &Inputs) -> Result<Loaded, Vec<Diagnostic>> {
    load(&Sources::from_texts("test", [("main.yaml", text)]), inputs, &schemas())
}

/// Loads a spec that must be right.
pub(crate) fn loaded(text: &str) -> Loaded {
    load_text(text).unwrap_or_else(|found| panic!("{}", told(&found)))
}

/// Returns what is wrong with a spec, one problem a line.
pub(crate) fn problems(text: &str) -> String {
    match load_text(text) {
        Ok(loaded) => told(&loaded.warnings),
        Err(found) => told(&found),
    }
}

/// Writes diagnostics as `line:column+length «marked text» summary. detail / hint`.
pub(crate) fn told(diagnostics: &[Diagnostic]) -> String {
    let line = |it: &Diagnostic| {
        let place = it.span.as_ref().map_or_else(String::new, |span| {
            let marked: String =
                span.text.chars().skip(span.column - 1).take(span.length).collect();
            let file = if &*span.file == "main.yaml" { "" } else { &*span.file };
            format!("{file}{}:{} «{marked}» ", span.line, span.column)
        });
        let detail = if it.detail.is_empty() { String::new() } else { format!(". {}", it.detail) };
        let hint = it.hint.as_ref().map_or_else(String::new, |hint| format!(" / {hint}"));
        format!("{place}{}{detail}{hint}", it.summary)
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}
