"""Load balancers, and the interfaces they hold in subnets and groups for longer than they live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ec2 import lookup as ec2
from ..ec2.interfaces import create_interface, public_address, remove_interface, set_public
from ..errors import AwsError
from ..operations import Call, operation
from ..world import utcnow
from . import attributes, lookup

if TYPE_CHECKING:
    from ..world import Region

LoadBalancer = dict[str, Any]

SHORT = {"application": "app", "network": "net", "gateway": "gwy"}
ZONE_IDS = {"application": "ZWKZPGTI48KDX", "network": "ZIBE1TIR4HY56", "gateway": None}


def _mappings(call: Call) -> list[dict[str, Any]]:
    if call.get("Subnets") and call.get("SubnetMappings"):
        raise AwsError("ValidationError", "Only one of Subnets and SubnetMappings can be specified")
    return call.get("SubnetMappings") or [{"SubnetId": subnet_id} for subnet_id in call.get("Subnets", ())]


def _subnets(region: Region, kind: str, mappings: list[dict[str, Any]]) -> list[Any]:
    found = []
    for mapping in mappings:
        try:
            found.append(ec2.subnet(region, mapping.get("SubnetId", "")))
        except AwsError:
            raise AwsError("SubnetNotFound", f"The subnet ID '{mapping.get('SubnetId')}' does not exist") from None
    zones = [subnet.availability_zone for subnet in found]
    if len({subnet.vpc_id for subnet in found}) > 1:
        raise AwsError("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    if len(set(zones)) != len(zones):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "application" and len(found) < 2:
        raise AwsError("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if not found:
        raise AwsError("ValidationError", "At least one subnet must be specified")
    return found


def _groups(region: Region, kind: str, vpc_id: str, wanted: list[str] | None) -> list[str]:
    if kind == "gateway" and wanted:
        raise AwsError("ValidationError", "Security groups are not supported for load balancers with type 'gateway'")
    for group_id in wanted or ():
        try:
            ec2.group(region, group_id, vpc_id)
        except AwsError:
            raise AwsError("InvalidSecurityGroup", f"One or more security groups are invalid: {group_id}") from None
    if not wanted and kind == "application":
        return [ec2.default_group(region, vpc_id).id]
    return list(wanted or ())


def _settings(call: Call) -> dict[str, Any]:
    """What must be equal for a second creation to be the same; tags are not part of it."""
    return {
        "type": call.get("Type", "application"),
        "scheme": call.get("Scheme", "internet-facing"),
        "subnets": sorted(mapping.get("SubnetId", "") for mapping in _mappings(call)),
        "groups": sorted(call.get("SecurityGroups", ())),
        "address type": call.get("IpAddressType", "ipv4"),
    }


@operation("elbv2", "CreateLoadBalancer")
def create(call: Call) -> dict[str, Any]:
    region, name, kind = call.region, call.params["Name"], call.get("Type", "application")
    lookup.check_name(name, "load balancer")
    settings, mappings = _settings(call), _mappings(call)
    for existing in region.load_balancers.values():
        if existing["LoadBalancerName"] == name:
            if existing["_settings"] == settings:
                return {"LoadBalancers": [existing]}
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    subnets = _subnets(region, kind, mappings)
    vpc_id = subnets[0].vpc_id
    groups, tags = _groups(region, kind, vpc_id, call.get("SecurityGroups")), lookup.tags(call)
    scheme = call.get("Scheme", "internet-facing")
    attached = any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in region.moto.internet_gateways.values())
    if scheme == "internet-facing" and kind != "gateway" and not attached:
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
    suffix = lookup.suffix()
    path = f"{SHORT[kind]}/{name}/{suffix}"
    label = f"internal-{name}" if scheme == "internal" else name
    number = int(suffix[:8], 16) % 10**9
    dns = {
        "application": f"{label}-{number}.{region.name}.elb.amazonaws.com",
        "network": f"{name}-{suffix}.elb.{region.name}.amazonaws.com",
        "gateway": None,
    }
    balancer: LoadBalancer = {
        "LoadBalancerArn": lookup.arn(region, f"loadbalancer/{path}"),
        "DNSName": dns[kind],
        "CanonicalHostedZoneId": ZONE_IDS[kind],
        "CreatedTime": utcnow(),
        "LoadBalancerName": name,
        "Scheme": None if kind == "gateway" else scheme,
        "VpcId": vpc_id,
        "State": {"Code": "provisioning"},
        "Type": kind,
        "SecurityGroups": groups if kind == "application" or groups else None,
        "IpAddressType": call.get("IpAddressType", "ipv4"),
        "CustomerOwnedIpv4Pool": call.get("CustomerOwnedIpv4Pool"),
        "IpamPools": call.get("IpamPools"),
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on" if kind == "network" and groups else None,
        "_path": path,
        "_settings": settings,
        "_attributes": attributes.defaults(attributes.LOAD_BALANCER[kind]),
        "_tags": tags,
        "_interfaces": {},
    }
    if scheme == "internal":
        balancer["_attributes"]["ipv6.deny_all_igw_traffic"] = "true"
    _place(region, balancer, subnets, mappings)
    region.load_balancers[balancer["LoadBalancerArn"]] = balancer
    region.created(balancer["LoadBalancerArn"])
    outcome = call.outcome

    def settle() -> None:
        if outcome is None:
            balancer["State"] = {"Code": "active"}
        else:
            balancer["State"] = {"Code": "failed", "Reason": outcome.message}

    region.later("load_balancer_provisioning", settle)
    return {"LoadBalancers": [balancer]}


def _place(region: Region, balancer: LoadBalancer, subnets: list[Any], mappings: list[dict[str, Any]]) -> None:
    """Puts an interface into each subnet, and takes it out of the others."""
    interfaces: dict[str, str] = balancer["_interfaces"]
    wanted = {subnet.id for subnet in subnets}
    for subnet_id in [subnet_id for subnet_id in interfaces if subnet_id not in wanted]:
        _linger(region, interfaces.pop(subnet_id))
    by_subnet = {mapping["SubnetId"]: mapping for mapping in mappings}
    for subnet in subnets:
        if subnet.id not in interfaces:
            interface = create_interface(
                region,
                subnet,
                balancer["SecurityGroups"],
                description=f"ELB {balancer['_path']}",
                private_ip=by_subnet[subnet.id].get("PrivateIPv4Address"),
                interface_type="network_load_balancer" if balancer["Type"] == "network" else "interface",
                requester="amazon-elb",
            )
            if not balancer["SecurityGroups"]:
                interface["Groups"] = []
            interface["Status"] = "in-use"
            interface["Attachment"] = {
                "AttachmentId": f"ela-attach-{lookup.suffix()}",
                "DeleteOnTermination": False,
                "DeviceIndex": 1,
                "InstanceOwnerId": "amazon-elb",
                "Status": "attached",
            }
            if balancer["Scheme"] == "internet-facing":
                set_public(region, interface, {"PublicIp": public_address(), "IpOwnerId": "amazon-elb"})
            interfaces[subnet.id] = interface["NetworkInterfaceId"]
    balancer["AvailabilityZones"] = [
        {
            "ZoneName": subnet.availability_zone,
            "SubnetId": subnet.id,
            "LoadBalancerAddresses": [
                {
                    name: by_subnet[subnet.id][name]
                    for name in ("AllocationId", "PrivateIPv4Address")
                    if name in by_subnet[subnet.id]
                }
            ]
            if balancer["Type"] == "network" and set(by_subnet[subnet.id]) & {"AllocationId", "PrivateIPv4Address"}
            else [],
        }
        for subnet in subnets
    ]


def _linger(region: Region, interface_id: str) -> None:
    def gone() -> None:
        if interface := region.interfaces.get(interface_id):
            remove_interface(region, interface)

    region.later("load_balancer_interfaces_linger", gone)


@operation("elbv2", "DescribeLoadBalancers")
def describe(call: Call) -> dict[str, Any]:
    key, wanted = (
        ("LoadBalancerName", call.get("Names"))
        if call.get("Names")
        else ("LoadBalancerArn", call.get("LoadBalancerArns"))
    )
    found = lookup.select(
        call.region, list(call.region.load_balancers.values()), "LoadBalancerArn", key, wanted,
        "LoadBalancerNotFound", "Load balancer",
    )  # fmt: skip
    return lookup.paged(call, "LoadBalancers", found)


@operation("elbv2", "DeleteLoadBalancer")
def delete(call: Call) -> dict[str, Any]:
    region, arn = call.region, call.params["LoadBalancerArn"]
    balancer = region.load_balancers.get(arn)
    if balancer is None:
        return {}
    if balancer["_attributes"]["deletion_protection.enabled"] == "true":
        raise AwsError(
            "OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        )
    for listener in [one for one in region.listeners.values() if one["LoadBalancerArn"] == arn]:
        for rule_arn in [key for key, rule in region.rules.items() if rule["_listener"] == listener["ListenerArn"]]:
            del region.rules[rule_arn]
        del region.listeners[listener["ListenerArn"]]
    del region.load_balancers[arn]
    for interface_id in balancer["_interfaces"].values():
        _linger(region, interface_id)
    return {}


@operation("elbv2", "SetSubnets")
def set_subnets(call: Call) -> dict[str, Any]:
    region, balancer = call.region, lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    mappings = _mappings(call)
    subnets = _subnets(region, balancer["Type"], mappings)
    if any(subnet.vpc_id != balancer["VpcId"] for subnet in subnets):
        raise AwsError("InvalidConfigurationRequest", "The subnets are not in the VPC of the load balancer")
    if balancer["Type"] != "application":
        missing = {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} - {subnet.id for subnet in subnets}
        if missing:
            raise AwsError(
                "InvalidConfigurationRequest",
                "Subnet removal is not supported for Network Load Balancers. You must specify all existing subnets along with any new ones",
            )
    _place(region, balancer, subnets, mappings)
    balancer["_settings"]["subnets"] = sorted(subnet.id for subnet in subnets)
    if "IpAddressType" in call.params:
        balancer["IpAddressType"] = balancer["_settings"]["address type"] = call.params["IpAddressType"]
    return {"AvailabilityZones": balancer["AvailabilityZones"], "IpAddressType": balancer["IpAddressType"]}


@operation("elbv2", "SetSecurityGroups")
def set_groups(call: Call) -> dict[str, Any]:
    region, balancer = call.region, lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    wanted = call.params["SecurityGroups"]
    if balancer["Type"] == "network" and not balancer["SecurityGroups"]:
        raise AwsError(
            "InvalidConfigurationRequest",
            "You cannot set security groups on a Network Load Balancer that was created without any",
        )
    if not wanted:
        raise AwsError("ValidationError", "At least one security group must be specified")
    groups = _groups(region, balancer["Type"], balancer["VpcId"], wanted)
    balancer["SecurityGroups"] = groups
    balancer["_settings"]["groups"] = sorted(groups)
    for interface_id in balancer["_interfaces"].values():
        found = [ec2.group(region, group_id) for group_id in groups]
        region.interfaces[interface_id]["Groups"] = [{"GroupId": group.id, "GroupName": group.name} for group in found]
    enforce = call.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
    if enforce:
        balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = enforce
    return {
        "SecurityGroupIds": groups,
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": balancer[
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
        ],
    }


@operation("elbv2", "SetIpAddressType")
def set_address_type(call: Call) -> dict[str, Any]:
    balancer = lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    balancer["IpAddressType"] = balancer["_settings"]["address type"] = call.params["IpAddressType"]
    return {"IpAddressType": balancer["IpAddressType"]}


@operation("elbv2", "DescribeCapacityReservation")
def capacity(call: Call) -> dict[str, Any]:
    balancer = lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    units = balancer.get("_capacity")
    if units is None:
        return {"DecreaseRequestsRemaining": 2, "CapacityReservationState": []}
    zones = [zone["ZoneName"] for zone in balancer["AvailabilityZones"]]
    return {
        "DecreaseRequestsRemaining": 2,
        "MinimumLoadBalancerCapacity": {"CapacityUnits": units},
        "CapacityReservationState": [
            {"State": {"Code": "provisioned"}, "AvailabilityZone": zone, "EffectiveCapacityUnits": units / len(zones)}
            for zone in zones
        ],
    }


@operation("elbv2", "ModifyCapacityReservation")
def modify_capacity(call: Call) -> dict[str, Any]:
    balancer = lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    balancer["_capacity"] = None
    if not call.get("ResetCapacityReservation"):
        balancer["_capacity"] = call.get("MinimumLoadBalancerCapacity", {}).get("CapacityUnits")
    return capacity(call)


@operation("elbv2", "ModifyIpPools")
def modify_pools(call: Call) -> dict[str, Any]:
    balancer = lookup.load_balancer(call.region, call.params["LoadBalancerArn"])
    if call.get("RemoveIpamPools"):
        balancer["IpamPools"] = None
    elif pools := call.get("IpamPools"):
        balancer["IpamPools"] = pools
    return {"IpamPools": balancer.get("IpamPools")}
