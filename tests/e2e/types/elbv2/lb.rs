//! `aws_lb`: application load balancers.

use serde_json::json;

use super::super::harness::{Case, Life, Suite};
use super::{lb_network, pairs, setting, spec};
use crate::support::World;

const LB: &str = "aws_lb.it";

const SETTINGS: &str = r#"      idle_timeout: 30
      client_keep_alive: 600
      desync_mitigation_mode: strictest
      drop_invalid_header_fields: true
      enable_cross_zone_load_balancing: true
      enable_deletion_protection: true
      enable_http2: false
      enable_tls_version_and_cipher_suite_headers: true
      enable_waf_fail_open: true
      enable_xff_client_port: true
      enable_zonal_shift: true
      preserve_host_header: true
      xff_header_processing_mode: remove
      access_logs: { bucket: logs, enabled: true, prefix: web }
      connection_logs: { bucket: logs, enabled: true }
      minimum_load_balancer_capacity: { capacity_units: 200 }
      ipam_pools: { ipv4_ipam_pool_id: ipam-pool-1 }
"#;
const NO_SETTINGS: &str = "      # no settings\n";

#[test]
fn aws_lb() {
    let application = spec(
        r#"  aws_lb:
    it:
      name: it
      subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"]
      # no settings
"#,
    );
    Suite::new("aws_lb")
        .silent(
            &["dns_name", "zone_id"],
            "gateway load balancers have none; the others are asked for it below",
        )
        .life(settings(&application))
        .life(places(&application))
        .life(replacements(&application))
        .life(lb_network::settings())
        .life(lb_network::mappings())
        .life(lb_network::gateway())
        .run();
}

/// What is told on record when a load balancer begins with nothing but a name and subnets.
fn begins(world: &World) {
    let attributes = world.attributes(LB);
    let name = attributes["dns_name"].as_str().expect("a name");
    assert!(name.starts_with("it-") && name.ends_with(".elb.amazonaws.com"), "{name}");
    assert!(attributes["zone_id"].is_string());
    assert_eq!(attributes["internal"], false);
    assert_eq!(attributes["ip_address_type"], "ipv4");
    assert_eq!(
        attributes["security_groups"].as_array().map(Vec::len),
        Some(1),
        "the default group"
    );
    assert_eq!(attributes["idle_timeout"], json!(null), "nobody asked for it");
}

