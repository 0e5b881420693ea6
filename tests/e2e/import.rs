//! Objects that were made elsewhere, and are put under a spec.

use serde_json::json;

use crate::support::World;

const GROUP: &str = r#"
resource:
  aws_security_group:
    web:
      name: web
      description: The web servers
      ingress: { protocol: tcp, from_port: 80, to_port: 80, cidr_blocks: [0.0.0.0/0] }
      tags: { Name: web }
    many: { count: 2, name: "many-${count.index}", description: many }
"#;

/// Creates a group by hand and returns its id.
fn group(world: &World, name: &str, description: &str) -> String {
    let parameters = json!({ "GroupName": name, "Description": description });
    let created = world.call("ec2", "CreateSecurityGroup", &parameters);
    created["GroupId"].as_str().expect("an id").to_owned()
}

#[test]
fn what_is_in_the_way_is_named_with_the_command_that_adopts_it_and_adopted_by_it() {
    let world = World::with_spec(GROUP);
    let id = group(&world, "web", "The web servers");
    let adopt = format!("reconcile import 'aws_security_group.web' {id}");
    world.run(&["apply", "--auto-approve"]).code(1).unwrapped().says(&adopt);
    // What failed was neither adopted nor deleted.
    world.run(&["state", "list"]).success().never_says("aws_security_group.web");

    world
        .run(&["import", "aws_security_group.web", &id])
        .success()
        .says("Nothing of it was changed");
    world.forget_calls();
    assert_eq!(world.id("aws_security_group.web"), id);
    assert_eq!(world.actions("aws_security_group.web"), ["update"], "it lacks the rule and tags");
    world.converge();
    let tags = world.inventory()["security_groups"].to_string();
    assert!(!tags.contains("reconcile:address\":\"aws_security_group.web"), "{tags}");
    world.destroy();
}

#[test]
fn importing_changes_nothing_and_refuses_what_cannot_be() {
    let world = World::with_spec(GROUP);
    let web = group(&world, "web", "The web servers");
    let other = group(&world, "other", "another");
    let import = |address: &str, id: &str| world.run(&["import", address, id]);
    world.forget_calls();
    import("aws_security_group.web", &web).success();
    assert_eq!(world.calls()["mutating"], 0, "{:#}", world.calls());

    import("aws_security_group.web", &other).code(1).unwrapped().says("in the state already");
    import("aws_security_group.many[0]", &web)
        .code(1)
        .unwrapped()
        .says("at aws_security_group.web");
    import("aws_security_group.many[2]", &other).code(1).unwrapped().says("no instance");
    import("aws_security_group.none", &other).code(1).unwrapped().says("The spec has no");
    import("aws_instance.none", &other).code(1).unwrapped().says("The spec has no");
    import("aws_security_group.many[0]", "sg-00000000000000000")
        .code(1)
        .unwrapped()
        .says("There is no aws_security_group with the id sg-00000000000000000");
    import("data.aws_vpc.default", "vpc-1").code(1).unwrapped().says("data source");
    let json = world.run(&["import", "--json", "aws_security_group.many[1]", &other]).success();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["id"], other);
    // Its name and description are not what the spec says, so it would be replaced.
    assert_eq!(world.actions("aws_security_group.many[1]"), ["delete", "create"]);
    world.converge();
    world.destroy();
}

#[test]
fn import_blocks_are_planned_and_applied() {
    let world = World::with_spec(GROUP);
    let web = group(&world, "web", "The web servers");
    let many = group(&world, "many-0", "many");
    let imports = |web: &str| {
        format!(
            "{GROUP}import:\n  - {{ to: aws_security_group.web, id: {web} }}\n  - {{ to: \"aws_security_group.many[0]\", id: {many} }}\n"
        )
    };
    world.spec(&imports("sg-00000000000000000"));
    world
        .run(&["plan"])
        .code(1)
        .unwrapped()
        .says("There is no aws_security_group with the id sg-00000000000000000");
    world.spec(&imports(&web));
    world.run(&["plan", "--detailed-exitcode"]).code(2).says("2 to import");
    let plan = world.plan_json();
    let changes = plan["resource_changes"].as_array().expect("a list");
    let change = changes.iter().find(|it| it["address"] == "aws_security_group.web");
    let change = &change.expect("it is in the plan")["change"];
    assert_eq!(change["importing"]["id"], web);
    assert_eq!(change["actions"], json!(["update"]), "it lacks the rule and the tag");
    world.converge();
    assert_eq!(world.id("aws_security_group.web"), web);
    assert_eq!(world.id("aws_security_group.many[0]"), many);
    // What is recorded is imported no more, whatever the blocks say.
    world.spec(&imports("sg-00000000000000000"));
    world.assert_converged();
    world.destroy();
}
