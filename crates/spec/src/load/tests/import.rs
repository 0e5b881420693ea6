//! `import` blocks: what they say, and what is wrong with them.

use super::check;
use crate::Scope;
use crate::testing::loaded;

const SPEC: &str = r#"
variable: { id: { type: string, default: i-1 }, secret: { type: string, default: i-2, sensitive: true } }
locals: { ids: [i-3, i-4], empty: "" }
resource:
  aws_instance:
    one: { ami: ami-1 }
    many: { count: 2, ami: ami-1 }
    each: { for_each: [a], ami: ami-1 }
"#;

#[test]
fn ids_are_constants_variables_and_locals() {
    let text = r#"
import:
  - { to: aws_instance.one, id: "${var.id}" }
  - { to: "aws_instance.many[1]", id: "${local.ids[0]}" }
  - { to: 'aws_instance.each["a"]', id: i-5 }
"#;
    let spec = loaded(&format!("{SPEC}{text}")).spec;
    let scope = Scope::new(&spec);
    let imports: Vec<String> = spec
        .imports
        .iter()
        .map(|it| format!("{} {}", it.to, scope.import_id(it).unwrap()))
        .collect();
    assert_eq!(
        imports,
        ["aws_instance.one i-1", "aws_instance.many[1] i-3", "aws_instance.each[\"a\"] i-5"]
    );
}

#[test]
fn imports_that_cannot_be() {
    let checked = |imports: &str, expected: &[&str]| {
        check(&format!("{}\nimport: [{imports}]", SPEC.trim()), expected);
    };
    checked(
        "{ to: aws_instance.one }",
        &["8:10 «{» An `import` block needs `id` / Write `{ to: aws_instance.web, id: i-0ab1… }`."],
    );
    checked(
        "{ to: aws_instance.oen, id: i-1 }",
        &[
            "8:16 «aws_instance.oen» The spec has no `aws_instance.oen`. An object is imported into a block of the spec, which says what it shall be. / Did you mean `aws_instance.one`?",
        ],
    );
    checked(
        "{ to: aws_lb.front, id: i-1 }",
        &[
            "8:16 «aws_lb.front» The spec has no `aws_lb.front`. An object is imported into a block of the spec, which says what it shall be. / Write the block first, with the arguments that the object has.",
        ],
    );
    checked(
        "{ to: 'aws_instance.one[0]', id: i-1 }, { to: aws_instance.many, id: i-1 }, { to: 'aws_instance.each[0]', id: i-1 }",
        &[
            "8:16 «'aws_instance.one[0]'» `aws_instance.one` takes no key / Write `aws_instance.one`.",
            "8:56 «aws_instance.many» `aws_instance.many` needs an index / Write `aws_instance.many[0]`.",
            "8:92 «'aws_instance.each[0]'» `aws_instance.each` needs a key / Write `aws_instance.each[\"key\"]`.",
        ],
    );
    checked(
        "{ to: aws_instance.one, id: i-1 }, { to: aws_instance.one, id: i-2 }",
        &[
            "8:51 «aws_instance.one» Two objects are imported as `aws_instance.one`. One is at main.yaml:8:16 already. / Remove one of the two blocks.",
        ],
    );
    let id = "Write it as AWS does: `i-0ab1…`, or a load balancer's ARN.";
    for (given, why) in [
        ("\"${local.empty}\"", "It is empty."),
        ("\"${var.secret}\"", "It is sensitive, and plans show it."),
        ("null", "It is null."),
    ] {
        checked(
            &format!("{{ to: aws_instance.one, id: {given} }}"),
            &[&format!("8:38 «{given}» `id` must be the id of an object. {why} / {id}")],
        );
    }
    checked(
        "{ to: aws_instance.one, id: \"${aws_instance.many[0].id}\" }",
        &[
            "8:41 «aws_instance.many» `aws_instance.many` cannot be used in an import. This must be known before any resource is looked at. / Use variables and constants.",
        ],
    );
}
