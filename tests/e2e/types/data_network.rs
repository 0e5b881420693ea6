//! The data sources of the network, read through outputs and compared with what the API says.

use std::collections::BTreeSet;

use reconcile_model::Mode;
use serde_json::{Value, json};

use crate::support::{REGION, World};

const SPEC: &str = r#"
data:
  aws_region:
    here: {}
    there: { name: eu-west-1 }
  aws_availability_zones:
    all: {}
    some: { state: available, exclude_names: [ap-northeast-2b], exclude_zone_ids: [apne2-az4] }
  aws_vpc:
    default: { default: true }
    named: { tags: { Name: tests } }
    ranged: { cidr_block: 10.7.0.0/16 }
    by_id: { id: "${data.aws_vpc.named.id}" }
    filtered: { filter: { name: is-default, values: ["true"] } }
  aws_subnets:
    all: { filter: { name: vpc-id, values: ["${data.aws_vpc.default.id}"] } }
    one: { filter: [{ name: availability-zone, values: [ap-northeast-2a, ap-northeast-2c] }, { name: default-for-az, values: ["true"] }] }
    none: { tags: { Name: nobody } }
  aws_subnet:
    a: { vpc_id: "${data.aws_vpc.default.id}", availability_zone: ap-northeast-2a }
    by_id: { id: "${data.aws_subnets.all.ids[0]}" }
    ranged: { vpc_id: "${data.aws_vpc.named.id}", cidr_block: 10.7.1.0/24 }
  aws_security_group:
    default: { vpc_id: "${data.aws_vpc.default.id}", name: default }
    by_id: { id: "${aws_security_group.web.id}" }
    tagged: { tags: { Name: tagged }, filter: { name: group-name, values: ["tag*"] } }
resource:
  aws_security_group:
    web: { name: web, description: made here, tags: { Name: web } }
output:
  here: { value: "${data.aws_region.here}" }
  there: { value: "${data.aws_region.there}" }
  zones: { value: "${data.aws_availability_zones.all}" }
  some_zones: { value: "${data.aws_availability_zones.some}" }
  default_vpc: { value: "${data.aws_vpc.default}" }
  named_vpc: { value: "${data.aws_vpc.named}" }
  other_vpcs: { value: ["${data.aws_vpc.ranged.id}", "${data.aws_vpc.by_id.id}", "${data.aws_vpc.filtered.id}"] }
  subnets: { value: "${data.aws_subnets.all}" }
  two_subnets: { value: "${length(data.aws_subnets.one.ids)}" }
  not_given: { value: "${data.aws_availability_zones.all.state == null}" }
  no_subnets: { value: "${data.aws_subnets.none.ids}" }
  subnet: { value: "${data.aws_subnet.a}" }
  first_subnet: { value: "${data.aws_subnet.by_id}" }
  ranged_subnet: { value: "${data.aws_subnet.ranged}" }
  default_group: { value: "${data.aws_security_group.default}" }
  own_group: { value: "${data.aws_security_group.by_id}" }
  tagged_group: { value: "${data.aws_security_group.tagged}" }
"#;

