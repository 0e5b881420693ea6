//! Security groups that are replaced while they are in use: AWS deletes none then.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::World;

const GROUP: &str = "aws_security_group.web";
const SERVER: &str = "aws_instance.web";
const BALANCER: &str = "aws_lb.web";

/// A server with the group GROUP, which is what each test makes of it.
const IN_USE: &str = r#"
data:
  aws_ami:
    linux:
      owners: [amazon]
      most_recent: true
      filter: { name: name, values: ["al2023-ami-2023*-x86_64"] }
  aws_subnets:
    all: { filter: { name: default-for-az, values: ["true"] } }
resource:
  aws_security_group:
    web: { GROUP }
    other: { name: other }
  aws_instance:
    web:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      vpc_security_group_ids: ["${aws_security_group.web.id}"]
    both:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      vpc_security_group_ids: ["${aws_security_group.web.id}", "${aws_security_group.other.id}"]
"#;

/// All that can use a group.
const MORE: &str = r#"
  aws_lb:
    web:
      name: web
      internal: true
      subnets: ${data.aws_subnets.all.ids}
      security_groups: ["${aws_security_group.web.id}"]
  aws_vpc_security_group_ingress_rule:
    web:
      security_group_id: ${aws_security_group.other.id}
      ip_protocol: "-1"
      referenced_security_group_id: ${aws_security_group.web.id}
    own:
      security_group_id: ${aws_security_group.web.id}
      ip_protocol: "-1"
      cidr_ipv4: 10.0.0.0/8
"#;

fn world(group: &str, more: &str) -> World {
    let world = World::with_spec(&(IN_USE.replace("GROUP", group) + more));
    world.converge();
    world
}

fn groups(world: &World, address: &str, attribute: &str) -> Value {
    world.attributes(address)[attribute].clone()
}

fn check_moved(world: &World, old: &str) {
    let new = world.id(GROUP);
    assert_ne!(new, old);
    assert_eq!(groups(world, SERVER, "vpc_security_group_ids"), json!([new]));
    let both = groups(world, "aws_instance.both", "vpc_security_group_ids");
    let both = both.as_array().expect("a list");
    assert!(both.len() == 2 && both.contains(&json!(new)), "{both:?}");
    let filters = json!([{ "Name": "group-id", "Values": [old] }]);
    let found = world.call("ec2", "DescribeSecurityGroups", &json!({ "Filters": filters }));
    assert_eq!(found["SecurityGroups"], json!([]));
}

#[test]
fn create_before_destroy_replaces_a_group_in_use() {
    let lifecycle =
        "name_prefix: web-, description: old, lifecycle: { create_before_destroy: true }";
    let world = world(lifecycle, "");
    let old = world.id(GROUP);
    world.edit("main.yaml", "description: old", "description: new");
    assert_eq!(world.actions(GROUP), ["create", "delete"]);
    assert_eq!(world.actions(SERVER), ["update"]);
    world.converge();
    check_moved(&world, &old);
    world.destroy();
}

#[test]
fn a_group_in_use_gets_another_name_create_first() {
    let world = world("name: web", "");
    let old = world.id(GROUP);
    world.edit("main.yaml", "{ name: web }", "{ name: shop }");
    assert_eq!(world.actions(GROUP), ["create", "delete"]);
    assert_eq!(world.actions(SERVER), ["update"]);
    world.converge();
    check_moved(&world, &old);
    world.destroy();
}

#[test]
fn a_group_in_use_keeps_its_name_when_its_users_let_go_of_it() {
    let world = world("name: web, description: old", MORE);
    let old = world.id(GROUP);
    world.edit("main.yaml", "description: old", "description: new");
    let plan = world.run(&["plan"]).success().says("is replaced while it is in use");
    plan.says("aws_instance.both, aws_instance.web, aws_lb.web");
    assert_eq!(world.actions(GROUP), ["delete", "create"]);
    assert_eq!(world.actions(SERVER), ["update"]);
    assert_eq!(world.actions(BALANCER), ["update"]);
    // A rule cannot do without its only source.
    let rule = "aws_vpc_security_group_ingress_rule.web";
    assert_eq!(world.actions(rule), ["delete", "create"]);
    world.converge();
    check_moved(&world, &old);
    assert_eq!(groups(&world, BALANCER, "security_groups"), json!([world.id(GROUP)]));
    assert_eq!(groups(&world, rule, "referenced_security_group_id"), world.id(GROUP));
    world.destroy();
}

#[test]
fn a_group_that_another_lets_in_keeps_its_name() {
    let ingress = "name: back, ingress: { protocol: tcp, from_port: 80, to_port: 80, security_groups: [\"${aws_security_group.web.id}\"] }";
    let spec =
        IN_USE.replace("GROUP", "name: web, description: old").replace("name: other", ingress);
    let world = World::with_spec(&spec);
    world.converge();
    let old = world.id(GROUP);
    world.edit("main.yaml", "description: old", "description: new");
    assert_eq!(world.actions("aws_security_group.other"), ["update"]);
    world.converge();
    check_moved(&world, &old);
    world.destroy();
}

#[test]
fn a_replacement_that_fails_halfway_is_finished_by_the_next_apply() {
    for operation in
        ["ModifyNetworkInterfaceAttribute", "DeleteSecurityGroup", "CreateSecurityGroup"]
    {
        let world = world("name: web, description: old", "");
        let old = world.id(GROUP);
        world.edit("main.yaml", "description: old", "description: new");
        world.fault(&json!({ "kind": "error", "operation": operation, "code": "UnauthorizedOperation", "message": "no" }));
        world.run(&["apply", "--auto-approve"]).code(1).says("UnauthorizedOperation");
        world.converge();
        check_moved(&world, &old);
        world.destroy();
    }
}

#[test]
fn a_name_cannot_be_kept_create_first() {
    let lifecycle = "name: web, description: old, lifecycle: { create_before_destroy: true }";
    let world = World::with_spec(&format!(
        "resource: {{ aws_security_group: {{ web: {{ {lifecycle} }} }} }}"
    ));
    world.converge();
    world.edit("main.yaml", "description: old", "description: new");
    let plan = world.run(&["plan"]).code(1).says("cannot be created anew before it is deleted");
    plan.says("create_before_destroy").says("name_prefix");
    world.edit("main.yaml", "name: web", "name: shop");
    assert_eq!(world.actions(GROUP), ["create", "delete"]);
    world.converge();
    world.destroy();
}

#[test]
fn a_run_killed_while_a_user_lets_go_is_finished_by_the_next_apply() {
    let world = world("name: web, description: old", "");
    let old = world.id(GROUP);
    world.edit("main.yaml", "description: old", "description: new");
    let operation = "ModifyNetworkInterfaceAttribute";
    world.fault(&json!({ "kind": "delay-after", "operation": operation, "seconds": 600 }));
    let mut child = world
        .command(&["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be run");
    world.wait_for_fault();
    child.kill().expect("it runs");
    child.wait().expect("it was killed");
    world.forget_faults();
    world.converge();
    check_moved(&world, &old);
    world.destroy();
}
