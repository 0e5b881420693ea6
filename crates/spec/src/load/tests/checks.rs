//! `check` blocks: what is wrong with them, what they depend on, and what their assertions come to.

use reconcile_model::{Object, ResourceAddress, Value};

use super::check;
use crate::testing::loaded;
use crate::{Assertion, Instances, Scope};

const GOOD: &str = r#"
variable: { token: { type: string, default: hush, sensitive: true } }
locals: { wanted: "${aws_lb.web.dns_name}" }
resource: { aws_lb: { web: { name: web } } }
check:
  images:
    data:
      aws_ami:
        newest: { name_regex: "${aws_lb.web.name}" }
        second: { name_regex: "${data.aws_ami.newest.id}" }
    assert:
      - condition: ${length(data.aws_ami.second.names) > 1}
        error_message: There is only ${data.aws_ami.newest.id}.
      - { condition: '${local.wanted != "x"}', error_message: "It is ${var.token}." }
"#;

#[test]
fn a_check_keeps_its_data_sources_to_itself() {
    let spec = loaded(GOOD).spec;
    let check = &spec.checks["images"];
    let address = |name: &str| ResourceAddress::data("aws_ami", name);
    assert_eq!(check.data, [address("newest"), address("second")]);
    let balancer = ResourceAddress::managed("aws_lb", "web");
    assert!(check.dependencies.iter().eq([&balancer]));
    assert!(spec.order().map(|it| &it.address).eq([&balancer]));
    assert_eq!(spec.blocks[&address("newest")].check.as_deref(), Some("images"));
}

#[test]
fn assertions_hold_fail_or_are_not_known() {
    let spec = loaded(GOOD).spec;
    let mut scope = Scope::new(&spec);
    let check = &spec.checks["images"];
    let told = |scope: &Scope<'_>| {
        let words = scope.assertions(check).into_iter().map(|it| match it {
            Assertion::Holds => "holds".to_owned(),
            Assertion::Fails(problem) => problem.detail,
            Assertion::Unknown(problem) => problem.summary,
            Assertion::Broken(problems) => format!("{problems:?}"),
        });
        words.collect::<Vec<_>>()
    };
    let unknown = "An assertion is known after apply only";
    assert_eq!(told(&scope), [unknown, unknown]);
    let set = |scope: &mut Scope<'_>, address: ResourceAddress, object: Object| {
        scope.set(&spec.blocks[&address], Instances::One(Value::Map(object)));
    };
    let names = |names: &[&str]| Value::List(names.iter().map(|it| Value::from(*it)).collect());
    let newest = Object::new().with("id", "ami-1");
    set(&mut scope, ResourceAddress::data("aws_ami", "newest"), newest);
    let second = Object::new().with("names", names(&["a"]));
    set(&mut scope, ResourceAddress::data("aws_ami", "second"), second);
    let balancer = Object::new().with("dns_name", "x");
    set(&mut scope, ResourceAddress::managed("aws_lb", "web"), balancer);
    let secret = "The error message is sensitive and is not shown.";
    assert_eq!(told(&scope), ["There is only ami-1.", secret]);
    let second = Object::new().with("names", names(&["a", "b"]));
    set(&mut scope, ResourceAddress::data("aws_ami", "second"), second);
    let balancer = Object::new().with("dns_name", "y");
    set(&mut scope, ResourceAddress::managed("aws_lb", "web"), balancer);
    assert_eq!(told(&scope), ["holds", "holds"]);
}

#[test]
fn nothing_else_can_use_them() {
    let own = "data: { aws_ami: { own: {} } }, assert: { condition: true, error_message: x }";
    let belongs = |place: &str, text: &str| {
        format!(
            "{place} «{text}» `data.aws_ami.own` belongs to the check `a`. It is read for that check alone, and nothing else can use it. / Put it under `data` at the top level to use it anywhere."
        )
    };
    check(
        &format!(
            "check: {{ a: {{ {own} }} }}\noutput: {{ o: {{ value: '${{data.aws_ami.own.id}}' }} }}"
        ),
        &[&belongs("2:31", "aws_ami.own")],
    );
    check(
        &format!(
            "check:\n  a: {{ {own} }}\n  b: {{ assert: {{ condition: '${{data.aws_ami.own.id == \"\"}}', error_message: x }} }}"
        ),
        &[&belongs("3:37", "aws_ami.own")],
    );
    check(
        &format!("check: {{ a: {{ {own} }} }}\nlocals: {{ l: '${{data.aws_ami.own}}' }}"),
        &[&belongs("2:22", "aws_ami.own")],
    );
}

#[test]
fn what_is_wrong_with_a_check() {
    check(
        "check: { a: { data: {}, asert: { condition: true, error_message: x } } }",
        &[
            "1:25 «asert» There is no `asert` in the check `a`. It takes `data` and `assert`. / Did you mean `assert`?",
        ],
    );
    check(
        "check: { a: { data: {} } }",
        &[
            "1:10 «a» The check `a` asserts nothing / Give it `assert`, with a `condition` and an `error_message`.",
        ],
    );
    check(
        "check: { a: { assert: { condition: true } } }",
        &["1:23 «{» An assertion needs `error_message`"],
    );
    check(
        "check: { a: { assert: { condition: '${1 + true}', error_message: x } } }",
        &["1:43 «true» An operand of `+` must be a number. This is a bool."],
    );
    check(
        "check: { a: { data: { aws_ami: { b: { count: 2 } } }, assert: { condition: true, error_message: x } } }",
        &[
            "1:39 «count» A data source of a check takes no `count`. It is read once, for its check alone. / Put it under `data` at the top level, and mention it in the check.",
        ],
    );
    check(
        "data: { aws_ami: { b: {} } }\ncheck: { a: { data: { aws_ami: { b: {} } }, assert: { condition: true, error_message: x } } }",
        &[
            "2:34 «b» `data.aws_ami.b` is defined twice. It is defined at main.yaml:1:20 already. / Rename or remove one of the two.",
        ],
    );
    check(
        "check: { a: { data: { aws_ami: { b: { ownrs: [x] } } }, assert: { condition: '${data.aws_ami.b.nam == 1}', error_message: x } } }",
        &[
            "1:39 «ownrs» `aws_ami` has no argument `ownrs` / Did you mean `owners`?",
            "1:96 «nam» `aws_ami` has no attribute `nam`",
        ],
    );
}
