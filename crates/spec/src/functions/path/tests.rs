//! Terraform's documented results, and paths in disorder.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    results(&[
        ("basename", json!(["foo/bar/baz.txt"]), json!("baz.txt")),
        ("dirname", json!(["foo/bar/baz.txt"]), json!("foo/bar")),
        ("pathexpand", json!(["/etc/resolv.conf"]), json!("/etc/resolv.conf")),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("abspath", json!(["/a/./b/../c//"]), json!("/a/c")),
        ("basename", json!([""]), json!(".")),
        ("basename", json!(["/"]), json!("/")),
        ("basename", json!(["a/b//"]), json!("b")),
        ("dirname", json!(["a"]), json!(".")),
        ("dirname", json!(["/a"]), json!("/")),
        ("dirname", json!(["a/b/"]), json!("a/b")),
        ("dirname", json!(["../a/../b/c"]), json!("../b")),
        ("dirname", json!(["/../a/b"]), json!("/a")),
    ]);
    errors(&[
        (
            "abspath",
            json!(["a"]),
            "`path` cannot be made absolute: `a` has no absolute form here; use it as it is",
        ),
        (
            "pathexpand",
            json!(["~/.ssh/id_rsa"]),
            "`path` must not begin with `~`: the plan would depend on who makes it; use a variable",
        ),
    ]);
}
