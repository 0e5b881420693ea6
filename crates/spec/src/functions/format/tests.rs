//! Terraform's documented results, and each verb with each of its flags.

use reconcile_model::Value;
use serde_json::json;

use crate::functions::tests::{calls, errors, list, results, secret};

#[test]
fn documented() {
    results(&[
        ("format", json!(["Hello, %s!", "Ander"]), json!("Hello, Ander!")),
        ("format", json!(["There are %d lights", 4]), json!("There are 4 lights")),
        ("format", json!(["%#v", "hello"]), json!("\"hello\"")),
        ("format", json!(["%#v", true]), json!("true")),
        ("format", json!(["%#v", 1]), json!("1")),
        ("format", json!(["%#v", {"a": 1}]), json!("{\"a\":1}")),
        ("format", json!(["%#v", [true]]), json!("[true]")),
        ("format", json!(["%#v", null]), json!("null")),
        (
            "formatlist",
            json!(["Hello, %s!", ["Valentina", "Ander", "Olivia"]]),
            json!(["Hello, Valentina!", "Hello, Ander!", "Hello, Olivia!"]),
        ),
        (
            "formatlist",
            json!(["%s, %s!", "Salutations", ["Valentina", "Ander"]]),
            json!(["Salutations, Valentina!", "Salutations, Ander!"]),
        ),
    ]);
}

/// Checks what a verb makes of a value.
#[track_caller]
fn renders(table: &[(&str, serde_json::Value, &str)]) {
    for (verb, value, text) in table {
        results(&[("format", json!([verb, value]), json!(text))]);
    }
}

#[test]
fn strings() {
    renders(&[
        ("%s", json!("a"), "a"),
        ("%s", json!(12), "12"),
        ("%s", json!(false), "false"),
        ("%10s", json!("hello"), "     hello"),
        ("%-10s", json!("hello"), "hello     "),
        ("%.2s", json!("hello"), "he"),
        ("%-4.2s", json!("hello"), "he  "),
        ("%4s", json!("💃🏿"), "   💃🏿"),
        ("%.1q", json!("日本"), "\"日\""),
        ("%q", json!("a\n\"b\""), "\"a\\n\\\"b\\\"\""),
        ("%q", json!(false), "\"false\""),
        ("%6.2q", json!("hello"), "  \"he\""),
        ("%v", json!("a"), "a"),
        ("%v", json!(null), "null"),
        ("%v", json!([1, "a"]), "[1,\"a\"]"),
        ("%v", json!({}), "{}"),
        ("%v", json!(true), "true"),
        ("%5t|", json!("true"), " true|"),
    ]);
}

#[test]
fn integers() {
    renders(&[
        ("%d", json!(10), "10"),
        ("%d", json!("-10"), "-10"),
        ("%+d", json!(10), "+10"),
        ("% d", json!(10), " 10"),
        ("%5d|", json!(10), "   10|"),
        ("%-5d|", json!(10), "10   |"),
        ("%05d", json!(-10), "-0010"),
        ("%-05d|", json!(10), "10   |"),
        ("%.4d", json!(10), "0010"),
        ("%b", json!(5), "101"),
        ("%08b", json!(5), "00000101"),
        ("%o", json!(9), "11"),
        ("%x", json!(254), "fe"),
        ("%#X", json!(-254), "-0XFE"),
        ("%d", json!(1e21), "1000000000000000000000"),
        ("%d", json!(i64::MIN), "-9223372036854775808"),
    ]);
}

