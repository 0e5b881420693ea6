//! Calls with arguments that nobody would write on purpose: none panics, none fills the memory, none tells a secret.

use proptest::prelude::*;

use super::*;

/// Text that means something to some function, and text that means nothing to any.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        1 => prop::sample::select(vec![
            "", "/", "//", "/(/", "%", "%s%v", "%999999d", "%[0]s", "%-+ 0#9.9[1]g", "%.400e", "(a)(?P<b>b)", "10.0.0.0/8",
            "::/0", "2001:db8::/64", "0.0.0.0/0", "255.255.255.255/32", "2018-01-02T23:12:01Z", "9999-12-31T23:59:59-23:59",
            "0000-01-01T00:00:00+23:59", "1h", "-1e9h", "99999999999999h", "YYYY'", "&a [*a]", "<<: 1", "{\"a\":1e999}",
            "a,b\n1", "a,a\n", "\u{feff}", "e\u{301}", "👩‍👩‍👧‍👦", "**/{a,[b-a]}", "[", "{", "\\", "UTF-16", "//8=", "AA==", "dns",
            "hello.txt", "a", "..", "~", "-", "$1${x}$", "\r\n", "9223372036854775808", "1e308", "-0",
        ]).prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(Value::Unknown),
        Just(Value::Sealed("sha256:00".to_owned())),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..70).prop_map(Value::from),
        any::<f64>()
            .prop_map(|number| reconcile_model::Number::from_f64(number)
                .map_or(Value::Null, Value::Number)),
        text().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::btree_map(text(), inner.clone(), 0..4)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
            inner.prop_map(mark),
        ]
    })
}

/// One value of each kind, to make arguments of that a function takes at least for their kind.
fn kinds() -> impl Strategy<Value = [Value; 5]> {
    let number = prop_oneof![
        (-3_i64..70).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::from(2))
    ];
    let texts = prop::collection::vec(text().prop_map(Value::from), 0..4).prop_map(Value::List);
    let lists = prop::collection::vec(value(), 0..4).prop_map(Value::List);
    let map = prop::collection::btree_map(text(), value(), 0..4);
    let map = map.prop_map(|members| Value::Map(members.into_iter().collect()));
    let list = prop_oneof![texts, lists];
    (value(), list, map, number, text())
        .prop_map(|(any, list, map, number, text)| [any, list, map, number, text.into()])
}

/// Nothing that is sensitive lies within something that is.
fn is_flat(value: &Value) -> bool {
    match value {
        Value::Sensitive(inner) => **inner == inner.unmarked(),
        Value::List(items) => items.iter().all(is_flat),
        Value::Map(members) => members.values().all(is_flat),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Unknown
        | Value::Sealed(_) => true,
    }
}

fn mark(value: Value) -> Value {
    marks::mark(value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_call_panics(args in prop::collection::vec(value(), 0..5)) {
        let cx = Files::new();
        for function in REGISTRY.iter() {
            if let Ok(result) = function.call(&cx, &args) {
                prop_assert!(is_flat(&result), "{} gave {result:?}", function.name);
                prop_assert_eq!(Ok(result), function.call(&cx, &args), "{} is not pure", function.name);
            }
        }
    }

    #[test]
    fn no_call_with_the_right_kinds_panics(values in prop::collection::vec(kinds(), 1..5)) {
        let cx = Files::new();
        for function in REGISTRY.iter() {
            let of_kind = |(index, [any, list, map, number, text]): (usize, &[Value; 5])| {
                let kinds = [(Value::List(vec![]), list), (Object::new().into(), map), (0.into(), number), ("".into(), text)];
                let wanted = function.empty(index);
                kinds.into_iter().find(|(empty, _)| *empty == wanted).map_or(any, |(_, value)| value).clone()
            };
            let args: Vec<Value> = values.iter().enumerate().map(of_kind).collect();
            if let Ok(result) = function.call(&cx, &args) {
                prop_assert!(is_flat(&result), "{} gave {result:?}", function.name);
            }
        }
    }

    #[test]
    fn what_is_secret_stays_secret(text in "[a-z]{12}", number in any::<i64>()) {
        let cx = Files::new();
        for function in REGISTRY.iter().filter(|function| function.name != "nonsensitive") {
            for others in [vec![], vec![Value::from(1)], vec![Value::from("x")], vec![number.into(), "%s".into()]] {
                for place in 0..=others.len() {
                    let mut args = others.clone();
                    args.insert(place, Value::from(text.as_str()).sensitive());
                    let shown = match function.call(&cx, &args) {
                        Ok(result) => format!("{result:?}"),
                        Err(error) => error.to_string(),
                    };
                    prop_assert!(!shown.contains(&text), "{}: {shown}", function.name);
                }
            }
        }
    }
}

#[test]
fn small_calls_make_no_huge_results() {
    let long = Value::from("a".repeat(1 << 20));
    let many = Value::List(vec![Value::Bool(true); 2000]);
    let huge: &[(&str, Vec<Value>)] = &[
        ("range", vec![1025.into()]),
        (
            "range",
            vec![
                0.into(),
                1.into(),
                Value::Number(reconcile_model::Number::from_f64(1e-300).unwrap()),
            ],
        ),
        ("setproduct", vec![many.clone(), many.clone()]),
        ("setproduct", vec![many.clone(); 64]),
        ("replace", vec![long.clone(), "a".into(), "b".repeat(1000).into()]),
        ("replace", vec![long.clone(), "/a/".into(), "b".repeat(1000).into()]),
        ("replace", vec![long.clone(), "/(a+)/".into(), "$1".repeat(20).into()]),
        ("regexall", vec![".*b|a".into(), format!("{}a", long.as_str().unwrap()).into()]),
        ("indent", vec![i64::MAX.into(), "\n\n".into()]),
        ("indent", vec![1_000_000.into(), "\n".repeat(100).into()]),
        ("join", vec![long.clone(), many.clone()]),
        ("format", vec!["%99999999999d".into(), 1.into()]),
        ("format", vec!["%65535[1]d".repeat(300).into(), 1.into()]),
        ("formatlist", vec!["%65535d".into(), many.clone()]),
        ("concat", vec![Value::List(vec![Value::Null; 600_000]); 2]),
        ("merge", vec![Object::new().with("a", vec![long.clone(); 17]).into()]),
        ("csvdecode", vec![format!("{}\n{}", "a".repeat(100_000), "b\n".repeat(1000)).into()]),
        (
            "yamldecode",
            vec![format!("a: &a [{}]\nb: [{}]", "1,".repeat(4000), "*a,".repeat(4000)).into()],
        ),
        (
            "yamldecode",
            vec![format!("a: &a {}\nb: [{}]", "x".repeat(100_000), "*a,".repeat(4000)).into()],
        ),
        ("jsondecode", vec!["[".repeat(100_000).into()]),
        ("yamldecode", vec!["[".repeat(100_000).into()]),
        ("regex", vec!["((((a{99}){99}){99}){99})".into(), "a".into()]),
        ("regex", vec!["(".repeat(100_000).into(), "a".into()]),
        ("fileset", vec!["a".into(), "{".repeat(100_000).into()]),
    ];
    for (name, args) in huge {
        let error = call(name, args).expect_err(name);
        assert!(error.message.len() < 400, "{name}: {error}");
    }
}
