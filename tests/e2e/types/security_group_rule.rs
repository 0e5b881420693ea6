//! `aws_vpc_security_group_ingress_rule` and `aws_vpc_security_group_egress_rule`.

use serde_json::{Value, json};

use super::harness::{Case, Life, Suite};
use crate::support::World;

const SPEC: &str = r#"
resource:
  aws_security_group:
    web: { name: web }
    other: { name: other }
  TYPE:
    web:
      security_group_id: ${aws_security_group.web.id}
      ip_protocol: tcp
      from_port: 80
      to_port: 80
      cidr_ipv4: 10.0.0.0/8
      description: web
      tags: { team: a }
"#;

#[test]
fn ingress_rule() {
    rule(
        "aws_vpc_security_group_ingress_rule",
        "aws_vpc_security_group_ingress_rule.web",
        "RevokeSecurityGroupIngress",
    );
}

#[test]
fn egress_rule() {
    rule(
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_egress_rule.web",
        "RevokeSecurityGroupEgress",
    );
}

fn rule(type_name: &str, address: &'static str, revoke: &'static str) {
    // What a rule is changed to by hand: always all of it.
    let modify = move |changed: Value| {
        move |world: &World| {
            let recorded = world.attributes(address);
            let mut rule = json!({
                "IpProtocol": recorded["ip_protocol"],
                "FromPort": recorded["from_port"],
                "ToPort": recorded["to_port"],
                "CidrIpv4": recorded["cidr_ipv4"],
                "CidrIpv6": recorded["cidr_ipv6"],
                "PrefixListId": recorded["prefix_list_id"],
                "ReferencedGroupId": recorded["referenced_security_group_id"],
                "Description": recorded["description"],
            });
            let rule = rule.as_object_mut().expect("an object");
            rule.extend(changed.as_object().expect("an object").clone());
            rule.retain(|_, value| !value.is_null());
            let id = &recorded["id"];
            let change = json!({ "SecurityGroupRuleId": id, "SecurityGroupRule": rule });
            json!({ "GroupId": recorded["security_group_id"], "SecurityGroupRules": [change] })
        }
    };
    let hand = "ModifySecurityGroupRules";
    let sources = Life::new(address, &SPEC.replace("TYPE", type_name))
        .case(
            Case::update(&["from_port", "to_port"])
                .edit("from_port: 80", "from_port: 443")
                .edit("to_port: 80", "to_port: 445")
                .reads("/from_port", json!(443))
                .reads("/to_port", json!(445))
                .drift("ec2", hand, modify(json!({ "FromPort": 440, "ToPort": 441 }))),
        )
        .case(
            Case::update(&["cidr_ipv4"])
                .edit("10.0.0.0/8", "10.1.0.1/16")
                .reads("/cidr_ipv4", json!("10.1.0.0/16"))
                .drift("ec2", hand, modify(json!({ "CidrIpv4": "0.0.0.0/0" }))),
        )
        .case(
            Case::update(&["description"])
                .edit("description: web", "description: shop")
                .reads("/description", json!("shop"))
                .drift("ec2", hand, modify(json!({ "Description": "by hand" }))),
        )
        .case(
            Case::update(&["description"])
                .edit("      description: shop\n", "")
                .reads("/description", Value::Null)
                .drift("ec2", hand, modify(json!({ "Description": "by hand" }))),
        )
        .case(
            Case::update(&["ip_protocol"])
                .edit("ip_protocol: tcp", "ip_protocol: udp")
                .reads("/ip_protocol", json!("udp"))
                .drift("ec2", hand, modify(json!({ "IpProtocol": "tcp" }))),
        )
        .case(
            Case::update(&["ip_protocol", "from_port", "to_port"])
                .edit("ip_protocol: udp", "ip_protocol: all")
                .edit("      from_port: 443\n      to_port: 445\n", "")
                .reads("/ip_protocol", json!("-1"))
                .reads("/from_port", Value::Null)
                .drift(
                    "ec2",
                    hand,
                    modify(json!({ "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2 })),
                ),
        )
        .case(
            Case::update(&["tags"])
                .edit("team: a", "team: b")
                .reads("/tags", json!({ "team": "b" }))
                .drift("ec2", "CreateTags", move |world| {
                    let tags =
                        json!([{ "Key": "team", "Value": "c" }, { "Key": "x", "Value": "" }]);
                    json!({ "Resources": [world.id(address)], "Tags": tags })
                }),
        )
        .case(
            Case::replace(&["cidr_ipv4", "cidr_ipv6"])
                .edit("cidr_ipv4: 10.1.0.1/16", "cidr_ipv6: 2001:db8::/32")
                .reads("/cidr_ipv6", json!("2001:db8::/32")),
        )
        .case(
            Case::update(&["cidr_ipv6"])
                .edit("2001:db8::/32", "\"2001:0DB8:1::/48\"")
                .reads("/cidr_ipv6", json!("2001:db8:1::/48"))
                .drift("ec2", hand, modify(json!({ "CidrIpv6": "::/0" }))),
        )
        .case(
            Case::replace(&["cidr_ipv6", "prefix_list_id"])
                .edit("cidr_ipv6: \"2001:0DB8:1::/48\"", "prefix_list_id: pl-11111111")
                .reads("/prefix_list_id", json!("pl-11111111")),
        )
        .case(
            Case::update(&["prefix_list_id"])
                .edit("pl-11111111", "pl-22222222")
                .reads("/prefix_list_id", json!("pl-22222222"))
                .drift("ec2", hand, modify(json!({ "PrefixListId": "pl-33333333" }))),
        )
        .case(Case::replace(&["prefix_list_id", "referenced_security_group_id"]).edit(
            "prefix_list_id: pl-22222222",
            "referenced_security_group_id: ${aws_security_group.other.id}",
        ))
        .case(
            Case::update(&["referenced_security_group_id"])
                .edit(
                    "referenced_security_group_id: ${aws_security_group.other.id}",
                    "referenced_security_group_id: ${aws_security_group.web.id}",
                )
                .drift("ec2", hand, move |world| {
                    let other = world.id("aws_security_group.other");
                    modify(json!({ "ReferencedGroupId": other }))(world)
                }),
        );
    let groups = Life::new(address, &SPEC.replace("TYPE", type_name))
        .case(Case::replace(&["security_group_id"]).edit(
            "security_group_id: ${aws_security_group.web.id}",
            "security_group_id: ${aws_security_group.other.id}",
        ))
        .case(Case::lost().drift("ec2", revoke, move |world| {
            let rule = world.attributes(address);
            json!({ "GroupId": rule["security_group_id"], "SecurityGroupRuleIds": [rule["id"]] })
        }))
        .case(
            // A group of which nobody says what rules it has keeps those of others.
            Case::update(&["description"]).edit("description: web", "description: shop").then(
                |world| {
                    let ranges = json!([{ "CidrIp": "0.0.0.0/0" }]);
                    let tcp = json!([{ "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "IpRanges": ranges }]);
                    let group = world.id("aws_security_group.other");
                    let rule = json!({ "GroupId": group, "IpPermissions": tcp });
                    world.call("ec2", "AuthorizeSecurityGroupIngress", &rule);
                    world.assert_converged();
                },
            ),
        );
    Suite::new(type_name).life(sources).life(groups).run();
}
