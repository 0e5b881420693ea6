//! Terraform's documented results, and what is escaped.

use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn decodes() {
    results(&[
        ("jsondecode", json!(["{\"hello\": \"world\"}"]), json!({"hello": "world"})),
        ("jsondecode", json!(["true"]), json!(true)),
        ("jsondecode", json!([" [1, 2.50, null, \"\\u2603\"] "]), json!([1, 2.5, null, "☃"])),
    ]);
    errors(&[
        (
            "jsondecode",
            json!([""]),
            "`string` must be a JSON document: EOF while parsing a value at line 1 column 0",
        ),
        (
            "jsondecode",
            json!(["{} x"]),
            "`string` must be a JSON document: trailing characters at line 1 column 4",
        ),
    ]);
}

#[test]
fn encodes() {
    results(&[
        ("jsonencode", json!([{"hello": "world"}]), json!("{\"hello\":\"world\"}")),
        ("jsonencode", json!([null]), json!("null")),
        (
            "jsonencode",
            json!([{"b": [1, 1.5, true], "a": {}}]),
            json!("{\"a\":{},\"b\":[1,1.5,true]}"),
        ),
        (
            "jsonencode",
            json!(["<a href=\"x\">&</a>\u{2028}\n☃"]),
            json!("\"\\u003ca href=\\\"x\\\"\\u003e\\u0026\\u003c/a\\u003e\\u2028\\n☃\""),
        ),
        ("jsonencode", json!([{"<": 1e21}]), json!("{\"\\u003c\":1000000000000000000000}")),
    ]);
    let unknown = reconcile_model::Value::Unknown;
    calls(&[
        ("jsonencode", &[list([unknown.clone()])], unknown),
        ("jsonencode", &[list([secret("a")])], secret("[\"a\"]")),
    ]);
}
