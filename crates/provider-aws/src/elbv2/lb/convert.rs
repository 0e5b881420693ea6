//! Load balancers as a spec and as ELBv2 say them.

use aws_sdk_elasticloadbalancingv2::operation::create_load_balancer::builders::CreateLoadBalancerInputBuilder;
use aws_sdk_elasticloadbalancingv2::types::{
    AvailabilityZone, IpAddressType, IpamPools, LoadBalancer, LoadBalancerSchemeEnum,
    LoadBalancerTypeEnum, SubnetMapping,
};
use reconcile_model::{Object, Value};
use reconcile_provider::{Operation, Status};

use crate::elbv2::lookup;
use crate::tags;

/// Returns the request that creates a load balancer.
pub(super) fn create_input(
    operation: &Operation,
    name: &str,
    planned: &Object,
) -> CreateLoadBalancerInputBuilder {
    let subnets = planned.strings("subnets");
    let groups = planned.strings("security_groups");
    let mappings = mappings(planned);
    let scheme = planned.bool("internal").map(|it| if it { "internal" } else { "internet-facing" });
    CreateLoadBalancerInputBuilder::default()
        .name(name)
        .set_type(planned.str("load_balancer_type").map(LoadBalancerTypeEnum::from))
        .set_scheme(scheme.map(LoadBalancerSchemeEnum::from))
        .set_subnets((mappings.is_empty() && !subnets.is_empty()).then_some(subnets))
        .set_subnet_mappings((!mappings.is_empty()).then_some(mappings))
        .set_security_groups((!groups.is_empty()).then_some(groups))
        .set_ip_address_type(planned.str("ip_address_type").map(IpAddressType::from))
        .set_customer_owned_ipv4_pool(planned.string("customer_owned_ipv4_pool"))
        .set_ipam_pools(ipam_pools(planned))
        .set_tags(Some(tags::elbv2_create(operation, planned)))
}

/// Returns the subnet mappings of a request.
pub(super) fn mappings(planned: &Object) -> Vec<SubnetMapping> {
    let mapping = |block: &Object| {
        SubnetMapping::builder()
            .set_subnet_id(block.string("subnet_id"))
            .set_allocation_id(block.string("allocation_id"))
            .set_private_ipv4_address(block.string("private_ipv4_address"))
            .set_ipv6_address(block.string("ipv6_address"))
            .build()
    };
    planned.blocks("subnet_mapping").map(mapping).collect()
}

/// Returns the address pools of a request.
pub(super) fn ipam_pools(planned: &Object) -> Option<IpamPools> {
    let pool = planned.block("ipam_pools")?.string("ipv4_ipam_pool_id");
    Some(IpamPools::builder().set_ipv4_ipam_pool_id(pool).build())
}

/// Returns what a load balancer's state says.
pub(super) fn status(balancer: &LoadBalancer) -> Status {
    let state = balancer.state();
    let code = state.and_then(|state| state.code()).map_or("unknown", |code| code.as_str());
    match code {
        "active" | "active_impaired" => Status::Ready,
        "failed" => Status::Failed(match state.and_then(|state| state.reason()) {
            Some(reason) => format!("{code}: {reason}"),
            None => code.to_owned(),
        }),
        _ => Status::Pending(code.to_owned()),
    }
}

