//! `aws_lb`: network and gateway load balancers.

use serde_json::json;

use super::super::harness::{Case, Life};
use super::{pairs, setting, spec, subnet};

const LB: &str = "aws_lb.net";

/// A network load balancer's settings, subnets, and groups.
pub(super) fn settings() -> Life {
    let network = spec(
        r#"  aws_lb:
    net:
      name: net
      load_balancer_type: network
      internal: true
      subnets: ["${data.aws_subnet.a.id}"]
      # more
"#,
    );
    Life::new(LB, &network)
        .begins(|world| {
            let attributes = world.attributes(LB);
            assert_eq!(attributes["security_groups"], json!([]));
            assert!(attributes["dns_name"].is_string());
        })
        .case(
            Case::update(&["dns_record_client_routing_policy", "enable_cross_zone_load_balancing"])
                .edit(
                    "      # more\n",
                    "      dns_record_client_routing_policy: availability_zone_affinity\n      enable_cross_zone_load_balancing: true\n      # more\n",
                )
                .reads("/dns_record_client_routing_policy", json!("availability_zone_affinity"))
                .reads("/enable_cross_zone_load_balancing", json!(true))
                .drift("elbv2", "ModifyLoadBalancerAttributes", |world| {
                    let attributes = pairs(&[
                        ("dns_record.client_routing_policy", "any_availability_zone"),
                        ("load_balancing.cross_zone.enabled", "false"),
                    ]);
                    json!({ "LoadBalancerArn": world.id(LB), "Attributes": attributes })
                }),
        )
        .case(
            Case::update(&["enable_cross_zone_load_balancing"])
                .edit("      enable_cross_zone_load_balancing: true\n", "")
                .then(|world| {
                    let arn = json!({ "LoadBalancerArn": world.id(LB) });
                    let told = world.call("elbv2", "DescribeLoadBalancerAttributes", &arn);
                    assert_eq!(setting(&told, "load_balancing.cross_zone.enabled"), "false");
                }),
        )
        .case(
            Case::update(&["subnets"])
                .edit("[\"${data.aws_subnet.a.id}\"]", "[\"${data.aws_subnet.a.id}\", \"${data.aws_subnet.b.id}\"]"),
        )
        .case(
            Case::replace(&["subnets"])
                .edit("[\"${data.aws_subnet.a.id}\", \"${data.aws_subnet.b.id}\"]", "[\"${data.aws_subnet.b.id}\"]"),
        )
        .case(
            Case::replace(&["security_groups"])
                .edit("      # more\n", "      security_groups: [\"${aws_security_group.one.id}\"]\n      # more\n")
                .reads("/enforce_security_group_inbound_rules_on_private_link_traffic", json!("on")),
        )
        .case(
            Case::update(&["security_groups"])
                .edit("aws_security_group.one.id", "aws_security_group.two.id")
                .drift("elbv2", "SetSecurityGroups", |world| {
                    let groups = [world.id("aws_security_group.one")];
                    json!({ "LoadBalancerArn": world.id(LB), "SecurityGroups": groups })
                }),
        )
        .case(
            Case::update(&["enforce_security_group_inbound_rules_on_private_link_traffic"])
                .edit(
                    "      # more\n",
                    "      enforce_security_group_inbound_rules_on_private_link_traffic: \"off\"\n",
                )
                .reads("/enforce_security_group_inbound_rules_on_private_link_traffic", json!("off"))
                .drift("elbv2", "SetSecurityGroups", |world| {
                    let groups = [world.id("aws_security_group.two")];
                    json!({
                        "LoadBalancerArn": world.id(LB), "SecurityGroups": groups,
                        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on",
                    })
                }),
        )
        .case(
            Case::replace(&["security_groups"])
                .edit("[\"${aws_security_group.two.id}\"]", "[]")
                .edit("      enforce_security_group_inbound_rules_on_private_link_traffic: \"off\"\n", "")
                .reads("/security_groups", json!([])),
        )
}

