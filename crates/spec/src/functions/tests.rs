//! Registry-wide tests, and what the tests of all topics share.

mod hostile;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::*;

/// A spec with files in memory and templates in which `<name>` stands for a variable.
pub(super) struct Files(BTreeMap<&'static str, &'static [u8]>);

impl Files {
    pub(super) fn new() -> Self {
        Self(BTreeMap::from([
            ("a/b/c.txt", b"deep".as_slice()),
            ("a/one.txt", b"1"),
            ("a/two.yaml", b"2"),
            ("binary", b"\xff\xfe"),
            ("hello.txt", b"Hello World"),
            ("hello.tpl", b"Hello <name>!"),
        ]))
    }
}

impl CallContext for Files {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).map(|content| content.to_vec()).ok_or_else(|| format!("no file `{path}`"))
    }

    fn list_files(&self, dir: &str) -> Result<Vec<String>, String> {
        let below = |path: &&str| path.strip_prefix(dir)?.strip_prefix('/').map(str::to_owned);
        Ok(self.0.keys().filter_map(below).collect())
    }

    fn file_exists(&self, path: &str) -> Result<bool, String> {
        if path.starts_with("..") {
            Err("outside of the spec".to_owned())
        } else {
            Ok(self.0.contains_key(path))
        }
    }

    fn render_template(&self, name: &str, text: &str, vars: &Object) -> Result<Value, String> {
        let mut text = text.to_owned();
        for (name, value) in vars {
            if value.is_unknown() {
                return Ok(Value::Unknown);
            }
            text = text.replace(&format!("<{name}>"), value.as_str().unwrap_or_default());
        }
        if text.contains('<') {
            Err(format!("{name}: a variable is missing in {text}"))
        } else {
            Ok(text.into())
        }
    }
}

/// Calls a function.
pub(super) fn call(name: &str, args: &[Value]) -> Result<Value, CallError> {
    find(name).unwrap_or_else(|| panic!("no function {name}")).call(&Files::new(), args)
}

fn values(args: &Json) -> Vec<Value> {
    args.as_array().unwrap().iter().map(Value::from_json).collect()
}

/// Checks the results of calls, each a function's name, its arguments, and the result, in JSON.
#[track_caller]
pub(super) fn results(table: &[(&str, Json, Json)]) {
    for (name, args, result) in table {
        let got = call(name, &values(args));
        assert_eq!(got, Ok(Value::from_json(result)), "{name}{args}");
    }
}

/// Checks the messages of calls that fail, each a function's name, its arguments, and the whole message.
#[track_caller]
pub(super) fn errors(table: &[(&str, Json, &str)]) {
    for (name, args, message) in table {
        match call(name, &values(args)) {
            Ok(value) => panic!("{name}{args} is {value:?}"),
            Err(error) => assert_eq!(error.message, *message, "{name}{args}"),
        }
    }
}

/// Checks the results of calls with values that JSON has no words for.
#[track_caller]
pub(super) fn calls(table: &[(&str, &[Value], Value)]) {
    for (name, args, result) in table {
        assert_eq!(call(name, args).as_ref(), Ok(result), "{name}{args:?}");
        // `==` does not tell a mark's place from another's in what it prints.
        assert_eq!(
            call(name, args).unwrap().has_sensitive(),
            result.has_sensitive(),
            "{name}{args:?}"
        );
    }
}

/// Returns a sensitive value.
pub(super) fn secret(value: impl Into<Value>) -> Value {
    value.into().sensitive()
}

/// Returns a list of values of all kinds.
pub(super) fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::List(items.into())
}

#[test]
fn the_registry_is_sorted_and_unique() {
    let names: Vec<_> = names().collect();
    assert!(names.is_sorted_by(|left, right| left < right), "{names:?}");
    for topic in TOPICS {
        let names = topic.functions.iter().map(|function| function.name);
        assert!(names.is_sorted(), "the functions on {} are not sorted", topic.title);
    }
    assert!(REFUSED.is_sorted_by(|left, right| left.0 < right.0));
    for (name, _) in REFUSED {
        assert!(find(name).is_none(), "{name} is refused and there");
        assert!(refused(name).is_some());
    }
    assert!(find("nonesuch").is_none() && refused("abs").is_none());
}

#[test]
fn signatures_say_what_is_taken() {
    for function in TOPICS.iter().flat_map(|topic| topic.functions) {
        let (taken, optional, rest, named) = function.shape();
        let signature = function.signature;
        assert!(signature.ends_with(')') && function.doc.ends_with('.'), "{signature}");
        assert_eq!(signature.matches('[').count(), optional, "{signature}");
        assert_eq!(signature.contains("..."), rest, "{signature}");
        assert!(if rest { named <= taken } else { named == taken }, "{signature}");
    }
}

