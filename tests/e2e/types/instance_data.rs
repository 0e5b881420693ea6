//! The data sources about instances, images, and types of instance.

use serde_json::{Value, json};

use crate::support::World;

const SPEC: &str = r#"
data:
  aws_ami:
    linux: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } }
    ubuntu:
      owners: ["099720109477"]
      most_recent: true
      name_regex: "noble-24.04-amd64"
      include_deprecated: true
    own: { owners: [self], filter: { name: image-id, values: ["${aws_ami_from_instance.web.id}"] } }
  aws_instance:
    web: { instance_id: "${aws_instance.web[0].id}", get_user_data: true }
    tagged: { instance_tags: { Name: web-1 }, depends_on: [aws_instance.web] }
  aws_instances:
    all: { instance_tags: { team: a }, depends_on: [aws_instance.web] }
    stopped: { instance_tags: { team: a }, instance_state_names: [stopped], depends_on: [aws_instance.web] }
  aws_instance_type:
    micro: { instance_type: t3.micro }
  aws_ec2_instance_type:
    micro: { instance_type: t3.micro }
  aws_instance_types:
    free: { filter: { name: free-tier-eligible, values: ["true"] } }
  aws_ec2_instance_types:
    free: { filter: { name: free-tier-eligible, values: ["true"] } }
resource:
  aws_instance:
    web:
      count: 2
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      user_data: echo 1
      tags: { Name: "web-${count.index}", team: a }
  aws_ami_from_instance:
    web: { name: web, source_instance_id: "${aws_instance.web[0].id}" }
output:
  linux: { value: "${data.aws_ami.linux}" }
  ubuntu: { value: "${data.aws_ami.ubuntu.name}" }
  own: { value: "${data.aws_ami.own}" }
  web: { value: "${data.aws_instance.web}" }
  tagged: { value: "${data.aws_instance.tagged.id}" }
  all: { value: "${data.aws_instances.all}" }
  stopped: { value: "${data.aws_instances.stopped.ids}" }
  micro: { value: "${data.aws_instance_type.micro}" }
  same_type: { value: "${data.aws_ec2_instance_type.micro.default_vcpus}" }
  free: { value: "${data.aws_instance_types.free.instance_types}" }
  same_types: { value: "${data.aws_ec2_instance_types.free.instance_types}" }
"#;

#[test]
fn data_sources_of_instances() {
    let world = World::with_spec(SPEC);
    world.converge();
    let linux = output(&world, "linux");
    assert_eq!(linux["architecture"], "x86_64");
    assert_eq!(linux["image_owner_alias"], "amazon");
    let name = linux["name"].as_str().expect("a name");
    assert!(name.starts_with("al2023-ami-2023.11."), "the newest: {name}");
    let ubuntu = output(&world, "ubuntu");
    assert!(ubuntu.as_str().is_some_and(|name| name.contains("noble")), "{ubuntu}");
    let own = output(&world, "own");
    assert_eq!(own["name"], "web");
    assert_eq!(own["state"], "available");

    let (first, second) =
        (world.attributes("aws_instance.web[0]"), world.attributes("aws_instance.web[1]"));
    let web = output(&world, "web");
    for name in [
        "id",
        "ami",
        "arn",
        "private_ip",
        "subnet_id",
        "availability_zone",
        "instance_state",
        "user_data",
        "vpc_security_group_ids",
        "metadata_options",
        "ebs_optimized",
    ] {
        assert_eq!(web[name], first[name], "{name}");
    }
    assert_eq!(
        web["root_block_device"][0]["volume_id"],
        first["root_block_device"][0]["volume_id"]
    );
    assert_eq!(output(&world, "tagged"), second["id"]);
    let all = output(&world, "all");
    let mut ids = vec![first["id"].clone(), second["id"].clone()];
    ids.sort_by_key(ToString::to_string);
    assert_eq!(all["ids"], json!(ids));
    assert_eq!(all["private_ips"].as_array().map(Vec::len), Some(2));
    assert_eq!(output(&world, "stopped"), json!([]));

    let micro = output(&world, "micro");
    assert_eq!(micro["default_vcpus"], 2);
    assert_eq!(micro["memory_size"], 1024);
    assert_eq!(micro["current_generation"], true);
    assert_eq!(output(&world, "same_type"), 2);
    let free = output(&world, "free");
    assert!(free.as_array().is_some_and(|all| all.contains(&json!("t3.micro"))), "{free}");
    assert_eq!(output(&world, "same_types"), free);

    // Data are read anew by each plan.
    world.call("ec2", "StopInstances", &json!({ "InstanceIds": [second["id"]] }));
    world.run(&["apply", "--auto-approve"]).success();
    assert_eq!(output(&world, "stopped"), json!([second["id"]]));
    assert_eq!(output(&world, "all")["ids"], json!([first["id"]]));
    world.destroy();
}

#[test]
fn a_data_source_that_finds_nothing_or_too_much_says_so() {
    let world = World::with_spec(
        "data: { aws_ami: { none: { owners: [amazon], filter: { name: name, values: [no-such-image] } } } }\n",
    );
    world.run(&["plan"]).code(1).says("data.aws_ami.none");
    world.spec("data: { aws_ami: { many: { owners: [amazon] } } }\n");
    world.run(&["plan"]).code(1).says("most_recent");
    world.spec("data: { aws_instance: { none: { instance_id: i-0123456789abcdef0 } } }\n");
    world.run(&["plan"]).code(1).says("data.aws_instance.none");
    world.spec("data: { aws_instance_type: { none: { instance_type: t3.huge } } }\n");
    world.run(&["plan"]).code(1).says("t3.huge");
}

fn output(world: &World, name: &str) -> Value {
    let output = world.run(&["output", "--json"]).success();
    let all: Value = serde_json::from_str(&output.stdout).expect("JSON");
    all[name]["value"].clone()
}
