//! `aws_instance`.

mod launch;
mod network;
mod options;
mod replaced;
mod restarted;
mod volumes;

use serde_json::{Value, json};

use super::harness::{Case, Suite};
use crate::support::World;

const WEB: &str = "aws_instance.web";

/// The head of every spec: an image and the default subnets of two zones.
const HEAD: &str = r#"
data:
  aws_ami:
    linux: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } }
    older: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023.9.*-x86_64"] } }
  aws_subnet:
    a: { availability_zone: ap-northeast-2a, default_for_az: true }
    c: { availability_zone: ap-northeast-2c, default_for_az: true }
"#;

#[test]
fn instance() {
    Suite::new("aws_instance")
        .silent(
            &[
                "instance_lifecycle",
                "outpost_arn",
                "password_data",
                "public_dns",
                "public_ip",
                "spot_instance_request_id",
            ],
            "an instance on demand, of Linux, and in a private subnet has none",
        )
        .life(options::protection())
        .life(options::switches())
        .life(options::profile())
        .life(network::groups())
        .life(network::addresses())
        .life(network::interfaces())
        .life(restarted::sizes())
        .life(restarted::user_data())
        .life(replaced::places())
        .life(replaced::kinds())
        .life(replaced::create_first())
        .life(replaced::user_data())
        .life(replaced::template())
        .life(volumes::root())
        .life(volumes::more())
        .life(volumes::tagged())
        .run();
}

/// Returns a spec of one small instance and these lines more.
fn one(more: &str) -> String {
    format!(
        "{HEAD}resource:
  aws_instance:
    web:
      ami: ${{data.aws_ami.linux.id}}
      instance_type: t3.micro
{more}      # more
"
    )
}

/// Adds a line to the spec of the instance.
fn add(case: Case, line: &str) -> Case {
    case.edit("      # more", &format!("      {line}\n      # more"))
}

/// Takes a line out of the spec of the instance.
fn remove(case: Case, line: &str) -> Case {
    case.edit(&format!("      {line}\n"), "")
}

/// Returns a request about the instance.
fn about(world: &World, more: Value) -> Value {
    let mut request = more;
    request["InstanceId"] = json!(world.id(WEB));
    request
}

/// Returns what AWS tells of the instance.
fn live(world: &World) -> Value {
    let found = world.call("ec2", "DescribeInstances", &json!({ "InstanceIds": [world.id(WEB)] }));
    found["Reservations"][0]["Instances"][0].clone()
}

/// Adds a change behind the tool's back that needs a stopped instance, and stops and starts around it.
fn drift_while_stopped(
    case: Case,
    operation: &'static str,
    parameters: impl Fn(&World) -> Value + Send + Sync + 'static,
) -> Case {
    let all = |world: &World| json!({ "InstanceIds": [world.id(WEB)] });
    case.drift("ec2", "StopInstances", all).drift("ec2", operation, parameters).drift(
        "ec2",
        "StartInstances",
        all,
    )
}
