//! What changes while the instance runs.

use serde_json::json;

use super::{WEB, about, add, one, remove};
use crate::support::World;
use crate::types::harness::{Case, Life};

/// Protections, which must not be in the way of what the spec wants.
pub(super) fn protection() -> Life {
    Life::new(WEB, &one(""))
        .case(
            add(Case::update(&["disable_api_termination"]), "disable_api_termination: true").drift(
                "ec2",
                "ModifyInstanceAttribute",
                |world| about(world, json!({ "DisableApiTermination": { "Value": false } })),
            ),
        )
        .case(add(Case::update(&["disable_api_stop"]), "disable_api_stop: true").drift(
            "ec2",
            "ModifyInstanceAttribute",
            |world| about(world, json!({ "DisableApiStop": { "Value": false } })),
        ))
        .case(
            // The protection goes before the stop that it would prevent.
            Case::restart(&["instance_type"])
                .edit("t3.micro", "t3.small")
                .edit("disable_api_stop: true", "disable_api_stop: false")
                .reads("/instance_type", json!("t3.small"))
                .reads("/disable_api_stop", json!(false)),
        )
        .case(
            // And comes after it.
            Case::restart(&["instance_type"])
                .edit("t3.small", "t3.micro")
                .edit("disable_api_stop: false", "disable_api_stop: true")
                .reads("/disable_api_stop", json!(true)),
        )
        .case(
            add(
                Case::update(&["instance_initiated_shutdown_behavior"]),
                "instance_initiated_shutdown_behavior: terminate",
            )
            .drift("ec2", "ModifyInstanceAttribute", |world| {
                about(world, json!({ "InstanceInitiatedShutdownBehavior": { "Value": "stop" } }))
            }),
        )
        .case(add(Case::update(&["force_destroy"]), "force_destroy: true"))
        // A protected instance is replaced, and destroyed, all the same.
        .case(Case::replace(&["ami"]).edit("ami.linux", "ami.older"))
}

