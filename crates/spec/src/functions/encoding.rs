//! Encodings of text: Base64, gzip, CSV, URLs, and character sets.

mod charset;

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use reconcile_model::{Object, Value};

use super::MAX_TEXT_BYTES;
use super::bounds::too_much_text;
use super::call::{Args, Function, TEXT};
use super::fault::Fault;
use charset::Charset;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "base64decode(string)",
        "The text that the Base64 stands for, which must be UTF-8.",
        &[TEXT],
        |args| {
            let text = String::from_utf8(decode(args, 0)?);
            Ok(text.map_err(|_| Fault::at(0, "must stand for UTF-8 text"))?.into())
        },
    ),
    Function::whole(
        "base64encode(string)",
        "The string's UTF-8 bytes in Base64.",
        &[TEXT],
        |args| Ok(STANDARD.encode(args.text(0)).into()),
    ),
    Function::whole(
        "base64gzip(string)",
        "The string's UTF-8 bytes, compressed with gzip, in Base64.",
        &[TEXT],
        gzip,
    ),
    Function::whole(
        "csvdecode(string)",
        "The list of a CSV document's rows, each a map by the names in the first one.",
        &[TEXT],
        csv_decode,
    ),
    Function::whole(
        "textdecodebase64(string, encoding)",
        "The text that the Base64 stands for in a character encoding.",
        &[TEXT, TEXT],
        |args| {
            let text = charset(args)?.decode(&decode(args, 0)?);
            Ok(text
                .ok_or_else(|| Fault::at(0, "must stand for text in the given encoding"))?
                .into())
        },
    ),
    Function::whole(
        "textencodebase64(string, encoding)",
        "The text in an encoding, in Base64: UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1, US-ASCII.",
        &[TEXT, TEXT],
        |args| {
            let bytes = charset(args)?.encode(args.text(0));
            let bytes =
                bytes.ok_or_else(|| Fault::at(0, "has characters that the encoding has not"))?;
            Ok(STANDARD.encode(bytes).into())
        },
    ),
    Function::whole(
        "urlencode(string)",
        "The string for a URL's query; a space becomes `+`.",
        &[TEXT],
        url_encode,
    ),
];

fn decode(args: &Args<'_>, index: usize) -> Result<Vec<u8>, Fault> {
    // Go's decoder, which Terraform uses, passes over line ends.
    let text = args.text(index).replace(['\r', '\n'], "");
    STANDARD.decode(text).map_err(|error| Fault::at(index, "must be Base64").detail(error))
}

fn charset(args: &Args<'_>) -> Result<Charset, Fault> {
    let known = "must be UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1, or US-ASCII";
    Charset::named(args.text(1)).ok_or_else(|| Fault::at(1, known).quoting(args.text(1)))
}

/// Compresses without a file name or time, so that the same text is always the same bytes.
fn gzip(args: &Args<'_>) -> Result<Value, Fault> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    let bytes = gzip.write_all(args.text(0).as_bytes()).and_then(|()| gzip.finish());
    let bytes = bytes.map_err(|error| Fault::new("compression failed").detail(error))?;
    Ok(STANDARD.encode(bytes).into())
}

fn csv_decode(args: &Args<'_>) -> Result<Value, Fault> {
    let bad = |error: csv::Error| Fault::at(0, "must be a CSV document").detail(error);
    let mut reader = csv::Reader::from_reader(args.text(0).as_bytes());
    let header = reader.headers().map_err(bad)?.clone();
    if header.is_empty() {
        return Err(Fault::at(0, "must have a first row with the names of the columns"));
    }
    let names: Object = header.iter().map(|name| (name.to_owned(), Value::Null)).collect();
    if names.len() < header.len() {
        return Err(Fault::at(0, "must not have two columns of one name"));
    }
    let mut rows = Vec::new();
    let mut bytes = 0;
    for record in reader.records() {
        let record = record.map_err(bad)?;
        // Each row repeats the names.
        bytes += header.as_slice().len() + record.as_slice().len();
        if bytes > MAX_TEXT_BYTES {
            return Err(too_much_text());
        }
        let members = header.iter().zip(&record);
        rows.push(members.map(|(name, field)| (name.to_owned(), field.into())).collect::<Object>());
    }
    Ok(rows.into())
}

fn url_encode(args: &Args<'_>) -> Result<Value, Fault> {
    let mut encoded = String::new();
    for byte in args.text(0).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    Ok(encoded.into())
}

#[cfg(test)]
mod tests;
