//! From what EC2 tells of an instance to its attributes.

use aws_sdk_ec2::types::{
    CapacityReservationSpecificationResponse, Instance, InstanceMetadataOptionsResponse,
    InstanceNetworkInterface,
};
use reconcile_model::{Object, Value};
use reconcile_provider::{Depth, Target};

use super::read::{
    Attributes, Found, Surroundings, Wanted, describes_volumes, launch_time, state, template_tag,
    wants_credits,
};
use super::volumes::{self, Shown};
use super::{spot, user_data};
use crate::{arn, tags};

/// Returns the attributes of an instance, but for those that nothing made worth reading.
pub(super) fn managed(
    found: &Found,
    around: &Surroundings,
    attributes: &Attributes,
    target: &Target<'_>,
    region: &str,
) -> Object {
    let instance = &found.instance;
    let recorded = target.recorded;
    let mut object = described(found, region);
    tags::set(&mut object, &tags::from_ec2(instance.tags()));
    let shown = Shown::Managed { recorded, describes_more: describes_volumes(target) };
    volumes::set(&mut object, instance, &around.volumes, &shown);
    if wants_credits(target) {
        set_credits(&mut object, instance, around);
    }
    set_interfaces(&mut object, instance, recorded);
    let request = instance.spot_instance_request_id().and_then(|id| around.spot.get(id));
    object.set("instance_market_options", spot::market_options(instance, request));
    set_template(&mut object, instance, around, recorded);
    set_attributes(&mut object, attributes, target, instance);
    keep_order(&mut object, recorded, "ipv6_addresses");
    object
}

/// Returns what `DescribeInstances` alone tells, as both the resource and the data source show it.
pub(crate) fn described(found: &Found, region: &str) -> Object {
    let instance = &found.instance;
    let primary = primary(instance);
    let placement = instance.placement();
    let text = |value: Option<&str>| Value::from(value.filter(|text| !text.is_empty()));
    let id = instance.instance_id().unwrap_or_default();
    let profile = instance.iam_instance_profile().and_then(|it| it.arn());
    let ipv6: Vec<&str> = primary
        .map_or(&[][..], |it| it.ipv6_addresses())
        .iter()
        .filter_map(|it| it.ipv6_address())
        .collect();
    let mut object = Object::new()
        .with("id", id)
        .with("arn", arn::ec2(region, &found.owner, &format!("instance/{id}")))
        .with("ami", instance.image_id())
        .with("instance_type", instance.instance_type().map(|it| it.as_str()))
        .with("instance_state", state(instance))
        .with("instance_lifecycle", instance.instance_lifecycle().map(|it| it.as_str()))
        .with("launch_time", launch_time(instance))
        .with("key_name", text(instance.key_name()))
        .with("availability_zone", placement.and_then(|it| it.availability_zone()))
        .with("tenancy", placement.and_then(|it| it.tenancy()).map(|it| it.as_str()))
        .with("host_id", text(placement.and_then(|it| it.host_id())))
        .with(
            "host_resource_group_arn",
            text(placement.and_then(|it| it.host_resource_group_arn())),
        )
        .with("placement_group", text(placement.and_then(|it| it.group_name())))
        .with(
            "placement_partition_number",
            placement.and_then(|it| it.partition_number()).filter(|number| *number > 0),
        )
        .with("subnet_id", text(instance.subnet_id()))
        .with("outpost_arn", text(instance.outpost_arn()))
        .with("primary_network_interface_id", primary.and_then(|it| it.network_interface_id()))
        .with("private_ip", text(instance.private_ip_address()))
        .with("private_dns", text(instance.private_dns_name()))
        // Empty and not absent, as in Terraform: an output that mentions the address of a stopped instance still has a value.
        .with("public_ip", instance.public_ip_address().unwrap_or_default())
        .with("public_dns", instance.public_dns_name().unwrap_or_default())
        .with("spot_instance_request_id", text(instance.spot_instance_request_id()))
        .with("ipv6_address_count", ipv6.len())
        .with("ipv6_addresses", ipv6)
        .with("enable_primary_ipv6", has_primary_ipv6(primary))
        .with("secondary_private_ips", secondary_ips(primary))
        .with("ebs_optimized", instance.ebs_optimized())
        .with("iam_instance_profile", profile.map(|arn| arn.rsplit('/').next().unwrap_or(arn)))
        .with("monitoring", is_monitored(instance))
        .with(
            "hibernation",
            instance.hibernation_options().and_then(|it| it.configured()).unwrap_or(false),
        )
        .with("source_dest_check", instance.source_dest_check())
        .with("cpu_core_count", instance.cpu_options().and_then(|it| it.core_count()))
        .with("cpu_threads_per_core", instance.cpu_options().and_then(|it| it.threads_per_core()));
    set_groups(&mut object, instance, primary);
    set_options(&mut object, instance);
    if let Some(public) = has_own_public_address(instance, primary) {
        object.set("associate_public_ip_address", public);
    }
    object
}

