//! The volumes of an instance.

use serde_json::{Value, json};

use super::{WEB, about, add, live, one, remove};
use crate::support::World;
use crate::types::harness::{Case, Expect, Life};

/// The root volume.
pub(super) fn root() -> Life {
    let spec = one(
        "      root_block_device: { volume_size: 8, volume_type: gp3, iops: 3000, throughput: 125 }\n",
    );
    Life::new(WEB, &spec)
        .prepare(|world| world.settings(&json!({ "volume_modifications": 100 })))
        .case(
            Case::update(&["root_block_device"])
                .edit("volume_size: 8", "volume_size: 10")
                .reads("/root_block_device/0/volume_size", json!(10)),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("iops: 3000", "iops: 4000")
                .reads("/root_block_device/0/iops", json!(4000))
                .drift("ec2", "ModifyVolume", |world| {
                    json!({ "VolumeId": volume(world, 0), "Iops": 3500 })
                }),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("throughput: 125", "throughput: 200")
                .reads("/root_block_device/0/throughput", json!(200))
                .drift("ec2", "ModifyVolume", |world| {
                    json!({ "VolumeId": volume(world, 0), "Throughput": 150 })
                }),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("volume_type: gp3, iops: 4000, throughput: 200", "volume_type: gp2")
                .reads("/root_block_device/0/volume_type", json!("gp2"))
                .reads("/root_block_device/0/iops", json!(100))
                .drift("ec2", "ModifyVolume", |world| {
                    json!({ "VolumeId": volume(world, 0), "VolumeType": "gp3" })
                }),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("volume_type: gp2", "volume_type: gp2, delete_on_termination: false")
                .reads("/root_block_device/0/delete_on_termination", json!(false))
                .drift("ec2", "ModifyInstanceAttribute", |world| deletion(world, true)),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("delete_on_termination: false", "delete_on_termination: true")
                .drift("ec2", "ModifyInstanceAttribute", |world| deletion(world, false)),
        )
        .case(
            Case::update(&["root_block_device"])
                .edit("volume_type: gp2", "volume_type: gp2, tags: { team: a }")
                .reads("/root_block_device/0/tags", json!({ "team": "a" }))
                .drift("ec2", "CreateTags", |world| {
                    json!({ "Resources": [volume(world, 0)], "Tags": [{ "Key": "team", "Value": "b" }] })
                }),
        )
        .case(
            Case::replace(&["root_block_device"])
                .edit("volume_type: gp2", "volume_type: gp2, encrypted: true")
                .reads("/root_block_device/0/encrypted", json!(true)),
        )
        .case(
            Case::replace(&["root_block_device"])
                .edit("encrypted: true", "encrypted: true, kms_key_id: 1234abcd-12ab-34cd-56ef-1234567890ab"),
        )
}

