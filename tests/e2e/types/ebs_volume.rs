//! `aws_ebs_volume`.

use serde_json::{Value, json};

use super::harness::{Case, Life, Suite};
use crate::support::World;

const VOLUME: &str = "aws_ebs_volume.data";

const GP3: &str = "
resource:
  aws_ebs_volume:
    data:
      availability_zone: ap-northeast-2a
      size: 10
      type: gp3
      iops: 3000
      throughput: 125
      tags: { team: a }
      # more
";

const IO1: &str = "
resource:
  aws_ebs_volume:
    data: { availability_zone: ap-northeast-2a, size: 10, type: io1, iops: 100 }
";

const FILLED: &str = "
resource:
  aws_ebs_volume:
    data:
      availability_zone: ap-northeast-2a
      size: 10
      # more
";

#[test]
fn ebs_volume() {
    Suite::new("aws_ebs_volume")
        .life(changed())
        .life(io1())
        .life(filled())
        .except("outpost_arn", "the emulator has no Outposts")
        .run();
}

fn changed() -> Life {
    Life::new(VOLUME, GP3)
        .prepare(|world| world.settings(&json!({ "volume_modifications": 100 })))
        .case(
            Case::update(&["size"])
                .edit("size: 10", "size: 12")
                .reads("/size", json!(12))
                .then(too_large),
        )
        .case(
            Case::update(&["iops"])
                .edit("iops: 3000", "iops: 4000")
                .reads("/iops", json!(4000))
                .drift("ec2", "ModifyVolume", |world| modification(world, &json!({ "Iops": 3500 }))),
        )
        .case(
            Case::update(&["throughput"])
                .edit("throughput: 125", "throughput: 200")
                .reads("/throughput", json!(200))
                .drift("ec2", "ModifyVolume", |world| {
                    modification(world, &json!({ "Throughput": 150 }))
                }),
        )
        .case(
            Case::update(&["type"])
                .edit("type: gp3", "type: io2")
                .edit("      throughput: 200\n", "")
                .reads("/type", json!("io2"))
                .reads("/iops", json!(4000))
                .drift("ec2", "ModifyVolume", |world| {
                    modification(world, &json!({ "VolumeType": "gp3", "Iops": 4000 }))
                }),
        )
        .case(
            Case::update(&["multi_attach_enabled"])
                .edit("# more", "multi_attach_enabled: true\n      # more")
                .drift("ec2", "ModifyVolume", |world| {
                    modification(world, &json!({ "MultiAttachEnabled": false }))
                }),
        )
        .case(
            Case::update(&["tags"])
                .edit("team: a", "team: b, Name: x")
                .reads("/tags", json!({ "team": "b", "Name": "x" }))
                .drift("ec2", "CreateTags", |world| {
                    json!({ "Resources": [world.id(VOLUME)], "Tags": [{ "Key": "team", "Value": "c" }] })
                }),
        )
        .case(Case::update(&["final_snapshot"]).edit("# more", "final_snapshot: true\n      # more"))
        .case(Case::update(&["final_snapshot"]).edit("final_snapshot: true", "final_snapshot: false"))
        .case(Case::lost().drift("ec2", "DeleteVolume", |world| json!({ "VolumeId": world.id(VOLUME) })))
        .case(
            Case::replace(&["availability_zone"])
                .edit("ap-northeast-2a", "ap-northeast-2c")
                .reads("/availability_zone", json!("ap-northeast-2c")),
        )
        .case(
            Case::replace(&["encrypted"])
                .edit("# more", "encrypted: true\n      # more")
                .reads("/encrypted", json!(true)),
        )
        .case(
            // The key's id and its ARN are the same.
            Case::replace(&["kms_key_id"])
                .edit("# more", "kms_key_id: 1234abcd-12ab-34cd-56ef-1234567890ab\n      # more")
                .then(|world| {
                    let arn = "arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
                    world.edit("main.yaml", "1234abcd-12ab-34cd-56ef-1234567890ab", arn);
                    world.assert_converged();
                }),
        )
}

fn io1() -> Life {
    Life::new(VOLUME, IO1).case(
        Case::replace(&["multi_attach_enabled"])
            .edit("iops: 100", "iops: 100, multi_attach_enabled: true")
            .reads("/multi_attach_enabled", json!(true)),
    )
}

fn filled() -> Life {
    Life::new(VOLUME, FILLED)
        .prepare(|world| {
            let asked = json!({ "AvailabilityZone": "ap-northeast-2a", "Size": 4 });
            let source = world.call("ec2", "CreateVolume", &asked)["VolumeId"].clone();
            world.call("ec2", "CreateSnapshot", &json!({ "VolumeId": source }));
            world.call("ec2", "DeleteVolume", &json!({ "VolumeId": source }));
        })
        .begins(|world| {
            let snapshots = world.inventory()["snapshots"].clone();
            let id = snapshots[0]["id"].as_str().expect("an id");
            world.edit(
                "main.yaml",
                "      size: 10\n",
                &format!("      #snapshot_id: {id}\n      size: 10\n"),
            );
        })
        .case(Case::replace(&["snapshot_id"]).edit("#snapshot_id", "snapshot_id"))
        .case(
            Case::replace(&["volume_initialization_rate"])
                .edit("# more", "volume_initialization_rate: 100\n      # more")
                .reads("/volume_initialization_rate", json!(100)),
        )
        .case(
            Case::update(&["final_snapshot"]).edit("# more", "final_snapshot: true\n      # more"),
        )
        .ends(|world| {
            let snapshots = world.inventory()["snapshots"].clone();
            let snapshots = snapshots.as_array().expect("a list");
            assert_eq!(snapshots.len(), 2, "its own and the final one: {snapshots:#?}");
            for snapshot in snapshots {
                world.call("ec2", "DeleteSnapshot", &json!({ "SnapshotId": snapshot["id"] }));
            }
        })
}

/// A volume that somebody made larger cannot become smaller again; it stays what it is, and so must the spec say.
fn too_large(world: &World) {
    world.call("ec2", "ModifyVolume", &modification(world, &json!({ "Size": 20 })));
    assert_eq!(world.actions(VOLUME), ["update"]);
    world.run(&["apply", "--auto-approve"]).code(1).says("cannot be smaller");
    world.edit("main.yaml", "size: 12", "size: 20");
    world.assert_converged();
}

fn modification(world: &World, change: &Value) -> Value {
    let mut request = change.clone();
    request["VolumeId"] = json!(world.id(VOLUME));
    request
}

#[test]
fn a_volume_that_fails_is_replaced_by_the_next_apply() {
    let world = World::with_spec(IO1);
    world.fault(&json!({ "kind": "outcome", "operation": "CreateVolume" }));
    world.run(&["apply", "--auto-approve"]).code(1).says("error");
    assert_eq!(world.actions(VOLUME), ["delete", "create"]);
    world.converge();
    world.destroy();
}
