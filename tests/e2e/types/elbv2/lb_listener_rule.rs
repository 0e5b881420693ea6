//! `aws_lb_listener_rule`.

use serde_json::{Value, json};

use super::super::harness::{Case, Life, Suite};
use super::lb_listener::{group, listener};
use crate::support::World;

const RULE: &str = "aws_lb_listener_rule.it";

const LISTENERS: &str = r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 80
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
    second:
      load_balancer_arn: ${aws_lb.it.arn}
      port: 81
      default_action: { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
"#;

fn rules(rules: &str) -> String {
    listener(LISTENERS) + "  aws_lb_listener_rule:\n" + rules.trim_start_matches('\n')
}

fn conditions(world: &World, conditions: &Value) -> Value {
    json!({ "RuleArn": world.id(RULE), "Conditions": conditions })
}

#[test]
fn aws_lb_listener_rule() {
    let plain = rules(
        r#"
    it:
      listener_arn: ${aws_lb_listener.it.arn}
      condition: { path_pattern: { values: [/a/*] } }
      action: { type: forward, target_group_arn: "${aws_lb_target_group.green.arn}" }
"#,
    );
    Suite::new("aws_lb_listener_rule").life(all_conditions(&plain)).life(the_rest(&plain)).run();
}

fn all_conditions(plain: &str) -> Life {
    Life::new(RULE, plain)
        .begins(|world| {
            assert_eq!(world.attributes(RULE)["priority"], 1, "the lowest that is free");
        })
        .case(Case::update(&["condition"]).edit("values: [/a/*]", "values: [/b/*, /a/*]").drift(
            "elbv2",
            "ModifyRule",
            |world| {
                let path =
                    json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/c"] } });
                conditions(world, &json!([path]))
            },
        ))
        .case(
            Case::update(&["condition"])
                .edit(
                    "condition: { path_pattern: { values: [/b/*, /a/*] } }",
                    r#"condition:
        - { host_header: { values: [Example.org] } }
        - { http_header: { http_header_name: X-Lab, values: ["1*"] } }
        - { http_request_method: { values: [GET] } }
        - { query_string: { key: v, value: "1" } }
        - { source_ip: { values: [10.0.0.0/8] } }"#,
                )
                .drift("elbv2", "ModifyRule", |world| {
                    let header = json!({ "HttpHeaderName": "X-Lab", "Values": ["2*"] });
                    let header = json!({ "Field": "http-header", "HttpHeaderConfig": header });
                    conditions(world, &json!([header]))
                })
                .then(|world| {
                    let conditions = world.attributes(RULE)["condition"].clone();
                    assert_eq!(conditions.as_array().map(Vec::len), Some(5), "{conditions:#}");
                }),
        )
        .case(
            Case::update(&["condition"])
                .edit("        - { http_request_method: { values: [GET] } }\n", "")
                .edit(
                    "query_string: { key: v, value: \"1\" }",
                    "query_string: [{ value: \"1\" }, { key: v, value: \"2\" }]",
                )
                .drift("elbv2", "ModifyRule", |world| {
                    let host = json!({ "Field": "host-header", "Values": ["example.org"] });
                    conditions(world, &json!([host]))
                }),
        )
        .case(Case::lost().drift(
            "elbv2",
            "DeleteRule",
            |world| json!({ "RuleArn": world.id(RULE) }),
        ))
}

fn the_rest(plain: &str) -> Life {
    const FORWARD: &str =
        r#"action: { type: forward, target_group_arn: "${aws_lb_target_group.green.arn}" }"#;
    Life::new(RULE, plain)
        .case(
            Case::update(&["action"])
                .edit(
                    FORWARD,
                    r#"action:
        type: forward
        forward:
          target_group:
            - { arn: "${aws_lb_target_group.green.arn}", weight: 20 }
            - { arn: "${aws_lb_target_group.blue.arn}", weight: 80 }
          stickiness: { duration: 600, enabled: true }"#,
                )
                .reads("/action/0/forward/0/stickiness/0/duration", json!(600))
                .drift("elbv2", "ModifyRule", |world| {
                    let action = json!({ "Type": "forward", "TargetGroupArn": group(world, "red") });
                    json!({ "RuleArn": world.id(RULE), "Actions": [action] })
                }),
        )
        .case(
            Case::update(&["action"])
                .edit("weight: 20", "weight: 50")
                .edit("duration: 600, enabled: true", "duration: 60, enabled: false"),
        )
        .case(
            Case::update(&["action"])
                .edit("          stickiness: { duration: 60, enabled: false }\n", "")
                .edit("            - { arn: \"${aws_lb_target_group.blue.arn}\", weight: 80 }\n", "")
                .edit("            - { arn: \"${aws_lb_target_group.green.arn}\", weight: 50 }\n", "")
                .edit("        type: forward\n        forward:\n          target_group:\n", "        type: redirect\n        redirect: { host: example.org, status_code: HTTP_301 }\n")
                .reads("/action/0/redirect/0/host", json!("example.org")),
        )
        .case(
            Case::update(&["action"])
                .edit("        type: redirect\n        redirect: { host: example.org, status_code: HTTP_301 }\n", "        type: fixed-response\n        fixed_response: { content_type: text/plain }\n")
                .reads("/action/0/fixed_response/0/status_code", json!("200"))
                .drift("elbv2", "ModifyRule", |world| {
                    let answer = json!({ "ContentType": "text/plain", "MessageBody": "x", "StatusCode": "200" });
                    let action = json!({ "Type": "fixed-response", "FixedResponseConfig": answer });
                    json!({ "RuleArn": world.id(RULE), "Actions": [action] })
                }),
        )
        .case(
            Case::update(&["priority"])
                .edit("      condition: { path", "      priority: 100\n      condition: { path")
                .reads("/priority", json!(100))
                .drift("elbv2", "SetRulePriorities", |world| {
                    json!({ "RulePriorities": [{ "RuleArn": world.id(RULE), "Priority": 7 }] })
                }),
        )
        .case(
            Case::update(&["tags"])
                .edit("      priority: 100\n", "      priority: 100\n      tags: { tier: web }\n")
                .reads("/tags", json!({ "tier": "web" }))
                .drift("elbv2", "RemoveTags", |world| {
                    json!({ "ResourceArns": [world.id(RULE)], "TagKeys": ["tier"] })
                }),
        )
        .case(
            Case::replace(&["listener_arn"])
                .edit("listener_arn: ${aws_lb_listener.it.arn}", "listener_arn: ${aws_lb_listener.second.arn}"),
        )
}

/// Returns rules `r0`, `r1`, … with these priorities.
fn with_priorities(priorities: &[u32]) -> String {
    let rule = |(at, priority): (usize, &u32)| {
        format!(
            r#"    r{at}:
      listener_arn: ${{aws_lb_listener.it.arn}}
      priority: {priority}
      condition: {{ path_pattern: {{ values: [/{at}] }} }}
      action: {{ type: fixed-response, fixed_response: {{ content_type: text/plain, status_code: "404" }} }}
"#
        )
    };
    let all: Vec<String> = priorities.iter().enumerate().map(rule).collect();
    rules(&all.concat())
}

#[test]
fn priorities_are_permuted_in_place() {
    let world = World::with_spec(&with_priorities(&[1, 2, 3, 4]));
    world.converge();
    let ids: Vec<String> =
        (0..4).map(|at| world.id(&format!("aws_lb_listener_rule.r{at}"))).collect();
    for priorities in [[2, 1, 4, 3], [4, 3, 2, 1], [3, 4, 1, 2], [2, 3, 4, 5]] {
        world.spec(&with_priorities(&priorities));
        world.converge();
        for (at, priority) in priorities.iter().enumerate() {
            let attributes = world.attributes(&format!("aws_lb_listener_rule.r{at}"));
            assert_eq!(attributes["priority"], *priority);
            assert_eq!(attributes["id"], ids[at], "it was changed in place");
        }
    }
    world.destroy();
}

#[test]
fn rules_without_priorities_take_what_is_free() {
    let world = World::with_spec(&with_priorities(&[2, 4, 6, 8]).replace("priority: 4\n", "\n"));
    world.edit("main.yaml", "      priority: 6\n", "");
    world.converge();
    let priority =
        |at: usize| world.attributes(&format!("aws_lb_listener_rule.r{at}"))["priority"].clone();
    let free = [priority(1), priority(2)];
    assert!(free.contains(&json!(1)) && !free.contains(&json!(2)), "{free:?}");
    world.destroy();
}

#[test]
fn the_priority_of_somebody_elses_rule_is_not_taken() {
    let world = World::with_spec(&rules(
        r#"
    it:
      listener_arn: ${aws_lb_listener.it.arn}
      priority: 10
      condition: { path_pattern: { values: [/a] } }
      action: { type: forward, target_group_arn: "${aws_lb_target_group.green.arn}" }
"#,
    ));
    world.converge();
    let theirs = json!({
        "ListenerArn": world.id("aws_lb_listener.it"), "Priority": 20,
        "Conditions": [{ "Field": "path-pattern", "Values": ["/theirs"] }],
        "Actions": [{ "Type": "forward", "TargetGroupArn": group(&world, "red") }],
    });
    let theirs = world.call("elbv2", "CreateRule", &theirs)["Rules"][0]["RuleArn"].clone();
    let priority = || {
        let told = world.call("elbv2", "DescribeRules", &json!({ "RuleArns": [theirs] }));
        told["Rules"][0]["Priority"].clone()
    };
    // Neither by an update nor by a create.
    world.edit("main.yaml", "priority: 10", "priority: 20");
    world.run(&["apply", "--auto-approve"]).code(1).says("PriorityInUse");
    assert_eq!(priority(), "20");
    world.call("elbv2", "DeleteRule", &json!({ "RuleArn": world.id(RULE) }));
    world.run(&["apply", "--auto-approve"]).code(1).unwrapped().says(
        "a rule with priority 20 of the listener exists already, and this stack did not create it",
    );
    assert_eq!(priority(), "20");
    world.call("elbv2", "DeleteRule", &json!({ "RuleArn": theirs }));
    world.converge();
    world.destroy();
}
