//! `aws_lb_listener`: ports, actions, and settings.

use serde_json::{Value, json};

use super::super::harness::{Case, Life, Suite};
use super::{lb_listener_secure, pairs, setting, spec};
use crate::support::World;

const LISTENER: &str = "aws_lb_listener.it";

/// Two load balancers and three target groups, and one listener with some arguments.
pub(super) fn listener(arguments: &str) -> String {
    let arguments = arguments.trim_start_matches('\n');
    spec(&format!(
        r#"  aws_lb:
    it: {{ name: it, subnets: ["${{data.aws_subnet.a.id}}", "${{data.aws_subnet.c.id}}"] }}
    second: {{ name: second, subnets: ["${{data.aws_subnet.a.id}}", "${{data.aws_subnet.c.id}}"] }}
  aws_lb_target_group:
    blue: {{ name: blue, port: 80, protocol: HTTP, vpc_id: "${{data.aws_vpc.default.id}}" }}
    green: {{ name: green, port: 80, protocol: HTTP, vpc_id: "${{data.aws_vpc.default.id}}" }}
    red: {{ name: red, port: 80, protocol: HTTP, vpc_id: "${{data.aws_vpc.default.id}}" }}
  aws_lb_listener:
    it:
{arguments}"#
    ))
}

/// Returns the parameters that make a listener do one thing.
pub(super) fn acts(world: &World, action: &Value) -> Value {
    json!({ "ListenerArn": world.id(LISTENER), "DefaultActions": [action] })
}

pub(super) fn group(world: &World, name: &str) -> String {
    world.id(&format!("aws_lb_target_group.{name}"))
}

#[test]
fn aws_lb_listener() {
    let plain = listener(
        r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
      # more
"#,
    );
    Suite::new("aws_lb_listener")
        .life(actions(&plain))
        .life(arguments(&plain))
        .life(lb_listener_secure::https())
        .life(lb_listener_secure::network())
        .life(lb_listener_secure::gateway())
        .run();
}

