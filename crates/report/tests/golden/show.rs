//! What is recorded.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use reconcile_model::{ObjectState, ResourceState, Snapshot, Value, snapshot::ObjectStatus};
use reconcile_report::{TextOptions, show};

use crate::support::{address, live_instance, object, schemas};

fn snapshot() -> Snapshot {
    let object_state = |id: &str, status| ObjectState {
        id: id.into(),
        status,
        attributes: live_instance().with("id", id).with("user_data", "#!/bin/sh\necho 서울\n"),
        schema_version: 1,
        provider: "aws".into(),
        region: Some("ap-northeast-2".into()),
        dependencies: Default::default(),
        created_at: None,
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        operation: None,
    };
    let mut snapshot = Snapshot::new("lab-web", "0b9a");
    snapshot.serial = 4;
    snapshot.resources.insert(
        address("aws_instance.web"),
        ResourceState {
            current: Some(object_state("i-2", ObjectStatus::Tainted)),
            deposed: vec![],
        },
    );
    snapshot.outputs = object(serde_json::json!({
        "hosts": ["203.0.113.7", "203.0.113.8"],
        "ports": { "http": 80 },
        "url": "http://lab-web/",
    }))
    .with("token", Value::Sealed("sha256:00".into()));
    snapshot
}

#[test]
fn everything() {
    assert_snapshot!(show::state(&snapshot(), &schemas(), &TextOptions::default()), @r#"
    # aws_instance.web (i-2, tainted)
    resource "aws_instance" "web" {
        ami                         = "ami-0abc"
        instance_type               = "t3.micro"
        associate_public_ip_address = true
        subnet_id                   = "subnet-2a"
        user_data                   = <<-EOT
            #!/bin/sh
            echo 서울
        EOT
        vpc_security_group_ids      = ["sg-1"]
        tags                        = {
            "Name" = "lab-web-pub-2a"
            "tier" = "web"
        }
        id                          = "i-2"
        arn                         = "arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0ab1"
        private_ip                  = "172.31.0.10"
        public_ip                   = "203.0.113.7"

        metadata_options {
            http_tokens                 = "required"
            http_put_response_hop_limit = 2
        }
        root_block_device {
            volume_size = 8
            volume_type = "gp3"
            encrypted   = false
            volume_id   = "vol-1"
        }
    }

    Outputs:

    hosts = ["203.0.113.7", "203.0.113.8"]
    ports = { "http" = 80 }
    token = (sensitive value)
    url   = "http://lab-web/"
    "#);
    let empty = Snapshot::new("lab-web", "0b9a");
    assert_snapshot!(show::state(&empty, &schemas(), &TextOptions::default()), @"Stack lab-web has nothing.");
}

#[test]
fn one_resource() {
    let snapshot = snapshot();
    let (address, resource) = snapshot.resources.first_key_value().unwrap();
    let text = show::resource(address, resource, &schemas(), &TextOptions::default());
    assert!(text.starts_with("# aws_instance.web (i-2, tainted)\nresource"), "{text}");
    let json = show::resource_json(address, resource, &schemas());
    assert_eq!(json["current"]["values"]["ami"], "ami-0abc");
    assert_eq!(json["current"]["status"], "tainted");
    assert_eq!(show::list(&snapshot), "aws_instance.web\n");
    assert_eq!(show::list_json(&snapshot).to_string(), r#"["aws_instance.web"]"#);
}

#[test]
fn outputs() {
    let outputs = snapshot().outputs;
    assert_snapshot!(show::outputs(&outputs, &TextOptions::default()), @r#"
    hosts = ["203.0.113.7", "203.0.113.8"]
    ports = { "http" = 80 }
    token = (sensitive value)
    url   = "http://lab-web/"
    "#);
    assert_eq!(show::output(outputs.value("url")), "http://lab-web/\n");
    assert_eq!(show::output(outputs.value("hosts")), "[\"203.0.113.7\", \"203.0.113.8\"]\n");
    assert_eq!(show::output(outputs.value("token")), "(sensitive value)\n");
    assert_snapshot!(show::outputs_json(&outputs), @r#"{"hosts":{"sensitive":false,"value":["203.0.113.7","203.0.113.8"]},"ports":{"sensitive":false,"value":{"http":80}},"token":{"sensitive":true,"value":"(sensitive value)"},"url":{"sensitive":false,"value":"http://lab-web/"}}"#);
}

#[test]
fn as_json() {
    let json = serde_json::to_value(show::state_json(&snapshot(), &schemas())).unwrap();
    assert_eq!(json["format_version"], "1.0");
    let resource = &json["values"]["root_module"]["resources"][0];
    assert_eq!(resource["address"], "aws_instance.web");
    assert_eq!(resource["values"]["tags"]["tier"], "web");
    assert_eq!(json["values"]["outputs"]["url"]["value"], "http://lab-web/");
    assert_eq!(json["reconcile"]["serial"], 4);
}
