//! Terraform's documented results, and text that is none.

use std::io::Read as _;

use base64::Engine as _;
use serde_json::json;

use crate::functions::tests::{call, errors, results};

#[test]
fn documented() {
    results(&[
        ("base64encode", json!(["Hello World"]), json!("SGVsbG8gV29ybGQ=")),
        ("base64decode", json!(["SGVsbG8gV29ybGQ="]), json!("Hello World")),
        (
            "csvdecode",
            json!(["a,b,c\n1,2,3\n4,5,6"]),
            json!([{"a": "1", "b": "2", "c": "3"}, {"a": "4", "b": "5", "c": "6"}]),
        ),
        (
            "textencodebase64",
            json!(["Hello World", "UTF-16LE"]),
            json!("SABlAGwAbABvACAAVwBvAHIAbABkAA=="),
        ),
        (
            "textdecodebase64",
            json!(["SABlAGwAbABvACAAVwBvAHIAbABkAA==", "UTF-16LE"]),
            json!("Hello World"),
        ),
        ("urlencode", json!(["Hello World!"]), json!("Hello+World%21")),
        ("urlencode", json!(["☃"]), json!("%E2%98%83")),
        ("urlencode", json!(["-_.~/?&="]), json!("-_.~%2F%3F%26%3D")),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("base64decode", json!(["SGVs\nbG8="]), json!("Hello")),
        ("csvdecode", json!(["a,b\n\"x, \"\"y\"\"\",\n"]), json!([{"a": "x, \"y\"", "b": ""}])),
        ("csvdecode", json!(["a,b\n"]), json!([])),
        ("textencodebase64", json!(["é", "ISO-8859-1"]), json!("6Q==")),
        ("textdecodebase64", json!(["6Q==", "iso-8859-1"]), json!("é")),
        ("textencodebase64", json!(["a", "UTF-16"]), json!("/v8AYQ==")),
        ("textdecodebase64", json!(["/v8AYQ==", "UTF-16"]), json!("a")),
        ("textdecodebase64", json!(["//5hAA==", "UTF-16"]), json!("a")),
        ("textdecodebase64", json!(["2D3ewA==", "UTF-16BE"]), json!("🛀")),
        ("textdecodebase64", json!(["YQ==", "UTF-8"]), json!("a")),
    ]);
    errors(&[
        ("base64decode", json!(["?"]), "`string` must be Base64: Invalid symbol 63, offset 0."),
        ("base64decode", json!(["//8="]), "`string` must stand for UTF-8 text"),
        ("csvdecode", json!([""]), "`string` must have a first row with the names of the columns"),
        ("csvdecode", json!(["a,a\n1,2"]), "`string` must not have two columns of one name"),
        (
            "textencodebase64",
            json!(["☃", "US-ASCII"]),
            "`string` has characters that the encoding has not",
        ),
        (
            "textencodebase64",
            json!(["a", "EBCDIC"]),
            "`encoding` must be UTF-8, UTF-16, UTF-16LE, UTF-16BE, ISO-8859-1, or US-ASCII: got \"EBCDIC\"",
        ),
        (
            "textdecodebase64",
            json!(["AA==", "UTF-16LE"]),
            "`string` must stand for text in the given encoding",
        ),
    ]);
    let error = call("csvdecode", &["a,b\n1".into()]).unwrap_err();
    assert!(
        error.message.starts_with("`string` must be a CSV document: CSV error: record 1"),
        "{error}"
    );
}

#[test]
fn gzip_is_always_the_same_and_can_be_undone() {
    let zipped = call("base64gzip", &["hello hello hello".into()]).unwrap();
    assert_eq!(Ok(&zipped), call("base64gzip", &["hello hello hello".into()]).as_ref());
    let bytes = base64::engine::general_purpose::STANDARD.decode(zipped.as_str().unwrap()).unwrap();
    // Bytes 4 to 7 are the time, which must not be there.
    assert_eq!(bytes[4..8], [0; 4]);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello hello hello");
}
