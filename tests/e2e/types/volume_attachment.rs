//! `aws_volume_attachment`.

use serde_json::{Value, json};

use super::harness::{Case, Life, Suite};
use crate::support::World;

const ATTACHMENT: &str = "aws_volume_attachment.data";

const SPEC: &str = r#"
data:
  aws_ami:
    linux: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } }
resource:
  aws_instance:
    first: { ami: "${data.aws_ami.linux.id}", instance_type: t3.micro, availability_zone: ap-northeast-2a }
    second: { ami: "${data.aws_ami.linux.id}", instance_type: t3.micro, availability_zone: ap-northeast-2a }
  aws_ebs_volume:
    one: { availability_zone: ap-northeast-2a, size: 1 }
    two: { availability_zone: ap-northeast-2a, size: 1 }
  aws_volume_attachment:
    data:
      device_name: /dev/sdf
      instance_id: ${aws_instance.first.id}
      volume_id: ${aws_ebs_volume.one.id}
      # more
"#;

#[test]
fn volume_attachment() {
    Suite::new("aws_volume_attachment")
        .life(
            Life::new(ATTACHMENT, SPEC)
                .prepare(|world| {
                    // All states in between last long enough to be seen.
                    world.settings(&json!({ "volume_attaching": 0.3, "volume_detaching": 0.3 }));
                })
                .case(
                    Case::replace(&["device_name"])
                        .edit("/dev/sdf", "/dev/sdg")
                        .reads("/device_name", json!("/dev/sdg"))
                        .then(|world| assert_eq!(attached(world), 1)),
                )
                .case(
                    Case::replace(&["instance_id"])
                        .edit("aws_instance.first.id", "aws_instance.second.id"),
                )
                .case(
                    Case::replace(&["volume_id"])
                        .edit("aws_ebs_volume.one.id", "aws_ebs_volume.two.id"),
                )
                .case(Case::lost().drift(
                    "ec2",
                    "DetachVolume",
                    |world| json!({ "VolumeId": world.id("aws_ebs_volume.two") }),
                ))
                .case(
                    Case::update(&["force_detach"])
                        .edit("# more", "force_detach: true\n      # more"),
                )
                .case(
                    Case::update(&["skip_destroy"])
                        .edit("# more", "skip_destroy: true\n      # more")
                        .then(stays_attached),
                )
                .case(
                    Case::update(&["skip_destroy"])
                        .edit("skip_destroy: true", "skip_destroy: false"),
                )
                .case(
                    Case::update(&["stop_instance_before_detaching"])
                        .edit("# more", "stop_instance_before_detaching: true\n      # more")
                        .then(stops),
                ),
        )
        .run();
}

/// Destroying only forgets the attachment; applying again finds it there.
fn stays_attached(world: &World) {
    without(world, "stays attached", 1);
    world.converge();
    assert_eq!(attached(world), 1);
}

/// The instance is stopped, and stays so.
fn stops(world: &World) {
    without(world, "was stopped", 0);
    world.converge();
    assert_eq!(attached(world), 1);
}

/// Takes the attachment out of the spec, applies that, and puts it back into the spec.
fn without(world: &World, says: &str, left: usize) {
    let spec = world.read("main.yaml");
    let (rest, _) = spec.split_once("  aws_volume_attachment:").expect("the attachment");
    world.write("main.yaml", rest);
    world.run(&["apply", "--auto-approve"]).success().says(says);
    assert_eq!(attached(world), left);
    world.write("main.yaml", &spec);
}

/// Returns how many of the two volumes are attached.
fn attached(world: &World) -> usize {
    ["aws_ebs_volume.one", "aws_ebs_volume.two"]
        .into_iter()
        .filter(|address| {
            let asked = json!({ "VolumeIds": [world.id(address)] });
            let found = world.call("ec2", "DescribeVolumes", &asked);
            found["Volumes"][0]["Attachments"]
                .as_array()
                .is_some_and(|all| all.iter().any(is_attached))
        })
        .count()
}

fn is_attached(attachment: &Value) -> bool {
    attachment["State"] == "attached"
}
