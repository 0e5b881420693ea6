//! Plans as JSON: what tools for Terraform's plans read.

use insta::assert_snapshot;
use reconcile_model::{
    Action, InstanceKey, Mode, ModuleStep, Object, Reason, ReplaceOrder, ResourceAddress, Value,
};
use reconcile_report::{
    configuration::{
        Expression, OutputConfiguration, ProviderConfiguration, ResourceConfiguration,
        VariableConfiguration,
    },
    exposure,
};
use serde_json::json;

use crate::support::{
    Making, drift_cause, group, instance, live_group, live_instance, live_listener, object, rule,
};

#[test]
fn a_replacement() {
    let mut making = Making::new();
    let config = instance()
        .with("root_block_device", vec![Object::new().with("encrypted", true)])
        .with("vpc_security_group_ids", vec![Value::Unknown]);
    making.plan("aws_instance.web[\"a\"]", &config, Some(&live_instance())).action =
        Action::Replace(ReplaceOrder::CreateThenDelete);
    let json = making.json();
    let resource = &json["resource_changes"][0];
    assert_snapshot!(format!("{resource:#}"), @r#"
    {
      "address": "aws_instance.web[\"a\"]",
      "mode": "managed",
      "type": "aws_instance",
      "name": "web",
      "index": "a",
      "provider_name": "registry.terraform.io/hashicorp/aws",
      "change": {
        "actions": [
          "create",
          "delete"
        ],
        "before": {
          "ami": "ami-0abc",
          "arn": "arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0ab1",
          "associate_public_ip_address": true,
          "id": "i-0ab1",
          "instance_type": "t3.micro",
          "metadata_options": [
            {
              "http_put_response_hop_limit": 2,
              "http_tokens": "required"
            }
          ],
          "private_ip": "172.31.0.10",
          "public_ip": "203.0.113.7",
          "root_block_device": [
            {
              "encrypted": false,
              "volume_id": "vol-1",
              "volume_size": 8,
              "volume_type": "gp3"
            }
          ],
          "subnet_id": "subnet-2a",
          "tags": {
            "Name": "lab-web-pub-2a",
            "tier": "web"
          },
          "tags_all": {
            "Name": "lab-web-pub-2a",
            "tier": "web"
          },
          "user_data": null,
          "user_data_base64": null,
          "vpc_security_group_ids": [
            "sg-1"
          ]
        },
        "after": {
          "ami": "ami-0abc",
          "instance_type": "t3.micro",
          "metadata_options": [
            {
              "http_tokens": "required"
            }
          ],
          "root_block_device": [
            {
              "encrypted": true
            }
          ],
          "subnet_id": "subnet-2a",
          "tags": {
            "Name": "lab-web-pub-2a",
            "tier": "web"
          },
          "tags_all": {
            "Name": "lab-web-pub-2a",
            "tier": "web"
          },
          "user_data": null,
          "user_data_base64": null,
          "vpc_security_group_ids": [
            null
          ]
        },
        "after_unknown": {
          "arn": true,
          "associate_public_ip_address": true,
          "id": true,
          "metadata_options": [
            {
              "http_put_response_hop_limit": true
            }
          ],
          "private_ip": true,
          "public_ip": true,
          "root_block_device": [
            {
              "volume_id": true,
              "volume_size": true,
              "volume_type": true
            }
          ],
          "tags": {},
          "tags_all": {},
          "vpc_security_group_ids": [
            true
          ]
        },
        "before_sensitive": {
          "metadata_options": [
            {}
          ],
          "root_block_device": [
            {}
          ],
          "tags": {},
          "tags_all": {},
          "vpc_security_group_ids": [
            false
          ]
        },
        "after_sensitive": {
          "metadata_options": [
            {}
          ],
          "root_block_device": [
            {}
          ],
          "tags": {},
          "tags_all": {},
          "vpc_security_group_ids": [
            false
          ]
        },
        "replace_paths": [
          [
            "root_block_device",
            0,
            "encrypted"
          ]
        ]
      },
      "action_reason": "replace_because_cannot_update"
    }
    "#);
    assert_eq!(json["planned_values"]["root_module"]["resources"][0]["values"]["ami"], "ami-0abc");
    let prior = &json["prior_state"]["values"]["root_module"]["resources"][0]["values"];
    assert_eq!(prior["id"], "i-0ab1");
}

#[test]
fn actions_and_reasons_are_in_terraforms_words() {
    let mut making = Making::new();
    making.plan("aws_instance.create", &instance(), None);
    making.plan(
        "aws_instance.update",
        &instance().with("tags", Object::new()),
        Some(&live_instance()),
    );
    making.plan("aws_instance.same", &instance(), Some(&live_instance()));
    making.delete("aws_instance.gone", &live_instance());
    making.delete("aws_instance.gone[1]", &live_instance()).reason = Reason::KeyGone;
    making.plan("data.aws_ami.linux", &Object::new(), None);
    let json = making.json();
    let shown: Vec<String> = json["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {}", it["address"], it["change"]["actions"], it["action_reason"]))
        .collect();
    assert_snapshot!(shown.join("\n"), @r#"
    "aws_instance.create" ["create"] null
    "aws_instance.update" ["update"] null
    "aws_instance.same" ["no-op"] null
    "aws_instance.gone" ["delete"] "delete_because_no_resource_config"
    "aws_instance.gone[1]" ["delete"] "delete_because_count_index"
    "data.aws_ami.linux" ["read"] "read_because_config_unknown"
    "#);
    assert_eq!(json["applyable"], true);
    assert_eq!(json["complete"], true);
    // What goes is not among the planned values, and what is new not among the prior ones.
    let names = |section: &serde_json::Value| -> Vec<String> {
        let resources = section["root_module"]["resources"].as_array().unwrap();
        resources.iter().map(|it| it["address"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names(&json["planned_values"]),
        ["aws_instance.create", "aws_instance.update", "aws_instance.same", "data.aws_ami.linux"]
    );
    assert_eq!(
        names(&json["prior_state"]["values"]),
        ["aws_instance.update", "aws_instance.same", "aws_instance.gone", "aws_instance.gone[1]"]
    );
}

#[test]
fn outputs_variables_and_drift() {
    let mut making = Making::new();
    making.plan.variables =
        Object::new().with("date", "20261123").with("password", Value::from("hunter2").sensitive());
    making.output("new", Value::Null, Value::Unknown);
    making.output("list", vec!["a"], vec![Value::from("a"), Value::Unknown]);
    making.output("secret", Value::Null, "hunter2");
    making.plan.outputs.get_mut("secret").unwrap().sensitive = true;
    making.drift("aws_instance.web", &live_instance(), Some(&live_instance().with("ami", "x")));
    making.drift("aws_instance.gone", &live_instance(), None);
    let json = making.json();
    assert_snapshot!(format!("{:#}", json["output_changes"]), @r#"
    {
      "list": {
        "actions": [
          "update"
        ],
        "before": [
          "a"
        ],
        "after": [
          "a",
          null
        ],
        "after_unknown": [
          false,
          true
        ],
        "before_sensitive": [
          false
        ],
        "after_sensitive": [
          false,
          false
        ]
      },
      "new": {
        "actions": [
          "create"
        ],
        "before": null,
        "after_unknown": true,
        "before_sensitive": false,
        "after_sensitive": false
      },
      "secret": {
        "actions": [
          "create"
        ],
        "before": null,
        "after": "(sensitive value)",
        "after_unknown": false,
        "before_sensitive": false,
        "after_sensitive": true
      }
    }
    "#);
    assert_snapshot!(json["planned_values"]["outputs"], @r#"{"list":{"sensitive":false},"new":{"sensitive":false},"secret":{"sensitive":true,"type":"string","value":"(sensitive value)"}}"#);
    assert_snapshot!(json["variables"], @r#"{"date":{"value":"20261123"},"password":{"value":"(sensitive value)"}}"#);
    assert_eq!(json["resource_drift"][0]["change"]["actions"], json!(["update"]));
    assert_eq!(json["resource_drift"][0]["change"]["after"]["ami"], "x");
    assert_eq!(json["resource_drift"][1]["change"]["actions"], json!(["delete"]));
    assert_eq!(json["resource_drift"][1]["change"]["after"], json!(null));
}

#[test]
fn sensitive_values_are_masked_and_their_masks_say_where() {
    let config = object(json!({
        "port": 80, "password": "hunter2",
        "login": [{ "name": "a", "secret": "hunter2" }],
        "settings": { "open": "x" },
    }));
    let mut making = Making::new();
    making.plan("test_listener.a", &config, None);
    let change = &making.json()["resource_changes"][0]["change"];
    assert_eq!(change["after"]["password"], "(sensitive value)");
    assert_eq!(change["after"]["login"][0], json!({ "name": "a", "secret": "(sensitive value)" }));
    assert_eq!(
        change["after_sensitive"],
        json!({ "login": [{ "secret": true }], "password": true, "settings": {} })
    );
    assert_eq!(change["before_sensitive"], json!(false));
    assert_eq!(change["after_unknown"], json!({ "id": true, "login": [{}], "settings": {} }));
}

#[test]
fn our_own_section() {
    let live = live_instance().with("instance_type", "t3.large");
    let mut making = Making::new();
    let change = making.plan("aws_instance.web", &instance(), Some(&live));
    change.reason = Reason::Drifted;
    change.causes[0] = drift_cause("t3.micro");
    let open = group(vec![rule(22, "ssh", "0.0.0.0/0")]);
    making.plan("aws_security_group.web", &open, Some(&live_group(vec![])));
    let mut own = making.json()["reconcile"].take();
    assert_eq!(own["fingerprint"], making.plan.fingerprint());
    own["fingerprint"] = "…".into();
    assert_snapshot!(format!("{own:#}"), @r#"
    {
      "format_version": 4,
      "fingerprint": "…",
      "stack": "lab-web",
      "lineage": "0b9a",
      "serial": 7,
      "spec_digest": "5e1f",
      "options": {
        "mode": "apply",
        "targets": [],
        "excludes": [],
        "replace": []
      },
      "counts": {
        "create": 0,
        "update": 2,
        "replace": 0,
        "delete": 0,
        "read": 0,
        "forget": 0
      },
      "changes": [
        {
          "address": "aws_instance.web",
          "id": "i-0ab1",
          "reason": "drifted",
          "at": {
            "file": "main.yaml",
            "line": 12,
            "column": 7
          },
          "changed": [
            "instance_type",
            "public_ip"
          ],
          "restart": [
            "instance_type"
          ],
          "causes": [
            {
              "path": "instance_type",
              "cause": "drift",
              "recorded": "t3.micro"
            },
            {
              "path": "public_ip",
              "cause": "computed"
            }
          ]
        },
        {
          "address": "aws_security_group.web",
          "id": "sg-1",
          "reason": "spec_changed",
          "at": {
            "file": "main.yaml",
            "line": 12,
            "column": 7
          },
          "changed": [
            "ingress"
          ],
          "restart": [],
          "causes": [
            {
              "path": "ingress",
              "cause": "spec",
              "at": {
                "file": "main.yaml",
                "line": 14,
                "column": 7
              }
            }
          ]
        }
      ],
      "drift": [],
      "exposures": [
        {
          "address": "aws_security_group.web",
          "what": "tcp port 22 is open to everyone (0.0.0.0/0)"
        }
      ],
      "warnings": []
    }
    "#);
}

#[test]
fn exposures_are_named_only_where_the_plan_adds_them() {
    let check = |before: Vec<Object>, after: Vec<Object>, expect: &[&str]| {
        let mut making = Making::new();
        making.plan("aws_security_group.web", &group(after), Some(&live_group(before)));
        let found: Vec<String> =
            exposure::exposures(&making.plan).into_iter().map(|it| it.what).collect();
        assert_eq!(found, expect);
    };
    let open = |port| rule(port, "", "0.0.0.0/0");
    check(vec![], vec![open(80)], &["tcp port 80 is open to everyone (0.0.0.0/0)"]);
    check(vec![open(80)], vec![open(80)], &[]);
    let secret = open(80).with("from_port", Value::from(80_i64).sensitive());
    check(vec![], vec![secret], &["traffic is open to everyone (0.0.0.0/0)"]);
    check(vec![open(80)], vec![], &[]);
    check(vec![open(80)], vec![open(80), rule(22, "", "10.0.0.0/8")], &[]);
    check(vec![open(80)], vec![rule(80, "another word", "0.0.0.0/0")], &[]);
    let everything = open(0).with("protocol", "all");
    check(vec![open(80)], vec![everything], &["all traffic is open to everyone (0.0.0.0/0)"]);
}

#[test]
fn modules_are_nested() {
    let mut making = Making::new();
    making.plan("aws_instance.web", &instance(), None);
    let step = |name: &str, key| ModuleStep { name: name.into(), key };
    let change = making.plan("aws_instance.inner", &instance(), None);
    change.address.resource.module =
        vec![step("net", Some(InstanceKey::Name("a".into()))), step("deep", None)];
    let json = making.json();
    let net = &json["planned_values"]["root_module"]["child_modules"][0];
    assert_eq!(net["address"], "module.net[\"a\"]");
    let deep = &net["child_modules"][0];
    assert_eq!(deep["address"], "module.net[\"a\"].module.deep");
    assert_eq!(deep["resources"][0]["name"], "inner");
    assert_eq!(json["resource_changes"][1]["module_address"], "module.net[\"a\"].module.deep");
}

#[test]
fn configuration_has_expressions() {
    let mut making = Making::new();
    let references = |names: &[&str]| {
        Expression::References(names.iter().map(|&name| name.to_owned()).collect())
    };
    let constant = |value: &str| Expression::Constant(value.into());
    let configuration = &mut making.configuration;
    configuration.providers.insert(
        "aws".into(),
        ProviderConfiguration {
            alias: None,
            expressions: [("region".to_owned(), constant("ap-northeast-2"))].into(),
        },
    );
    let password = VariableConfiguration {
        default: Some("hunter2".into()),
        description: Some("a password".into()),
        sensitive: true,
    };
    configuration.variables.insert("password".into(), password);
    let ingress = [("cidr_blocks".to_owned(), Expression::Constant(vec!["0.0.0.0/0"].into()))];
    let block = ResourceConfiguration {
        provider: "aws".into(),
        expressions: [
            ("name".to_owned(), constant("web")),
            ("description".to_owned(), references(&["var.text", "data.aws_vpc.main.tags.Name"])),
            ("ingress".to_owned(), Expression::Blocks(vec![ingress.into()])),
        ]
        .into(),
        count: Some(references(&["var.servers"])),
        for_each: None,
        depends_on: vec!["aws_lb.web".into()],
    };
    let address = ResourceAddress {
        mode: Mode::Managed,
        ..ResourceAddress::data("aws_security_group", "web")
    };
    configuration.resources.insert(address, block);
    let output = OutputConfiguration {
        expression: references(&["aws_lb.web.dns_name"]),
        ..Default::default()
    };
    configuration.outputs.insert("url".into(), output);
    let json = making.json();
    assert_snapshot!(format!("{:#}", json["configuration"]), @r#"
    {
      "provider_config": {
        "aws": {
          "name": "aws",
          "full_name": "registry.terraform.io/hashicorp/aws",
          "expressions": {
            "region": {
              "constant_value": "ap-northeast-2"
            }
          }
        }
      },
      "root_module": {
        "outputs": {
          "url": {
            "expression": {
              "references": [
                "aws_lb.web.dns_name",
                "aws_lb.web"
              ]
            }
          }
        },
        "resources": [
          {
            "address": "aws_security_group.web",
            "mode": "managed",
            "type": "aws_security_group",
            "name": "web",
            "provider_config_key": "aws",
            "expressions": {
              "description": {
                "references": [
                  "var.text",
                  "data.aws_vpc.main.tags.Name",
                  "data.aws_vpc.main.tags",
                  "data.aws_vpc.main"
                ]
              },
              "ingress": [
                {
                  "cidr_blocks": {
                    "constant_value": [
                      "0.0.0.0/0"
                    ]
                  }
                }
              ],
              "name": {
                "constant_value": "web"
              }
            },
            "schema_version": 1,
            "count_expression": {
              "references": [
                "var.servers"
              ]
            },
            "depends_on": [
              "aws_lb.web"
            ]
          }
        ],
        "variables": {
          "password": {
            "default": "(sensitive value)",
            "description": "a password",
            "sensitive": true
          }
        }
      }
    }
    "#);
}

#[test]
fn the_same_plan_is_the_same_bytes() {
    let make = || {
        let mut making = Making::new();
        making.plan("aws_instance.web", &instance(), Some(&live_instance().with("ami", "x")));
        making.plan(
            "test_listener.a",
            &Object::new().with("port", 1_i64),
            Some(&live_listener(&Object::new())),
        );
        making.json_text()
    };
    assert_eq!(make(), make());
    assert!(make().ends_with("}\n"));
}
