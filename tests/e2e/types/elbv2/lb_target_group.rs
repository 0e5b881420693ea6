//! `aws_lb_target_group`.

use serde_json::{Value, json};

use super::super::harness::{Case, Life, Suite};
use super::{pairs, setting, spec};
use crate::support::World;

const GROUP: &str = "aws_lb_target_group.it";

fn group(arguments: &str) -> String {
    let arguments = arguments.trim_start_matches('\n');
    spec(&format!("  aws_lb_target_group:\n    it:\n{arguments}"))
}

fn arn(world: &World) -> Value {
    json!({ "TargetGroupArn": world.id(GROUP) })
}

fn change(world: &World, settings: &[(&str, &str)]) -> Value {
    json!({ "TargetGroupArn": world.id(GROUP), "Attributes": pairs(settings) })
}

#[test]
fn aws_lb_target_group() {
    Suite::new("aws_lb_target_group")
        .life(health_checks())
        .life(application())
        .life(network())
        .life(replacements())
        .life(lambda())
        .life(gateway())
        .run();
}

fn health_checks() -> Life {
    let http = group(
        r#"
      name: it
      port: 80
      protocol: HTTP
      vpc_id: ${data.aws_vpc.default.id}
      # more
"#,
    );
    Life::new(GROUP, &http)
        .begins(|world| {
            let attributes = world.attributes(GROUP);
            assert_eq!(attributes["target_type"], "instance");
            assert_eq!(attributes["protocol_version"], "HTTP1");
            assert_eq!(attributes["health_check"][0]["path"], "/");
            assert_eq!(attributes["health_check"][0]["healthy_threshold"], 5, "AWS's own default");
        })
        .case(
            Case::update(&["health_check"])
                .edit("      # more\n", "      health_check: { path: /up }\n      # more\n")
                .reads("/health_check/0/path", json!("/up"))
                .reads("/health_check/0/healthy_threshold", json!(3))
                .drift("elbv2", "ModifyTargetGroup", |world| {
                    json!({ "TargetGroupArn": world.id(GROUP), "HealthCheckPath": "/down" })
                }),
        )
        .case(
            Case::update(&["health_check"])
                .edit(
                    "health_check: { path: /up }",
                    "health_check: { protocol: HTTPS, port: \"8443\", path: /well, matcher: 200-204, interval: 60, timeout: 20, healthy_threshold: 2, unhealthy_threshold: 10 }",
                )
                .reads("/health_check/0/protocol", json!("HTTPS"))
                .reads("/health_check/0/port", json!("8443"))
                .reads("/health_check/0/matcher", json!("200-204"))
                .reads("/health_check/0/interval", json!(60))
                .reads("/health_check/0/timeout", json!(20))
                .reads("/health_check/0/healthy_threshold", json!(2))
                .reads("/health_check/0/unhealthy_threshold", json!(10))
                .drift("elbv2", "ModifyTargetGroup", |world| {
                    json!({
                        "TargetGroupArn": world.id(GROUP), "HealthCheckProtocol": "HTTP", "HealthCheckPort": "80",
                        "Matcher": { "HttpCode": "200" }, "HealthCheckIntervalSeconds": 30,
                        "HealthCheckTimeoutSeconds": 5, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 5,
                    })
                }),
        )
        .case(
            Case::update(&["tags"])
                .edit("      name: it\n", "      name: it\n      tags: { tier: web }\n")
                .reads("/tags_all", json!({ "tier": "web" }))
                .drift("elbv2", "RemoveTags", |world| {
                    json!({ "ResourceArns": [world.id(GROUP)], "TagKeys": ["tier"] })
                }),
        )
        .case(
            Case::lost().drift("elbv2", "DeleteTargetGroup", arn).then(|world| {
                // Taken out of the spec, the health check stays as it is.
                let given = world.read("main.yaml");
                let line = given.lines().find(|it| it.contains("health_check:")).expect("it is there");
                world.edit("main.yaml", line, "");
                world.assert_converged();
            }),
        )
}

