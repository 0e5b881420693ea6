//! Groups, addresses, and network interfaces.

use serde_json::{Value, json};

use super::{HEAD, WEB, about, add, live, one};
use crate::support::World;
use crate::types::harness::{Case, Life};

/// Groups and the check of source and destination, in the default VPC.
pub(super) fn groups() -> Life {
    let spec = one("      vpc_security_group_ids: [\"${aws_security_group.first.id}\"]\n")
        + "  aws_security_group: { first: { name: first }, second: { name: second } }\n";
    Life::new(WEB, &spec)
        .case(
            Case::update(&["vpc_security_group_ids"])
                .edit("[\"${aws_security_group.first.id}\"]", "[\"${aws_security_group.second.id}\", \"${aws_security_group.first.id}\"]")
                .drift("ec2", "ModifyInstanceAttribute", |world| {
                    about(world, json!({ "Groups": [world.id("aws_security_group.first")] }))
                }),
        )
        .case(add(Case::update(&["source_dest_check"]), "source_dest_check: false").drift(
            "ec2",
            "ModifyInstanceAttribute",
            |world| about(world, json!({ "SourceDestCheck": { "Value": true } })),
        ))
        .case(
            Case::replace(&["security_groups"])
                .edit(
                    "vpc_security_group_ids: [\"${aws_security_group.second.id}\", \"${aws_security_group.first.id}\"]",
                    "security_groups: [\"${aws_security_group.second.name}\"]",
                )
                .reads("/security_groups", json!(["second"])),
        )
}

/// A VPC with addresses that the spec can name, made behind the tool's back.
pub(super) fn addresses() -> Life {
    let spec = HEAD.replace("  aws_subnet:\n", "  aws_subnet:\n    own: { tags: { Name: own } }\n")
        + "resource:
  aws_instance:
    web:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      subnet_id: ${data.aws_subnet.own.id}
      # more
";
    Life::new(WEB, &spec)
        .prepare(|world| {
            let wish = json!({ "CidrBlock": "10.7.0.0/16", "AmazonProvidedIpv6CidrBlock": true });
            let vpc = world.call("ec2", "CreateVpc", &wish)["Vpc"].clone();
            let found = world.call("ec2", "DescribeVpcs", &json!({ "VpcIds": [vpc["VpcId"]] }));
            let block = &found["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"];
            let block = block.as_str().expect("a range").replace("/56", "/64");
            world.call("ec2", "CreateSubnet", &json!({
                "VpcId": vpc["VpcId"], "CidrBlock": "10.7.1.0/24", "Ipv6CidrBlock": block,
                "AvailabilityZone": "ap-northeast-2a",
                "TagSpecifications": [{ "ResourceType": "subnet", "Tags": [{ "Key": "Name", "Value": "own" }] }],
            }));
        })
        .case(
            add(Case::update(&["secondary_private_ips"]), "secondary_private_ips: [10.7.1.50, 10.7.1.51]")
                .drift("ec2", "UnassignPrivateIpAddresses", |world| {
                    json!({ "NetworkInterfaceId": interface(world), "PrivateIpAddresses": ["10.7.1.50"] })
                }),
        )
        .case(
            Case::update(&["secondary_private_ips"])
                .edit("10.7.1.50, ", "10.7.1.52, ")
                .drift("ec2", "AssignPrivateIpAddresses", |world| {
                    json!({ "NetworkInterfaceId": interface(world), "PrivateIpAddresses": ["10.7.1.60"] })
                }),
        )
        .case(add(Case::update(&["ipv6_address_count"]), "ipv6_address_count: 2").drift(
            "ec2",
            "UnassignIpv6Addresses",
            |world| json!({ "NetworkInterfaceId": interface(world), "Ipv6Addresses": [ipv6(world, 0)] }),
        ))
        .case(
            Case::update(&["ipv6_address_count"])
                .edit("count: 2", "count: 1")
                .reads("/ipv6_address_count", json!(1)),
        )
        .case(
            Case::update(&["ipv6_addresses"])
                .edit(
                    "ipv6_address_count: 1",
                    "ipv6_addresses: [\"${cidrhost(data.aws_subnet.own.ipv6_cidr_block, 80)}\", \"${cidrhost(data.aws_subnet.own.ipv6_cidr_block, 81)}\"]",
                )
                .reads("/ipv6_address_count", json!(2))
                .drift("ec2", "UnassignIpv6Addresses", |world| {
                    json!({ "NetworkInterfaceId": interface(world), "Ipv6Addresses": [ipv6(world, 1)] })
                }),
        )
        .case(add(Case::update(&["enable_primary_ipv6"]), "enable_primary_ipv6: true"))
        .case(
            Case::replace(&["enable_primary_ipv6"])
                .edit("enable_primary_ipv6: true", "enable_primary_ipv6: false"),
        )
        .case(
            add(Case::replace(&["private_ip"]), "private_ip: 10.7.1.99")
                .reads("/private_ip", json!("10.7.1.99")),
        )
        .case(
            add(Case::replace(&["associate_public_ip_address"]), "associate_public_ip_address: true")
                .then(|world| assert!(live(world)["PublicIpAddress"].is_string())),
        )
        .ends(|world| {
            let filters = json!([{ "Name": "tag:Name", "Values": ["own"] }]);
            let found = world.call("ec2", "DescribeSubnets", &json!({ "Filters": filters }));
            let subnet = &found["Subnets"][0];
            world.call("ec2", "DeleteSubnet", &json!({ "SubnetId": subnet["SubnetId"] }));
            world.call("ec2", "DeleteVpc", &json!({ "VpcId": subnet["VpcId"] }));
        })
}

/// Interfaces that exist already.
pub(super) fn interfaces() -> Life {
    let lines = "      network_interface: { device_index: 0, network_interface_id: FIRST }
      # network_interface: { device_index: 0, network_interface_id: SECOND }
";
    Life::new(WEB, &one(lines))
        .prepare(|world| {
            let zone = json!([{ "Name": "availability-zone", "Values": ["ap-northeast-2a"] }]);
            let subnets = world.call("ec2", "DescribeSubnets", &json!({ "Filters": zone }));
            let subnet = subnets["Subnets"][0]["SubnetId"].clone();
            for name in ["FIRST", "SECOND"] {
                let wish = json!({ "SubnetId": subnet });
                let made = world.call("ec2", "CreateNetworkInterface", &wish);
                let id = made["NetworkInterface"]["NetworkInterfaceId"].as_str().expect("an id");
                world.edit("main.yaml", name, id);
            }
        })
        .case(
            Case::replace(&["network_interface"])
                .edit("      network_interface: ", "      # was: ")
                .edit("# network_interface: ", "network_interface: ")
                .then(|world| {
                    assert_eq!(live(world)["NetworkInterfaces"].as_array().map(Vec::len), Some(1));
                }),
        )
        .ends(|world| {
            let inventory = world.inventory();
            for interface in inventory["network_interfaces"].as_array().expect("a list") {
                world.call(
                    "ec2",
                    "DeleteNetworkInterface",
                    &json!({ "NetworkInterfaceId": interface["id"] }),
                );
            }
        })
}

fn interface(world: &World) -> Value {
    live(world)["NetworkInterfaces"][0]["NetworkInterfaceId"].clone()
}

fn ipv6(world: &World, index: usize) -> Value {
    live(world)["NetworkInterfaces"][0]["Ipv6Addresses"][index]["Ipv6Address"].clone()
}