/// Returns the network interface at device index 0.
fn primary(instance: &Instance) -> Option<&InstanceNetworkInterface> {
    instance.network_interfaces().iter().find(|interface| {
        interface.attachment().is_some_and(|it| it.device_index().unwrap_or(0) == 0)
    })
}

fn has_primary_ipv6(primary: Option<&InstanceNetworkInterface>) -> bool {
    primary
        .is_some_and(|it| it.ipv6_addresses().iter().any(|ip| ip.is_primary_ipv6() == Some(true)))
}

fn secondary_ips(primary: Option<&InstanceNetworkInterface>) -> Vec<&str> {
    primary
        .map_or(&[][..], |it| it.private_ip_addresses())
        .iter()
        .filter(|ip| ip.primary() != Some(true))
        .filter_map(|ip| ip.private_ip_address())
        .collect()
}

fn is_monitored(instance: &Instance) -> bool {
    let state = instance.monitoring().and_then(|it| it.state()).map_or("", |it| it.as_str());
    matches!(state, "enabled" | "pending")
}

/// Tells whether the instance was given a public address at launch; `None` when that cannot be told: a stopped
/// instance has none, and an Elastic IP takes its place.
fn has_own_public_address(
    instance: &Instance,
    primary: Option<&InstanceNetworkInterface>,
) -> Option<bool> {
    if state(instance) != "running" {
        return None;
    }
    match primary?.association() {
        None => Some(false),
        Some(association) => (association.ip_owner_id() == Some("amazon")).then_some(true),
    }
}

fn set_groups(
    object: &mut Object,
    instance: &Instance,
    primary: Option<&InstanceNetworkInterface>,
) {
    let groups = primary.map_or(instance.security_groups(), |it| it.groups());
    let ids: Vec<&str> = groups.iter().filter_map(|group| group.group_id()).collect();
    let names: Vec<&str> = groups.iter().filter_map(|group| group.group_name()).collect();
    object.set("vpc_security_group_ids", ids);
    object.set("security_groups", names);
}

