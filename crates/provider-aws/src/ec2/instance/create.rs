//! From what is planned to `RunInstances`.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesInputBuilder;
use aws_sdk_ec2::types::{
    AmdSevSnpSpecification, BlockDeviceMapping, CapacityReservationPreference,
    CapacityReservationSpecification, CapacityReservationTarget, CpuOptionsRequest,
    CreditSpecificationRequest, EnclaveOptionsRequest, HibernationOptionsRequest, HostnameType,
    HttpTokensState, IamInstanceProfileSpecification, InstanceAutoRecoveryState,
    InstanceBandwidthWeighting, InstanceIpv6Address, InstanceMaintenanceOptionsRequest,
    InstanceMetadataEndpointState, InstanceMetadataOptionsRequest, InstanceMetadataProtocolState,
    InstanceMetadataTagsState, InstanceNetworkInterfaceSpecification,
    InstanceNetworkPerformanceOptionsRequest, InstanceType, LaunchTemplateSpecification, Placement,
    PrivateDnsNameOptionsRequest, PrivateIpAddressSpecification, ResourceType,
    RunInstancesMonitoringEnabled, ShutdownBehavior, TagSpecification, Tenancy,
};
use reconcile_model::Object;
use reconcile_provider::Operation;

use super::{spot, user_data, volumes};
use crate::tags;

/// Returns the part of the token that tells zones apart: the same token in another zone launches a second instance.
pub(super) fn token_part(planned: &Object) -> &str {
    let interface = || {
        planned
            .blocks("network_interface")
            .find(|it| it.i64("device_index") == Some(0))
            .and_then(|it| it.str("network_interface_id"))
    };
    planned
        .str("subnet_id")
        .or_else(interface)
        .or_else(|| planned.str("availability_zone"))
        .unwrap_or_default()
}

/// Returns the call that starts one instance. `root` is the image's root device, needed where the spec describes it.
pub(super) fn input(
    operation: &Operation,
    planned: &Object,
    root: Option<&str>,
) -> RunInstancesInputBuilder {
    let interfaces = network_interfaces(planned);
    // Where interfaces are given, what is about the network stands in them.
    let outside = interfaces.is_empty();
    RunInstancesInputBuilder::default()
        .client_token(operation.token(token_part(planned)))
        .min_count(1)
        .max_count(1)
        .set_image_id(planned.string("ami"))
        .set_instance_type(planned.str("instance_type").map(InstanceType::from))
        .set_launch_template(planned.block("launch_template").map(launch_template))
        .set_key_name(planned.string("key_name"))
        .set_user_data(user_data::to_wire(planned))
        .set_placement(placement(planned))
        .set_subnet_id(planned.string("subnet_id").filter(|_| outside))
        .set_security_group_ids(list(planned, "vpc_security_group_ids").filter(|_| outside))
        .set_security_groups(list(planned, "security_groups").filter(|_| outside))
        .set_private_ip_address(planned.string("private_ip").filter(|_| outside))
        .set_network_interfaces(Some(interfaces).filter(|all| !all.is_empty()))
        .set_block_device_mappings(Some(block_devices(planned, root)).filter(|all| !all.is_empty()))
        .set_ebs_optimized(planned.bool("ebs_optimized"))
        .set_iam_instance_profile(planned.str("iam_instance_profile").and_then(instance_profile))
        .set_monitoring(
            planned
                .bool("monitoring")
                .map(|on| RunInstancesMonitoringEnabled::builder().enabled(on).build()),
        )
        .set_disable_api_termination(planned.bool("disable_api_termination"))
        .set_disable_api_stop(planned.bool("disable_api_stop"))
        .set_instance_initiated_shutdown_behavior(
            planned.str("instance_initiated_shutdown_behavior").map(ShutdownBehavior::from),
        )
        .set_metadata_options(planned.block("metadata_options").map(metadata_options))
        .set_credit_specification(planned.block("credit_specification").and_then(credits))
        .set_maintenance_options(planned.block("maintenance_options").map(|options| {
            InstanceMaintenanceOptionsRequest::builder()
                .set_auto_recovery(
                    options.str("auto_recovery").map(InstanceAutoRecoveryState::from),
                )
                .build()
        }))
        .set_private_dns_name_options(planned.block("private_dns_name_options").map(private_dns))
        .set_network_performance_options(planned.block("network_performance_options").map(|it| {
            InstanceNetworkPerformanceOptionsRequest::builder()
                .set_bandwidth_weighting(
                    it.str("bandwidth_weighting").map(InstanceBandwidthWeighting::from),
                )
                .build()
        }))
        .set_cpu_options(cpu_options(planned))
        .set_hibernation_options(
            planned
                .bool("hibernation")
                .map(|on| HibernationOptionsRequest::builder().configured(on).build()),
        )
        .set_enclave_options(planned.block("enclave_options").map(|options| {
            EnclaveOptionsRequest::builder().set_enabled(options.bool("enabled")).build()
        }))
        .set_capacity_reservation_specification(
            planned.block("capacity_reservation_specification").map(capacity_reservation),
        )
        .set_instance_market_options(planned.block("instance_market_options").map(spot::market))
        .set_tag_specifications(Some(tag_specifications(operation, planned)))
}

