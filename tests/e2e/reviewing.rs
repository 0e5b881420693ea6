//! What a reviewer reads: drift with what the spec says of it, fleets as one entry, and Markdown whose command applies just that.

use serde_json::json;

use crate::support::World;

const GROUP: &str = "resource: { aws_security_group: { a: { name: a, description: a, tags: { Name: a, tier: web } } } }\n";

/// Changes a tag behind the tool's back.
fn retag(world: &World, key: &str, value: &str) {
    let group = world.id("aws_security_group.a");
    let tags = json!({ "Resources": [group], "Tags": [{ "Key": key, "Value": value }] });
    world.call("ec2", "CreateTags", &tags);
}

#[test]
fn drift_says_what_the_spec_says_and_what_comes_of_it() {
    let world = World::with_spec(GROUP);
    world.converge();
    retag(&world, "tier", "db");
    let check = |arguments: &[&str], code: i32, lines: &[&str]| {
        let mut output =
            world.run(&[&["plan", "--detailed-exitcode"], arguments].concat()).code(code);
        for line in lines {
            output = output.says(line);
        }
    };
    check(
        &[],
        2,
        &[
            "Changed outside of reconcile:",
            "# apply undoes it",
            "~ \"tier\" = \"web\" -> \"db\"",
            "# the spec says \"tier\" = \"web\" (main.yaml:3): apply sets it back",
            "# drifted: tags.tier was \"web\" when recorded, is \"db\"",
        ],
    );
    check(&["--refresh-only"], 2, &["an ordinary apply sets it back", "No changes."]);
    // Written down by now: nothing to do but to record it.
    world.edit("main.yaml", "tier: web", "tier: db");
    check(&[], 0, &["(main.yaml:3): apply records it", "No changes."]);
    world.edit("main.yaml", "tier: db }", "tier: app }, lifecycle: { ignore_changes: [tags] }");
    check(&[], 0, &["ignore_changes leaves it", "No changes."]);
    world.edit("main.yaml", ", lifecycle: { ignore_changes: [tags] }", "");
    check(&[], 2, &["the spec says \"tier\" = \"app\" (main.yaml:3): apply sets that"]);
    // What is recorded is no drift any more, and still not what the spec says.
    world.run(&["apply", "--refresh-only", "--auto-approve"]).success();
    let output = world.run(&["plan", "--refresh-only", "--detailed-exitcode"]).code(0);
    assert!(!output.stdout.contains("Changed outside"), "{output}");
    check(&[], 2, &["# spec changed: main.yaml:3", "~ \"tier\" = \"db\" -> \"app\""]);
    world.destroy();
}

#[test]
fn what_is_gone_is_told_and_made_again() {
    let world = World::with_spec(GROUP);
    world.converge();
    let group = world.id("aws_security_group.a");
    world.call("ec2", "DeleteSecurityGroup", &json!({ "GroupId": group }));
    world
        .run(&["plan", "--format", "markdown"])
        .success()
        .says("was deleted; apply creates it again")
        .says("# it was there at the last apply and is gone: deleted outside of reconcile");
    world.converge();
    world.destroy();
}

#[test]
fn the_command_of_a_comment_applies_that_plan_and_no_other() {
    let spec = "variable: { name: { type: string }, password: { type: string, sensitive: true } }\n\
                resource: { aws_security_group: { a: { for_each: \"${toset([\\\"x y\\\", \\\"z\\\"])}\", name: \"${var.name}-${each.key}\", \
                description: a, tags: { secret: \"${var.password}\" } } } }\n";
    let world = World::with_spec(spec);
    let arguments = [
        "plan",
        "--format",
        "markdown",
        "--var",
        "name=a $HOME; b",
        "--var",
        "password=hunter2",
        "--target",
        "aws_security_group.a[\"x y\"]",
    ];
    let comment = world.run(&arguments).success();
    assert_eq!(comment.stdout, world.run(&arguments).success().stdout);
    assert!(!comment.stdout.contains("hunter2"), "{comment}");
    let comment = comment.says("have to be given again: `password`");
    let (_, rest) = comment.stdout.split_once("```sh\n").expect("a command");
    let (command, _) = rest.split_once("\n```").expect("its end");
    world.shell(command).code(1).says("password");
    let command = format!("RECONCILE_VAR_password=hunter2 {command}");
    world.shell(&command).success().says("1 added");
    // It is not that plan any more.
    world.shell(&command).code(1);
    world.run(&["destroy", "--auto-approve", "--var", "name=x", "--var", "password=x"]).success();
    world.assert_empty();
}

#[test]
fn a_fleet_is_one_entry() {
    let world = World::with_stack("web-fleet");
    let fleet = ["--var", "instances=12"];
    world
        .run(&[&["plan"][..], &fleet].concat())
        .success()
        .says("aws_instance.web[0 to 11], 12 instances, will be created")
        .says("+ \"Name\"    = \"web-fleet-000\" to \"web-fleet-011\", by number")
        .says("(this is [0]'s line; the others differ by number)");
}