/// Sets the blocks that hold one thing each.
fn set_options(object: &mut Object, instance: &Instance) {
    let one = |block: Option<Object>| block.into_iter().collect::<Vec<_>>();
    object.set("metadata_options", one(instance.metadata_options().map(metadata_options)));
    object.set(
        "maintenance_options",
        one(instance.maintenance_options().map(|it| {
            Object::new().with("auto_recovery", it.auto_recovery().map(|it| it.as_str()))
        })),
    );
    object.set(
        "private_dns_name_options",
        one(instance.private_dns_name_options().map(|it| {
            Object::new()
                .with("hostname_type", it.hostname_type().map(|it| it.as_str()))
                .with(
                    "enable_resource_name_dns_a_record",
                    it.enable_resource_name_dns_a_record().unwrap_or(false),
                )
                .with(
                    "enable_resource_name_dns_aaaa_record",
                    it.enable_resource_name_dns_aaaa_record().unwrap_or(false),
                )
        })),
    );
    object.set(
        "network_performance_options",
        one(instance.network_performance_options().map(|it| {
            Object::new()
                .with("bandwidth_weighting", it.bandwidth_weighting().map(|it| it.as_str()))
        })),
    );
    object.set(
        "cpu_options",
        one(instance.cpu_options().map(|it| {
            Object::new()
                .with("amd_sev_snp", it.amd_sev_snp().map(|it| it.as_str()))
                .with("core_count", it.core_count())
                .with("threads_per_core", it.threads_per_core())
        })),
    );
    let enclaves = instance.enclave_options().and_then(|it| it.enabled()).unwrap_or(false);
    object.set("enclave_options", vec![Object::new().with("enabled", enclaves)]);
    object.set(
        "capacity_reservation_specification",
        one(instance.capacity_reservation_specification().map(capacity_reservation)),
    );
}

fn metadata_options(options: &InstanceMetadataOptionsResponse) -> Object {
    Object::new()
        .with("http_endpoint", options.http_endpoint().map(|it| it.as_str()))
        .with("http_protocol_ipv6", options.http_protocol_ipv6().map(|it| it.as_str()))
        .with("http_put_response_hop_limit", options.http_put_response_hop_limit())
        .with("http_tokens", options.http_tokens().map(|it| it.as_str()))
        .with("instance_metadata_tags", options.instance_metadata_tags().map(|it| it.as_str()))
}

fn capacity_reservation(specification: &CapacityReservationSpecificationResponse) -> Object {
    let target: Vec<Object> = specification
        .capacity_reservation_target()
        .map(|target| {
            Object::new().with("capacity_reservation_id", target.capacity_reservation_id()).with(
                "capacity_reservation_resource_group_arn",
                target.capacity_reservation_resource_group_arn(),
            )
        })
        .into_iter()
        .collect();
    let preference = specification.capacity_reservation_preference().map(|it| it.as_str());
    Object::new()
        .with("capacity_reservation_preference", preference)
        .with("capacity_reservation_target", target)
}

/// Sets `credit_specification`; none for types without credits.
pub(crate) fn set_credits(object: &mut Object, instance: &Instance, around: &Surroundings) {
    let id = instance.instance_id().unwrap_or_default();
    let credits: Vec<Object> = around
        .credits
        .get(id)
        .map(|option| Object::new().with("cpu_credits", option.as_str()))
        .into_iter()
        .collect();
    object.set("credit_specification", credits);
}

/// Sets `network_interface` where the spec names interfaces: those at the places that it names, or all of them when
/// nothing is recorded yet. The check of source and destination is then that interface's own matter.
fn set_interfaces(object: &mut Object, instance: &Instance, recorded: &Object) {
    let places: Vec<i64> =
        recorded.blocks("network_interface").filter_map(|it| it.i64("device_index")).collect();
    if places.is_empty() {
        object.set("network_interface", Vec::<Object>::new());
        return;
    }
    object.remove("source_dest_check");
    let interfaces: Vec<Object> = instance
        .network_interfaces()
        .iter()
        .filter_map(|interface| {
            let attachment = interface.attachment()?;
            let index = attachment.device_index().unwrap_or(0);
            places.contains(&i64::from(index)).then(|| {
                Object::new()
                    .with("device_index", index)
                    .with("network_interface_id", interface.network_interface_id())
                    .with("network_card_index", attachment.network_card_index().unwrap_or(0))
                    .with(
                        "delete_on_termination",
                        attachment.delete_on_termination().unwrap_or(false),
                    )
            })
        })
        .collect();
    object.set("network_interface", interfaces);
}