/// Returns the tags of everything that the launch makes: what is left over after a crash is found by them.
fn tag_specifications(operation: &Operation, planned: &Object) -> Vec<TagSpecification> {
    let volumes = Object::new().with("tags_all", planned.value("volume_tags").clone());
    let interfaces = Object::new();
    let mut all = vec![
        tags::specification(operation, planned, ResourceType::Instance),
        tags::specification(operation, &volumes, ResourceType::Volume),
    ];
    // Interfaces that exist already are not the launch's to tag.
    if planned.blocks("network_interface").next().is_none() {
        all.push(tags::specification(operation, &interfaces, ResourceType::NetworkInterface));
    }
    if planned.block("instance_market_options").and_then(|it| it.str("market_type")) == Some("spot")
    {
        all.push(tags::specification(operation, planned, ResourceType::SpotInstancesRequest));
    }
    all
}

/// Returns the interfaces to attach: those that the spec names, or a new primary one.
///
/// None where the primary interface is for the launch template to describe, or where groups are given by name, which
/// EC2 takes only outside of an interface.
fn network_interfaces(planned: &Object) -> Vec<InstanceNetworkInterfaceSpecification> {
    let named: Vec<_> = planned
        .blocks("network_interface")
        .map(|block| {
            InstanceNetworkInterfaceSpecification::builder()
                .set_network_interface_id(block.string("network_interface_id"))
                .set_device_index(block.i32("device_index"))
                .set_network_card_index(block.i32("network_card_index").filter(|index| *index != 0))
                .set_delete_on_termination(block.bool("delete_on_termination"))
                .build()
        })
        .collect();
    let by_name = !planned.list("security_groups").is_empty();
    let needed = [
        "associate_public_ip_address",
        "enable_primary_ipv6",
        "ipv6_address_count",
        "ipv6_addresses",
        "secondary_private_ips",
    ]
    .into_iter()
    .any(|name| !planned.value(name).is_null() && planned.value(name).is_known());
    let from_template = planned.block("launch_template").is_some();
    if !named.is_empty() || ((by_name || from_template) && !needed) {
        return named;
    }
    let ipv6 = |address: String| InstanceIpv6Address::builder().ipv6_address(address).build();
    let mut interface = InstanceNetworkInterfaceSpecification::builder()
        .device_index(0)
        .delete_on_termination(true)
        .set_subnet_id(planned.string("subnet_id"))
        .set_groups(list(planned, "vpc_security_group_ids"))
        .set_associate_public_ip_address(planned.bool("associate_public_ip_address"))
        .set_primary_ipv6(planned.bool("enable_primary_ipv6").filter(|on| *on))
        .set_ipv6_address_count(planned.i32("ipv6_address_count").filter(|count| *count > 0))
        .set_ipv6_addresses(
            list(planned, "ipv6_addresses").map(|all| all.into_iter().map(ipv6).collect()),
        );
    let secondary = planned.strings("secondary_private_ips");
    if secondary.is_empty() {
        interface = interface.set_private_ip_address(planned.string("private_ip"));
    } else {
        let address = |ip: String, primary| {
            PrivateIpAddressSpecification::builder().private_ip_address(ip).primary(primary).build()
        };
        let primary = planned.string("private_ip").map(|ip| address(ip, true));
        let all = primary.into_iter().chain(secondary.into_iter().map(|ip| address(ip, false)));
        interface = interface.set_private_ip_addresses(Some(all.collect()));
    }
    vec![interface.build()]
}

fn list(planned: &Object, name: &str) -> Option<Vec<String>> {
    Some(planned.strings(name)).filter(|all| !all.is_empty())
}

