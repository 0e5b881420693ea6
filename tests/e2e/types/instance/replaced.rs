//! What needs a new instance.

use serde_json::{Value, json};

use super::{HEAD, WEB, add, live, one};
use crate::support::World;
use crate::types::harness::{Case, Life};

/// Where it is.
pub(super) fn places() -> Life {
    Life::new(WEB, &one("      availability_zone: ap-northeast-2a\n"))
        .prepare(|world| {
            let group = json!({ "GroupName": "spread", "Strategy": "partition", "PartitionCount": 3 });
            world.call("ec2", "CreatePlacementGroup", &group);
        })
        .case(
            Case::replace(&["availability_zone"])
                .edit("      availability_zone: ap-northeast-2a", "      availability_zone: ap-northeast-2c")
                .reads("/availability_zone", json!("ap-northeast-2c")),
        )
        .case(
            Case::replace(&["subnet_id"])
                .edit("availability_zone: ap-northeast-2c\n      # more", "subnet_id: ${data.aws_subnet.a.id}\n      # more")
                .reads("/availability_zone", json!("ap-northeast-2a")),
        )
        .case(
            add(Case::replace(&["placement_group"]), "placement_group: spread")
                .reads("/placement_group", json!("spread")),
        )
        .case(
            add(Case::replace(&["placement_partition_number"]), "placement_partition_number: 2")
                .reads("/placement_partition_number", json!(2)),
        )
        .case(
            Case::replace(&["tenancy"])
                .edit("placement_group: spread\n      placement_partition_number: 2", "tenancy: dedicated")
                .reads("/tenancy", json!("dedicated")),
        )
        .case(
            Case::replace(&["tenancy", "host_id"])
                .edit("tenancy: dedicated", "tenancy: host\n      host_id: h-0123456789abcdef0")
                .reads("/host_id", json!("h-0123456789abcdef0")),
        )
        .case(
            Case::replace(&["host_resource_group_arn"]).edit(
                "host_id: h-0123456789abcdef0",
                "host_resource_group_arn: arn:aws:resource-groups:ap-northeast-2:123456789012:group/hosts",
            ),
        )
        .ends(|world| {
            world.call("ec2", "DeletePlacementGroup", &json!({ "GroupName": "spread" }));
        })
}

/// What it is.
pub(super) fn kinds() -> Life {
    let spec = one("") + "  aws_key_pair: { lab: { key_name: lab, private_key_file: lab.pem } }\n";
    Life::new(WEB, &spec)
        .case(Case::replace(&["ami"]).edit("aws_ami.linux", "aws_ami.older").then(|world| {
            assert_eq!(world.attributes(WEB)["ami"], live(world)["ImageId"]);
        }))
        .case(
            add(Case::replace(&["key_name"]), "key_name: ${aws_key_pair.lab.key_name}")
                .reads("/key_name", json!("lab")),
        )
        .case(add(Case::replace(&["hibernation"]), "hibernation: true").reads("/hibernation", json!(true)))
        .case(
            Case::replace(&["enclave_options"])
                .edit("hibernation: true", "enclave_options: { enabled: true }")
                .edit("t3.micro", "m5.xlarge")
                .reads("/enclave_options/0/enabled", json!(true)),
        )
        .case(
            Case::replace(&["cpu_options"])
                .edit("m5.xlarge", "m5a.large")
                .edit("enclave_options: { enabled: true }", "cpu_options: { amd_sev_snp: enabled }")
                .reads("/cpu_options/0/amd_sev_snp", json!("enabled")),
        )
        .case(
            Case::replace(&["instance_market_options"])
                .edit("cpu_options: { amd_sev_snp: enabled }", "instance_market_options: { market_type: spot }")
                .reads("/instance_lifecycle", json!("spot")),
        )
        .case(
            Case::replace(&["instance_market_options"])
                .edit(
                    "{ market_type: spot }",
                    "{ market_type: spot, spot_options: { spot_instance_type: persistent, instance_interruption_behavior: stop, max_price: \"0.0500\", valid_until: \"2031-02-03T04:05:06Z\" } }",
                )
                .reads("/instance_market_options/0/spot_options/0/spot_instance_type", json!("persistent")),
        )
        .case(
            add(
                Case::replace(&["ephemeral_block_device"]),
                "ephemeral_block_device: { device_name: /dev/sdb, virtual_name: ephemeral0 }",
            ),
        )
}