/// Sets `launch_template` where the spec gives one. `$Latest` and `$Default` stand as they were written: which version
/// they are by now does not matter to an instance that was launched.
fn set_template(
    object: &mut Object,
    instance: &Instance,
    around: &Surroundings,
    recorded: &Object,
) {
    let Some(written) = recorded.block("launch_template") else {
        object.set("launch_template", Vec::<Object>::new());
        return;
    };
    // Without the tags, which can be taken off, the recorded template stands.
    let Some(id) = template_tag(instance, "id") else { return };
    let floating = written.str("version").filter(|version| version.starts_with('$'));
    let version = floating.map(str::to_owned).or_else(|| template_tag(instance, "version"));
    let name = around.templates.get(&id).cloned().or_else(|| written.string("name"));
    let block = Object::new().with("id", id).with("name", name).with("version", version);
    object.set("launch_template", vec![block]);
}

/// Sets what was read of the instance alone. What was not, and nobody has said yet, is what a launch gives by default
/// (EC2 API, `RunInstances`); everything else that was not read stands as it is recorded.
fn set_attributes(
    object: &mut Object,
    attributes: &Attributes,
    target: &Target<'_>,
    instance: &Instance,
) {
    let recorded = target.recorded;
    let wanted = Wanted::of(target, instance, Depth::Full);
    if let Some(data) = &attributes.user_data {
        let in_base64 = recorded.str("user_data_base64").is_some()
            || target.arguments.contains("user_data_base64");
        user_data::set(object, data.as_deref(), in_base64);
    } else if !wanted.user_data
        && recorded.value("user_data").is_null()
        && recorded.value("user_data_base64").is_null()
    {
        user_data::set(object, None, false);
    }
    let mut flag = |name: &str, read: Option<Value>, default: Value| {
        if let Some(read) = read {
            object.set(name, read);
        } else if recorded.value(name).is_unknown() {
            object.set(name, default);
        }
    };
    flag(
        "disable_api_termination",
        attributes.disable_api_termination.map(Value::from),
        false.into(),
    );
    flag("disable_api_stop", attributes.disable_api_stop.map(Value::from), false.into());
    flag(
        "instance_initiated_shutdown_behavior",
        attributes.shutdown_behavior.as_deref().map(Value::from),
        "stop".into(),
    );
    flag("password_data", attributes.password.clone().map(Value::from), Value::Null);
}

