//! What changes with a stop and a start around it.

use serde_json::json;

use super::{WEB, about, add, drift_while_stopped, live, one, remove};
use crate::support::World;
use crate::types::harness::{Case, Life};

/// The type, and what depends on it.
pub(super) fn sizes() -> Life {
    Life::new(WEB, &one(""))
        .case(
            drift_while_stopped(
                Case::restart(&["instance_type"])
                    .edit("t3.micro", "t3.small")
                    .reads("/instance_type", json!("t3.small"))
                    .reads("/instance_state", json!("running")),
                "ModifyInstanceAttribute",
                |world| about(world, json!({ "InstanceType": { "Value": "t3.nano" } })),
            )
            .then(|world| assert_eq!(live(world)["InstanceId"], world.id(WEB))),
        )
        .case(drift_while_stopped(
            add(Case::restart(&["ebs_optimized"]), "ebs_optimized: true"),
            "ModifyInstanceAttribute",
            |world| about(world, json!({ "EbsOptimized": { "Value": false } })),
        ))
        .case(
            drift_while_stopped(
                add(Case::restart(&["cpu_options"]), "cpu_options: { core_count: 1, threads_per_core: 1 }"),
                "ModifyInstanceCpuOptions",
                |world| about(world, json!({ "CoreCount": 1, "ThreadsPerCore": 2 })),
            )
            .reads("/cpu_threads_per_core", json!(1)),
        )
        .case(
            Case::restart(&["cpu_threads_per_core"])
                .edit(
                    "cpu_options: { core_count: 1, threads_per_core: 1 }",
                    "cpu_core_count: 1\n      cpu_threads_per_core: 2",
                )
                .reads("/cpu_options/0/threads_per_core", json!(2)),
        )
        .case(
            Case::restart(&["instance_type"])
                .edit("t3.small", "m5.2xlarge")
                .edit("cpu_core_count: 1", "cpu_core_count: 2")
                .reads("/cpu_core_count", json!(2)),
        )
        .case(
            drift_while_stopped(
                Case::restart(&["cpu_core_count"])
                    .edit("cpu_core_count: 2", "cpu_core_count: 4")
                    .reads("/cpu_core_count", json!(4)),
                "ModifyInstanceCpuOptions",
                |world| about(world, json!({ "CoreCount": 2, "ThreadsPerCore": 2 })),
            ),
        )
        .case(drift_while_stopped(
            add(
                Case::restart(&["network_performance_options"]),
                "network_performance_options: { bandwidth_weighting: vpc-1 }",
            ),
            "ModifyInstanceNetworkPerformanceOptions",
            |world| about(world, json!({ "BandwidthWeighting": "ebs-1" })),
        ))
        .case(drift_while_stopped(
            add(
                Case::restart(&["capacity_reservation_specification"]),
                "capacity_reservation_specification: { capacity_reservation_preference: none }",
            ),
            "ModifyInstanceCapacityReservationAttributes",
            |world| {
                about(world, json!({ "CapacityReservationSpecification": {
                    "CapacityReservationPreference": "open"
                }}))
            },
        ))
        .case(
            Case::restart(&["capacity_reservation_specification"])
                .edit(
                    "{ capacity_reservation_preference: none }",
                    "{ capacity_reservation_target: { capacity_reservation_id: cr-0123456789abcdef0 } }",
                )
                .reads(
                    "/capacity_reservation_specification/0/capacity_reservation_target/0/capacity_reservation_id",
                    json!("cr-0123456789abcdef0"),
                ),
        )
}

/// User data, as text and in base64.
pub(super) fn user_data() -> Life {
    Life::new(WEB, &one("      user_data: \"#!/bin/sh\\necho 1\\n\"\n"))
        .case(
            drift_while_stopped(
                Case::restart(&["user_data"])
                    .edit("echo 1", "echo 2")
                    .reads("/user_data", json!("#!/bin/sh\necho 2\n")),
                "ModifyInstanceAttribute",
                // "#!/bin/sh"
                |world| about(world, json!({ "UserData": { "Value": "IyEvYmluL3No" } })),
            )
            .then(|world| assert_eq!(user_data_of(world), "IyEvYmluL3NoCmVjaG8gMgo=")),
        )
        .case(
            Case::restart(&["user_data_base64"])
                .edit("user_data: \"#!/bin/sh\\necho 2\\n\"", "user_data_base64: gAH/")
                .reads("/user_data_base64", json!("gAH/"))
                .then(|world| assert_eq!(user_data_of(world), "gAH/")),
        )
        .case(
            remove(Case::restart(&["user_data_base64"]), "user_data_base64: gAH/")
                .then(|world| assert_eq!(user_data_of(world), "")),
        )
}

fn user_data_of(world: &World) -> String {
    let asked = about(world, json!({ "Attribute": "userData" }));
    let found = world.call("ec2", "DescribeInstanceAttribute", &asked);
    found["UserData"]["Value"].as_str().unwrap_or_default().to_owned()
}