fn settings(application: &str) -> Life {
    Life::new(LB, application)
        .begins(begins)
        .case(
            Case::update(&[
                "access_logs",
                "client_keep_alive",
                "connection_logs",
                "desync_mitigation_mode",
                "drop_invalid_header_fields",
                "enable_deletion_protection",
                "enable_http2",
                "enable_tls_version_and_cipher_suite_headers",
                "enable_waf_fail_open",
                "enable_xff_client_port",
                "enable_zonal_shift",
                "idle_timeout",
                "ipam_pools",
                "minimum_load_balancer_capacity",
                "preserve_host_header",
                "xff_header_processing_mode",
            ])
            .edit(NO_SETTINGS, SETTINGS)
            .reads("/idle_timeout", json!(30))
            .reads("/client_keep_alive", json!(600))
            .reads("/desync_mitigation_mode", json!("strictest"))
            .reads("/drop_invalid_header_fields", json!(true))
            .reads("/enable_cross_zone_load_balancing", json!(true))
            .reads("/enable_deletion_protection", json!(true))
            .reads("/enable_http2", json!(false))
            .reads("/xff_header_processing_mode", json!("remove"))
            .reads("/access_logs/0", json!({ "bucket": "logs", "enabled": true, "prefix": "web" }))
            .reads("/connection_logs/0/bucket", json!("logs"))
            .reads("/minimum_load_balancer_capacity/0/capacity_units", json!(200))
            .reads("/ipam_pools/0/ipv4_ipam_pool_id", json!("ipam-pool-1"))
            .drift("elbv2", "ModifyLoadBalancerAttributes", |world| {
                let attributes = pairs(&[
                    ("access_logs.s3.prefix", "other"),
                    ("client_keep_alive.seconds", "3600"),
                    ("connection_logs.s3.enabled", "false"),
                    ("deletion_protection.enabled", "false"),
                    ("idle_timeout.timeout_seconds", "60"),
                    ("routing.http.desync_mitigation_mode", "monitor"),
                    ("routing.http.drop_invalid_header_fields.enabled", "false"),
                    ("routing.http.preserve_host_header.enabled", "false"),
                    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false"),
                    ("routing.http.xff_client_port.enabled", "false"),
                    ("routing.http.xff_header_processing.mode", "append"),
                    ("routing.http2.enabled", "true"),
                    ("waf.fail_open.enabled", "false"),
                    ("zonal_shift.config.enabled", "false"),
                ]);
                json!({ "LoadBalancerArn": world.id(LB), "Attributes": attributes })
            })
            .drift("elbv2", "ModifyCapacityReservation", |world| {
                let capacity = json!({ "CapacityUnits": 500 });
                json!({ "LoadBalancerArn": world.id(LB), "MinimumLoadBalancerCapacity": capacity })
            })
            .drift(
                "elbv2",
                "ModifyIpPools",
                |world| json!({ "LoadBalancerArn": world.id(LB), "RemoveIpamPools": ["ipv4"] }),
            ),
        )
        .case(
            Case::update(&[
                "access_logs",
                "idle_timeout",
                "minimum_load_balancer_capacity",
                "ipam_pools",
            ])
            .edit("idle_timeout: 30", "idle_timeout: 4000")
            .edit("bucket: logs, enabled: true, prefix: web", "bucket: more, enabled: false")
            .edit("capacity_units: 200", "capacity_units: 300")
            .edit("ipam-pool-1", "ipam-pool-2")
            .reads("/idle_timeout", json!(4000))
            .reads("/access_logs/0", json!({ "bucket": "more", "enabled": false, "prefix": "" }))
            .reads("/minimum_load_balancer_capacity/0/capacity_units", json!(300))
            .reads("/ipam_pools/0/ipv4_ipam_pool_id", json!("ipam-pool-2")),
        )
        .case(
            Case::update(&[
                "enable_deletion_protection",
                "idle_timeout",
                "minimum_load_balancer_capacity",
            ])
            .edit("      idle_timeout: 4000\n", "")
            .edit("      enable_deletion_protection: true\n", "")
            .edit("      minimum_load_balancer_capacity: { capacity_units: 300 }\n", "")
            .edit("      ipam_pools: { ipv4_ipam_pool_id: ipam-pool-2 }\n", "")
            .edit("      enable_http2: false\n", "")
            .edit("      access_logs: { bucket: more, enabled: false }\n", "")
            .edit("      connection_logs: { bucket: logs, enabled: true }\n", "")
            .reads("/idle_timeout", json!(null))
            .reads("/access_logs", json!([]))
            .then(|world| {
                let arn = json!({ "LoadBalancerArn": world.id(LB) });
                let told = world.call("elbv2", "DescribeLoadBalancerAttributes", &arn);
                let is = |key: &str, value: &str| assert_eq!(setting(&told, key), value, "{key}");
                is("idle_timeout.timeout_seconds", "60");
                is("deletion_protection.enabled", "false");
                is("routing.http2.enabled", "true");
                is("connection_logs.s3.enabled", "false");
                is("client_keep_alive.seconds", "600");
                let told = world.call("elbv2", "DescribeCapacityReservation", &arn);
                assert!(told["MinimumLoadBalancerCapacity"].is_null(), "{told:#}");
            }),
        )
        .case(
            Case::update(&["tags"])
                .edit("      name: it\n", "      name: it\n      tags: { Name: it, tier: web }\n")
                .reads("/tags", json!({ "Name": "it", "tier": "web" }))
                .drift("elbv2", "AddTags", |world| {
                    let tags =
                        json!([{ "Key": "tier", "Value": "lab" }, { "Key": "who", "Value": "me" }]);
                    json!({ "ResourceArns": [world.id(LB)], "Tags": tags })
                }),
        )
        .case(
            Case::update(&["tags"])
                .edit("tags: { Name: it, tier: web }", "tags: { Name: it }")
                .reads("/tags_all", json!({ "Name": "it" }))
                .drift(
                    "elbv2",
                    "RemoveTags",
                    |world| json!({ "ResourceArns": [world.id(LB)], "TagKeys": ["Name"] }),
                ),
        )
}

