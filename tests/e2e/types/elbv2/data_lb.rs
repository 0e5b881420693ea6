//! The data source `aws_lb`.

use serde_json::json;

use super::{pairs, spec};
use crate::support::World;

#[test]
fn a_load_balancer_is_looked_up() {
    let first = spec(
        r#"  aws_lb:
    it:
      name: it
      internal: true
      subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"]
      security_groups: ["${aws_security_group.one.id}"]
      tags: { tier: web, Name: it }
    other:
      name: other
      internal: true
      subnets: ["${data.aws_subnet.a.id}", "${data.aws_subnet.c.id}"]
      tags: { tier: web }
"#,
    );
    let world = World::with_spec(&first);
    world.converge();
    let settings =
        pairs(&[("idle_timeout.timeout_seconds", "99"), ("routing.http2.enabled", "false")]);
    world.call(
        "elbv2",
        "ModifyLoadBalancerAttributes",
        &json!({ "LoadBalancerArn": world.id("aws_lb.it"), "Attributes": settings }),
    );
    world.assert_converged();
    world.spec(
        &(first.replacen("data:\n", "data:\n  aws_lb: { it: { name: it } }\n", 1)
            + "output: { lb: { value: \"${data.aws_lb.it}\" } }\n"),
    );
    world.converge();
    let by_name = output(&world);
    let attributes = world.attributes("aws_lb.it");
    for name in [
        "id",
        "arn",
        "arn_suffix",
        "dns_name",
        "zone_id",
        "vpc_id",
        "name",
        "internal",
        "subnets",
        "security_groups",
        "tags",
        "ip_address_type",
        "load_balancer_type",
    ] {
        assert_eq!(by_name[name], attributes[name], "{name}");
    }
    // It tells every setting, whoever made it.
    assert_eq!(by_name["idle_timeout"], 99);
    assert_eq!(by_name["enable_http2"], false);
    assert_eq!(by_name["client_keep_alive"], 3600);
    assert_eq!(by_name["access_logs"][0]["enabled"], false);

    world.edit("main.yaml", "{ it: { name: it } }", "{ it: { arn: \"${aws_lb.it.arn}\" } }");
    world.converge();
    assert_eq!(output(&world), by_name);
    world.edit(
        "main.yaml",
        "{ it: { arn: \"${aws_lb.it.arn}\" } }",
        "{ it: { tags: { Name: it, tier: web } } }",
    );
    world.converge();
    assert_eq!(output(&world), by_name);

    world.edit(
        "main.yaml",
        "{ it: { tags: { Name: it, tier: web } } }",
        "{ it: { tags: { tier: web } } }",
    );
    world.run(&["plan"]).code(1).unwrapped().says("several load balancers with tag `tier` = `web`");
    world.edit("main.yaml", "{ it: { tags: { tier: web } } }", "{ it: { name: nobody } }");
    world.run(&["plan"]).code(1).unwrapped().says("no load balancer with name `nobody`");
    world.edit("main.yaml", "  aws_lb: { it: { name: nobody } }\n", "");
    world.edit("main.yaml", "output: { lb: { value: \"${data.aws_lb.it}\" } }\n", "");
    world.destroy();
}

fn output(world: &World) -> serde_json::Value {
    let output = world.run(&["output", "--json"]).success();
    let output: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    output["lb"]["value"].clone()
}