fn block_devices(planned: &Object, root: Option<&str>) -> Vec<BlockDeviceMapping> {
    let root = planned.block("root_block_device").zip(root).map(|(block, device)| {
        BlockDeviceMapping::builder().device_name(device).ebs(volumes::to_launch(block)).build()
    });
    let more = planned.blocks("ebs_block_device").map(|block| {
        BlockDeviceMapping::builder()
            .set_device_name(block.string("device_name"))
            .ebs(volumes::to_launch(block))
            .build()
    });
    let ephemeral = planned.blocks("ephemeral_block_device").map(|block| {
        let none = block.bool("no_device") == Some(true);
        BlockDeviceMapping::builder()
            .set_device_name(block.string("device_name"))
            .set_no_device(none.then(String::new))
            .set_virtual_name(block.string("virtual_name"))
            .build()
    });
    root.into_iter().chain(more).chain(ephemeral).collect()
}

fn launch_template(block: &Object) -> LaunchTemplateSpecification {
    let id = block.string("id");
    // AWS takes the one or the other.
    let name = block.string("name").filter(|_| id.is_none());
    LaunchTemplateSpecification::builder()
        .set_launch_template_id(id)
        .set_launch_template_name(name)
        .set_version(block.string("version"))
        .build()
}

fn placement(planned: &Object) -> Option<Placement> {
    let placement = Placement::builder()
        .set_availability_zone(planned.string("availability_zone"))
        .set_group_name(planned.string("placement_group").filter(|name| !name.is_empty()))
        .set_partition_number(planned.i32("placement_partition_number"))
        .set_tenancy(planned.str("tenancy").map(Tenancy::from))
        .set_host_id(planned.string("host_id"))
        .set_host_resource_group_arn(planned.string("host_resource_group_arn"))
        .build();
    (placement != Placement::builder().build()).then_some(placement)
}

pub(super) fn instance_profile(given: &str) -> Option<IamInstanceProfileSpecification> {
    let profile = IamInstanceProfileSpecification::builder();
    match given {
        "" => None,
        arn if arn.starts_with("arn:") => Some(profile.arn(arn).build()),
        name => Some(profile.name(name).build()),
    }
}

/// Returns the metadata options. With the service switched off EC2 takes no word about how it answers.
pub(super) fn metadata_options(block: &Object) -> InstanceMetadataOptionsRequest {
    let options = InstanceMetadataOptionsRequest::builder()
        .set_http_endpoint(block.str("http_endpoint").map(InstanceMetadataEndpointState::from));
    if block.str("http_endpoint") == Some("disabled") {
        return options.build();
    }
    options
        .set_http_protocol_ipv6(
            block.str("http_protocol_ipv6").map(InstanceMetadataProtocolState::from),
        )
        .set_http_put_response_hop_limit(block.i32("http_put_response_hop_limit"))
        .set_http_tokens(block.str("http_tokens").map(HttpTokensState::from))
        .set_instance_metadata_tags(
            block.str("instance_metadata_tags").map(InstanceMetadataTagsState::from),
        )
        .build()
}

fn credits(block: &Object) -> Option<CreditSpecificationRequest> {
    block.str("cpu_credits").map(|it| CreditSpecificationRequest::builder().cpu_credits(it).build())
}

fn private_dns(block: &Object) -> PrivateDnsNameOptionsRequest {
    PrivateDnsNameOptionsRequest::builder()
        .set_hostname_type(block.str("hostname_type").map(HostnameType::from))
        .set_enable_resource_name_dns_a_record(block.bool("enable_resource_name_dns_a_record"))
        .set_enable_resource_name_dns_aaaa_record(
            block.bool("enable_resource_name_dns_aaaa_record"),
        )
        .build()
}

fn cpu_options(planned: &Object) -> Option<CpuOptionsRequest> {
    let block = planned.block("cpu_options");
    let options = CpuOptionsRequest::builder()
        .set_core_count(
            block.and_then(|it| it.i32("core_count")).or_else(|| planned.i32("cpu_core_count")),
        )
        .set_threads_per_core(
            block
                .and_then(|it| it.i32("threads_per_core"))
                .or_else(|| planned.i32("cpu_threads_per_core")),
        )
        .set_amd_sev_snp(
            block.and_then(|it| it.str("amd_sev_snp")).map(AmdSevSnpSpecification::from),
        )
        .build();
    (options != CpuOptionsRequest::builder().build()).then_some(options)
}

