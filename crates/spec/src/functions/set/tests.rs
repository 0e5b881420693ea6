//! Terraform's documented results, and how items get one type.

use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn documented() {
    results(&[
        ("setintersection", json!([["a", "b"], ["b", "c"], ["b", "d"]]), json!(["b"])),
        (
            "setproduct",
            json!([["development", "staging", "production"], ["app1", "app2"]]),
            json!([
                ["development", "app1"],
                ["development", "app2"],
                ["staging", "app1"],
                ["staging", "app2"],
                ["production", "app1"],
                ["production", "app2"]
            ]),
        ),
        (
            "setproduct",
            json!([["staging", "production"], ["a", 2]]),
            json!([["staging", "a"], ["staging", "2"], ["production", "a"], ["production", "2"]]),
        ),
        ("setsubtract", json!([["a", "b", "c"], ["a", "c"]]), json!(["b"])),
        ("setunion", json!([["a", "b"], ["b", "c"], ["d"]]), json!(["a", "b", "c", "d"])),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("setunion", json!([["b", "a", "b"]]), json!(["a", "b"])),
        ("setunion", json!([["1"], [1, 2]]), json!(["1", "2"])),
        ("setunion", json!([[], []]), json!([])),
        ("setproduct", json!([[], ["a"]]), json!([])),
        ("setsubtract", json!([[{"a": 1}], [{"a": 1}]]), json!([])),
    ]);
    errors(&[
        ("setproduct", json!([["a"]]), "`setproduct(sets...)` takes at least 2 arguments, not 1"),
        (
            "setunion",
            json!([["a"], [["b"]]]),
            "the sets must hold values of one type, all of them the same",
        ),
    ]);
    let unknown = reconcile_model::Value::Unknown;
    calls(&[
        ("setunion", &[vec!["a"].into(), list([unknown.clone()])], unknown.clone()),
        ("setunion", &[vec!["a"].into(), list([secret("b")])], secret(vec!["a", "b"])),
        (
            "setproduct",
            &[vec!["a"].into(), list([unknown.clone()])],
            list([list(["a".into(), unknown])]),
        ),
    ]);
}
