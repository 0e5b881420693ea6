//! Terraform's documented results, unknown and sensitive items.

use reconcile_model::{Object, Value};
use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn documented() {
    results(&[
        ("alltrue", json!([["true", true]]), json!(true)),
        ("alltrue", json!([[true, false]]), json!(false)),
        ("anytrue", json!([["true"]]), json!(true)),
        ("anytrue", json!([[true, false]]), json!(true)),
        ("anytrue", json!([[]]), json!(false)),
        (
            "chunklist",
            json!([["a", "b", "c", "d", "e"], 2]),
            json!([["a", "b"], ["c", "d"], ["e"]]),
        ),
        ("chunklist", json!([["a", "b", "c"], 1]), json!([["a"], ["b"], ["c"]])),
        ("coalesce", json!(["a", "b"]), json!("a")),
        ("coalesce", json!(["", "b"]), json!("b")),
        ("coalesce", json!([1, 2]), json!(1)),
        ("coalescelist", json!([["a", "b"], ["c", "d"]]), json!(["a", "b"])),
        ("coalescelist", json!([[], ["c", "d"]]), json!(["c", "d"])),
        ("compact", json!([["a", "", null, "b", null, "c"]]), json!(["a", "b", "c"])),
        ("concat", json!([["a", ""], ["b", "c"]]), json!(["a", "", "b", "c"])),
        ("contains", json!([["a", "b", "c"], "a"]), json!(true)),
        ("contains", json!([["a", "b", "c"], "d"]), json!(false)),
        ("distinct", json!([["a", "b", "a", "c", "d", "b"]]), json!(["a", "b", "c", "d"])),
        ("element", json!([["a", "b", "c"], 1]), json!("b")),
        ("element", json!([["a", "b", "c"], 3]), json!("a")),
        ("element", json!([["a", "b", "c"], -1]), json!("c")),
        ("flatten", json!([[["a", "b"], [], ["c"]]]), json!(["a", "b", "c"])),
        ("flatten", json!([[[["a", "b"], []], ["c"]]]), json!(["a", "b", "c"])),
        ("index", json!([["a", "b", "c"], "b"]), json!(1)),
        ("length", json!([[]]), json!(0)),
        ("length", json!([["a", "b"]]), json!(2)),
        ("length", json!([{"a": "b"}]), json!(1)),
        ("length", json!(["hello"]), json!(5)),
        ("length", json!(["👾🕹️"]), json!(2)),
        ("one", json!([[]]), json!(null)),
        ("one", json!([["hello"]]), json!("hello")),
        ("range", json!([3]), json!([0, 1, 2])),
        ("range", json!([1, 4]), json!([1, 2, 3])),
        ("range", json!([1, 8, 2]), json!([1, 3, 5, 7])),
        ("range", json!([1, 4, 0.5]), json!([1, 1.5, 2, 2.5, 3, 3.5])),
        ("range", json!([4, 1]), json!([4, 3, 2])),
        ("range", json!([10, 5, -2]), json!([10, 8, 6])),
        ("reverse", json!([[1, 2, 3]]), json!([3, 2, 1])),
        ("slice", json!([["a", "b", "c", "d"], 1, 3]), json!(["b", "c"])),
        ("sort", json!([["e", "d", "a", "x"]]), json!(["a", "d", "e", "x"])),
        ("sum", json!([[10, 13, 6, 4.5]]), json!(33.5)),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("alltrue", json!([[]]), json!(true)),
        ("alltrue", json!([[true, null]]), json!(false)),
        ("chunklist", json!([["a", "b"], 0]), json!([["a", "b"]])),
        ("chunklist", json!([[], 0]), json!([])),
        ("coalesce", json!([null, "", 0]), json!("0")),
        ("coalesce", json!([null, [], [1]]), json!([])),
        ("coalescelist", json!([null, [], [1]]), json!([1])),
        ("contains", json!([[1, 2], "1"]), json!(false)),
        ("contains", json!([[null], null]), json!(true)),
        ("distinct", json!([[1, 1.0, "1", [1], [1]]]), json!([1, "1", [1]])),
        ("element", json!([["a", "b", "c"], -4]), json!("c")),
        ("length", json!(["e\u{301}"]), json!(1)),
        ("range", json!([0]), json!([])),
        ("range", json!([2, 2, -1]), json!([])),
        ("range", json!([-2]), json!([0, -1])),
        ("range", json!([i64::MAX - 1, i64::MAX, 10]), json!([i64::MAX - 1])),
        ("slice", json!([["a"], 1, 1]), json!([])),
        ("sort", json!([["b", 10, 9, "B"]]), json!(["10", "9", "B", "b"])),
        ("sum", json!([["1", 2]]), json!(3)),
        ("sum", json!([[0.1, 0.2]]), json!(0.1 + 0.2)),
    ]);
    errors(&[
        (
            "alltrue",
            json!([["maybe"]]),
            "`list` (item 0) must be a bool: `true` or `false`, in lower case",
        ),
        ("chunklist", json!([[1], -1]), "`size` must be a whole number that is not negative"),
        ("coalesce", json!([null, ""]), "all arguments are null or an empty string"),
        ("coalesce", json!([null, 1, []]), "all arguments must have one type"),
        ("coalescelist", json!([[], null]), "all lists are empty"),
        ("coalescelist", json!([[], "a"]), "`lists` must be a list"),
        ("compact", json!([["a", []]]), "`list` (item 1) must be a string, not a collection"),
        ("element", json!([[], 0]), "`list` must not be empty"),
        ("index", json!([["a"], "b"]), "`value` is not in the list"),
        ("length", json!([5]), "`value` must be a list, a map, or a string"),
        ("one", json!([[1, 2]]), "`list` must hold one item or none, not 2"),
        ("range", json!([1, 5, 0]), "`step` must not be zero"),
        ("range", json!([1, 5, -1]), "`step` must lead from the start to the limit"),
        ("slice", json!([["a"], 0, 2]), "`end` must not be beyond the list's length, 1"),
        ("slice", json!([["a", "b"], 2, 1]), "`start` must not be greater than the end"),
        ("sort", json!([["a", null]]), "`list` (item 1) must not be null"),
        ("sum", json!([[]]), "`list` must not be empty"),
        ("sum", json!([[1, "x"]]), "`list` (item 1) must be a number, and this text is none"),
    ]);
}

