//! `aws_security_group`.

use serde_json::{Value, json};

use super::harness::{Case, Life, Suite};
use crate::support::World;

const GROUP: &str = "aws_security_group.web";

const RULES: &str = r#"
resource:
  aws_security_group:
    web:
      name: web
      tags: { team: a }
      ingress:
        - { protocol: tcp, from_port: 80, to_port: 81, cidr_blocks: [10.0.0.0/8, 10.0.0.1/16] }
        - { protocol: tcp, from_port: 443, to_port: 443, cidr_blocks: [0.0.0.0/0], description: world }
      egress:
        - { protocol: "-1", from_port: 0, to_port: 0, cidr_blocks: [0.0.0.0/0] }
    other: { name: other, description: other }
"#;

/// Leaves the rules alone, and is moved from one VPC to another.
const FREE: &str = r#"
data:
  aws_vpc:
    first: { default: true }
    second: { tags: { Name: second } }
resource:
  aws_security_group:
    web:
      name_prefix: web-
      description: first
      vpc_id: ${data.aws_vpc.first.id}
"#;

/// Two groups that let each other in: none can be deleted first.
const CIRCLE: &str = r#"
resource:
  aws_security_group:
    web: { name: web }
    back: { name: back, revoke_rules_on_delete: true }
  aws_vpc_security_group_ingress_rule:
    web:
      security_group_id: ${aws_security_group.web.id}
      ip_protocol: "-1"
      referenced_security_group_id: ${aws_security_group.back.id}
"#;

#[test]
fn security_group() {
    Suite::new("aws_security_group").life(rules()).life(free()).life(circle()).run();
}

