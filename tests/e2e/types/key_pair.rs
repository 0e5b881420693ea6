//! `aws_key_pair`.

use serde_json::json;

use super::harness::{Case, Life, Suite};
use crate::support::World;

const KEY: &str = "aws_key_pair.lab";

const FIRST: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBMrHnTrwqqSO/S4/Bs0cpNYQtF7Vw3nvNrNuCDUf2jP";
const SECOND: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII/KNs9dczjggoSJe0nOEZI7SYzPpEM1lU+SPt+snTfB";

#[test]
fn key_pair() {
    let given = format!(
        "resource:
  aws_key_pair:
    lab:
      key_name: lab
      public_key: {FIRST} me@here
      tags: {{ team: a }}
"
    );
    let prefixed = format!(
        "resource:
  aws_key_pair:
    lab: {{ key_name_prefix: lab-, public_key: {FIRST} }}
"
    );
    let made = "
resource:
  aws_key_pair:
    lab:
      key_name: lab
      private_key_file: first.pem
";
    Suite::new("aws_key_pair")
        .life(
            Life::new(KEY, &given)
                .case(
                    Case::update(&["tags"])
                        .edit("team: a", "team: b, Name: x")
                        .reads("/tags", json!({ "team": "b", "Name": "x" }))
                        .drift("ec2", "CreateTags", |world| {
                            json!({ "Resources": [key_pair_id(world)], "Tags": [{ "Key": "team", "Value": "c" }] })
                        })
                        .drift("ec2", "DeleteTags", |world| {
                            json!({ "Resources": [key_pair_id(world)], "Tags": [{ "Key": "Name" }] })
                        })
                        .drift("ec2", "CreateTags", |world| {
                            json!({ "Resources": [key_pair_id(world)], "Tags": [{ "Key": "more", "Value": "d" }] })
                        }),
                )
                .case(
                    Case::replace(&["public_key"])
                        .edit(FIRST, SECOND)
                        .drift("ec2", "DeleteKeyPair", |_| json!({ "KeyName": "lab" }))
                        .drift("ec2", "ImportKeyPair", |_| {
                            json!({ "KeyName": "lab", "PublicKeyMaterial": FIRST })
                        }),
                )
                .case(
                    Case::replace(&["key_name"])
                        .edit("key_name: lab", "key_name: other")
                        .reads("/id", json!("other"))
                        .reads("/key_name", json!("other")),
                )
                .case(
                    Case::lost().drift("ec2", "DeleteKeyPair", |_| json!({ "KeyName": "other" })),
                )
                .case(
                    Case::replace(&["private_key_file"])
                        .edit(&format!("public_key: {SECOND} me@here"), "private_key_file: lab.pem")
                        .then(|world| assert!(world.read("lab.pem").contains("PRIVATE KEY"))),
                ),
        )
        .life(
            Life::new(KEY, &prefixed)
                .begins(|world| assert!(world.id(KEY).starts_with("lab-"), "{}", world.id(KEY)))
                .case(
                    Case::replace(&["key_name_prefix"])
                        .edit("key_name_prefix: lab-", "key_name_prefix: web-")
                        .reads("/key_name_prefix", json!("web-"))
                        .then(|world| {
                            assert!(world.id(KEY).starts_with("web-"), "{}", world.id(KEY));
                        }),
                ),
        )
        .life(
            Life::new(KEY, made)
                .begins(|world| {
                    let text = world.read("first.pem");
                    std::fs::rename(world.path("first.pem"), world.path("moved.pem")).expect("it moves");
                    assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"));
                    assert_eq!(world.attributes(KEY)["key_type"], "ed25519");
                })
                .case(
                    Case::update(&["private_key_file"])
                        .edit("first.pem", "moved.pem")
                        .reads("/private_key_file", json!("moved.pem"))
                        .then(|world| assert!(!world.path("first.pem").exists())),
                )
                .case(
                    Case::replace(&["key_type"])
                        .edit("moved.pem", "rsa.pem\n      key_type: rsa")
                        .reads("/key_type", json!("rsa"))
                        .then(|world| {
                            assert!(world.path("rsa.pem").exists());
                            assert!(world.path("moved.pem").exists(), "the private key is the user's");
                        }),
                ),
        )
        .run();
}

fn key_pair_id(world: &World) -> String {
    world.attributes(KEY)["key_pair_id"].as_str().expect("an id").to_owned()
}