/// The new one first.
pub(super) fn create_first() -> Life {
    Life::new(WEB, &one("      lifecycle: { create_before_destroy: true }\n"))
        .case(Case::replace_create_first(&["ami"]).edit("aws_ami.linux", "aws_ami.older"))
        .case(
            // The one that fails leaves the old one be.
            Case::replace_create_first(&["ami"]).edit("aws_ami.older", "aws_ami.linux"),
        )
        .case(
            Case::update(&["tags"])
                .edit("# more", "tags: { team: a }\n      # more")
                .then(fails_first),
        )
}

/// A replacement that cannot be made leaves what is there, and a second apply finishes it.
fn fails_first(world: &World) {
    let old = world.id(WEB);
    world.edit("main.yaml", "aws_ami.linux", "aws_ami.older");
    let fault = json!({ "kind": "error", "operation": "RunInstances", "code": "VcpuLimitExceeded", "times": 0 });
    world.fault(&fault);
    world.run(&["apply", "--auto-approve"]).code(1).says("VcpuLimitExceeded");
    assert_eq!(world.id(WEB), old);
    assert_eq!(world.actions(WEB), ["create", "delete"]);
    world.forget_faults();
    world.converge();
    assert_ne!(world.id(WEB), old);
    let inventory = world.inventory();
    assert_eq!(inventory["instances"].as_array().map(Vec::len), Some(1), "{inventory:#}");
}

/// User data that are for the first start only.
pub(super) fn user_data() -> Life {
    Life::new(WEB, &one("      user_data: echo 1\n"))
        .case(add(
            Case::update(&["user_data_replace_on_change"]),
            "user_data_replace_on_change: true",
        ))
        .case(
            Case::replace(&["user_data"])
                .edit("user_data: echo 1", "user_data: echo 2")
                .reads("/user_data", json!("echo 2")),
        )
        .case(
            Case::replace(&["user_data_base64"])
                .edit("user_data: echo 2", "user_data_base64: ZWNobyAz")
                .reads("/user_data_base64", json!("ZWNobyAz")),
        )
        .case(Case::update(&["user_data_replace_on_change"]).edit("change: true", "change: false"))
}

/// A launch template in place of arguments.
pub(super) fn template() -> Life {
    let spec = format!(
        "{HEAD}resource:
  aws_instance:
    web:
      ami: ${{data.aws_ami.linux.id}}
      launch_template: {{ name: first }}
"
    );
    Life::new(WEB, &spec)
        .prepare(|world| {
            for (name, kind) in [("first", "t3.micro"), ("second", "t3.small")] {
                let data = json!({ "InstanceType": kind });
                let template = json!({ "LaunchTemplateName": name, "LaunchTemplateData": data });
                world.call("ec2", "CreateLaunchTemplate", &template);
            }
        })
        .begins(|world| {
            let instance = world.attributes(WEB);
            assert_eq!(instance["instance_type"], "t3.micro");
            assert_eq!(
                instance["launch_template"][0]["id"],
                templates(world)[0]["LaunchTemplateId"]
            );
        })
        .case(
            Case::replace(&["launch_template"])
                .edit("{ name: first }", "{ name: first, version: \"1\" }")
                .reads("/launch_template/0/version", json!("1")),
        )
        .case(
            Case::replace(&["launch_template"])
                .edit("{ name: first, version: \"1\" }", "{ name: second }")
                .reads("/launch_template/0/name", json!("second")),
        )
        .ends(|world| {
            for template in templates(world).as_array().expect("a list") {
                let id = &template["LaunchTemplateId"];
                world.call("ec2", "DeleteLaunchTemplate", &json!({ "LaunchTemplateId": id }));
            }
        })
}

fn templates(world: &World) -> Value {
    let found = world.call("ec2", "DescribeLaunchTemplates", &json!({}));
    found["LaunchTemplates"].clone()
}