fn application() -> Life {
    let http = group(
        r#"
      name: it
      port: 80
      protocol: HTTP
      vpc_id: ${data.aws_vpc.default.id}
      # more
"#,
    );
    Life::new(GROUP, &http)
        .case(
            Case::update(&[
                "deregistration_delay",
                "load_balancing_algorithm_type",
                "load_balancing_anomaly_mitigation",
                "load_balancing_cross_zone_enabled",
                "stickiness",
                "target_group_health",
            ])
            .edit(
                "      # more\n",
                r#"      deregistration_delay: 10
      load_balancing_algorithm_type: weighted_random
      load_balancing_anomaly_mitigation: "on"
      load_balancing_cross_zone_enabled: "true"
      stickiness: { type: lb_cookie, cookie_duration: 600 }
      target_group_health:
        dns_failover: { minimum_healthy_targets_count: "2", minimum_healthy_targets_percentage: "50" }
        unhealthy_state_routing: { minimum_healthy_targets_count: 3 }
      # more
"#,
            )
            .reads("/deregistration_delay", json!(10))
            .reads("/load_balancing_algorithm_type", json!("weighted_random"))
            .reads("/load_balancing_anomaly_mitigation", json!("on"))
            .reads("/load_balancing_cross_zone_enabled", json!("true"))
            .reads("/stickiness/0/enabled", json!(true))
            .reads("/stickiness/0/cookie_duration", json!(600))
            .reads("/target_group_health/0/dns_failover/0/minimum_healthy_targets_percentage", json!("50"))
            .reads("/target_group_health/0/unhealthy_state_routing/0/minimum_healthy_targets_count", json!(3))
            .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                change(
                    world,
                    &[
                        ("deregistration_delay.timeout_seconds", "300"),
                        ("load_balancing.algorithm.anomaly_mitigation", "off"),
                        ("load_balancing.algorithm.type", "round_robin"),
                        ("load_balancing.cross_zone.enabled", "false"),
                        ("stickiness.enabled", "false"),
                        ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
                    ],
                )
            }),
        )
        .case(
            Case::update(&["stickiness"])
                .edit(
                    "stickiness: { type: lb_cookie, cookie_duration: 600 }",
                    "stickiness: { type: app_cookie, cookie_name: SESSION }",
                )
                .reads("/stickiness/0/cookie_name", json!("SESSION"))
                .reads("/stickiness/0/cookie_duration", json!(86400))
                .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                    change(world, &[("stickiness.app_cookie.cookie_name", "OTHER")])
                }),
        )
        .case(
            Case::update(&["load_balancing_algorithm_type", "slow_start"])
                .edit("load_balancing_algorithm_type: weighted_random", "load_balancing_algorithm_type: round_robin")
                .edit("      load_balancing_anomaly_mitigation: \"on\"\n", "      slow_start: 60\n")
                .reads("/slow_start", json!(60))
                .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                    change(
                        world,
                        &[
                            ("slow_start.duration_seconds", "0"),
                            ("load_balancing.algorithm.type", "least_outstanding_requests"),
                        ],
                    )
                }),
        )
        .case(
            Case::update(&["deregistration_delay", "slow_start", "stickiness"])
                .edit("      slow_start: 60\n", "")
                .edit("      deregistration_delay: 10\n", "")
                .edit("      stickiness: { type: app_cookie, cookie_name: SESSION }\n", "")
                .then(|world| {
                    let told = world.call("elbv2", "DescribeTargetGroupAttributes", &arn(world));
                    let is = |key: &str, value: &str| assert_eq!(setting(&told, key), value, "{key}");
                    is("slow_start.duration_seconds", "0");
                    is("deregistration_delay.timeout_seconds", "300");
                    is("stickiness.enabled", "false");
                    is("load_balancing.cross_zone.enabled", "true");
                }),
        )
}

