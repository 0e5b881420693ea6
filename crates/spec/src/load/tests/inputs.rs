//! Values of variables.

use crate::testing::{load_with, told};
use crate::{InputFile, Inputs};

const SPEC: &str = r#"
variable:
  name: { type: string, default: none }
  size: { type: number, default: 1 }
  ports: { type: "list(number)", default: [] }
  rules: { type: "map(object({ port = number, cidr = optional(string, \"0.0.0.0/0\") }))", default: {} }
  secret: { sensitive: true, type: number, default: 1 }
  filled: { type: string, default: x, nullable: false }
"#;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> InputFile {
    InputFile { name: "vars.yaml".to_owned(), bytes: text.into() }
}

fn given(inputs: &Inputs, name: &str) -> String {
    match load_with(SPEC, inputs) {
        Ok(loaded) => format!("{:?}", loaded.spec.variables.value(name)),
        Err(found) => told(&found),
    }
}

fn assigned(name: &str, value: &str) -> String {
    given(&Inputs { assignments: pairs(&[(name, value)]), ..Inputs::default() }, name)
}

#[test]
fn the_last_value_wins() {
    let mut inputs = Inputs {
        environment: pairs(&[("name", "environment"), ("other", "x")]),
        ..Inputs::default()
    };
    assert_eq!(given(&inputs, "name"), r#""environment""#);
    inputs.files = vec![file("name: first"), file("{\"name\": \"second ${x}\"}")];
    assert_eq!(given(&inputs, "name"), r#""second ${x}""#);
    inputs.assignments = pairs(&[("name", "a"), ("name", "b=c")]);
    assert_eq!(given(&inputs, "name"), r#""b=c""#);
}

#[test]
fn values_are_converted_to_the_type() {
    assert_eq!(assigned("size", "5"), "5");
    assert_eq!(assigned("name", "5"), r#""5""#);
    assert_eq!(assigned("ports", "[1, \"2\"]"), "[1, 2]");
    assert_eq!(
        assigned("rules", "{a = {port = 80}}"),
        r#"{"a": {"cidr": "0.0.0.0/0", "port": 80}}"#
    );
    assert_eq!(
        assigned("rules", r#"{"a": {"port": 80, "cidr": "10.0.0.0/8"}}"#),
        r#"{"a": {"cidr": "10.0.0.0/8", "port": 80}}"#
    );
    assert_eq!(assigned("secret", "7"), "(sensitive value)");
    let inputs = Inputs { files: vec![file("filled: null")], ..Inputs::default() };
    assert_eq!(given(&inputs, "filled"), r#""x""#);
}

#[test]
fn what_does_not_fit_is_told_without_being_quoted() {
    assert_eq!(
        assigned("ports", "[\"hunter2\"]"),
        "5:3 «ports» The value of the variable `ports` is not of its type. `[0]` must be a number, and is a string that is no number. It was given by `--var`."
    );
    for value in ["hunter2", "[hunter2", "hunter2]"] {
        for name in ["secret", "ports", "rules", "size"] {
            let found = assigned(name, value);
            assert!(!found.contains("hunter2") && !found.is_empty(), "{found}");
        }
    }
    let inputs =
        Inputs { files: vec![file("secret: [hunter2\nsecret: hunter2")], ..Inputs::default() };
    assert!(!given(&inputs, "secret").contains("hunter2"), "{}", given(&inputs, "secret"));
}

#[test]
fn unknown_names_are_told() {
    let inputs = Inputs { assignments: pairs(&[("nam", "x")]), ..Inputs::default() };
    assert_eq!(
        given(&inputs, "name"),
        "`--var` gives a variable `nam` that the spec does not declare / Did you mean `--var name=…`?"
    );
    let inputs = Inputs { files: vec![file("nam: x")], ..Inputs::default() };
    let loaded = load_with(SPEC, &inputs).unwrap();
    assert_eq!(
        told(&loaded.warnings),
        "`vars.yaml` gives a variable `nam` that the spec does not declare / Did you mean `name`?"
    );
}

#[test]
fn types_and_validations() {
    let spec = r#"
variable:
  a: { type: strng, default: x }
  b: { type: number, default: x }
  c: {}
  d: { type: "list(string)", default: [1, {}] }
  e: { type: "object({ a = optional(string, 5, 6) })", default: {} }
  f:
    default: 3
    validation:
      - { condition: "${var.f > 5}", error_message: "must be over 5, is ${var.f}" }
      - { condition: "${var.f < 5}", error_message: never }
"#;
    let found = load_with(spec, &Inputs::default()).unwrap_err();
    assert_eq!(
        told(&found),
        "3:14 «strng» There is no type `strng` / Did you mean `string`?
4:31 «x» The default is not of the variable's type. It must be a number, and is a string that is no number.
5:3 «c» The variable `c` has no value. It has no default, and none was given. / Give one with `--var c=…`, in a `--var-file`, or in the environment as `RECONCILE_VAR_c`.
6:43 «{» The default is not of the variable's type. `[1]` must be a string, and is a map.
7:28 «optional(string, 5, 6)» `optional` takes a type and a default / Write `optional(string)` or `optional(string, \"default\")`.
11:22 «\"${var.f > 5}\"» The value of the variable `f` is not valid. must be over 5, is 3"
    );
}
