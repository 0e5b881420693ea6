//! Terraform's documented results, and what a pattern can do wrong.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    results(&[
        ("regex", json!(["[a-z]+", "53453453.345345aaabbbccc23454"]), json!("aaabbbccc")),
        ("regex", json!([r"(\d\d\d\d)-(\d\d)-(\d\d)", "2019-02-01"]), json!(["2019", "02", "01"])),
        (
            "regex",
            json!([
                r"^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?",
                "https://terraform.io/docs/"
            ]),
            json!({"authority": "terraform.io", "scheme": "https"}),
        ),
        ("regexall", json!(["[a-z]+", "1234abcd5678efgh9"]), json!(["abcd", "efgh"])),
        ("regexall", json!(["[a-z]+", "123456789"]), json!([])),
        ("replace", json!(["1 + 2 + 3", "+", "-"]), json!("1 - 2 - 3")),
        ("replace", json!(["hello world", "/w.*d/", "everybody"]), json!("hello everybody")),
    ]);
}

#[test]
fn edges() {
    results(&[
        // A group that took no part is null.
        ("regex", json!(["(a)|(b)", "b"]), json!([null, "b"])),
        (
            "regexall",
            json!(["(?P<k>[a-z])=(?P<v>\\d)", "a=1 b=2"]),
            json!([{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]),
        ),
        ("replace", json!(["John Smith", r"/(\w+) (\w+)/", "$2, $1"]), json!("Smith, John")),
        ("replace", json!(["ab", "/(?P<first>a)(b)/", "${first}-$2-$$"]), json!("a-b-$")),
        ("replace", json!(["a/b", "/", "-"]), json!("a-b")),
        ("replace", json!(["a//b", "//", "-"]), json!("-a-/-/-b-")),
        ("replace", json!(["ab", "", "-"]), json!("-a-b-")),
        ("replace", json!(["☃", "/x*/", "-"]), json!("-☃-")),
    ]);
    errors(&[
        ("regex", json!(["x", "abc"]), "`pattern` matches nothing in the string"),
        ("regex", json!(["(", "abc"]), "`pattern` must be a regular expression: unclosed group"),
        (
            "regex",
            json!(["(a)(?P<b>b)", "ab"]),
            "`pattern` must not mix named groups and groups without a name",
        ),
        (
            "replace",
            json!(["a", "/(?=a)/", "b"]),
            "`substring` must be a regular expression: look-around, including look-ahead and look-behind, is not supported",
        ),
    ]);
}
