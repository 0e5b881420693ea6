//! Where things stand, in every style that YAML has.

use reconcile_model::{Path, Step};

use crate::Scope;
use crate::testing::{load_text, loaded, problems, told};

/// Returns the places of the problems alone, each with the text it marks.
fn places(spec: &str) -> Vec<String> {
    problems(spec).lines().map(|line| line.split('»').next().unwrap().to_owned()).collect()
}

#[test]
fn an_expression_is_found_in_its_scalar() {
    let spec = r#"
locals:
  plain: before ${var.a} after
  single: 'it''s ${var.b}'
  double: "tab\t\"q\" \u00e9 ${var.c}"
  literal: |
    first
      é ${var.d}
  folded: >-
    one
    two ${var.e}
  "quoted key": 1
  multi line
    key: 1
"#;
    let broken = places(spec);
    assert_eq!(broken, ["14:8 «:"], "what is no YAML is told alone");
    let spec = spec.split("  \"quoted").next().unwrap();
    assert_eq!(places(spec), ["3:23 «a", "4:24 «b", "5:36 «c", "8:15 «d", "10:5 «one"],);
}

#[test]
fn a_multi_line_scalar_is_marked_at_its_start() {
    let spec = "locals:\n  a: one\n    two ${var.x}\n  b: \"one\n    two ${var.y}\"\n";
    assert_eq!(places(spec), ["2:6 «one", "4:6 «\"one"]);
}

#[test]
fn an_alias_points_at_what_it_stands_for() {
    let spec = "locals:\n  a: &x ['${var.a}']\n  b: *x\n";
    assert_eq!(places(spec), ["2:17 «a"]);
}

#[test]
fn windows_line_ends_and_byte_order_marks_shift_nothing() {
    assert_eq!(places("\u{feff}locals:\r\n  a: '${var.x}'\r\n"), ["2:13 «x"]);
}

#[test]
fn arguments_are_found_by_path() {
    let loaded = loaded(
        "resource:
  aws_security_group:
    web:
      name: web
      ingress:
        - from_port: 80
          cidr_blocks: [10.0.0.0/8, 10.1.0.0/16]
        - { from_port: 22, cidr_blocks: [0.0.0.0/0] }
  aws_instance:
    web:
      ami: a
      root_block_device: { volume_size: 8 }
      tags:
        Name: web
",
    );
    let scope = Scope::new(&loaded.spec);
    let at = |block: usize, steps: &[&str]| {
        let step =
            |step: &&str| step.parse().map_or_else(|_| Step::Name((*step).to_owned()), Step::Index);
        let path = Path(steps.iter().map(step).collect());
        scope.span_of(&loaded.spec.blocks[block], &path).map(|span| span.to_string())
    };
    let some = |place: &str| Some(format!("main.yaml:{place}"));
    assert_eq!(at(0, &["name"]), some("4:13"));
    assert_eq!(at(0, &["ingress"]), some("5:7"));
    assert_eq!(at(0, &["ingress", "0"]), some("6:11"));
    assert_eq!(at(0, &["ingress", "0", "cidr_blocks", "1"]), some("7:37"));
    assert_eq!(at(0, &["ingress", "1", "from_port"]), some("8:24"));
    assert_eq!(at(0, &["ingress", "1", "protocol"]), some("8:11"));
    assert_eq!(at(1, &["root_block_device", "0", "volume_size"]), some("12:41"));
    assert_eq!(at(1, &["tags", "Name"]), some("14:15"));
    assert_eq!(at(1, &["tags", "Other"]), some("13:7"));
    assert_eq!(at(1, &["user_data"]), None);
    assert_eq!(loaded.spec.blocks[1].span.to_string(), "main.yaml:10:5");
}

#[test]
fn merge_keys_and_comments_of_the_json_syntax() {
    let loaded = loaded(
        "locals: { common: &common { ami: a, tags: { Team: web } } }
resource:
  aws_instance:
    web:
      //: a comment
      <<: *common
      tags: { Team: own }
",
    );
    let scope = Scope::new(&loaded.spec);
    let object = scope.configure(&loaded.spec.blocks[0], None).unwrap();
    assert_eq!(format!("{object:?}"), r#"{"ami": "a", "tags": {"Team": "own"}}"#);
}

/// Of a block with instances, what is the same for all of them is evaluated apart; nobody should notice.
#[test]
fn what_is_evaluated_once_for_all_instances_is_told_where_it_stands() {
    for name in [
        "${jsondecode(\"{\")}",
        "${element([for x in [1, 2] : x / 0], 0)}-x",
        "${false ? jsondecode(\"{\") : upper(\"x\")}",
        "${try(jsondecode(\"{\"))}",
        "${can(jsondecode(\"{\")) ? \"a\" : join(\"-\", 1)}",
    ] {
        let one = format!("resource:\n  aws_lb:\n    a:\n      name: '{name}'\n");
        let several = format!("{one}      count: 2\n");
        let found = |text: &str| load_text(text).err().map(|found| told(&found));
        assert_eq!(found(&one), found(&several), "{name}");
    }
}