fn network() -> Life {
    let tcp = group(
        r#"
      name: it
      port: 80
      protocol: TCP
      vpc_id: ${data.aws_vpc.default.id}
      # more
"#,
    );
    Life::new(GROUP, &tcp)
        .begins(|world| assert_eq!(world.attributes(GROUP)["health_check"][0]["protocol"], "TCP"))
        .case(
            Case::update(&[
                "connection_termination",
                "preserve_client_ip",
                "proxy_protocol_v2",
                "stickiness",
                "target_health_state",
            ])
            .edit(
                "      # more\n",
                r#"      connection_termination: true
      preserve_client_ip: false
      proxy_protocol_v2: true
      stickiness: { type: source_ip }
      target_health_state: { enable_unhealthy_connection_termination: false, unhealthy_draining_interval: 60 }
      # more
"#,
            )
            .reads("/connection_termination", json!(true))
            .reads("/preserve_client_ip", json!(false))
            .reads("/proxy_protocol_v2", json!(true))
            .reads("/stickiness/0/type", json!("source_ip"))
            .reads("/target_health_state/0/unhealthy_draining_interval", json!(60))
            .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                change(
                    world,
                    &[
                        ("deregistration_delay.connection_termination.enabled", "false"),
                        ("preserve_client_ip.enabled", "true"),
                        ("proxy_protocol_v2.enabled", "false"),
                        ("stickiness.enabled", "false"),
                        ("target_health_state.unhealthy.connection_termination.enabled", "true"),
                    ],
                )
            }),
        )
        .case(
            Case::update(&["health_check"])
                .edit("      # more\n", "      health_check: { protocol: HTTP, path: /up }\n")
                .reads("/health_check/0/path", json!("/up"))
                .drift("elbv2", "ModifyTargetGroup", |world| {
                    json!({ "TargetGroupArn": world.id(GROUP), "HealthCheckProtocol": "TCP" })
                }),
        )
        .case(
            Case::update(&["health_check"])
                .edit("health_check: { protocol: HTTP, path: /up }", "health_check: { protocol: TCP, interval: 15 }")
                .reads("/health_check/0/path", json!(null)),
        )
        .case(
            Case::update(&["preserve_client_ip"])
                .edit("      preserve_client_ip: false\n", "")
                .then(|world| {
                    let told = world.call("elbv2", "DescribeTargetGroupAttributes", &arn(world));
                    assert_eq!(setting(&told, "preserve_client_ip.enabled"), "true");
                }),
        )
}

fn replacements() -> Life {
    let http = group(
        r#"
      name: it
      port: 80
      protocol: HTTP
      vpc_id: ${data.aws_vpc.default.id}
"#,
    );
    Life::new(GROUP, &http)
        .prepare(|world| {
            let vpc = world.call("ec2", "CreateVpc", &json!({ "CidrBlock": "10.9.0.0/16" }));
            world.write("vpc", vpc["Vpc"]["VpcId"].as_str().expect("an id"));
        })
        .case(Case::replace(&["port"]).edit("port: 80", "port: 8080").reads("/port", json!(8080)))
        .case(Case::replace(&["protocol"]).edit("protocol: HTTP", "protocol: HTTPS"))
        .case(
            Case::replace(&["protocol_version"])
                .edit("protocol: HTTPS", "protocol: HTTPS\n      protocol_version: GRPC")
                .reads("/protocol_version", json!("GRPC"))
                .reads("/health_check/0/matcher", json!("12")),
        )
        .case(
            Case::update(&["health_check"])
                .edit("protocol_version: GRPC", "protocol_version: GRPC\n      health_check: { path: /grpc, matcher: 0-99 }")
                .reads("/health_check/0/matcher", json!("0-99"))
                .drift("elbv2", "ModifyTargetGroup", |world| {
                    json!({ "TargetGroupArn": world.id(GROUP), "Matcher": { "GrpcCode": "0" } })
                }),
        )
        .case(
            Case::replace(&["target_type", "ip_address_type"])
                .edit("      port: 8080\n", "      port: 8080\n      target_type: ip\n      ip_address_type: ipv6\n")
                .reads("/ip_address_type", json!("ipv6")),
        )
        .case(Case::replace(&["name"]).edit("name: it\n", "name: other\n"))
        .case(
            Case::replace(&["name_prefix"]).edit("name: other\n", "name_prefix: web-\n").then(|world| {
                let name = world.attributes(GROUP)["name"].clone();
                assert!(name.as_str().is_some_and(|name| name.starts_with("web-")), "{name}");
            }),
        )
        .case(
            Case::replace(&["vpc_id"])
                .edit("      vpc_id: ${data.aws_vpc.default.id}\n", "      vpc_id: ${file(\"vpc\")}\n"),
        )
        .case(
            Case::replace(&["vpc_id"])
                .edit("      vpc_id: ${file(\"vpc\")}\n", "      vpc_id: ${data.aws_vpc.default.id}\n")
                .then(|world| {
                    world.call("ec2", "DeleteVpc", &json!({ "VpcId": world.read("vpc") }));
                }),
        )
}