/// Further volumes.
pub(super) fn more() -> Life {
    Life::new(WEB, &one(""))
        .prepare(|world| world.settings(&json!({ "volume_modifications": 100 })))
        .case(
            add(Case::replace(&["ebs_block_device"]), "ebs_block_device: [ { device_name: /dev/sdf, volume_size: 2, volume_type: gp3 } ]")
                .reads("/ebs_block_device/0/volume_size", json!(2))
                .drift("ec2", "DetachVolume", |world| json!({ "VolumeId": volume(world, 1) }))
                .mended_by(Expect::Replace)
                .then(|world| {
                    // What was detached is nobody's now.
                    for volume in world.inventory()["volumes"].as_array().expect("a list") {
                        if volume["State"] == "available" {
                            world.call("ec2", "DeleteVolume", &json!({ "VolumeId": volume["id"] }));
                        }
                    }
                }),
        )
        .case(
            Case::update(&["ebs_block_device"])
                .edit("volume_size: 2", "volume_size: 3")
                .reads("/ebs_block_device/0/volume_size", json!(3)),
        )
        .case(
            Case::update(&["ebs_block_device"])
                .edit("volume_type: gp3", "volume_type: gp3, iops: 3100, throughput: 130, delete_on_termination: false, tags: { team: a }")
                .reads("/ebs_block_device/0/iops", json!(3100))
                .reads("/ebs_block_device/0/throughput", json!(130))
                .reads("/ebs_block_device/0/delete_on_termination", json!(false))
                .reads("/ebs_block_device/0/tags", json!({ "team": "a" }))
                .drift("ec2", "ModifyVolume", |world| {
                    json!({ "VolumeId": volume(world, 1), "Throughput": 140 })
                }),
        )
        .case(
            Case::update(&["ebs_block_device"])
                .edit("volume_type: gp3, iops: 3100, throughput: 130, delete_on_termination: false", "volume_type: gp2")
                .reads("/ebs_block_device/0/volume_type", json!("gp2"))
                .reads("/ebs_block_device/0/delete_on_termination", json!(true)),
        )
        .case(
            Case::replace(&["ebs_block_device"])
                .edit("/dev/sdf", "/dev/sdg")
                .reads("/ebs_block_device/0/device_name", json!("/dev/sdg")),
        )
        .case(Case::replace(&["ebs_block_device"]).edit("device_name: /dev/sdg", "device_name: /dev/sdg, encrypted: true"))
        .case(
            Case::replace(&["ebs_block_device"]).edit(
                "tags: { team: a } } ]",
                "tags: { team: a } }, { device_name: /dev/sdh, volume_size: 1 } ]",
            ),
        )
        .case(
            // One that was attached by hand is not the instance's own.
            Case::update(&["tags"]).edit("# more", "tags: { team: a }\n      # more").then(|world| {
                let zone = world.attributes(WEB)["availability_zone"].clone();
                let made = world.call("ec2", "CreateVolume", &json!({ "AvailabilityZone": zone, "Size": 1 }));
                let place = about(world, json!({ "VolumeId": made["VolumeId"], "Device": "/dev/sdk" }));
                world.call("ec2", "AttachVolume", &place);
                world.assert_converged();
                world.call("ec2", "DetachVolume", &json!({ "VolumeId": made["VolumeId"] }));
                world.call("ec2", "DeleteVolume", &json!({ "VolumeId": made["VolumeId"] }));
            }),
        )
}

/// Tags for all volumes.
pub(super) fn tagged() -> Life {
    let spec = one("      ebs_block_device: { device_name: /dev/sdf, volume_size: 2 }\n");
    Life::new(WEB, &spec)
        .case(
            add(Case::update(&["volume_tags"]), "volume_tags: { team: a }")
                .reads("/volume_tags", json!({ "team": "a" }))
                .drift("ec2", "CreateTags", |world| {
                    json!({ "Resources": [volume(world, 1)], "Tags": [{ "Key": "team", "Value": "b" }] })
                })
                .then(|world| assert_eq!(tags(world), [json!("a"), json!("a")])),
        )
        .case(
            Case::update(&["volume_tags"])
                .edit("volume_tags: { team: a }", "volume_tags: { team: c }")
                .drift("ec2", "DeleteTags", |world| {
                    json!({ "Resources": [volume(world, 0)], "Tags": [{ "Key": "team" }] })
                })
                .then(|world| assert_eq!(tags(world), [json!("c"), json!("c")])),
        )
        .case(
            remove(Case::update(&["volume_tags"]), "volume_tags: { team: c }")
                .then(|world| assert_eq!(tags(world), [json!(null), json!(null)])),
        )
}

/// Returns the id of a volume, the root volume first.
fn volume(world: &World, index: usize) -> Value {
    live(world)["BlockDeviceMappings"][index]["Ebs"]["VolumeId"].clone()
}

/// Returns the volumes' tag `team`.
fn tags(world: &World) -> [Value; 2] {
    [0, 1].map(|index| {
        let found =
            world.call("ec2", "DescribeVolumes", &json!({ "VolumeIds": [volume(world, index)] }));
        let mut tags = found["Volumes"][0]["Tags"].as_array().into_iter().flatten();
        tags.find(|tag| tag["Key"] == "team").map(|tag| tag["Value"].clone()).unwrap_or_default()
    })
}

fn deletion(world: &World, with_instance: bool) -> Value {
    let root = live(world)["RootDeviceName"].clone();
    let mapping = json!({ "DeviceName": root, "Ebs": { "DeleteOnTermination": with_instance } });
    about(world, json!({ "BlockDeviceMappings": [mapping] }))
}
