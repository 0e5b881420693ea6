//! Terraform's documented results, unknown and sensitive members.

use reconcile_model::{Object, Value};
use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn documented() {
    results(&[
        ("keys", json!([{"a": 1, "c": 2, "d": 3}]), json!(["a", "c", "d"])),
        ("lookup", json!([{"a": "ay", "b": "bee"}, "a", "what?"]), json!("ay")),
        ("lookup", json!([{"a": "ay", "b": "bee"}, "c", "what?"]), json!("what?")),
        (
            "matchkeys",
            json!([["i-123", "i-abc", "i-def"], ["us-west", "us-east", "us-east"], ["us-east"]]),
            json!(["i-abc", "i-def"]),
        ),
        (
            "merge",
            json!([{"a": "b", "c": "d"}, {"e": "f", "c": "z"}]),
            json!({"a": "b", "c": "z", "e": "f"}),
        ),
        (
            "merge",
            json!([{"a": "b"}, {"a": [1, 2], "c": "z"}, {"d": 3}]),
            json!({"a": [1, 2], "c": "z", "d": 3}),
        ),
        (
            "transpose",
            json!([{"a": ["1", "2"], "b": ["2", "3"]}]),
            json!({"1": ["a"], "2": ["a", "b"], "3": ["b"]}),
        ),
        ("values", json!([{"a": 3, "c": 2, "d": 1}]), json!([3, 2, 1])),
        ("zipmap", json!([["a", "b"], [1, 2]]), json!({"a": 1, "b": 2})),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("merge", json!([]), json!({})),
        ("merge", json!([null, {"a": 1}]), json!({"a": 1})),
        ("lookup", json!([{"a": null}, "a", 1]), json!(null)),
        ("lookup", json!([{"1": "one"}, 1]), json!("one")),
        ("lookup", json!([{}, "a", null]), json!(null)),
        ("matchkeys", json!([["x", "y"], [1, 2], ["2"]]), json!(["y"])),
        ("zipmap", json!([["a", "a"], [1, 2]]), json!({"a": 2})),
        ("transpose", json!([{"a": ["1", "1"]}]), json!({"1": ["a"]})),
    ]);
    errors(&[
        (
            "lookup",
            json!([{"a": 1}, "b"]),
            "`key` names no member of the map, and there is no default: got \"b\"",
        ),
        ("lookup", json!([[1], 0]), "`map` must be a map"),
        ("lookup", json!([null, "b", 1]), "`map` must not be null"),
        ("matchkeys", json!([["x"], [], ["y"]]), "`keys` must be as long as the list of values"),
        ("merge", json!([{"a": 1}, ["b"]]), "`maps` must be a map"),
        (
            "zipmap",
            json!([["a"], [1, 2]]),
            "`values` must be as long as the list of keys: 2 is not 1",
        ),
        ("zipmap", json!([[null], [1]]), "`keys` (item 0) must not be null"),
        ("transpose", json!([{"a": "1"}]), "`map` must hold lists of strings"),
    ]);
}

#[test]
fn members_keep_what_they_are() {
    let mixed = || {
        Value::from(
            Object::new()
                .with("id", Value::Unknown)
                .with("name", "web")
                .with("password", secret("x")),
        )
    };
    let name = || Value::from("name");
    calls(&[
        ("keys", &[mixed()], vec!["id", "name", "password"].into()),
        ("values", &[mixed()], list([Value::Unknown, "web".into(), secret("x")])),
        ("lookup", &[mixed(), name(), "none".into()], "web".into()),
        ("lookup", &[mixed(), "password".into()], secret("x")),
        ("lookup", &[mixed(), "id".into()], Value::Unknown),
        ("lookup", &[mixed(), name(), Value::Unknown], "web".into()),
        ("lookup", &[secret(Object::new().with("name", "web")), name()], secret("web")),
        ("lookup", &[Object::new().with("name", "web").into(), secret("name")], secret("web")),
        ("lookup", &[mixed(), Value::Unknown], Value::Unknown),
        ("merge", &[mixed(), Object::new().with("id", 1).into()], {
            Object::new().with("id", 1).with("name", "web").with("password", secret("x")).into()
        }),
        ("merge", &[mixed(), Value::Unknown], Value::Unknown),
        (
            "zipmap",
            &[vec!["a"].into(), list([secret(1)])],
            Object::new().with("a", secret(1)).into(),
        ),
        ("zipmap", &[list([secret("a")]), vec![1].into()], secret(Object::new().with("a", 1))),
        ("zipmap", &[list([Value::Unknown]), vec![1].into()], Value::Unknown),
    ]);
}
