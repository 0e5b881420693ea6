//! How many API calls things take. Times vary with the machine; these do not.
//!
//! Each stack of `tests/calls` is so many objects of one type, and what they need. `cargo xtask bench` runs the same
//! stacks with a thousand of each.

use std::path::Path;

use serde_json::Value;

use crate::support::World;

/// What so many objects of a type may cost.
struct Cost {
    type_name: &'static str,
    /// The calls that read the type, and what it stands on of the same kind.
    reads: &'static [&'static str],
    /// How many of them a plan makes that changes nothing.
    plan: fn(usize) -> usize,
    /// The calls that change something, when the objects are created: at most so many.
    create: fn(usize) -> usize,
    /// Likewise when they are destroyed.
    destroy: fn(usize) -> usize,
}

const fn tags(n: usize) -> usize {
    n.div_ceil(20)
}

/// Every type, with the calls that its stack of `n` objects takes.
const COSTS: &[Cost] = &[
    Cost {
        type_name: "aws_ami_from_instance",
        reads: &["DescribeImages"],
        // One more for the data source.
        plan: |_| 1 + 1,
        create: |n| 1 + n,
        // Each image's snapshot is deleted after it.
        destroy: |n| 1 + 2 * n,
    },
    Cost {
        type_name: "aws_ebs_volume",
        reads: &["DescribeVolumes"],
        plan: |_| 1,
        create: |n| n,
        destroy: |n| n,
    },
    Cost {
        type_name: "aws_instance",
        reads: &[
            "DescribeInstances",
            "DescribeVolumes",
            "DescribeInstanceAttribute",
            "DescribeInstanceCreditSpecifications",
        ],
        plan: |_| 2,
        create: |n| n,
        destroy: |n| n.div_ceil(4),
    },
    Cost {
        type_name: "aws_key_pair",
        reads: &["DescribeKeyPairs"],
        plan: |_| 1,
        create: |n| n,
        destroy: |n| n,
    },
    Cost {
        type_name: "aws_lb",
        reads: &["DescribeLoadBalancers", "DescribeTags", "DescribeLoadBalancerAttributes"],
        plan: |n| 1 + tags(n),
        create: |n| n,
        destroy: |n| n,
    },
    Cost {
        type_name: "aws_lb_listener",
        reads: &["DescribeListeners", "DescribeTags", "DescribeListenerAttributes"],
        // The load balancer's tags are one more.
        plan: |n| n.div_ceil(400) + tags(n) + 1,
        create: |n| 1 + n,
        destroy: |n| 1 + n,
    },
    Cost {
        type_name: "aws_lb_listener_rule",
        reads: &["DescribeRules", "DescribeTags"],
        // The default rule is on the pages as well; the tags of load balancer and listener are two more.
        plan: |n| (n + 1).div_ceil(400) + tags(n) + 2,
        create: |n| 2 + n,
        destroy: |n| 2 + n,
    },
    Cost {
        type_name: "aws_lb_target_group",
        reads: &["DescribeTargetGroups", "DescribeTags", "DescribeTargetGroupAttributes"],
        plan: |n| 1 + tags(n),
        create: |n| n,
        destroy: |n| n,
    },
    Cost {
        type_name: "aws_lb_target_group_attachment",
        reads: &["DescribeTargetHealth"],
        plan: |_| 1,
        create: |n| 2 + n.div_ceil(4),
        destroy: |n| 2 + n.div_ceil(4),
    },
    Cost {
        type_name: "aws_security_group",
        reads: &["DescribeSecurityGroups", "DescribeSecurityGroupRules"],
        plan: |_| 1,
        // The group, its rules each way, and the rule that EC2 gives it taken away.
        create: |n| 4 * n,
        destroy: |n| n,
    },
    Cost {
        type_name: "aws_volume_attachment",
        reads: &["DescribeVolumes"],
        // The instances' volumes, the volumes, and the volumes that are attached.
        plan: |_| 3,
        create: |n| 3 * n,
        destroy: |n| 3 * n,
    },
    Cost {
        type_name: "aws_vpc_security_group_egress_rule",
        reads: &["DescribeSecurityGroupRules"],
        plan: |_| 1,
        // Each rule's tags are its own, and a call has tags for all of its rules.
        create: |n| 2 + n,
        destroy: |n| 1 + n.div_ceil(4),
    },
    Cost {
        type_name: "aws_vpc_security_group_ingress_rule",
        reads: &["DescribeSecurityGroupRules"],
        plan: |_| 1,
        create: |n| 2 + n,
        destroy: |n| 1 + n.div_ceil(4),
    },
];