#[test]
fn what_is_known_is_told() {
    let unknown = || Value::Unknown;
    let half = || list([Value::from("a"), unknown()]);
    calls(&[
        ("length", &[half()], 2.into()),
        ("length", &[unknown()], unknown()),
        ("element", &[half(), 0.into()], "a".into()),
        ("element", &[half(), 1.into()], unknown()),
        ("concat", &[half(), vec!["b"].into()], list(["a".into(), unknown(), "b".into()])),
        ("concat", &[half(), unknown()], unknown()),
        ("contains", &[half(), "a".into()], true.into()),
        ("contains", &[half(), "b".into()], unknown()),
        ("contains", &[list([]), unknown()], unknown()),
        ("contains", &[vec!["a"].into(), unknown()], unknown()),
        ("alltrue", &[list([unknown(), false.into()])], false.into()),
        ("alltrue", &[list([unknown(), true.into()])], unknown()),
        ("anytrue", &[list([unknown(), true.into()])], true.into()),
        ("coalesce", &["a".into(), unknown()], "a".into()),
        ("coalesce", &["".into(), unknown(), "b".into()], unknown()),
        ("coalescelist", &[half(), unknown()], half()),
        ("coalescelist", &[list([]), unknown(), half()], unknown()),
        ("flatten", &[list([half(), vec!["b"].into()])], list(["a".into(), unknown(), "b".into()])),
        ("flatten", &[list([half(), unknown()])], unknown()),
        ("reverse", &[half()], list([unknown(), "a".into()])),
        ("slice", &[half(), 0.into(), 1.into()], vec!["a"].into()),
        ("chunklist", &[half(), 1.into()], list([vec!["a"].into(), list([unknown()])])),
        ("one", &[list([unknown()])], unknown()),
        ("distinct", &[half()], unknown()),
        ("sort", &[half()], unknown()),
    ]);
}

#[test]
fn marks_stay_where_they_are() {
    let mixed = || list([Value::from("a"), secret("b")]);
    calls(&[
        ("length", &[mixed()], 2.into()),
        ("length", &[secret(vec!["a"])], secret(1)),
        ("length", &[secret("abc")], secret(3)),
        ("element", &[mixed(), 0.into()], "a".into()),
        ("element", &[mixed(), 1.into()], secret("b")),
        ("element", &[secret(vec!["a"]), 0.into()], secret("a")),
        ("concat", &[mixed(), vec!["c"].into()], list(["a".into(), secret("b"), "c".into()])),
        ("reverse", &[mixed()], list([secret("b"), "a".into()])),
        ("contains", &[mixed(), "a".into()], secret(true)),
        ("coalesce", &[secret(Value::Null), "b".into()], secret("b")),
        ("coalesce", &["a".into(), secret("b")], "a".into()),
        ("coalesce", &[secret(1), "b".into()], secret("1")),
        ("flatten", &[list([mixed()])], mixed()),
        ("flatten", &[list([secret(vec!["a"]), vec!["b"].into()])], secret(vec!["a", "b"])),
        ("flatten", &[list([Value::from(Object::new().with("k", secret(1)))])], {
            list([Value::from(Object::new().with("k", secret(1)))])
        }),
        ("sum", &[list([1.into(), secret(2)])], secret(3)),
    ]);
}