fn rules() -> Life {
    Life::new(GROUP, RULES)
        .begins(|world| {
            let group = world.attributes(GROUP);
            assert_eq!(group["description"], "Managed by reconcile");
        })
        .case(
            // The ports of a rule, and one opened by hand.
            Case::update(&["ingress"])
                .edit("to_port: 81", "to_port: 82")
                .drift("ec2", "AuthorizeSecurityGroupIngress", |world| rule(world, 8080, "0.0.0.0/0"))
                .then(|world| assert_eq!(live(world, "IpPermissions"), 2)),
        )
        .case(
            // Ranges, and one taken away by hand.
            Case::update(&["ingress"])
                .edit("[0.0.0.0/0], description", "[10.1.0.0/16, 10.2.0.0/16], description")
                .drift("ec2", "RevokeSecurityGroupIngress", |world| rule(world, 443, "10.1.0.0/16")),
        )
        .case(
            // A description, changed by hand to another.
            Case::update(&["ingress"])
                .edit("description: world", "description: friends")
                .drift("ec2", "UpdateSecurityGroupRuleDescriptionsIngress", |world| {
                    let mut request = rule(world, 443, "10.1.0.0/16");
                    request["IpPermissions"][0]["IpRanges"][0]["Description"] = json!("foes");
                    request
                }),
        )
        .case(
            Case::update(&["ingress"])
                .edit(
                    "[10.0.0.0/8, 10.0.0.1/16]",
                    "[10.0.0.0/8], ipv6_cidr_blocks: [\"2001:db8::/32\", \"::/0\"]",
                )
                .drift("ec2", "RevokeSecurityGroupIngress", |world| {
                    json!({ "GroupId": world.id(GROUP), "IpPermissions": [{
                        "IpProtocol": "tcp", "FromPort": 80, "ToPort": 82,
                        "Ipv6Ranges": [{ "CidrIpv6": "::/0" }],
                    }]})
                }),
        )
        .case(
            // Another group, and the group itself.
            Case::update(&["ingress"])
                .edit(
                    "ipv6_cidr_blocks: [\"2001:db8::/32\", \"::/0\"]",
                    "self: true, security_groups: [\"${aws_security_group.other.id}\"]",
                )
                .drift("ec2", "RevokeSecurityGroupIngress", |world| {
                    json!({ "GroupId": world.id(GROUP), "IpPermissions": [{
                        "IpProtocol": "tcp", "FromPort": 80, "ToPort": 82,
                        "UserIdGroupPairs": [{ "GroupId": world.id(GROUP) }],
                    }]})
                }),
        )
        .case(Case::update(&["ingress"]).edit("self: true, ", "prefix_list_ids: [pl-12345678], "))
        .case(Case::update(&["ingress"]).edit("protocol: tcp, from_port: 443", "protocol: udp, from_port: 443"))
        .case(Case::update(&["ingress"]).edit("protocol: udp, from_port: 443, to_port: 443", "protocol: icmp, from_port: 8, to_port: -1"))
        .case(
            Case::update(&["egress"])
                .edit("protocol: \"-1\", from_port: 0, to_port: 0", "protocol: tcp, from_port: 0, to_port: 65535")
                .drift("ec2", "AuthorizeSecurityGroupEgress", |world| {
                    json!({ "GroupId": world.id(GROUP), "IpPermissions": [
                        { "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }
                    ]})
                })
                .then(|world| assert_eq!(live(world, "IpPermissionsEgress"), 1)),
        )
        .case(
            Case::update(&["tags"])
                .edit("team: a", "team: b")
                .reads("/tags", json!({ "team": "b" }))
                .drift("ec2", "CreateTags", |world| {
                    json!({ "Resources": [world.id(GROUP)], "Tags": [{ "Key": "team", "Value": "c" }] })
                }),
        )
        .case(
            Case::replace(&["name"])
                .edit("name: web", "name: shop")
                .reads("/name", json!("shop"))
                .then(|world| assert_eq!(live(world, "IpPermissionsEgress"), 1)),
        )
        .case(Case::lost().drift("ec2", "DeleteSecurityGroup", |world| {
            json!({ "GroupId": world.id(GROUP) })
        }))
        .case(
            // No rules at all is something else than rules left alone.
            Case::update(&["egress"])
                .edit("      egress:\n        - { protocol: tcp, from_port: 0, to_port: 65535, cidr_blocks: [0.0.0.0/0] }", "      egress: []")
                .then(|world| assert_eq!(live(world, "IpPermissionsEgress"), 0)),
        )
}

fn free() -> Life {
    Life::new(GROUP, FREE)
        .prepare(|world| {
            let vpc = world.call("ec2", "CreateVpc", &json!({ "CidrBlock": "10.7.0.0/16" }));
            let id = vpc["Vpc"]["VpcId"].clone();
            let tags = json!([{ "Key": "Name", "Value": "second" }]);
            world.call("ec2", "CreateTags", &json!({ "Resources": [id], "Tags": tags }));
        })
        .begins(|world| {
            let group = world.attributes(GROUP);
            let name = group["name"].as_str().expect("a name");
            assert!(name.starts_with("web-"), "{name}");
            assert_eq!(live(world, "IpPermissionsEgress"), 0, "the default rule is taken away");
            world.call("ec2", "AuthorizeSecurityGroupIngress", &rule(world, 8080, "0.0.0.0/0"));
            world.assert_converged();
            assert_eq!(live(world, "IpPermissions"), 1, "a rule that nothing manages stays");
            let all = json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
            let wish = json!({ "GroupId": world.id(GROUP), "IpPermissions": all });
            world.call("ec2", "AuthorizeSecurityGroupEgress", &wish);
            world.assert_converged();
            assert_eq!(live(world, "IpPermissionsEgress"), 1, "it is somebody's wish now");
        })
        .case(
            Case::replace(&["description"])
                .edit("description: first", "description: second")
                .reads("/description", json!("second")),
        )
        .case(Case::replace(&["name_prefix"]).edit("name_prefix: web-", "name_prefix: shop-").then(
            |world| {
                let group = world.attributes(GROUP);
                assert!(group["name"].as_str().is_some_and(|name| name.starts_with("shop-")));
            },
        ))
        .case(
            Case::replace(&["vpc_id"])
                .edit("${data.aws_vpc.first.id}", "${data.aws_vpc.second.id}")
                .then(|world| {
                    let group = world.attributes(GROUP);
                    assert_eq!(group["vpc_id"], second_vpc(world));
                }),
        )
        .case(
            Case::update(&["revoke_default_egress"])
                .edit(
                    "description: second",
                    "description: second\n      revoke_default_egress: false",
                )
                .reads("/revoke_default_egress", json!(false)),
        )
        .ends(|world| {
            world.call("ec2", "DeleteVpc", &json!({ "VpcId": second_vpc(world) }));
        })
}

fn circle() -> Life {
    Life::new(GROUP, CIRCLE)
        .case(
            Case::update(&["revoke_rules_on_delete"])
                .edit("web: { name: web }", "web: { name: web, revoke_rules_on_delete: true }")
                .reads("/revoke_rules_on_delete", json!(true))
                .then(|world| {
                    // By hand, so that no order of deletes helps.
                    let back = world.id("aws_security_group.back");
                    let all = json!([{ "IpProtocol": "-1", "UserIdGroupPairs": [{ "GroupId": world.id(GROUP) }] }]);
                    let rule = json!({ "GroupId": back, "IpPermissions": all });
                    world.call("ec2", "AuthorizeSecurityGroupIngress", &rule);
                    world.assert_converged();
                }),
        )
}

/// Returns a request about one TCP port and one range.
fn rule(world: &World, port: u16, range: &str) -> Value {
    json!({ "GroupId": world.id(GROUP), "IpPermissions": [{
        "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{ "CidrIp": range }],
    }]})
}

/// Returns how many permissions the group has.
fn live(world: &World, direction: &str) -> usize {
    let asked = json!({ "GroupIds": [world.id(GROUP)] });
    let found = world.call("ec2", "DescribeSecurityGroups", &asked);
    found["SecurityGroups"][0][direction].as_array().map_or(0, Vec::len)
}

fn second_vpc(world: &World) -> Value {
    let filters = json!([{ "Name": "tag:Name", "Values": ["second"] }]);
    let found = world.call("ec2", "DescribeVpcs", &json!({ "Filters": filters }));
    found["Vpcs"][0]["VpcId"].clone()
}
