//! Files and templates, and the patterns of `fileset`.

use reconcile_model::{Object, Value};
use serde_json::json;

use super::glob;
use crate::functions::tests::{calls, errors, results, secret};

#[test]
fn files() {
    results(&[
        ("file", json!(["hello.txt"]), json!("Hello World")),
        ("filebase64", json!(["hello.txt"]), json!("SGVsbG8gV29ybGQ=")),
        ("filebase64", json!(["binary"]), json!("//4=")),
        ("fileexists", json!(["hello.txt"]), json!(true)),
        ("fileexists", json!(["none.txt"]), json!(false)),
        ("fileset", json!(["a", "*"]), json!(["one.txt", "two.yaml"])),
        ("fileset", json!(["a", "./*.txt"]), json!(["one.txt"])),
        ("fileset", json!(["a", "**"]), json!(["b/c.txt", "one.txt", "two.yaml"])),
        ("fileset", json!(["a", "**/*.txt"]), json!(["b/c.txt", "one.txt"])),
        ("fileset", json!(["a", "{one,two}.*"]), json!(["one.txt", "two.yaml"])),
        ("fileset", json!(["a", "nothing"]), json!([])),
        ("templatefile", json!(["hello.tpl", {"name": "World"}]), json!("Hello World!")),
        ("templatestring", json!(["<a>-<b>", {"a": 1, "b": "x"}]), json!("-x")),
    ]);
    errors(&[
        (
            "file",
            json!(["none.txt"]),
            "`path` names a file that cannot be read: no file `none.txt`",
        ),
        (
            "file",
            json!(["binary"]),
            "`path` names a file that is not UTF-8 text; use `filebase64`: got \"binary\"",
        ),
        ("fileexists", json!(["../x"]), "`path` cannot be looked up: outside of the spec"),
        (
            "fileset",
            json!(["a", "["]),
            "`pattern` must be a pattern for paths: `[` has no `]`, or nothing in it",
        ),
        (
            "templatefile",
            json!(["hello.tpl", {}]),
            "the template cannot be evaluated: hello.tpl: a variable is missing in Hello <name>!",
        ),
        ("templatefile", json!(["hello.tpl", []]), "`vars` must be a map"),
    ]);
    calls(&[
        ("file", &[secret("hello.txt")], secret("Hello World")),
        ("file", &[Value::Unknown], Value::Unknown),
        (
            "templatefile",
            &["hello.tpl".into(), Object::new().with("name", Value::Unknown).into()],
            Value::Unknown,
        ),
        ("templatestring", &["a".into(), secret(Object::new())], secret("a")),
    ]);
}

#[test]
fn patterns() {
    let check = |pattern: &str, matching: &[&str], other: &[&str]| {
        let regex = glob::compile(pattern).unwrap();
        matching.iter().for_each(|path| assert!(regex.is_match(path), "{pattern} {path}"));
        other.iter().for_each(|path| assert!(!regex.is_match(path), "{pattern} {path}"));
    };
    check("*", &["a", ".a", "a b"], &["a/b"]);
    check("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "ab"]);
    check("a/**", &["a/b", "a/b/c"], &["a", "b/a/b"]);
    check("?.t", &["a.t", "é.t"], &[".t", "/.t", "ab.t"]);
    check("[a-c].t", &["a.t", "c.t"], &["d.t"]);
    check("[^a-c]", &["d"], &["a", "/"]);
    check("[!a]", &["d"], &["a", "/"]);
    check("[.&\\~]", &["."], &["a"]);
    check("{a,b{c,d}}", &["a", "bc", "bd"], &["b", "ac"]);
    check("a,b.(c)+", &["a,b.(c)+"], &["a", "a,bx(c)+"]);
    check("\\*", &["*"], &["a"]);
    for bad in ["{", "[", "[]", "[!]", "\\", "[z-a]"] {
        assert!(glob::compile(bad).is_err(), "{bad}");
    }
}
