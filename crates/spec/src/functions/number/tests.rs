//! Terraform's documented results, and numbers at the ends.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    results(&[
        ("abs", json!([23]), json!(23)),
        ("abs", json!([0]), json!(0)),
        ("abs", json!([-12.4]), json!(12.4)),
        ("ceil", json!([5]), json!(5)),
        ("ceil", json!([5.1]), json!(6)),
        ("floor", json!([5]), json!(5)),
        ("floor", json!([4.9]), json!(4)),
        ("log", json!([16, 2]), json!(4)),
        ("max", json!([12, 54, 3]), json!(54)),
        ("min", json!([12, 54, 3]), json!(3)),
        ("parseint", json!(["100", 10]), json!(100)),
        ("parseint", json!(["FF", 16]), json!(255)),
        ("parseint", json!(["-10", 16]), json!(-16)),
        ("parseint", json!(["1011111011101111", 2]), json!(48879)),
        ("parseint", json!(["aA", 62]), json!(656)),
        ("pow", json!([3, 2]), json!(9)),
        ("pow", json!([4, 0]), json!(1)),
        ("signum", json!([-13]), json!(-1)),
        ("signum", json!([0]), json!(0)),
        ("signum", json!([344]), json!(1)),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("abs", json!([i64::MIN]), json!(9_223_372_036_854_775_808.0)),
        ("ceil", json!([-0.5]), json!(0)),
        ("floor", json!([-4.1]), json!(-5)),
        ("ceil", json!([1e300]), json!(1e300)),
        ("max", json!([-1]), json!(-1)),
        ("max", json!(["10", 9.5]), json!(10)),
        ("parseint", json!(["-9223372036854775808", 10]), json!(i64::MIN)),
        ("pow", json!([2, 62]), json!(4_611_686_018_427_387_904_i64)),
        ("pow", json!([2, -1]), json!(0.5)),
        ("pow", json!([2, 100]), json!(1_267_650_600_228_229_401_496_703_205_376.0)),
        ("signum", json!([-0.1]), json!(-1)),
    ]);
    errors(&[
        ("log", json!([0, 10]), "the result is not a finite number"),
        ("log", json!([-1, 10]), "the result is not a finite number"),
        ("pow", json!([10, 400]), "the result is not a finite number"),
        (
            "parseint",
            json!(["FF", 10]),
            "`string` must be a whole number in the given base: got \"FF\"",
        ),
        (
            "parseint",
            json!(["", 10]),
            "`string` must be a whole number in the given base: got \"\"",
        ),
        (
            "parseint",
            json!(["1_0", 10]),
            "`string` must be a whole number in the given base: got \"1_0\"",
        ),
        (
            "parseint",
            json!(["9223372036854775808", 10]),
            "`string` is beyond what 64 bits hold: got \"9223372036854775808\"",
        ),
        ("parseint", json!(["1", 63]), "`base` must be a whole number from 2 to 62"),
    ]);
}