fn lambda() -> Life {
    Life::new(GROUP, &group("      name: it\n      target_type: lambda\n"))
        .begins(|world| {
            let check = world.attributes(GROUP)["health_check"][0].clone();
            assert_eq!(check["enabled"], false, "{check:#}");
        })
        .case(
            Case::update(&["health_check", "lambda_multi_value_headers_enabled"])
                .edit(
                    "      name: it\n",
                    "      name: it\n      lambda_multi_value_headers_enabled: true\n      health_check: { path: /up, interval: 40 }\n",
                )
                .reads("/health_check/0/enabled", json!(true))
                .reads("/lambda_multi_value_headers_enabled", json!(true))
                .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                    change(world, &[("lambda.multi_value_headers.enabled", "false")])
                })
                .drift("elbv2", "ModifyTargetGroup", |world| {
                    json!({ "TargetGroupArn": world.id(GROUP), "HealthCheckEnabled": false })
                }),
        )
}

fn gateway() -> Life {
    let geneve = group(
        r#"
      name: it
      port: 6081
      protocol: GENEVE
      vpc_id: ${data.aws_vpc.default.id}
"#,
    );
    Life::new(GROUP, &geneve).case(
        Case::update(&["stickiness", "target_failover"])
            .edit(
                "      name: it\n",
                "      name: it\n      stickiness: { type: source_ip_dest_ip }\n      target_failover: { on_deregistration: rebalance, on_unhealthy: rebalance }\n",
            )
            .reads("/target_failover/0/on_unhealthy", json!("rebalance"))
            .drift("elbv2", "ModifyTargetGroupAttributes", |world| {
                change(
                    world,
                    &[
                        ("target_failover.on_deregistration", "no_rebalance"),
                        ("target_failover.on_unhealthy", "no_rebalance"),
                        ("stickiness.enabled", "false"),
                    ],
                )
            }),
    )
}

#[test]
fn a_target_group_of_somebody_else_is_left_alone() {
    let world = World::with_spec(&spec(""));
    let vpc = world.call("ec2", "DescribeVpcs", &json!({}))["Vpcs"][0]["VpcId"].clone();
    let theirs = json!({ "Name": "it", "Protocol": "HTTP", "Port": 80, "VpcId": vpc });
    let theirs = world.call("elbv2", "CreateTargetGroup", &theirs);
    let theirs = theirs["TargetGroups"][0]["TargetGroupArn"].clone();
    world.spec(&group(
        "      name: it\n      port: 80\n      protocol: HTTP\n      vpc_id: ${data.aws_vpc.default.id}\n",
    ));
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .unwrapped()
        .says("a target group named `it` exists already, and this stack did not create it");
    let told = world.call("elbv2", "DescribeTags", &json!({ "ResourceArns": [theirs] }));
    assert_eq!(told["TagDescriptions"][0]["Tags"], json!([]), "it is theirs");
    world.call("elbv2", "DeleteTargetGroup", &json!({ "TargetGroupArn": theirs }));
    world.destroy();
}

#[test]
fn a_target_group_in_use_is_replaced_create_first() {
    let world = World::with_spec(&spec(
        r#"  aws_lb:
    it: { name: it, subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"] }
  aws_lb_target_group:
    it:
      name_prefix: web-
      port: 80
      protocol: HTTP
      vpc_id: ${data.aws_vpc.default.id}
      lifecycle: { create_before_destroy: true }
  aws_lb_listener:
    it:
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.it.arn}" }
"#,
    ));
    world.converge();
    let before = world.id(GROUP);
    world.edit("main.yaml", "      port: 80\n      protocol", "      port: 8080\n      protocol");
    assert_eq!(world.actions(GROUP), ["create", "delete"]);
    assert_eq!(world.actions("aws_lb_listener.it"), ["update"]);
    world.converge();
    assert_ne!(world.id(GROUP), before);
    world.destroy();
}
