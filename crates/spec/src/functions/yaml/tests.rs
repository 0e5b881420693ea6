//! Terraform's documented results, and whether what is written reads back the same.

use proptest::prelude::*;
use reconcile_model::{Number, Value};
use serde_json::json;

use crate::functions::tests::{call, errors, results};

#[test]
fn decodes() {
    results(&[
        ("yamldecode", json!(["hello: world"]), json!({"hello": "world"})),
        ("yamldecode", json!(["true"]), json!(true)),
        (
            "yamldecode",
            json!(["{a: &foo [1, 2, 3], b: *foo}"]),
            json!({"a": [1, 2, 3], "b": [1, 2, 3]}),
        ),
        ("yamldecode", json!([""]), json!(null)),
        (
            "yamldecode",
            json!(["- 1.5\n- ~\n- 'x'\n- 18446744073709551615"]),
            json!([1.5, null, "x", 18_446_744_073_709_551_615_u64]),
        ),
        ("yamldecode", json!(["1: one\ntrue: yes"]), json!({"1": "one", "true": "yes"})),
        (
            "yamldecode",
            json!(["base: &b {a: 1, c: 1}\nmore: {<<: *b, a: 2}"]),
            json!({"base": {"a": 1, "c": 1}, "more": {"a": 2, "c": 1}}),
        ),
        ("yamldecode", json!(["<<: [{a: 1}, {a: 2, b: 2}]"]), json!({"a": 1, "b": 2})),
    ]);
    let bad = |yaml: &str| call("yamldecode", &[yaml.into()]).unwrap_err().message;
    assert!(bad("{a: &foo [1, *foo, 3]}").starts_with("`string` must be a YAML document"));
    assert!(bad("{a: !not-supported foo}").contains("tags of one's own"), "{}", bad("{a: !x foo}"));
    assert!(bad("{a: 1, a: 2}").contains("a key stands twice"));
    assert!(bad("[a]: 1").contains("a key is not a string"));
    assert!(bad(".nan").contains("not finite"));
    assert!(bad("a: b\n---\nc: d").contains("more than one document"));
    assert!(bad("a: *b").contains("unknown anchor"));
}

#[test]
fn encodes() {
    results(&[
        ("yamlencode", json!([{"a": "b", "c": "d"}]), json!("\"a\": \"b\"\n\"c\": \"d\"\n")),
        (
            "yamlencode",
            json!([{"foo": [1, 2, 3], "bar": "baz"}]),
            json!("\"bar\": \"baz\"\n\"foo\":\n- 1\n- 2\n- 3\n"),
        ),
        (
            "yamlencode",
            json!([{"foo": [1, {"a": "b", "c": "d"}, 3], "bar": "baz"}]),
            json!("\"bar\": \"baz\"\n\"foo\":\n- 1\n- \"a\": \"b\"\n  \"c\": \"d\"\n- 3\n"),
        ),
        ("yamlencode", json!([{}]), json!("{}\n")),
        ("yamlencode", json!([[]]), json!("[]\n")),
        ("yamlencode", json!(["hello"]), json!("\"hello\"\n")),
        ("yamlencode", json!([""]), json!("\"\"\n")),
        ("yamlencode", json!([true]), json!("true\n...\n")),
        ("yamlencode", json!([0]), json!("0\n...\n")),
        ("yamlencode", json!([null]), json!("null\n...\n")),
        (
            "yamlencode",
            json!([{"a": {"b": {"c": null}}, "d": {}}]),
            json!("\"a\":\n  \"b\":\n    \"c\": null\n\"d\": {}\n"),
        ),
        ("yamlencode", json!([[[1, 2], [[3]], []]]), json!("- - 1\n  - 2\n- - - 3\n- []\n")),
        (
            "yamlencode",
            json!([{"s": "a\nb\n", "t": ["c\n\nd"]}]),
            json!("\"s\": |\n  a\n  b\n\"t\":\n- |-\n  c\n\n  d\n"),
        ),
        ("yamlencode", json!(["\u{7f}\u{85}☃"]), json!("\"\\u007f\\u0085☃\"\n")),
    ]);
    errors(&[(
        "yamlencode",
        json!([{"k".repeat(1025): 1}]),
        "`value` has a key that is too long for YAML",
    )]);
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![any::<String>(), "[ab\n\t :#'\"-]{0,12}", "(ab|c\n|\n\n| d){0,5}"];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(|number| Number::from_f64(number).map_or(Value::Null, Value::Number)),
        text.clone().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_the_same(value in value()) {
        let yaml = call("yamlencode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(call("yamldecode", std::slice::from_ref(&yaml)), Ok(value.clone()), "{}", yaml.as_str().unwrap());
        let json = call("jsonencode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(call("jsondecode", &[json]), Ok(value));
    }
}