/// Returns which Capacity Reservations may be used. A target and the preference `open` exclude each other.
pub(super) fn capacity_reservation(block: &Object) -> CapacityReservationSpecification {
    let target = block.block("capacity_reservation_target").map(|target| {
        CapacityReservationTarget::builder()
            .set_capacity_reservation_id(target.string("capacity_reservation_id"))
            .set_capacity_reservation_resource_group_arn(
                target.string("capacity_reservation_resource_group_arn"),
            )
            .build()
    });
    CapacityReservationSpecification::builder()
        .set_capacity_reservation_preference(
            block
                .str("capacity_reservation_preference")
                .filter(|preference| target.is_none() || *preference != "open")
                .map(CapacityReservationPreference::from),
        )
        .set_capacity_reservation_target(target)
        .build()
}

#[cfg(test)]
mod tests {
    use reconcile_model::{Address, Value};

    use super::*;

    fn operation() -> Operation {
        Operation {
            id: "0192f3c4-5b6d-7e8f-9012-3456789abcde".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_instance", "web"),
        }
    }

    fn planned() -> Object {
        Object::new()
            .with("ami", "ami-1")
            .with("instance_type", "t3.micro")
            .with("subnet_id", "subnet-1")
            .with("vpc_security_group_ids", vec!["sg-1"])
            .with("user_data", "#!/bin/sh")
            .with("tags_all", Object::new().with("Name", "web"))
            .with("metadata_options", Value::Unknown)
            .with(
                "root_block_device",
                vec![Object::new().with("volume_size", 8).with("delete_on_termination", true)],
            )
    }

    #[test]
    fn one_instance_with_its_own_interface_and_root() {
        let input = input(&operation(), &planned(), Some("/dev/xvda")).build().unwrap();
        assert_eq!((input.min_count(), input.max_count()), (Some(1), Some(1)));
        assert_eq!(input.client_token(), Some(operation().token("subnet-1").as_str()));
        assert_eq!(input.subnet_id(), None);
        let interface = &input.network_interfaces()[0];
        assert_eq!(interface.subnet_id(), Some("subnet-1"));
        assert_eq!(interface.groups(), ["sg-1"]);
        assert_eq!(interface.delete_on_termination(), Some(true));
        let root = &input.block_device_mappings()[0];
        assert_eq!(root.device_name(), Some("/dev/xvda"));
        let ebs = root.ebs().unwrap();
        assert_eq!((ebs.volume_size(), ebs.delete_on_termination()), (Some(8), Some(true)));
        assert!(input.metadata_options().is_none());
        let kinds: Vec<&str> = input
            .tag_specifications()
            .iter()
            .map(|it| it.resource_type().unwrap().as_str())
            .collect();
        assert_eq!(kinds, ["instance", "volume", "network-interface"]);
        for specification in input.tag_specifications() {
            let tags = tags::from_ec2(specification.tags());
            assert_eq!(tags["reconcile:operation"], operation().id);
        }
    }

    #[test]
    fn groups_by_name_and_templates_do_without_an_interface() {
        let mut by_name = planned();
        by_name.set("vpc_security_group_ids", Value::Unknown);
        by_name.set("subnet_id", Value::Unknown);
        by_name.set("security_groups", vec!["web"]);
        let by_name = input(&operation(), &by_name, None).build().unwrap();
        assert!(by_name.network_interfaces().is_empty());
        assert_eq!(by_name.security_groups(), ["web"]);
        let template = planned()
            .with("launch_template", vec![Object::new().with("id", "lt-1").with("name", "web")]);
        let template = input(&operation(), &template, None).build().unwrap();
        assert_eq!(template.subnet_id(), Some("subnet-1"));
        let specification = template.launch_template().unwrap();
        assert_eq!(specification.launch_template_name(), None);
    }

    #[test]
    fn interfaces_that_exist_are_named_and_not_tagged() {
        let block = Object::new()
            .with("device_index", 0)
            .with("network_interface_id", "eni-1")
            .with("delete_on_termination", false);
        let planned = Object::new().with("ami", "ami-1").with("network_interface", vec![block]);
        let input = input(&operation(), &planned, None).build().unwrap();
        assert_eq!(input.network_interfaces()[0].network_interface_id(), Some("eni-1"));
        assert_eq!(input.tag_specifications().len(), 2);
        assert_eq!(token_part(&planned), "eni-1");
    }
}
