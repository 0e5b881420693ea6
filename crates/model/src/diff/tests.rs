//! What differs, and what is matched with what.

use super::*;

static RULE: &[Attribute] = &[
    Attribute::required("port", Kind::Int),
    Attribute::optional("note", Kind::String),
    Attribute::optional("secret", Kind::String).sensitive(),
];
static RULES: Blocks = Blocks { nesting: Nesting::Set, min: 0, max: None, attributes: RULE };
static STEPS: Blocks = Blocks { nesting: Nesting::List, min: 0, max: None, attributes: RULE };
static ATTRIBUTES: &[Attribute] = &[
    Attribute::required("name", Kind::String),
    Attribute::optional("names", Kind::Set(&Kind::String)),
    Attribute::optional("rule", Kind::Blocks(&RULES)),
    Attribute::optional("step", Kind::Blocks(&STEPS)),
    Attribute::optional("tags", Kind::Map(&Kind::String)),
];

/// Shows what differs, one word for each leaf: `+rule[1].port ~name !tags`.
fn shown(before: &Object, after: &Object, marks: &Marks) -> String {
    fn leaves(node: &Node, words: &mut Vec<String>) {
        match &node.body {
            _ if node.status == Status::Unchanged => {}
            Body::Value { .. } | Body::Sensitive { .. } => {
                let sign = match node.status {
                    Status::Unchanged => "",
                    Status::Added => "+",
                    Status::Removed => "-",
                    Status::Changed => "~",
                };
                let mark = if node.mark == Some(Mark::Replace) { "!" } else { "" };
                words.push(format!("{sign}{}{mark}", node.path));
            }
            Body::Map(nodes)
            | Body::List(nodes)
            | Body::Set(nodes)
            | Body::Blocks(nodes)
            | Body::Object(nodes) => nodes.iter().for_each(|node| leaves(node, words)),
        }
    }
    let mut words = Vec::new();
    members(ATTRIBUTES, before, after, &Path::default(), marks)
        .iter()
        .for_each(|node| leaves(node, &mut words));
    words.join(" ")
}

fn check(before: Object, after: Object, expect: &str) {
    assert_eq!(shown(&before, &after, &Marks::default()), expect, "{before:?} to {after:?}");
}

fn rule(port: i64, note: &str) -> Object {
    Object::new().with("port", port).with("note", note)
}

#[test]
fn null_absent_and_no_blocks_are_one_thing() {
    let blank = Object::new().with("name", Value::Null).with("rule", Vec::<Value>::new());
    check(blank.clone(), Object::new(), "");
    check(Object::new(), blank, "");
}

#[test]
fn the_elements_of_sets_are_matched_by_what_they_say() {
    let names = |names: &[&str]| Object::new().with("names", names.to_vec());
    check(names(&["a", "b"]), names(&["b", "a", "a"]), "");
    check(names(&["a", "b"]), names(&["c", "b"]), "-names[0] +names[0]");
    let rules = |rules: Vec<Object>| Object::new().with("rule", rules);
    let (ssh, web) = (rule(22, "ssh"), rule(80, "web"));
    check(rules(vec![ssh.clone(), web.clone()]), rules(vec![web.clone(), ssh.clone()]), "");
    check(
        rules(vec![ssh.clone(), web.clone()]),
        rules(vec![rule(80, "http"), ssh.clone()]),
        "~rule[0].note",
    );
    check(
        rules(vec![ssh.clone()]),
        rules(vec![rule(443, "tls")]),
        "-rule[0].port -rule[0].note +rule[0].port +rule[0].note",
    );
}

#[test]
fn the_blocks_of_lists_are_matched_by_place_or_by_what_they_have_in_common() {
    let steps = |steps: Vec<Object>| Object::new().with("step", steps);
    let (a, b, c) = (rule(1, "a"), rule(2, "b"), rule(3, "c"));
    check(
        steps(vec![a.clone(), b.clone(), c.clone()]),
        steps(vec![a.clone(), c.clone()]),
        "-step[1].port -step[1].note",
    );
    check(steps(vec![a.clone(), b]), steps(vec![a, c]), "~step[1].port ~step[1].note");
}

#[test]
fn maps_are_matched_by_key() {
    let tags = |tags: Object| Object::new().with("tags", tags);
    check(
        tags(Object::new().with("a", "1").with("b", "1").with("c", "1")),
        tags(Object::new().with("a", "1").with("b", "2").with("d", "1")),
        "~tags.b -tags.c +tags.d",
    );
}

#[test]
fn marks_stand_where_the_plan_says() {
    let step = |port| Object::new().with("step", vec![rule(port, "x")]);
    let path = Path::root("step").index(0).name("port");
    let marks = Marks { replace: [path].into(), restart: BTreeSet::new() };
    assert_eq!(shown(&step(1), &step(2), &marks), "~step[0].port!");
    let marks = Marks { replace: [Path::root("name")].into(), restart: BTreeSet::new() };
    let named = |name: &str| Object::new().with("name", name);
    assert_eq!(shown(&named("a"), &named("b"), &marks), "~name!");
    assert_eq!(shown(&named("a"), &named("a"), &marks), "");
}

#[test]
fn what_is_sensitive_is_not_in_the_diff() {
    let with = |secret: &str| {
        let rule = rule(1, "x").with("secret", secret);
        let tags = Object::new().with("open", "x").with("key", Value::from(secret).sensitive());
        Object::new().with("rule", vec![rule]).with("tags", tags).with("name", Value::Unknown)
    };
    for (before, after) in [("hunter2", "hunter3"), ("hunter2", "hunter2")] {
        let (before, after) = (with(before), with(after));
        let nodes = members(ATTRIBUTES, &before, &after, &Path::default(), &Marks::default());
        let text = format!("{nodes:?}");
        assert!(text.contains("Sensitive") || text.contains("sensitive"), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }
}