/// A network load balancer with addresses of its own in its subnets.
pub(super) fn mappings() -> Life {
    let network = spec(
        r#"  aws_lb:
    net:
      name: net
      load_balancer_type: network
      internal: true
      subnet_mapping:
        - { subnet_id: "${data.aws_subnet.a.id}", private_ipv4_address: '${file("first")}' }
"#,
    );
    Life::new(LB, &network)
        .prepare(|world| {
            let address = world.call("ec2", "AllocateAddress", &json!({ "Domain": "vpc" }));
            world.write("address", address["AllocationId"].as_str().expect("an id"));
            // The default VPC's subnets lie in its range in no certain order.
            for (zone, file) in [("a", "first"), ("b", "second")] {
                let subnets = json!({ "SubnetIds": [subnet(world, zone)] });
                let subnets = world.call("ec2", "DescribeSubnets", &subnets);
                let range = subnets["Subnets"][0]["CidrBlock"].as_str().expect("a range");
                let net = range.strip_suffix(".0/20").expect("a range of the default VPC");
                world.write(file, &format!("{net}.50"));
            }
        })
        .case(
            Case::update(&["subnet_mapping"])
                .edit(
                    "      subnet_mapping:\n",
                    "      subnet_mapping:\n        - { subnet_id: \"${data.aws_subnet.b.id}\", private_ipv4_address: '${file(\"second\")}' }\n",
                )
                .then(|world| {
                    let attributes = world.attributes(LB);
                    let mappings = attributes["subnet_mapping"].as_array().expect("a list");
                    assert!(mappings.iter().all(|it| it["private_ipv4_address"].is_string()));
                    let subnets = attributes["subnets"].as_array().expect("a list");
                    assert!(subnets.contains(&json!(subnet(world, "b"))), "{attributes:#}");
                }),
        )
        .case(
            Case::replace(&["subnet_mapping"])
                .edit("private_ipv4_address: '${file(\"second\")}'", "ipv6_address: null"),
        )
        .case(
            Case::replace(&["internal", "subnet_mapping"])
                .edit("      internal: true\n", "      internal: false\n")
                .edit("ipv6_address: null", "allocation_id: '${file(\"address\")}'")
                .edit("        - { subnet_id: \"${data.aws_subnet.a.id}\"", "        # - { subnet_id: \"${data.aws_subnet.a.id}\"")
                .then(|world| {
                    let mapping = world.attributes(LB)["subnet_mapping"][0].clone();
                    assert_eq!(mapping["allocation_id"], world.read("address"));
                }),
        )
        .case(
            Case::replace(&["subnet_mapping"])
                .edit(", allocation_id: '${file(\"address\")}'", "")
                .then(|world| {
                    let address = json!({ "AllocationId": world.read("address") });
                    world.call("ec2", "ReleaseAddress", &address);
                }),
        )
}

/// A gateway load balancer.
pub(super) fn gateway() -> Life {
    let gateway = spec(
        r#"  aws_lb:
    net:
      name: gateway
      load_balancer_type: gateway
      subnets: ["${data.aws_subnet.a.id}"]
"#,
    );
    Life::new(LB, &gateway)
        .case(
            Case::update(&["enable_cross_zone_load_balancing"])
                .edit(
                    "      name: gateway\n",
                    "      name: gateway\n      enable_cross_zone_load_balancing: true\n",
                )
                .drift("elbv2", "ModifyLoadBalancerAttributes", |world| {
                    let attributes = pairs(&[("load_balancing.cross_zone.enabled", "false")]);
                    json!({ "LoadBalancerArn": world.id(LB), "Attributes": attributes })
                }),
        )
        .case(Case::update(&["subnets"]).edit(
            "[\"${data.aws_subnet.a.id}\"]",
            "[\"${data.aws_subnet.a.id}\", \"${data.aws_subnet.b.id}\"]",
        ))
}
