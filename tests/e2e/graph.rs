//! `reconcile graph`, with and without a plan.

use crate::support::World;

const SPEC: &str = "\
resource:
  aws_security_group: { web: { name: web, description: web } }
  aws_vpc_security_group_ingress_rule:
    http:
      security_group_id: ${aws_security_group.web.id}
      ip_protocol: tcp
      from_port: 80
      to_port: 80
      cidr_ipv4: 0.0.0.0/0
output: { group: { value: \"${aws_security_group.web.id}\" } }
";

const EDGE: &str = "\"aws_vpc_security_group_ingress_rule.http\" -> \"aws_security_group.web\";";

#[test]
fn without_a_plan_nothing_is_asked() {
    let mut world = World::with_spec(SPEC);
    // Nothing answers there.
    world.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let graph = world.run(&["graph"]).success();
    assert!(graph.stdout.contains(EDGE), "{}", graph.stdout);
    assert!(graph.stdout.contains("\"output.group\" -> \"aws_security_group.web\";"));
    assert!(!graph.stdout.contains("create"), "{}", graph.stdout);
    let picture = world.run(&["graph", "--format", "svg"]).success();
    assert!(picture.stdout.starts_with("<svg "), "{}", picture.stdout);
    let chart = world.run(&["graph", "--format", "mermaid"]).success();
    assert!(chart.stdout.starts_with("flowchart RL\n"), "{}", chart.stdout);
}

#[test]
fn a_plan_gives_the_colors() {
    let world = World::with_spec(SPEC);
    let graph = world.run(&["graph", "--plan"]).success();
    assert!(graph.stdout.contains("aws_security_group.web\\ncreate"), "{}", graph.stdout);

    world.converge();
    let graph = world.run(&["graph", "--plan"]).success();
    assert!(!graph.stdout.contains("create"), "{}", graph.stdout);

    // What left the spec is still drawn, with what it leaned on.
    let rest = SPEC.split_once("  aws_vpc").unwrap().0;
    world.spec(rest);
    world.run(&["plan", "--out", "saved.plan"]).success();
    let graph = world.run(&["graph", "--plan=saved.plan"]).success();
    assert!(graph.stdout.contains(EDGE), "{}", graph.stdout);
    assert!(graph.stdout.contains("ingress_rule.http\\ndelete"), "{}", graph.stdout);
    world.run(&["graph", "--plan=main.yaml"]).code(1).says("is no saved plan");
    world.destroy();
}