fn actions(plain: &str) -> Life {
    const FORWARD: &str =
        r#"default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }"#;
    const WEIGHTED: &str = r#"default_action:
        type: forward
        forward:
          target_group:
            - { arn: "${aws_lb_target_group.green.arn}", weight: 20 }
            - { arn: "${aws_lb_target_group.blue.arn}", weight: 80 }
          stickiness: { duration: 600, enabled: true }"#;
    const REDIRECT: &str = r#"default_action: { type: redirect, redirect: { protocol: HTTPS, port: "443", status_code: HTTP_301 } }"#;
    const FIXED: &str = r#"default_action: { type: fixed-response, fixed_response: { content_type: text/plain, message_body: Gone, status_code: "410" } }"#;
    Life::new(LISTENER, plain)
        .begins(|world| {
            let action = world.attributes(LISTENER)["default_action"][0].clone();
            assert_eq!(action["forward"], json!([]), "the spec names the group alone");
        })
        .case(
            Case::update(&["default_action"])
                .edit("group.blue.arn}\" }", "group.red.arn}\" }")
                .drift("elbv2", "ModifyListener", |world| {
                    acts(world, &json!({ "Type": "forward", "TargetGroupArn": group(world, "blue") }))
                }),
        )
        .case(
            Case::update(&["default_action"])
                .edit(&FORWARD.replace("blue", "red"), WEIGHTED)
                .reads("/default_action/0/forward/0/stickiness/0", json!({ "duration": 600, "enabled": true }))
                .drift("elbv2", "ModifyListener", |world| {
                    let groups = json!([
                        { "TargetGroupArn": group(world, "blue"), "Weight": 50 },
                        { "TargetGroupArn": group(world, "green"), "Weight": 20 },
                    ]);
                    acts(world, &json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }))
                }),
        )
        .case(
            Case::update(&["default_action"])
                .edit("weight: 20", "weight: 0")
                .edit("            - { arn: \"${aws_lb_target_group.blue.arn}\", weight: 80 }\n", "            - { arn: \"${aws_lb_target_group.blue.arn}\" }\n            - { arn: \"${aws_lb_target_group.red.arn}\", weight: 999 }\n")
                .edit("duration: 600, enabled: true", "duration: 600"),
        )
        .case(
            Case::update(&["default_action"])
                .edit("          stickiness: { duration: 600 }\n", "")
                .edit("            - { arn: \"${aws_lb_target_group.blue.arn}\" }\n", "")
                .edit("            - { arn: \"${aws_lb_target_group.green.arn}\", weight: 0 }\n", "")
                .edit("weight: 999", "weight: 1"),
        )
        .case(
            Case::update(&["default_action"])
                .edit(
                    "default_action:\n        type: forward\n        forward:\n          target_group:\n            - { arn: \"${aws_lb_target_group.red.arn}\", weight: 1 }",
                    REDIRECT,
                )
                .reads("/default_action/0/redirect/0/path", json!("/#{path}"))
                .drift("elbv2", "ModifyListener", |world| {
                    let to = json!({ "Protocol": "HTTPS", "Port": "8443", "StatusCode": "HTTP_302" });
                    acts(world, &json!({ "Type": "redirect", "RedirectConfig": to }))
                }),
        )
        .case(
            Case::update(&["default_action"])
                .edit("status_code: HTTP_301", "status_code: HTTP_302, host: example.org, path: /new, query: \"a=b\"")
                .reads("/default_action/0/redirect/0/query", json!("a=b")),
        )
        .case(
            Case::update(&["default_action"])
                .edit(
                    "default_action: { type: redirect, redirect: { protocol: HTTPS, port: \"443\", status_code: HTTP_302, host: example.org, path: /new, query: \"a=b\" } }",
                    FIXED,
                )
                .reads("/default_action/0/fixed_response/0/status_code", json!("410"))
                .drift("elbv2", "ModifyListener", |world| {
                    let answer = json!({ "ContentType": "text/html", "MessageBody": "<p>", "StatusCode": "200" });
                    acts(world, &json!({ "Type": "fixed-response", "FixedResponseConfig": answer }))
                }),
        )
        .case(
            Case::update(&["default_action"])
                .edit(FIXED, FORWARD)
                .drift("elbv2", "ModifyListener", |world| {
                    let groups = json!([
                        { "TargetGroupArn": group(world, "blue"), "Weight": 1 },
                        { "TargetGroupArn": group(world, "green"), "Weight": 1 },
                    ]);
                    acts(world, &json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }))
                }),
        )
        .case(Case::lost().drift("elbv2", "DeleteListener", |world| {
            json!({ "ListenerArn": world.id(LISTENER) })
        }))
}