#[test]
fn the_network_is_read() {
    let world = World::with_spec(SPEC);
    let made = world.call("ec2", "CreateVpc", &json!({ "CidrBlock": "10.7.0.0/16" }));
    let second = made["Vpc"]["VpcId"].clone();
    name(&world, &second, "tests");
    let range = json!({ "VpcId": second, "CidrBlock": "10.7.1.0/24" });
    let in_second = world.call("ec2", "CreateSubnet", &range)["Subnet"]["SubnetId"].clone();
    let tagged = json!({ "GroupName": "tagged", "Description": "by hand" });
    let tagged = world.call("ec2", "CreateSecurityGroup", &tagged)["GroupId"].clone();
    name(&world, &tagged, "tagged");

    world.converge();
    let outputs = outputs(&world);
    let of = |name: &str| outputs[name]["value"].clone();

    assert_eq!(of("here")["name"], REGION);
    assert_eq!(of("here")["endpoint"], "ec2.ap-northeast-2.amazonaws.com");
    assert_eq!(of("there")["id"], "eu-west-1");
    whole("aws_region", &of("here"), &[]);

    let zones = world.call("ec2", "DescribeAvailabilityZones", &json!({}));
    let zones = pluck(&zones["AvailabilityZones"], "ZoneName");
    assert_eq!(texts(&of("zones")["names"]), zones);
    whole(
        "aws_availability_zones",
        &of("zones"),
        &["exclude_names", "exclude_zone_ids", "state", "all_availability_zones", "filter"],
    );
    assert_eq!(of("not_given"), true);
    assert_eq!(of("some_zones")["names"], json!(["ap-northeast-2a", "ap-northeast-2c"]));
    assert_eq!(of("some_zones")["zone_ids"], json!(["apne2-az1", "apne2-az3"]));

    let vpcs = world.call("ec2", "DescribeVpcs", &json!({}));
    let vpcs = vpcs["Vpcs"].as_array().expect("a list");
    let default = vpcs.iter().find(|vpc| vpc["IsDefault"] == true).expect("the default VPC");
    let vpc = of("default_vpc");
    assert_eq!(vpc["id"], default["VpcId"]);
    assert_eq!(vpc["cidr_block"], default["CidrBlock"]);
    assert_eq!(vpc["default"], true);
    assert_eq!(vpc["enable_dns_support"], true);
    assert_eq!(vpc["enable_dns_hostnames"], true);
    assert_eq!(vpc["state"], "available");
    assert!(vpc["main_route_table_id"].as_str().is_some_and(|id| id.starts_with("rtb-")));
    whole("aws_vpc", &vpc, &["ipv6_association_id", "ipv6_cidr_block", "filter"]);
    let named = of("named_vpc");
    assert_eq!(named["id"], second);
    assert_eq!(named["tags"], json!({ "Name": "tests" }));
    assert_eq!(named["enable_dns_hostnames"], false);
    assert_eq!(of("other_vpcs"), json!([second, second, default["VpcId"]]));

    let filters = json!([{ "Name": "vpc-id", "Values": [default["VpcId"]] }]);
    let live = world.call("ec2", "DescribeSubnets", &json!({ "Filters": filters }));
    let ids: BTreeSet<String> = pluck(&live["Subnets"], "SubnetId").into_iter().collect();
    assert_eq!(texts(&of("subnets")["ids"]).into_iter().collect::<BTreeSet<_>>(), ids);
    assert_eq!(of("two_subnets"), 2);
    assert_eq!(of("no_subnets"), json!([]));
    let subnet = of("subnet");
    let in_a = |it: &&Value| it["AvailabilityZone"] == "ap-northeast-2a";
    let live = live["Subnets"].as_array().expect("a list").iter().find(in_a).expect("it");
    assert_eq!(subnet["id"], live["SubnetId"]);
    assert_eq!(subnet["cidr_block"], live["CidrBlock"]);
    assert_eq!(subnet["arn"], live["SubnetArn"]);
    assert_eq!(subnet["default_for_az"], true);
    assert_eq!(subnet["map_public_ip_on_launch"], true);
    assert_eq!(subnet["available_ip_address_count"], live["AvailableIpAddressCount"]);
    assert_eq!(of("first_subnet")["id"], of("subnets")["ids"][0]);
    assert_eq!(of("ranged_subnet")["id"], in_second);
    assert_eq!(of("ranged_subnet")["map_public_ip_on_launch"], false);

    let default_group = of("default_group");
    assert_eq!(default_group["name"], "default");
    assert_eq!(default_group["vpc_id"], default["VpcId"]);
    let own = world.attributes("aws_security_group.web");
    for attribute in ["id", "name", "description", "vpc_id", "arn", "tags"] {
        assert_eq!(of("own_group")[attribute], own[attribute], "{attribute}");
    }
    whole("aws_security_group", &of("own_group"), &["filter"]);
    assert_eq!(of("tagged_group")["id"], tagged);

    world.run(&["destroy", "--auto-approve"]).success();
    world.call("ec2", "DeleteSecurityGroup", &json!({ "GroupId": tagged }));
    world.call("ec2", "DeleteSubnet", &json!({ "SubnetId": in_second }));
    world.call("ec2", "DeleteVpc", &json!({ "VpcId": second }));
    world.assert_empty();
}

#[test]
fn a_lookup_that_finds_nothing_or_too_much_says_so() {
    let data = |what: &str| World::with_spec(&format!("data:\n  {what}\noutput: {{}}\n"));
    let world = data("aws_vpc: { no: { tags: { Name: nobody } } }");
    let output = world.run(&["plan"]).code(1).says("no VPC matches").says("nobody");
    output.says("main.yaml");
    let world = data("aws_subnet: { many: { default_for_az: true } }");
    world.run(&["plan"]).code(1).says("subnets match").says("Say more");
    let world = data("aws_security_group: { no: { id: sg-00000000 } }");
    world.run(&["plan"]).code(1).says("sg-00000000");
    let world = data("aws_region: { no: { name: mars-north-1 } }");
    world.run(&["plan"]).code(1).says("mars-north-1");
}

/// Checks that an object has a value for every attribute of its schema but some.
fn whole(type_name: &str, object: &Value, silent: &[&str]) {
    let schema = reconcile_provider_aws::schemas().get(Mode::Data, type_name).expect("it is there");
    for attribute in schema.attributes {
        let value = object.get(attribute.name);
        let told = value.is_some_and(|value| !value.is_null()) || silent.contains(&attribute.name);
        assert!(told, "{type_name}: {} is null: {object:#}", attribute.name);
    }
}

fn name(world: &World, id: &Value, name: &str) {
    let tags = json!([{ "Key": "Name", "Value": name }]);
    world.call("ec2", "CreateTags", &json!({ "Resources": [id], "Tags": tags }));
}

fn outputs(world: &World) -> Value {
    let output = world.run(&["output", "--json"]).success();
    serde_json::from_str(&output.stdout).expect("JSON")
}

fn pluck(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item[name].as_str().expect("text").to_owned()).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item.as_str().expect("text").to_owned()).collect()
}