/// All functions that Terraform documents, but for those of providers.
#[test]
fn terraform_has_no_function_that_is_neither_here_nor_refused() {
    let terraform = "abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 base64sha512 basename \
        bcrypt can ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact concat \
        contains csvdecode dirname distinct element endswith ephemeralasnull file filebase64 filebase64sha256 \
        filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 flatten floor format formatdate formatlist \
        indent index issensitive join jsondecode jsonencode keys length list log lookup lower map matchkeys max md5 merge \
        min nonsensitive one parseint pathexpand plantimestamp pow range regex regexall replace reverse rsadecrypt \
        sensitive setintersection setproduct setsubtract setunion sha1 sha256 sha512 signum slice sort split startswith \
        strcontains strrev substr sum templatefile templatestring textdecodebase64 textencodebase64 timeadd timecmp timestamp \
        title tobool tolist tomap tonumber toset tostring transpose trim trimprefix trimspace trimsuffix try type upper \
        urlencode uuid uuidv5 values yamldecode yamlencode zipmap";
    for name in terraform.split_whitespace() {
        assert!(find(name).is_some() || refused(name).is_some(), "{name} is missing");
    }
}

#[test]
fn the_reference_page_is_in_step() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, reference()).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(page == reference(), "docs/functions.md is out of step: run the tests with UPDATE=1");
}

#[test]
fn arguments_are_counted() {
    errors(&[
        ("abs", serde_json::json!([]), "`abs(number)` takes 1 argument, not 0"),
        ("split", serde_json::json!(["a"]), "`split(separator, string)` takes 2 arguments, not 1"),
        (
            "lookup",
            serde_json::json!([{}]),
            "`lookup(map, key, [default])` takes 2 to 3 arguments, not 1",
        ),
        ("max", serde_json::json!([]), "`max(numbers...)` takes at least 1 argument, not 0"),
    ]);
}

#[test]
fn arguments_are_converted_or_refused_by_name() {
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    results(&[
        ("upper", json("[true]"), json(r#""TRUE""#)),
        ("strrev", json("[12.5]"), json(r#""5.21""#)),
        ("abs", json(r#"["-3"]"#), json("3")),
    ]);
    errors(&[
        ("upper", json("[null]"), "`string` must not be null"),
        ("upper", json("[[]]"), "`string` must be a string, not a collection"),
        ("abs", json(r#"["x"]"#), "`number` must be a number, and this text is none"),
        ("max", json(r#"[1, 2, "x"]"#), "`numbers` must be a number, and this text is none"),
        ("element", json(r#"["x", 0]"#), "`list` must be a list"),
        ("keys", json("[[1]]"), "`map` must be a map"),
        ("join", json(r#"[",", ["a", null]]"#), "`lists` (item 1) must not be null"),
    ]);
}

#[test]
fn unknowns_and_marks_pass_through() {
    let unknown = || Value::Unknown;
    calls(&[
        ("upper", &[unknown()], unknown()),
        ("upper", &[secret("a")], secret("A")),
        ("upper", &[secret(unknown())], secret(unknown())),
        ("join", &[",".into(), list(["a".into(), unknown()])], unknown()),
        ("join", &[",".into(), list(["a".into(), secret("b")])], secret("a,b")),
        ("join", &[",".into(), list([secret("a"), unknown()])], secret(unknown())),
        ("upper", &[Value::Sealed("sha256:00".to_owned())], secret(unknown())),
        ("sha256", &[list([]), unknown()][1..], unknown()),
    ]);
    // What is wrong whatever the unknown will be is said at once.
    assert!(call("split", &[Value::Null, Value::Unknown]).is_err());
}

#[test]
fn errors_keep_secrets() {
    let secrets: &[(&str, &[Value])] = &[
        ("parseint", &[secret("hunter2"), 10.into()]),
        ("jsondecode", &[secret("hunter2")]),
        ("cidrhost", &[secret("hunter2"), 1.into()]),
        ("lookup", &[Object::new().into(), secret("hunter2")]),
        ("file", &[secret("hunter2")]),
        ("regex", &[secret("(hunter2"), "".into()]),
        (
            "templatestring",
            &["<password><x>".into(), Object::new().with("password", secret("hunter2")).into()],
        ),
        ("format", &["%d".into(), secret("hunter2")]),
        ("formatdate", &[secret("hunter2"), "2018-01-02T23:12:01Z".into()]),
    ];
    for (name, args) in secrets {
        let error = call(name, args).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{name}: {error}");
    }
    assert!(call("file", &["x".into()]).unwrap_err().to_string().contains("no file `x`"));
}