fn arguments(plain: &str) -> Life {
    Life::new(LISTENER, plain)
        .begins(|world| assert_eq!(world.attributes(LISTENER)["protocol"], "HTTP"))
        .case(
            Case::update(&["port"])
                .edit("      port: 80\n", "      port: 8080\n")
                .reads("/port", json!(8080))
                .drift("elbv2", "ModifyListener", |world| {
                    json!({ "ListenerArn": world.id(LISTENER), "Port": 81 })
                }),
        )
        .case(
            Case::update(&["tags"])
                .edit("      port: 8080\n", "      port: 8080\n      tags: { tier: web }\n")
                .drift("elbv2", "AddTags", |world| {
                    json!({ "ResourceArns": [world.id(LISTENER)], "Tags": [{ "Key": "tier", "Value": "x" }] })
                }),
        )
        .case(
            Case::update(&[
                "routing_http_response_server_enabled",
                "routing_http_response_access_control_allow_credentials_header_value",
                "routing_http_response_access_control_allow_headers_header_value",
                "routing_http_response_access_control_allow_methods_header_value",
                "routing_http_response_access_control_allow_origin_header_value",
                "routing_http_response_access_control_expose_headers_header_value",
                "routing_http_response_access_control_max_age_header_value",
                "routing_http_response_content_security_policy_header_value",
                "routing_http_response_strict_transport_security_header_value",
                "routing_http_response_x_content_type_options_header_value",
                "routing_http_response_x_frame_options_header_value",
            ])
            .edit(
                "      # more\n",
                r#"      routing_http_response_server_enabled: false
      routing_http_response_access_control_allow_credentials_header_value: "true"
      routing_http_response_access_control_allow_headers_header_value: "*"
      routing_http_response_access_control_allow_methods_header_value: GET
      routing_http_response_access_control_allow_origin_header_value: https://example.org
      routing_http_response_access_control_expose_headers_header_value: "*"
      routing_http_response_access_control_max_age_header_value: "600"
      routing_http_response_content_security_policy_header_value: default-src 'self'
      routing_http_response_strict_transport_security_header_value: max-age=600
      routing_http_response_x_content_type_options_header_value: nosniff
      routing_http_response_x_frame_options_header_value: DENY
"#,
            )
            .reads("/routing_http_response_server_enabled", json!(false))
            .reads("/routing_http_response_x_frame_options_header_value", json!("DENY"))
            .drift("elbv2", "ModifyListenerAttributes", |world| {
                let told = json!({ "ListenerArn": world.id(LISTENER) });
                let told = world.call("elbv2", "DescribeListenerAttributes", &told);
                let header = |it: &Value| json!({ "Key": it["Key"], "Value": "other" });
                let server = json!({ "Key": "routing.http.response.server.enabled", "Value": "true" });
                let all = told["Attributes"].as_array().expect("a list").iter();
                let mut all: Vec<Value> = all.filter(|it| it["Value"] != "false").map(header).collect();
                all.push(server);
                json!({ "ListenerArn": world.id(LISTENER), "Attributes": all })
            }),
        )
        .case(
            Case::update(&["routing_http_response_x_frame_options_header_value"])
                .edit("      routing_http_response_x_frame_options_header_value: DENY\n", "")
                .edit("      routing_http_response_server_enabled: false\n", "")
                .then(|world| {
                    let told = json!({ "ListenerArn": world.id(LISTENER) });
                    let told = world.call("elbv2", "DescribeListenerAttributes", &told);
                    let is = |key: &str, value: &str| assert_eq!(setting(&told, key), value, "{key}");
                    is("routing.http.response.x_frame_options.header_value", "");
                    is("routing.http.response.server.enabled", "true");
                    is("routing.http.response.x_content_type_options.header_value", "nosniff");
                }),
        )
        .case(
            Case::replace(&["load_balancer_arn"])
                .edit("load_balancer_arn: ${aws_lb.it.arn}", "load_balancer_arn: ${aws_lb.second.arn}"),
        )
}

#[test]
fn a_listener_of_somebody_else_is_left_alone() {
    let world = World::with_spec(&listener(""));
    world.edit("main.yaml", "  aws_lb_listener:\n    it:\n", "");
    world.converge();
    let action = json!({ "Type": "forward", "TargetGroupArn": group(&world, "red") });
    let theirs = json!({
        "LoadBalancerArn": world.id("aws_lb.it"), "Port": 80, "Protocol": "HTTP", "DefaultActions": [action],
    });
    let theirs = world.call("elbv2", "CreateListener", &theirs);
    let theirs = theirs["Listeners"][0]["ListenerArn"].clone();
    world.spec(&listener(
        r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.red.arn}" }
"#,
    ));
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .unwrapped()
        .says("a listener on port 80 of the load balancer exists already, and this stack did not create it");
    let told = world.call("elbv2", "DescribeTags", &json!({ "ResourceArns": [theirs] }));
    assert_eq!(told["TagDescriptions"][0]["Tags"], json!([]), "it is theirs");
    // Somebody else's listener goes with the load balancer, as with the console.
    world.destroy();
}

#[test]
fn two_listeners_change_places() {
    let world = World::with_spec(&listener(
        r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.red.arn}" }
    other:
      load_balancer_arn: ${aws_lb.it.arn}
      port: 81
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
"#,
    ));
    world.converge();
    // A port is free when the other listener has left it.
    world.edit("main.yaml", "      port: 81\n", "      port: 82\n");
    world.edit("main.yaml", "      port: 80\n", "      port: 81\n");
    world.converge();
    assert_eq!(world.attributes(LISTENER)["port"], 81);
    let pairs = pairs(&[("routing.http.response.server.enabled", "false")]);
    world.call(
        "elbv2",
        "ModifyListenerAttributes",
        &json!({ "ListenerArn": world.id(LISTENER), "Attributes": pairs }),
    );
    world.assert_converged();
    world.destroy();
}