fn mutating(calls: &Value) -> usize {
    usize::try_from(calls["mutating"].as_u64().expect("a number")).expect("it is small")
}

fn total(calls: &Value, operations: &[&str]) -> usize {
    let count = |name: &&str| calls["operations"][*name].as_u64().unwrap_or_default();
    usize::try_from(operations.iter().map(count).sum::<u64>()).expect("it is small")
}

fn world(type_name: &str, n: usize) -> World {
    let file = format!("../../tests/calls/{type_name}.yaml");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let mut world = World::new();
    world.write("main.yaml", &std::fs::read_to_string(path).expect("each type has a stack"));
    world.set("RECONCILE_VAR_n", &n.to_string());
    world
}

fn check(cost: &Cost, n: usize) {
    let name = cost.type_name;
    let world = world(name, n);
    world.run(&["apply", "--auto-approve"]).success();
    let create = world.calls();
    assert!(mutating(&create) <= (cost.create)(n), "{name}, {n} created: {}", create["operations"]);
    world.forget_calls();
    world.assert_converged();
    let plan = world.calls();
    assert_eq!(total(&plan, cost.reads), (cost.plan)(n), "{name}, {n}: {}", plan["operations"]);
    world.forget_calls();
    world.destroy();
    let destroy = world.calls();
    let allowed = (cost.destroy)(n);
    assert!(mutating(&destroy) <= allowed, "{name}, {n} destroyed: {}", destroy["operations"]);
}

#[test]
fn one_of_each_type() {
    COSTS.iter().for_each(|cost| check(cost, 1));
}

#[test]
fn ten_of_each_type() {
    COSTS.iter().for_each(|cost| check(cost, 10));
}

#[test]
fn every_type_is_counted() {
    let schemas = reconcile_provider_aws::schemas();
    let managed = schemas.all(reconcile_model::Mode::Managed);
    let names: Vec<&str> = managed.map(|schema| schema.type_name).collect();
    let counted: Vec<&str> = COSTS.iter().map(|cost| cost.type_name).collect();
    assert_eq!(counted, names);
}

/// The stack that Terraform was measured with, as far as there are types for it: instead of a VPC and its fifty
/// subnets, a key pair and fifty volumes.
#[test]
fn a_stack_of_251_objects() {
    let world = World::new();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/calls/stack-251.yaml");
    world.write("main.yaml", &std::fs::read_to_string(path).expect("the stack is there"));
    world.run(&["apply", "--auto-approve"]).success();
    let apply = world.calls();
    let calls = apply["total"].as_u64().expect("a number");
    assert!(calls <= 700, "{calls} calls to apply: {}", apply["operations"]);
    world.forget_calls();
    world.assert_converged();
    let plan = world.calls();
    let calls = plan["total"].as_u64().expect("a number");
    assert!(calls <= 12, "{calls} calls to plan: {}", plan["operations"]);
    world.forget_calls();
    world.destroy();
}

/// A thousand instances are found by the stack's tag, a page each, and not by 200 ids at a time.
#[test]
fn a_plan_of_a_thousand_instances() {
    let world = world("aws_instance", 1000);
    world.run(&["apply", "--auto-approve", "--parallelism", "64"]).success();
    world.forget_calls();
    world.assert_converged();
    let plan = world.calls();
    let calls = plan["total"].as_u64().expect("a number");
    // Instances, volumes, and the data source for the image.
    assert!(calls <= 4, "{calls} calls: {}", plan["operations"]);
    world.forget_calls();
    world.destroy();
}
