//! `aws_ami_from_instance`.

use serde_json::{Value, json};

use super::harness::{Case, Life, Suite};
use crate::support::World;

const IMAGE: &str = "aws_ami_from_instance.web";

const SPEC: &str = r#"
data:
  aws_ami:
    linux: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } }
resource:
  aws_instance:
    first: { ami: "${data.aws_ami.linux.id}", instance_type: t3.micro }
    second:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      ebs_block_device: { device_name: /dev/sdf, volume_size: 2 }
  aws_ami_from_instance:
    web:
      name: web-1
      source_instance_id: ${aws_instance.first.id}
      description: first
      tags: { team: a }
      # more
"#;

#[test]
fn ami_from_instance() {
    Suite::new("aws_ami_from_instance")
        .silent(
            &["image_owner_alias", "imds_support", "kernel_id", "platform", "ramdisk_id", "tpm_support", "deprecation_time", "usage_operation", "uefi_data", "last_launched_time", "hypervisor"],
            "an image of one's own has none",
        )
        .life(
            Life::new(IMAGE, SPEC)
                .begins(|world| {
                    assert_eq!(count(world, "snapshots"), 1);
                    assert_eq!(reboots(world, "aws_instance.first"), 1);
                })
                .case(
                    Case::update(&["description"])
                        .edit("description: first", "description: second")
                        .reads("/description", json!("second"))
                        .drift("ec2", "ModifyImageAttribute", |world| {
                            json!({ "ImageId": world.id(IMAGE), "Description": { "Value": "third" } })
                        }),
                )
                .case(Case::update(&["description"]).edit("      description: second\n", ""))
                .case(
                    Case::update(&["deprecation_time"])
                        .edit("# more", "deprecation_time: \"2031-02-03T04:05:06Z\"\n      # more")
                        .drift("ec2", "DisableImageDeprecation", |world| {
                            json!({ "ImageId": world.id(IMAGE) })
                        }),
                )
                .case(
                    Case::update(&["deprecation_time"])
                        .edit("      deprecation_time: \"2031-02-03T04:05:06Z\"\n", ""),
                )
                .case(
                    Case::update(&["tags"])
                        .edit("team: a", "team: b")
                        .reads("/tags", json!({ "team": "b" }))
                        .drift("ec2", "CreateTags", |world| {
                            json!({ "Resources": [world.id(IMAGE)], "Tags": [{ "Key": "more", "Value": "c" }] })
                        }),
                )
                .case(
                    Case::replace(&["name"])
                        .edit("name: web-1", "name: web-2")
                        .reads("/name", json!("web-2"))
                        .then(|world| {
                            assert_eq!((count(world, "images"), count(world, "snapshots")), (1, 1));
                        }),
                )
                .case(
                    Case::replace(&["source_instance_id"])
                        .edit("aws_instance.first.id", "aws_instance.second.id")
                        .then(|world| {
                            assert_eq!((count(world, "images"), count(world, "snapshots")), (1, 2));
                        }),
                )
                .case(
                    Case::replace(&["snapshot_without_reboot"])
                        .edit("# more", "snapshot_without_reboot: true\n      # more")
                        .then(|world| assert_eq!(reboots(world, "aws_instance.second"), 1)),
                )
                .case(Case::lost().drift("ec2", "DeregisterImage", |world| {
                    json!({ "ImageId": world.id(IMAGE), "DeleteAssociatedSnapshots": true })
                })),
        )
        .run();
}

#[test]
fn an_image_that_fails_is_replaced_by_the_next_apply() {
    let world = World::with_spec(SPEC);
    world.fault(&json!({
        "kind": "outcome", "operation": "CreateImage", "code": "Server.InternalError", "message": "no luck today",
    }));
    world.run(&["apply", "--auto-approve"]).code(1).says("no luck today");
    assert_eq!(world.actions(IMAGE), ["delete", "create"]);
    world.converge();
    assert_eq!((count(&world, "images"), count(&world, "snapshots")), (1, 1));
    world.destroy();
}

/// A name can be held for a while by the image that had it; the new one waits for it.
#[test]
fn an_image_waits_for_its_name() {
    let world = World::with_spec(SPEC);
    world.settings(&json!({ "image_name_reserved": 2 }));
    world.converge();
    world.edit("main.yaml", "aws_instance.first.id", "aws_instance.second.id");
    world.converge();
    assert_eq!((count(&world, "images"), count(&world, "snapshots")), (1, 2));
    world.destroy();
}

fn count(world: &World, kind: &str) -> usize {
    world.inventory()[kind].as_array().map_or(0, Vec::len)
}

fn reboots(world: &World, address: &str) -> u64 {
    let id = world.id(address);
    let inventory = world.inventory();
    let mut instances = inventory["instances"].as_array().into_iter().flatten();
    let found = instances.find(|it| it["id"] == id.as_str()).expect("it runs");
    found.get("reboots").and_then(Value::as_u64).expect("a number")
}
