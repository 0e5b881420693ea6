//! The runs that are walked over: a stack as people write it, and one with every resource type.

use super::Scenario;
use crate::support::World;

/// Creating, replacing and changing, and destroying, of both stacks.
pub(crate) const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "lab-web, apply",
        folder: lab_web,
        is_applied: false,
        variables: &[],
        command: "apply",
    },
    Scenario {
        name: "lab-web, replace",
        folder: lab_web,
        is_applied: true,
        // Another image, and with it the second server; the first stops and starts as another type.
        variables: &[("image_date", "20261124"), ("instance_type", "t3.small")],
        command: "apply",
    },
    Scenario {
        name: "lab-web, destroy",
        folder: lab_web,
        is_applied: true,
        variables: &[],
        command: "destroy",
    },
    Scenario {
        name: "every type, apply",
        folder: every_type,
        is_applied: false,
        variables: &[],
        command: "apply",
    },
    Scenario {
        name: "every type, replace",
        folder: every_type,
        is_applied: true,
        variables: &[("generation", "two"), ("instance_type", "t3.small")],
        command: "apply",
    },
    Scenario {
        name: "every type, destroy",
        folder: every_type,
        is_applied: true,
        variables: &[],
        command: "destroy",
    },
];

fn lab_web() -> World {
    World::with_stack("lab-web")
}

fn every_type() -> World {
    let world = World::new();
    world.write("main.yaml", include_str!("every_type.yaml"));
    world
}
