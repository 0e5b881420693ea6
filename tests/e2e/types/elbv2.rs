//! Load balancers and all that belongs to them.

mod data_lb;
mod lb;
mod lb_listener;
mod lb_listener_login;
mod lb_listener_rule;
mod lb_listener_secure;
mod lb_network;
mod lb_taken;
mod lb_target_group;
mod lb_target_group_attachment;

use serde_json::{Value, json};

use crate::support::World;

/// The default VPC, its subnets in three zones, and two security groups. A spec goes on with resources after it.
const NETWORK: &str = r#"
data:
  aws_vpc: { default: { default: true } }
  aws_subnet:
    a: { vpc_id: "${data.aws_vpc.default.id}", availability_zone: ap-northeast-2a, default_for_az: true }
    b: { vpc_id: "${data.aws_vpc.default.id}", availability_zone: ap-northeast-2b, default_for_az: true }
    c: { vpc_id: "${data.aws_vpc.default.id}", availability_zone: ap-northeast-2c, default_for_az: true }
resource:
  aws_security_group:
    one: { name: one, vpc_id: "${data.aws_vpc.default.id}" }
    two: { name: two, vpc_id: "${data.aws_vpc.default.id}" }
"#;

/// Returns a spec that begins with [`NETWORK`].
fn spec(resources: &str) -> String {
    format!("{}{resources}", NETWORK.trim_start())
}

/// Returns settings as ELBv2 takes and tells them.
fn pairs(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

/// Returns the value of one of the settings that ELBv2 tells.
fn setting<'a>(told: &'a Value, key: &str) -> &'a Value {
    let mut all = told["Attributes"].as_array().into_iter().flatten();
    all.find(|it| it["Key"] == key).map_or(&Value::Null, |it| &it["Value"])
}

/// Returns the default VPC's subnet in a zone, which goes by its last letter.
fn subnet(world: &World, zone: &str) -> String {
    let zone = format!("ap-northeast-2{zone}");
    let filters = json!([{ "Name": "availability-zone", "Values": [zone] }]);
    let told = world.call("ec2", "DescribeSubnets", &json!({ "Filters": filters }));
    told["Subnets"][0]["SubnetId"].as_str().expect("an id").to_owned()
}
