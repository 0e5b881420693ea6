//! The IAM policies that `reconcile schema --iam` prints allow what a stack calls, and little else.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::World;

fn policy(world: &World, arguments: &[&str]) -> Value {
    let arguments = [&["schema", "--iam", "."], arguments].concat();
    let output = world.run(&arguments).success();
    serde_json::from_str(&output.stdout).expect("the policy is JSON")
}

/// Returns the actions of a policy, which must be one that IAM takes.
fn actions(policy: &Value) -> BTreeSet<String> {
    assert_eq!(policy["Version"], "2012-10-17");
    // The most that a managed policy may have, white space aside.
    assert!(policy.to_string().len() <= 6144, "{} characters", policy.to_string().len());
    let mut all = BTreeSet::new();
    let mut names = BTreeSet::new();
    for statement in policy["Statement"].as_array().expect("statements") {
        let members: Vec<&String> = statement.as_object().expect("an object").keys().collect();
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        assert!(members.iter().all(|name| known.contains(&name.as_str())), "{statement}");
        assert_eq!(statement["Effect"], "Allow");
        let sid = statement["Sid"].as_str().expect("a name");
        assert!(sid.chars().all(|c| c.is_ascii_alphanumeric()) && names.insert(sid), "{sid}");
        let actions = statement["Action"].as_array().expect("actions");
        let actions: Vec<&str> = actions.iter().map(|it| it.as_str().expect("text")).collect();
        assert!(actions.is_sorted(), "{actions:?}");
        assert!(actions.iter().all(|it| it.contains(':') && !it.contains('*')), "{actions:?}");
        for action in actions {
            assert!(all.insert(action.to_owned()), "{action} is there twice");
        }
    }
    all
}

/// Returns the operations that were called, as IAM names them.
fn called(world: &World) -> BTreeSet<String> {
    let log = world.call_log();
    let named = log.as_array().expect("a list").iter().map(|call| {
        let service = match call["service"].as_str().expect("a service") {
            "elbv2" => "elasticloadbalancing",
            other => other,
        };
        format!("{service}:{}", call["operation"].as_str().expect("an operation"))
    });
    named.collect()
}

fn whole_life(stack: &str, change: (&str, &str, &str)) {
    let world = World::with_stack(stack);
    world.forget_calls();
    let plan = || {
        world.forget_calls();
        world.run(&["plan"]).success();
        called(&world)
    };
    let read_only = actions(&policy(&world, &["--read-only"]));
    let all = actions(&policy(&world, &[]));
    assert!(called(&world).is_empty(), "making a policy calls nothing");
    assert!(read_only.is_subset(&all));

    let first = plan();
    world.forget_calls();
    world.run(&["apply", "--auto-approve"]).success();
    let applied = called(&world);
    let second = plan();
    for planned in [first, second] {
        assert!(!planned.is_empty(), "planning reads");
        let missing: Vec<_> = planned.difference(&read_only).collect();
        assert!(missing.is_empty(), "the read-only policy lacks {missing:?}");
    }
    world.forget_calls();
    let (file, from, to) = change;
    world.edit(file, from, to);
    world.run(&["apply", "--auto-approve"]).success();
    world.destroy();
    let changed = called(&world);
    let missing: Vec<_> = applied.union(&changed).filter(|it| !all.contains(*it)).collect();
    assert!(missing.is_empty(), "the policy lacks {missing:?}");
}

#[test]
fn what_lab_web_calls_is_allowed() {
    whole_life("lab-web", ("servers.yaml", "Name: lab-web-pub-2c", "Name: second"));
}

#[test]
fn what_web_fleet_calls_is_allowed() {
    whole_life(
        "web-fleet",
        ("balancer.yaml", "deregistration_delay: 30", "deregistration_delay: 40"),
    );
}

#[test]
fn a_read_only_policy_reads_and_shows_no_secrets() {
    let world = World::with_stack("lab-web");
    for action in actions(&policy(&world, &["--read-only"])) {
        let (_, name) = action.split_once(':').expect("service and operation");
        assert!(name.starts_with("Describe") || name.starts_with("Get"), "{action} writes");
        assert_ne!(action, "ec2:GetPasswordData", "nothing in the spec asks for it");
    }
    assert!(!actions(&policy(&world, &[])).contains("iam:PassRole"), "no role is passed");
}

#[test]
fn a_role_is_passed_to_instances_alone() {
    let world = World::with_spec(
        "
resource:
  aws_instance:
    a: { ami: ami-1, instance_type: t3.micro, iam_instance_profile: p, get_password_data: true }
",
    );
    let policy = policy(&world, &[]);
    assert!(actions(&policy).contains("ec2:GetPasswordData"));
    let statements = policy["Statement"].as_array().expect("statements");
    let has =
        |it: &&Value| it["Action"].as_array().expect("actions").contains(&"iam:PassRole".into());
    let passing = statements.iter().find(has).expect("it may pass roles");
    let to = &passing["Condition"]["StringEquals"]["iam:PassedToService"];
    assert_eq!(to[0], "ec2.amazonaws.com", "{passing}");
}

#[test]
fn iam_needs_a_spec_and_says_so() {
    let world = World::with_spec("resource: {}\n");
    world.run(&["schema", "--read-only"]).code(1).says("--iam");
    world.run(&["schema", "--iam", "nowhere"]).code(1).says("nowhere");
    let empty = policy(&world, &[]);
    assert_eq!(empty["Statement"], serde_json::json!([]));
}

#[test]
fn a_state_on_s3_is_the_stacks_own() {
    let backend =
        "{ s3: { bucket: states, key: teams/lab.json, region: cn-north-1, kms_key_id: alias/k } }";
    let world = World::with_spec(&format!("backend: {backend}\nresource: {{}}\n"));
    let statements = policy(&world, &[])["Statement"].clone();
    assert_eq!(
        statements[0]["Resource"],
        serde_json::json!([
            "arn:aws-cn:s3:::states/teams/lab.json",
            "arn:aws-cn:s3:::states/teams/lab.json.*",
        ])
    );
    let writes = actions(&policy(&world, &[]));
    assert!(writes.contains("s3:PutObject") && writes.contains("kms:GenerateDataKey"));
    let reads = actions(&policy(&world, &["--read-only"]));
    assert_eq!(reads.iter().collect::<Vec<_>>(), ["kms:Decrypt", "s3:GetObject", "s3:ListBucket"]);
}
