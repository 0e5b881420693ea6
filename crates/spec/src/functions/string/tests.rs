//! Terraform's documented results, and characters beyond ASCII.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    results(&[
        ("chomp", json!(["hello\n"]), json!("hello")),
        ("chomp", json!(["hello\r\n"]), json!("hello")),
        ("chomp", json!(["hello\n\n"]), json!("hello")),
        ("endswith", json!(["hello world", "world"]), json!(true)),
        ("endswith", json!(["hello world", "hello"]), json!(false)),
        ("indent", json!([2, "[\n  foo,\n  bar,\n]\n"]), json!("[\n    foo,\n    bar,\n  ]\n  ")),
        ("join", json!(["-", ["foo", "bar", "baz"]]), json!("foo-bar-baz")),
        ("join", json!([", ", ["foo", "bar", "baz"]]), json!("foo, bar, baz")),
        ("join", json!([", ", ["foo"]]), json!("foo")),
        ("lower", json!(["HELLO"]), json!("hello")),
        ("lower", json!(["АЛЛО!"]), json!("алло!")),
        ("split", json!([",", "foo,bar,baz"]), json!(["foo", "bar", "baz"])),
        ("split", json!([",", "foo"]), json!(["foo"])),
        ("split", json!([",", ""]), json!([""])),
        ("startswith", json!(["hello world", "hello"]), json!(true)),
        ("startswith", json!(["hello world", "world"]), json!(false)),
        ("strcontains", json!(["hello world", "wor"]), json!(true)),
        ("strcontains", json!(["hello world", "wod"]), json!(false)),
        ("strrev", json!(["hello"]), json!("olleh")),
        ("strrev", json!(["a ☃"]), json!("☃ a")),
        ("substr", json!(["hello world", 1, 4]), json!("ello")),
        ("substr", json!(["🤔🤷", 0, 1]), json!("🤔")),
        ("substr", json!(["hello world", -5, -1]), json!("world")),
        ("substr", json!(["hello world", 6, 10]), json!("world")),
        ("title", json!(["hello world"]), json!("Hello World")),
        ("trim", json!(["?!hello?!", "!?"]), json!("hello")),
        ("trim", json!(["foobar", "far"]), json!("oob")),
        ("trim", json!(["   hello! world.!  ", "! "]), json!("hello! world.")),
        ("trimprefix", json!(["helloworld", "hello"]), json!("world")),
        ("trimprefix", json!(["helloworld", "cat"]), json!("helloworld")),
        ("trimprefix", json!(["--hello", "-"]), json!("-hello")),
        ("trimspace", json!(["  hello\n\n"]), json!("hello")),
        ("trimsuffix", json!(["helloworld", "world"]), json!("hello")),
        ("trimsuffix", json!(["hello--", "-"]), json!("hello-")),
        ("upper", json!(["hello"]), json!("HELLO")),
        ("upper", json!(["алло!"]), json!("АЛЛО!")),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("chomp", json!(["\nhello"]), json!("\nhello")),
        ("indent", json!([2, "one line"]), json!("one line")),
        ("indent", json!([0, "a\nb"]), json!("a\nb")),
        ("join", json!([","]), json!("")),
        ("join", json!([",", []]), json!("")),
        ("join", json!([",", ["a", 1], [true]]), json!("a,1,true")),
        ("split", json!(["", "aé☃"]), json!(["a", "é", "☃"])),
        ("split", json!(["", ""]), json!([])),
        // A family and an accent are one character each.
        ("strrev", json!(["a👩‍👩‍👧‍👦e\u{301}"]), json!("e\u{301}👩‍👩‍👧‍👦a")),
        ("substr", json!(["👩‍👩‍👧‍👦e\u{301}x", 1, 1]), json!("e\u{301}")),
        ("substr", json!(["hello", 0, 0]), json!("")),
        ("substr", json!(["hello", 9, 1]), json!("")),
        ("substr", json!(["hello", -9, 2]), json!("he")),
        ("substr", json!(["hello", i64::MIN, i64::MAX]), json!("hello")),
        ("title", json!(["it's a_b don-t über"]), json!("It'S A_b Don-T Über")),
        ("trim", json!(["aaa", "a"]), json!("")),
        ("trim", json!(["aaa", ""]), json!("aaa")),
        ("trimspace", json!(["\u{a0}\t x \u{2003}"]), json!("x")),
        ("upper", json!(["straße"]), json!("STRAßE")),
        ("lower", json!(["ΣΑΣ"]), json!("σασ")),
    ]);
    errors(&[
        ("indent", json!([-1, "a"]), "`spaces` must be a whole number that is not negative"),
        ("substr", json!(["a", 0.5, 1]), "`offset` must be a whole number"),
    ]);
}
