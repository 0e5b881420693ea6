//! `aws_lb_target_group_attachment`.

use serde_json::{Value, json};

use super::super::harness::{Case, Life, Suite};
use super::spec;
use crate::support::World;

const ATTACHMENT: &str = "aws_lb_target_group_attachment.it";

/// Two instances and two target groups for instances, and one for addresses.
fn attachments(attachments: &str) -> String {
    let data = r#"data:
  aws_ami: { al: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } } }
"#;
    let spec = spec(&format!(
        r#"  aws_instance:
    one: {{ ami: "${{data.aws_ami.al.id}}", instance_type: t3.micro, subnet_id: "${{data.aws_subnet.a.id}}" }}
    two: {{ ami: "${{data.aws_ami.al.id}}", instance_type: t3.micro, subnet_id: "${{data.aws_subnet.c.id}}" }}
  aws_lb_target_group:
    blue: {{ name: blue, port: 80, protocol: HTTP, vpc_id: "${{data.aws_vpc.default.id}}" }}
    green: {{ name: green, port: 80, protocol: HTTP, vpc_id: "${{data.aws_vpc.default.id}}" }}
    addresses: {{ name: addresses, port: 80, protocol: HTTP, target_type: ip, vpc_id: "${{data.aws_vpc.default.id}}" }}
  aws_lb_target_group_attachment:
{}"#,
        attachments.trim_start_matches('\n')
    ));
    spec.replacen("data:\n", data, 1)
}

/// Returns the targets of a group as `id:port`, in order.
fn targets(world: &World, group: &str) -> Vec<String> {
    let arn = world.id(&format!("aws_lb_target_group.{group}"));
    let told = world.call("elbv2", "DescribeTargetHealth", &json!({ "TargetGroupArn": arn }));
    let all = told["TargetHealthDescriptions"].as_array().expect("a list").iter();
    let name = |it: &Value| {
        let id = it["Target"]["Id"].as_str().expect("an id");
        format!("{id}:{}", it["Target"]["Port"])
    };
    let mut all: Vec<String> = all.map(name).collect();
    all.sort();
    all
}

#[test]
fn aws_lb_target_group_attachment() {
    let instance = attachments(
        r#"
    it: { target_group_arn: "${aws_lb_target_group.blue.arn}", target_id: "${aws_instance.one.id}" }
"#,
    );
    let address = attachments(
        r#"
    it: { target_group_arn: "${aws_lb_target_group.addresses.arn}", target_id: 10.1.2.3, availability_zone: all }
"#,
    );
    let deregistered = |world: &World| {
        let attributes = world.attributes(ATTACHMENT);
        let target = json!({ "Id": attributes["target_id"] });
        json!({ "TargetGroupArn": attributes["target_group_arn"], "Targets": [target] })
    };
    Suite::new("aws_lb_target_group_attachment")
        .life(
            Life::new(ATTACHMENT, &instance)
                .begins(|world| {
                    let one = world.id("aws_instance.one");
                    assert_eq!(targets(world, "blue"), [format!("{one}:80")]);
                })
                .case(
                    Case::replace(&["port"])
                        .edit(
                            "target_id: \"${aws_instance.one.id}\"",
                            "target_id: \"${aws_instance.one.id}\", port: 8080",
                        )
                        .reads("/port", json!(8080)),
                )
                .case(
                    Case::replace(&["target_group_arn"])
                        .edit("target_group.blue.arn", "target_group.green.arn")
                        .then(|world| assert_eq!(targets(world, "blue"), [""; 0])),
                )
                .case(Case::replace(&["target_id"]).edit("instance.one.id", "instance.two.id"))
                .case(Case::lost().drift("elbv2", "DeregisterTargets", deregistered)),
        )
        .life(
            Life::new(ATTACHMENT, &address)
                .case(Case::replace(&["target_id"]).edit("10.1.2.3", "10.1.2.4"))
                .case(
                    Case::replace(&["availability_zone", "target_id"])
                        .edit(
                            "target_id: 10.1.2.4, availability_zone: all",
                            "target_id: \"${aws_instance.one.private_ip}\"",
                        )
                        .reads("/availability_zone", json!(null)),
                )
                .case(
                    Case::replace(&["availability_zone"])
                        .edit(
                            "one.private_ip}\"",
                            "one.private_ip}\", availability_zone: ap-northeast-2a",
                        )
                        .reads("/availability_zone", json!("ap-northeast-2a")),
                ),
        )
        .run();
}

#[test]
fn one_target_on_two_ports() {
    let both = attachments(
        r#"
    it: { target_group_arn: "${aws_lb_target_group.blue.arn}", target_id: "${aws_instance.one.id}", port: 8080 }
    other: { target_group_arn: "${aws_lb_target_group.blue.arn}", target_id: "${aws_instance.one.id}", port: 8081 }
"#,
    );
    let world = World::with_spec(&both);
    world.settings(&json!({ "target_draining": 1, "target_initial": 1 }));
    world.converge();
    let one = world.id("aws_instance.one");
    assert_eq!(targets(&world, "blue"), [format!("{one}:8080"), format!("{one}:8081")]);
    let other = both.lines().find(|line| line.contains("8081")).expect("it is there");
    world.edit("main.yaml", other, "");
    assert_eq!(world.actions("aws_lb_target_group_attachment.other"), ["delete"]);
    world.converge();
    assert_eq!(targets(&world, "blue"), [format!("{one}:8080")]);
    // The port that nobody asked for is the group's.
    world.edit("main.yaml", ", port: 8080", "");
    assert_eq!(world.actions(ATTACHMENT), ["delete", "create"]);
    world.converge();
    assert_eq!(targets(&world, "blue"), [format!("{one}:80")]);
    world.destroy();
}

#[test]
fn a_terminated_instance_is_registered_anew() {
    let world = World::with_spec(&attachments(
        r#"
    it: { target_group_arn: "${aws_lb_target_group.blue.arn}", target_id: "${aws_instance.one.id}" }
"#,
    ));
    world.converge();
    world.call(
        "ec2",
        "TerminateInstances",
        &json!({ "InstanceIds": [world.id("aws_instance.one")] }),
    );
    assert_eq!(world.actions("aws_instance.one"), ["create"]);
    world.converge();
    let one = world.id("aws_instance.one");
    assert_eq!(targets(&world, "blue"), [format!("{one}:80")]);
    world.destroy();
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long an apply takes is what is tested")]
fn targets_drain_before_their_instance_goes() {
    let world = World::with_spec(&attachments(
        r#"
    it: { target_group_arn: "${aws_lb_target_group.blue.arn}", target_id: "${aws_instance.one.id}", port: 80 }
  aws_lb:
    it: { name: it, subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"] }
  aws_lb_listener:
    it:
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
"#,
    ));
    world.settings(&json!({ "target_draining": 2 }));
    world.converge();
    let given = world.read("main.yaml");
    let line = given
        .lines()
        .find(|line| line.contains("    it: { target_group_arn"))
        .expect("it is there");
    let other = line.replace("instance.one", "instance.two");
    world.edit("main.yaml", line, &other);
    let started = std::time::Instant::now();
    world.run(&["apply", "--auto-approve"]).success();
    assert!(started.elapsed().as_secs() >= 2, "nobody waited until it had drained");
    world.assert_converged();
    world.destroy();
}