/// Puts a list whose order AWS does not keep into the recorded order, when it holds the same items.
fn keep_order(object: &mut Object, recorded: &Object, name: &str) {
    let (mut live, mut known) = (object.strings(name), recorded.strings(name));
    let written = known.clone();
    live.sort();
    known.sort();
    if live == known {
        object.set(name, written);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_ec2::types::{
        GroupIdentifier, InstanceNetworkInterfaceAssociation, InstanceNetworkInterfaceAttachment,
        InstancePrivateIpAddress, InstanceState, InstanceStateName, InstanceType, Placement, Tag,
    };
    use reconcile_model::ObjectId;

    use super::*;

    fn interface(index: i32, id: &str) -> InstanceNetworkInterface {
        let ip = |ip: &str, primary| {
            InstancePrivateIpAddress::builder().private_ip_address(ip).primary(primary).build()
        };
        InstanceNetworkInterface::builder()
            .network_interface_id(id)
            .attachment(InstanceNetworkInterfaceAttachment::builder().device_index(index).build())
            .groups(GroupIdentifier::builder().group_id("sg-1").group_name("web").build())
            .private_ip_addresses(ip("10.0.0.4", true))
            .private_ip_addresses(ip("10.0.0.5", false))
            .association(
                InstanceNetworkInterfaceAssociation::builder().ip_owner_id("amazon").build(),
            )
            .build()
    }

    fn found() -> Found {
        let state = |name| InstanceState::builder().name(name).build();
        let instance = Instance::builder()
            .instance_id("i-1")
            .image_id("ami-1")
            .instance_type(InstanceType::T3Micro)
            .state(state(InstanceStateName::Running))
            .placement(
                Placement::builder().availability_zone("ap-northeast-2a").group_name("").build(),
            )
            .network_interfaces(interface(1, "eni-2"))
            .network_interfaces(interface(0, "eni-1"))
            .source_dest_check(true)
            .tags(Tag::builder().key("Name").value("web").build())
            .tags(Tag::builder().key("aws:ec2launchtemplate:id").value("lt-1").build())
            .tags(Tag::builder().key("aws:ec2launchtemplate:version").value("3").build())
            .build();
        Found { instance, owner: "123456789012".to_owned() }
    }

    fn read(recorded: &Object, attributes: &Attributes) -> Object {
        let id = ObjectId::from("i-1");
        let arguments = BTreeSet::new();
        let target = Target { id: &id, recorded, arguments: &arguments };
        let mut around = Surroundings::default();
        around.templates.insert("lt-1".to_owned(), "web".to_owned());
        managed(&found(), &around, attributes, &target, "ap-northeast-2")
    }

    #[test]
    fn the_primary_interface_speaks_for_the_instance() {
        let object = read(&Object::new(), &Attributes::default());
        assert_eq!(object.str("primary_network_interface_id"), Some("eni-1"));
        assert_eq!(object.strings("vpc_security_group_ids"), ["sg-1"]);
        assert_eq!(object.strings("secondary_private_ips"), ["10.0.0.5"]);
        assert_eq!(object.bool("associate_public_ip_address"), Some(true));
        assert_eq!(object.list("network_interface"), []);
        assert_eq!(object.str("arn"), Some("arn:aws:ec2:ap-northeast-2:123456789012:instance/i-1"));
        assert!(object.value("placement_group").is_null());
        assert_eq!(object.map("tags").unwrap().len(), 1);
    }

    #[test]
    fn what_was_not_read_stands_or_is_the_launch_default() {
        let recorded = Object::new()
            .with("disable_api_termination", Value::Unknown)
            .with("disable_api_stop", true)
            .with("user_data", "#!/bin/sh");
        let object = read(&recorded, &Attributes::default());
        assert_eq!(object.bool("disable_api_termination"), Some(false));
        assert!(!object.contains_key("disable_api_stop"));
        assert!(!object.contains_key("user_data"));
        let attributes = Attributes { user_data: Some(None), ..Attributes::default() };
        assert!(read(&recorded, &attributes).get("user_data").unwrap().is_null());
    }

    #[test]
    fn interfaces_are_shown_where_the_spec_names_them() {
        let block = Object::new().with("device_index", 1).with("network_interface_id", "eni-2");
        let object =
            read(&Object::new().with("network_interface", vec![block]), &Attributes::default());
        let shown: Vec<_> = object.blocks("network_interface").collect();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].str("network_interface_id"), Some("eni-2"));
        assert!(!object.contains_key("source_dest_check"));
    }

    #[test]
    fn a_floating_template_version_stands() {
        let recorded = |version: &str| {
            let block = Object::new().with("id", Value::Unknown).with("version", version);
            Object::new().with("launch_template", vec![block])
        };
        let template = |version| {
            let object = read(&recorded(version), &Attributes::default());
            object.block("launch_template").unwrap().clone()
        };
        assert_eq!(template("$Latest").str("version"), Some("$Latest"));
        assert_eq!(template("2").str("version"), Some("3"));
        assert_eq!(template("2").str("name"), Some("web"));
    }

    #[test]
    fn a_stopped_instance_does_not_tell_whether_it_has_a_public_address() {
        let mut found = found();
        found.instance.state =
            Some(InstanceState::builder().name(InstanceStateName::Stopped).build());
        let object = described(&found, "ap-northeast-2");
        assert!(!object.contains_key("associate_public_ip_address"));
    }
}