/// The options that have calls of their own.
pub(super) fn switches() -> Life {
    Life::new(WEB, &one("      tags: { team: a }\n"))
        .case(
            add(
                Case::update(&["metadata_options"]),
                "metadata_options: { http_tokens: optional, http_put_response_hop_limit: 3, instance_metadata_tags: enabled, http_protocol_ipv6: enabled }",
            )
            .reads("/metadata_options/0/http_tokens", json!("optional"))
            .reads("/metadata_options/0/http_put_response_hop_limit", json!(3))
            .reads("/metadata_options/0/instance_metadata_tags", json!("enabled"))
            .reads("/metadata_options/0/http_protocol_ipv6", json!("enabled"))
            .drift("ec2", "ModifyInstanceMetadataOptions", |world| {
                about(world, json!({ "HttpTokens": "required", "InstanceMetadataTags": "disabled" }))
            }),
        )
        .case(
            Case::update(&["metadata_options"])
                .edit("metadata_options: { ", "metadata_options: { http_endpoint: disabled, ")
                .reads("/metadata_options/0/http_endpoint", json!("disabled"))
                .drift("ec2", "ModifyInstanceMetadataOptions", |world| {
                    about(world, json!({ "HttpEndpoint": "enabled" }))
                }),
        )
        .case(
            Case::update(&["metadata_options"])
                .edit("http_endpoint: disabled", "http_endpoint: enabled")
                .edit("http_put_response_hop_limit: 3", "http_put_response_hop_limit: 64")
                .reads("/metadata_options/0/http_put_response_hop_limit", json!(64)),
        )
        .case(add(Case::update(&["monitoring"]), "monitoring: true").drift(
            "ec2",
            "UnmonitorInstances",
            |world| json!({ "InstanceIds": [world.id(WEB)] }),
        ))
        .case(
            add(Case::update(&["credit_specification"]), "credit_specification: { cpu_credits: standard }")
                .reads("/credit_specification/0/cpu_credits", json!("standard"))
                .drift("ec2", "ModifyInstanceCreditSpecification", |world| {
                    json!({ "InstanceCreditSpecifications": [
                        { "InstanceId": world.id(WEB), "CpuCredits": "unlimited" }
                    ]})
                }),
        )
        .case(
            add(Case::update(&["maintenance_options"]), "maintenance_options: { auto_recovery: disabled }")
                .reads("/maintenance_options/0/auto_recovery", json!("disabled"))
                .drift("ec2", "ModifyInstanceMaintenanceOptions", |world| {
                    about(world, json!({ "AutoRecovery": "default" }))
                }),
        )
        .case(
            add(
                Case::update(&["private_dns_name_options"]),
                "private_dns_name_options: { enable_resource_name_dns_a_record: true, enable_resource_name_dns_aaaa_record: true }",
            )
            .reads("/private_dns_name_options/0/enable_resource_name_dns_a_record", json!(true))
            .drift("ec2", "ModifyPrivateDnsNameOptions", |world| {
                about(world, json!({ "EnableResourceNameDnsARecord": false }))
            }),
        )
        .case(
            Case::restart(&["private_dns_name_options"])
                .edit("private_dns_name_options: { ", "private_dns_name_options: { hostname_type: resource-name, ")
                .reads("/private_dns_name_options/0/hostname_type", json!("resource-name")),
        )
        .case(
            Case::update(&["tags"])
                .edit("team: a", "team: b, Name: web")
                .reads("/tags", json!({ "team": "b", "Name": "web" }))
                .drift("ec2", "CreateTags", |world| {
                    json!({ "Resources": [world.id(WEB)], "Tags": [{ "Key": "team", "Value": "c" }] })
                })
                .drift("ec2", "DeleteTags", |world| {
                    json!({ "Resources": [world.id(WEB)], "Tags": [{ "Key": "Name" }] })
                }),
        )
        .case(add(Case::update(&["get_password_data"]), "get_password_data: true"))
        .case(
            Case::lost()
                .drift("ec2", "TerminateInstances", |world| json!({ "InstanceIds": [world.id(WEB)] })),
        )
}

/// The IAM instance profile: given, replaced, and taken away.
pub(super) fn profile() -> Life {
    Life::new(WEB, &one(""))
        .prepare(|world| {
            for name in ["first", "second"] {
                world.call("iam", "CreateInstanceProfile", &json!({ "InstanceProfileName": name }));
            }
        })
        .case(
            add(Case::update(&["iam_instance_profile"]), "iam_instance_profile: first")
                .reads("/iam_instance_profile", json!("first"))
                .drift("ec2", "DisassociateIamInstanceProfile", |world| {
                    json!({ "AssociationId": association(world) })
                }),
        )
        .case(
            Case::update(&["iam_instance_profile"])
                .edit("profile: first", "profile: second")
                .reads("/iam_instance_profile", json!("second"))
                .drift("ec2", "ReplaceIamInstanceProfileAssociation", |world| {
                    json!({ "AssociationId": association(world), "IamInstanceProfile": { "Name": "first" } })
                }),
        )
        .case(
            remove(Case::update(&["iam_instance_profile"]), "iam_instance_profile: second")
                .edit("      # more", "      iam_instance_profile: \"\"\n      # more")
                .reads("/iam_instance_profile", json!(null)),
        )
        .ends(|world| {
            for name in ["first", "second"] {
                world.call("iam", "DeleteInstanceProfile", &json!({ "InstanceProfileName": name }));
            }
        })
}

fn association(world: &World) -> String {
    let filters = json!([{ "Name": "instance-id", "Values": [world.id(WEB)] }]);
    let asked = json!({ "Filters": filters });
    let found = world.call("ec2", "DescribeIamInstanceProfileAssociations", &asked);
    let id = &found["IamInstanceProfileAssociations"][0]["AssociationId"];
    id.as_str().expect("an association").to_owned()
}
