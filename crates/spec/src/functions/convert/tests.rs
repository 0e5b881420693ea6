//! Terraform's documented results, and what marks and unknowns become.

use reconcile_model::{Object, Value};
use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn documented() {
    results(&[
        ("tobool", json!([true]), json!(true)),
        ("tobool", json!(["true"]), json!(true)),
        ("tobool", json!([null]), json!(null)),
        ("tolist", json!([["a", "b", "c"]]), json!(["a", "b", "c"])),
        ("tolist", json!([["a", "b", 3]]), json!(["a", "b", "3"])),
        ("tomap", json!([{"a": 1, "b": 2}]), json!({"a": 1, "b": 2})),
        ("tomap", json!([{"a": "foo", "b": true}]), json!({"a": "foo", "b": "true"})),
        ("tonumber", json!([1]), json!(1)),
        ("tonumber", json!(["1"]), json!(1)),
        ("tonumber", json!([null]), json!(null)),
        ("toset", json!([["a", "b", "c"]]), json!(["a", "b", "c"])),
        ("toset", json!([["a", "b", 3]]), json!(["3", "a", "b"])),
        ("toset", json!([["c", "b", "b"]]), json!(["b", "c"])),
        ("tostring", json!(["hello"]), json!("hello")),
        ("tostring", json!([1]), json!("1")),
        ("tostring", json!([true]), json!("true")),
        ("tostring", json!([null]), json!(null)),
        ("type", json!(["a"]), json!("string")),
        ("type", json!([[1, true]]), json!("tuple([number, bool])")),
        ("type", json!([{"a": "b", "c": []}]), json!("object({a = string, c = tuple([])})")),
    ]);
    errors(&[
        ("tobool", json!(["no"]), "`value` must be a bool: `true` or `false`, in lower case"),
        ("tobool", json!([1]), "`value` must be a bool"),
        ("tonumber", json!(["no"]), "`value` must be a number, and this text is none"),
        ("tostring", json!([[]]), "`value` must be a string, not a collection"),
        ("tolist", json!([{}]), "`value` must be a list or set"),
        ("tomap", json!([[]]), "`value` must be a map or object"),
        ("toset", json!(["a"]), "`value` must be a list or set"),
        ("tolist", json!([["a", []]]), "`value` must hold values of one type"),
        ("tolist", json!([[true, 1]]), "`value` must hold values of one type"),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("tobool", json!(["0"]), json!(false)),
        ("tonumber", json!(["1e3"]), json!(1000)),
        ("tonumber", json!(["-0.50"]), json!(-0.5)),
        ("tostring", json!([1e21]), json!("1000000000000000000000")),
        ("tostring", json!([0.1]), json!("0.1")),
        ("tolist", json!([null]), json!(null)),
        ("tolist", json!([["a", null]]), json!(["a", null])),
        ("toset", json!([null]), json!(null)),
        ("toset", json!([[10, 9, 1.5]]), json!([1.5, 9, 10])),
        ("try", json!(["a", "b"]), json!("a")),
        ("can", json!([null]), json!(true)),
    ]);
}

#[test]
fn marks_and_unknowns() {
    let unknown = || Value::Unknown;
    let object = || Value::from(Object::new().with("a", 1).with("b", secret(2)));
    calls(&[
        ("sensitive", &["a".into()], secret("a")),
        ("sensitive", &[secret("a")], secret("a")),
        ("sensitive", &[object()], secret(Object::new().with("a", 1).with("b", 2))),
        ("nonsensitive", &[secret("a")], "a".into()),
        ("nonsensitive", &["a".into()], "a".into()),
        ("nonsensitive", &[object()], object()),
        ("issensitive", &[secret("a")], true.into()),
        ("issensitive", &["a".into()], false.into()),
        ("issensitive", &[unknown()], unknown()),
        ("issensitive", &[secret(unknown())], true.into()),
        ("issensitive", &[object()], false.into()),
        (
            "tolist",
            &[list(["a".into(), secret(1), unknown()])],
            list(["a".into(), secret("1"), unknown()]),
        ),
        ("tomap", &[object()], object()),
        ("toset", &[list([secret("a"), "b".into()])], secret(vec!["a", "b"])),
        ("toset", &[list(["a".into(), unknown()])], unknown()),
        ("toset", &[list([unknown()])], list([unknown()])),
        ("toset", &[list([secret(unknown())])], secret(list([unknown()]))),
        (
            "toset",
            &[list([Value::from(vec![Value::from("b")]), vec!["a"].into()])],
            list([vec!["a"].into(), vec!["b"].into()]),
        ),
        ("type", &[secret("a")], secret("string")),
        ("try", &[secret("a"), "b".into()], secret("a")),
    ]);
}
