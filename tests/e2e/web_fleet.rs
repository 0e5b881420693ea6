//! The fleet: `count`, `for_each`, an internal balancer by a variable, rules as resources of their own.

use crate::support::World;

#[test]
fn web_fleet_grows_shrinks_and_goes() {
    let mut world = World::with_stack("web-fleet");
    world.run(&["apply", "--auto-approve"]).success().says("Apply complete");
    world.assert_converged();

    world.set("RECONCILE_VAR_instances", "4");
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();
    assert_eq!(world.attributes("aws_instance.web[3]")["instance_state"], "running");

    world.set("RECONCILE_VAR_instances", "1");
    assert_eq!(world.actions("aws_instance.web[3]"), ["delete"]);
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();

    world.set("RECONCILE_VAR_internal", "true");
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();

    world.destroy();
}
