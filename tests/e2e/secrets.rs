//! No private key and no sensitive value in anything that a run writes: state, journal, backups, saved plans, plans in every
//! format, events, errors.

use serde_json::json;

use crate::support::World;

const SECRET: &str = "correct-horse-battery-staple";
const OTHER: &str = "another-one-altogether";

/// A secret in user data, in a tag, and in an output, and a key that is made here.
const SPEC: &str = r#"
variable: { password: { type: string, sensitive: true } }
data:
  aws_ami: { linux: { owners: [amazon], most_recent: true, filter: { name: name, values: ["al2023-ami-2023*-x86_64"] } } }
resource:
  aws_key_pair:
    lab: { key_name: lab, private_key_file: lab.pem }
  aws_instance:
    web:
      ami: ${data.aws_ami.linux.id}
      instance_type: t3.micro
      key_name: ${aws_key_pair.lab.key_name}
      user_data: "password=${var.password}"
      tags: { hint: "${var.password}" }
output:
  password: { value: "${var.password}", sensitive: true }
"#;

/// Every form that a plan is printed in.
const FORMATS: [&str; 4] = ["text", "markdown", "json", "html"];

#[test]
fn no_secret_is_written_anywhere() {
    let mut world = World::with_spec(SPEC);
    world.set("RECONCILE_VAR_password", SECRET);
    world.run(&["plan", "--out", "saved.plan"]).success().never_says(SECRET);
    for format in FORMATS {
        world.run(&["plan", "--format", format]).success().never_says(SECRET);
    }
    world.run(&["apply", "saved.plan"]).success().never_says(SECRET);
    world.assert_converged();
    world.run(&["show", "--json"]).success().never_says(SECRET);
    world.run(&["state", "show", "aws_instance.web"]).success().never_says(SECRET);
    world.run(&["output"]).success().never_says(SECRET);
    world.assert_nowhere(SECRET);
    // Another value is seen, though neither is on record.
    world.set("RECONCILE_VAR_password", OTHER);
    assert_eq!(world.actions("aws_instance.web"), ["update"]);
    for format in FORMATS {
        world.run(&["plan", "--format", format]).success().never_says(SECRET).never_says(OTHER);
    }
    world.converge();
    world.assert_nowhere(OTHER);
    world.destroy();
}

#[test]
fn the_private_key_is_in_its_file_and_nowhere_else() {
    let mut world = World::with_spec(SPEC);
    world.set("RECONCILE_VAR_password", SECRET);
    let told = world.run(&["apply", "--auto-approve", "--json"]).success();
    let key = world.read("lab.pem");
    let middle: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
    // The first lines hold the public half too.
    let secret = middle[middle.len() - 2];
    assert!(secret.len() > 20, "a line of the key");
    assert!(!told.stdout.contains(secret) && !told.stderr.contains(secret));
    std::fs::remove_file(world.path("lab.pem")).expect("it was made");
    world.assert_nowhere(secret);
    world.write("lab.pem", &key);
    world.destroy();
}

#[test]
fn a_service_that_repeats_a_secret_in_its_message_is_not_quoted() {
    // `correct-horse-battery-staple` behind `password=`, as EC2 gets it.
    let encoded = "cGFzc3dvcmQ9Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==";
    let message = format!("Value (password={SECRET}, {encoded}) for parameter userData is invalid");
    for (code, json) in [
        ("InvalidParameterValue", false),
        ("InvalidParameterValue", true),
        ("InsufficientInstanceCapacity", true),
    ] {
        let mut world = World::with_spec(SPEC);
        world.set("RECONCILE_VAR_password", SECRET);
        world.fault(&json!({
            "kind": "error", "operation": "RunInstances", "code": code, "message": message,
        }));
        let mut arguments = vec!["apply", "--auto-approve"];
        if json {
            arguments.push("--json");
        }
        let told = world.run(&arguments).never_says(SECRET).never_says(encoded);
        assert!(told.to_string().contains("(sensitive value)"), "{told}");
        assert!(told.to_string().contains(code), "{told}");
        world.assert_nowhere(SECRET);
        world.assert_nowhere(encoded);
        world.converge();
        world.destroy();
    }
}