/// Subnets, security groups, and addresses: what has a call of its own.
fn places(application: &str) -> Life {
    Life::new(LB, application)
        .case(
            Case::update(&["security_groups"])
                .edit(NO_SETTINGS, "      security_groups: [\"${aws_security_group.one.id}\"]\n")
                .drift("elbv2", "SetSecurityGroups", |world| {
                    let groups = [world.id("aws_security_group.two")];
                    json!({ "LoadBalancerArn": world.id(LB), "SecurityGroups": groups })
                }),
        )
        .case(
            Case::update(&["security_groups"])
                .edit("[\"${aws_security_group.one.id}\"]", "\"${local.groups}\"")
                .edit("resource:\n", "locals: { groups: [\"${aws_security_group.two.id}\", \"${aws_security_group.one.id}\"] }\nresource:\n"),
        )
        .case(
            Case::update(&["subnets"])
                .edit("\"${data.aws_subnet.c.id}\"]", "\"${data.aws_subnet.b.id}\", \"${data.aws_subnet.c.id}\"]")
                .drift("elbv2", "SetSubnets", |world| {
                    let mut subnets = world.attributes(LB)["subnets"].clone();
                    subnets.as_array_mut().expect("a list").pop();
                    json!({ "LoadBalancerArn": world.id(LB), "Subnets": subnets })
                }),
        )
        .case(
            Case::update(&["subnets"])
                .edit("[\"${data.aws_subnet.a.id}\", \"${data.aws_subnet.b.id}\"", "[\"${data.aws_subnet.b.id}\""),
        )
        .case(
            Case::update(&["subnet_mapping"])
                .edit(
                    "subnets: [\"${data.aws_subnet.b.id}\", \"${data.aws_subnet.c.id}\"]",
                    "subnet_mapping: [{ subnet_id: \"${data.aws_subnet.a.id}\" }, { subnet_id: \"${data.aws_subnet.b.id}\" }]",
                )
                .drift("elbv2", "SetSubnets", |world| {
                    let vpc = world.attributes(LB)["vpc_id"].clone();
                    let filters = json!([{ "Name": "vpc-id", "Values": [vpc] }]);
                    let all = world.call("ec2", "DescribeSubnets", &json!({ "Filters": filters }));
                    let all = all["Subnets"].as_array().expect("a list");
                    let subnets: Vec<_> = all.iter().map(|it| it["SubnetId"].clone()).collect();
                    json!({ "LoadBalancerArn": world.id(LB), "Subnets": subnets })
                }),
        )
        .case(
            Case::update(&["ip_address_type"])
                .edit("      name: it\n", "      name: it\n      ip_address_type: dualstack\n")
                .reads("/ip_address_type", json!("dualstack"))
                .drift("elbv2", "SetIpAddressType", |world| {
                    json!({ "LoadBalancerArn": world.id(LB), "IpAddressType": "ipv4" })
                }),
        )
        .case(Case::lost().drift("elbv2", "DeleteLoadBalancer", |world| {
            json!({ "LoadBalancerArn": world.id(LB) })
        }))
}

fn replacements(application: &str) -> Life {
    Life::new(LB, application)
        .case(
            Case::replace(&["internal"])
                .edit(NO_SETTINGS, "      internal: true\n")
                .reads("/internal", json!(true)),
        )
        .case(Case::replace(&["name"]).edit("      name: it\n", "      name: other\n"))
        .case(
            Case::replace(&["name_prefix"])
                .edit("      name: other\n", "      name_prefix: web-\n")
                .then(|world| {
                    let name = world.attributes(LB)["name"].clone();
                    assert!(name.as_str().is_some_and(|name| name.starts_with("web-")), "{name}");
                }),
        )
        .case(
            Case::replace(&["customer_owned_ipv4_pool"])
                .edit(
                    "      internal: true\n",
                    "      internal: true\n      customer_owned_ipv4_pool: coip-1\n",
                )
                .reads("/customer_owned_ipv4_pool", json!("coip-1")),
        )
        .case(
            Case::replace(&["load_balancer_type"])
                .edit(
                    "      customer_owned_ipv4_pool: coip-1\n",
                    "      load_balancer_type: network\n",
                )
                .reads("/load_balancer_type", json!("network")),
        )
}