/// Returns what `DescribeLoadBalancers` tells of a load balancer.
pub(crate) fn object(balancer: &LoadBalancer) -> Object {
    let arn = balancer.load_balancer_arn().unwrap_or_default();
    let zones = balancer.availability_zones();
    let subnets: Vec<&str> = zones.iter().filter_map(|zone| zone.subnet_id()).collect();
    let mapping = |zone: &AvailabilityZone| {
        let address = zone.load_balancer_addresses().first();
        Object::new()
            .with("subnet_id", zone.subnet_id())
            .with("allocation_id", address.and_then(|it| it.allocation_id()))
            .with("private_ipv4_address", address.and_then(|it| it.private_ipv4_address()))
            .with("ipv6_address", address.and_then(|it| it.ipv6_address()))
            .with("outpost_id", zone.outpost_id())
    };
    let pools = balancer.ipam_pools().and_then(IpamPools::ipv4_ipam_pool_id);
    let pool = |id: &str| Object::new().with("ipv4_ipam_pool_id", id);
    Object::new()
        .with("id", arn)
        .with("arn", arn)
        .with("arn_suffix", lookup::arn_suffix(arn))
        .with("dns_name", balancer.dns_name())
        .with("zone_id", balancer.canonical_hosted_zone_id())
        .with("vpc_id", balancer.vpc_id())
        .with("name", balancer.load_balancer_name())
        .with("load_balancer_type", balancer.r#type().map(LoadBalancerTypeEnum::as_str))
        .with("internal", balancer.scheme().map(LoadBalancerSchemeEnum::as_str) == Some("internal"))
        .with("ip_address_type", balancer.ip_address_type().map(IpAddressType::as_str))
        .with("subnets", subnets)
        .with("subnet_mapping", zones.iter().map(mapping).collect::<Vec<Object>>())
        .with("security_groups", Value::from(balancer.security_groups().to_vec()))
        .with(
            "enforce_security_group_inbound_rules_on_private_link_traffic",
            balancer.enforce_security_group_inbound_rules_on_private_link_traffic(),
        )
        .with("customer_owned_ipv4_pool", balancer.customer_owned_ipv4_pool())
        .with("ipam_pools", pools.map(pool).into_iter().collect::<Vec<Object>>())
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{
        LoadBalancerAddress, LoadBalancerState, LoadBalancerStateEnum,
    };
    use reconcile_model::Address;

    use super::*;

    const ARN: &str =
        "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/web/50dc6c49";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c45b6d7e8f".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_lb", "web"),
        }
    }

    #[test]
    fn what_is_unknown_is_left_to_aws() {
        let planned = Object::new()
            .with("name", Value::Unknown)
            .with("load_balancer_type", "application")
            .with("internal", Value::Unknown)
            .with("subnets", vec!["subnet-a", "subnet-c"])
            .with("subnet_mapping", Value::Unknown)
            .with("security_groups", Value::Unknown);
        let name = lookup::name(&operation(), &planned, "lb-");
        let input = create_input(&operation(), &name, &planned).build().unwrap();
        assert_eq!(input.name(), Some("lb-f8e7d6b54c"));
        assert_eq!(input.subnets(), ["subnet-a", "subnet-c"]);
        assert_eq!((input.scheme(), input.subnet_mappings().len()), (None, 0));
        assert!(input.security_groups().is_empty());
        assert_eq!(input.tags().len(), 3);
    }

    #[test]
    fn mappings_go_instead_of_subnets() {
        let block = Object::new().with("subnet_id", "subnet-a").with("allocation_id", "eipalloc-1");
        let planned = Object::new()
            .with("load_balancer_type", "network")
            .with("internal", true)
            .with("subnets", Value::Unknown)
            .with("subnet_mapping", vec![block]);
        let input = create_input(&operation(), "web", &planned).build().unwrap();
        assert_eq!(input.scheme(), Some(&LoadBalancerSchemeEnum::Internal));
        assert!(input.subnets().is_empty());
        assert_eq!(input.subnet_mappings()[0].allocation_id(), Some("eipalloc-1"));
    }

    #[test]
    fn a_load_balancer_is_read_in_terraforms_shape() {
        let address = LoadBalancerAddress::builder().allocation_id("eipalloc-1").build();
        let zone = AvailabilityZone::builder()
            .zone_name("ap-northeast-2a")
            .subnet_id("subnet-a")
            .load_balancer_addresses(address)
            .build();
        let state = LoadBalancerState::builder().code(LoadBalancerStateEnum::Provisioning).build();
        let balancer = LoadBalancer::builder()
            .load_balancer_arn(ARN)
            .load_balancer_name("web")
            .r#type(LoadBalancerTypeEnum::Application)
            .scheme(LoadBalancerSchemeEnum::InternetFacing)
            .availability_zones(zone)
            .security_groups("sg-1")
            .state(state)
            .build();
        assert_eq!(status(&balancer), Status::Pending("provisioning".to_owned()));
        let object = object(&balancer);
        assert_eq!(object.str("arn_suffix"), Some("app/web/50dc6c49"));
        assert_eq!(object.bool("internal"), Some(false));
        assert_eq!(object.strings("subnets"), ["subnet-a"]);
        let mapping = object.block("subnet_mapping").unwrap();
        assert_eq!(mapping.str("allocation_id"), Some("eipalloc-1"));
        assert!(object.contains_key("ipam_pools") && !object.contains_key("idle_timeout"));
    }
}
