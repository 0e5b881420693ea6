//! `aws_lb`: names that are taken, protection against deletion, and what lingers.

use serde_json::json;

use super::{spec, subnet};
use crate::support::World;

const PROTECTED: &str = r#"  aws_lb:
    it:
      name: it
      security_groups: ["${aws_security_group.one.id}"]
      subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"]
      enable_deletion_protection: true
"#;

#[test]
fn a_protected_load_balancer_goes_when_its_protection_is_off() {
    let world = World::with_spec(&spec(PROTECTED));
    world.converge();
    let id = world.id("aws_lb.it");
    world
        .run(&["destroy", "--auto-approve"])
        .code(1)
        .unwrapped()
        .says("deletion protection is enabled")
        .says("enable_deletion_protection: false");
    // It is still there, still ours, and nothing it needs is gone.
    world.converge();
    assert_eq!(world.id("aws_lb.it"), id);
    world.edit(
        "main.yaml",
        "enable_deletion_protection: true",
        "enable_deletion_protection: false",
    );
    world.converge();
    world.destroy();
}

#[test]
fn a_security_group_waits_until_the_interfaces_of_a_load_balancer_are_gone() {
    let world =
        World::with_spec(&spec(&PROTECTED.replace("protection: true", "protection: false")));
    world.settings(
        &json!({ "load_balancer_provisioning": 1, "load_balancer_interfaces_linger": 3 }),
    );
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();
    world.destroy();
    let codes = world.calls()["errors"].clone();
    assert!(codes.to_string().contains("DependencyViolation"), "{codes:#}");
}

#[test]
fn a_load_balancer_of_somebody_else_is_left_alone() {
    for same in [true, false] {
        let world = World::with_spec(&spec(""));
        world.converge();
        let [a, c] = ["a", "c"].map(|zone| subnet(&world, zone));
        let scheme = if same { "internet-facing" } else { "internal" };
        let groups = [world.id("aws_security_group.one")];
        let theirs =
            json!({ "Name": "it", "Subnets": [a, c], "Scheme": scheme, "SecurityGroups": groups });
        let theirs = world.call("elbv2", "CreateLoadBalancer", &theirs);
        let theirs = theirs["LoadBalancers"][0]["LoadBalancerArn"].clone();
        world.spec(&spec(PROTECTED));
        world
            .run(&["apply", "--auto-approve"])
            .code(1)
            .unwrapped()
            .says("a load balancer named `it` exists already, and this stack did not create it")
            .says("Choose another name");
        let arns = json!({ "ResourceArns": [theirs] });
        let tags = world.call("elbv2", "DescribeTags", &arns);
        assert_eq!(tags["TagDescriptions"][0]["Tags"], json!([]), "it is theirs");
        let arn = json!({ "LoadBalancerArn": theirs });
        let told = world.call("elbv2", "DescribeLoadBalancerAttributes", &arn);
        assert_eq!(super::setting(&told, "deletion_protection.enabled"), "false");
        world.call("elbv2", "DeleteLoadBalancer", &arn);
        world.destroy();
    }
}

#[test]
fn a_load_balancer_that_fails_is_replaced() {
    let world =
        World::with_spec(&spec(&PROTECTED.replace("protection: true", "protection: false")));
    world.fault(
        &json!({ "kind": "outcome", "operation": "CreateLoadBalancer", "message": "No capacity" }),
    );
    world.run(&["apply", "--auto-approve"]).code(1).says("No capacity");
    assert_eq!(world.actions("aws_lb.it"), ["delete", "create"]);
    world.converge();
    world.destroy();
}
