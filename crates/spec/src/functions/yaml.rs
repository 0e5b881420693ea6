//! YAML.

mod decode;
mod encode;

use super::call::{ANY, Function, TEXT};
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "yamldecode(string)",
        "The value that the YAML document stands for.",
        &[TEXT],
        |args| {
            let value = decode::decode(args.text(0));
            value.map_err(|error| {
                Fault::at(0, "must be a YAML document of plain values").detail(error)
            })
        },
    ),
    Function::whole(
        "yamlencode(value)",
        "The value as YAML in block style, its keys sorted and quoted.",
        &[ANY.nullable()],
        |args| Ok(encode::encode(args.value(0))?.into()),
    ),
];

#[cfg(test)]
mod tests;