#[test]
fn floats() {
    renders(&[
        ("%f", json!(10), "10.000000"),
        ("%+f", json!(-10), "-10.000000"),
        ("% f", json!(10), " 10.000000"),
        ("%05.2f", json!(1.234), "01.23"),
        ("%08.2f", json!(-1.234), "-0001.23"),
        ("%.1f", json!("1.06"), "1.1"),
        ("%.0f", json!(2.5), "2"),
        ("%e", json!(1000), "1.000000e+03"),
        ("%E", json!(0.00123), "1.230000E-03"),
        ("%.0e", json!(1500), "2e+03"),
        ("%e", json!(0), "0.000000e+00"),
        ("%g", json!(1000), "1000"),
        ("%g", json!(0), "0"),
        ("%g", json!(1e-23), "1e-23"),
        ("%G", json!(1e-23), "1E-23"),
        ("%g", json!(0.0001), "0.0001"),
        ("%g", json!(0.00001), "1e-05"),
        ("%g", json!(123.456), "123.456"),
        ("%g", json!(100_000), "100000"),
        ("%g", json!(1_000_000), "1e+06"),
        ("%g", json!(1_234_567), "1.234567e+06"),
        ("%.3g", json!(123_456), "1.23e+05"),
        ("%.3g", json!(100_000), "1e+05"),
        ("%.10g", json!(1_234_567), "1234567"),
        ("%v", json!(1.5), "1.5"),
        ("%v", json!(2), "2"),
    ]);
}

#[test]
fn arguments() {
    results(&[
        ("format", json!(["100%% %%%s", "x"]), json!("100% %x")),
        ("format", json!(["%[2]s %[1]s", "a", "b"]), json!("b a")),
        ("format", json!(["%[1]s %[1]s %s", "a", "b"]), json!("a a b")),
        ("format", json!(["%-4[1]s|%.1[1]f", 2]), json!("2   |2.0")),
        ("format", json!([""]), json!("")),
        ("formatlist", json!(["a"]), json!(["a"])),
        ("formatlist", json!(["%s", []]), json!([])),
        ("formatlist", json!(["%v", null]), json!(["null"])),
    ]);
    errors(&[
        (
            "format",
            json!(["%s %s", "a"]),
            "the specification needs at least 2 values, and there are 1",
        ),
        (
            "format",
            json!(["%[3]s", "a"]),
            "the specification needs at least 3 values, and there are 1",
        ),
        ("format", json!(["a", "b"]), "the specification uses 0 values, and there are 1"),
        ("format", json!(["%d", 1.5]), "`values` must be a whole number"),
        ("format", json!(["%d", true]), "`values` must be a number"),
        ("format", json!(["%s", null]), "`values` must not be null"),
        ("format", json!(["%s", []]), "`values` must be a string, not a collection"),
        (
            "format",
            json!(["%z", 1]),
            "`spec` has a verb that is not understood at byte 0: there is no verb `z`; there are v, t, b, d, o, x, X, e, E, f, g, G, s, q, and %",
        ),
        (
            "format",
            json!(["ab %*d", 1, 2]),
            "`spec` has a verb that is not understood at byte 3: `*` is not supported; write the width as a number",
        ),
        (
            "format",
            json!(["%[0]s", 1]),
            "`spec` has a verb that is not understood at byte 0: arguments are counted from 1",
        ),
        (
            "format",
            json!(["%"]),
            "`spec` has a verb that is not understood at byte 0: the verb's letter is missing",
        ),
        ("format", json!([null]), "`spec` must not be null"),
        (
            "formatlist",
            json!(["%s %s", ["a", "b"], ["c"]]),
            "`values` must be as long as the other lists",
        ),
        (
            "formatlist",
            json!(["%d", [1, "x"]]),
            "`values` (item 1) must be a number, and this text is none",
        ),
    ]);
    let unknown = || Value::Unknown;
    calls(&[
        ("format", &["%s".into(), unknown()], unknown()),
        ("format", &["%s".into(), secret("a")], secret("a")),
        ("format", &["%v".into(), list([unknown()])], unknown()),
        (
            "formatlist",
            &["%s".into(), list(["a".into(), unknown(), secret("b")])],
            list(["a".into(), unknown(), secret("b")]),
        ),
        ("formatlist", &["%s".into(), unknown()], unknown()),
    ]);
}
