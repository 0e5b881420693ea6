"""VPCs and what is in them: moto keeps them, the layer adds lists, dependencies and canonical forms."""

from __future__ import annotations

import ipaddress
from typing import Any

from ..errors import AwsError, dependency_violation, invalid_value
from ..moto_bridge import forward
from ..operations import Call, operation
from ..reads import By, Listing, listing
from . import lookup
from .security_groups import all_groups


def _ids(param: str, member: str, prefix: str, code: str, noun: str) -> By:
    malformed = code.replace(".NotFound", ".Malformed") if code.endswith(".NotFound") else None
    return By(param, member, code, f"The {noun} ID '{{}}' does not exist", prefix=prefix, malformed=malformed)


listing(Listing(
    "DescribeVpcs", "Vpcs", "VpcId",
    by=(_ids("VpcIds", "VpcId", "vpc", "InvalidVpcID.NotFound", "vpc"),),
    filters={
        "vpc-id": "VpcId", "cidr": "CidrBlock", "cidr-block": "CidrBlock", "state": "State", "is-default": "IsDefault",
        "isDefault": "IsDefault", "owner-id": "OwnerId", "dhcp-options-id": "DhcpOptionsId",
        "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
        "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
        "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock",
    },
    page=(5, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeSubnets", "Subnets", "SubnetId",
    by=(_ids("SubnetIds", "SubnetId", "subnet", "InvalidSubnetID.NotFound", "subnet"),),
    filters={
        "subnet-id": "SubnetId", "vpc-id": "VpcId", "state": "State", "owner-id": "OwnerId", "subnet-arn": "SubnetArn",
        "cidr": "CidrBlock", "cidr-block": "CidrBlock", "cidrBlock": "CidrBlock",
        "availability-zone": "AvailabilityZone", "availabilityZone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId", "availabilityZoneId": "AvailabilityZoneId",
        "available-ip-address-count": "AvailableIpAddressCount",
        "default-for-az": "DefaultForAz", "defaultForAz": "DefaultForAz",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch",
        "ipv6-cidr-block-association.ipv6-cidr-block": "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock",
    },
    page=(5, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeInternetGateways", "InternetGateways", "InternetGatewayId",
    by=(_ids("InternetGatewayIds", "InternetGatewayId", "igw", "InvalidInternetGatewayID.NotFound", "internetGateway"),),
    filters={
        "internet-gateway-id": "InternetGatewayId", "owner-id": "OwnerId",
        "attachment.vpc-id": "Attachments.VpcId", "attachment.state": "Attachments.State",
    },
    page=(5, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeRouteTables", "RouteTables", "RouteTableId",
    by=(_ids("RouteTableIds", "RouteTableId", "rtb", "InvalidRouteTableID.NotFound", "routeTable"),),
    filters={
        "route-table-id": "RouteTableId", "vpc-id": "VpcId", "owner-id": "OwnerId",
        "association.main": "Associations.Main", "association.subnet-id": "Associations.SubnetId",
        "association.gateway-id": "Associations.GatewayId",
        "association.route-table-association-id": "Associations.RouteTableAssociationId",
        "association.route-table-id": "Associations.RouteTableId",
        "route.destination-cidr-block": "Routes.DestinationCidrBlock",
        "route.destination-ipv6-cidr-block": "Routes.DestinationIpv6CidrBlock",
        "route.gateway-id": "Routes.GatewayId", "route.nat-gateway-id": "Routes.NatGatewayId",
        "route.instance-id": "Routes.InstanceId", "route.origin": "Routes.Origin", "route.state": "Routes.State",
        "route.vpc-peering-connection-id": "Routes.VpcPeeringConnectionId",
        "route.transit-gateway-id": "Routes.TransitGatewayId",
    },
    page=(5, 100),
))  # fmt: skip

listing(Listing(
    "DescribeNetworkAcls", "NetworkAcls", "NetworkAclId",
    by=(_ids("NetworkAclIds", "NetworkAclId", "acl", "InvalidNetworkAclID.NotFound", "networkAcl"),),
    filters={
        "network-acl-id": "NetworkAclId", "vpc-id": "VpcId", "default": "IsDefault", "owner-id": "OwnerId",
        "association.subnet-id": "Associations.SubnetId", "association.network-acl-id": "Associations.NetworkAclId",
        "association.association-id": "Associations.NetworkAclAssociationId",
        "entry.cidr": "Entries.CidrBlock", "entry.egress": "Entries.Egress", "entry.rule-action": "Entries.RuleAction",
        "entry.rule-number": "Entries.RuleNumber", "entry.protocol": "Entries.Protocol",
    },
    page=(5, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeVpcEndpoints", "VpcEndpoints", "VpcEndpointId",
    by=(By("VpcEndpointIds", "VpcEndpointId", "InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),),
    filters={
        "vpc-endpoint-id": "VpcEndpointId", "vpc-id": "VpcId", "service-name": "ServiceName",
        "vpc-endpoint-state": "State", "vpc-endpoint-type": "VpcEndpointType",
    },
    page=(1, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeLaunchTemplates", "LaunchTemplates", "LaunchTemplateId",
    by=(
        By("LaunchTemplateIds", "LaunchTemplateId", "InvalidLaunchTemplateId.NotFound", "The launch template ID '{}' does not exist"),
        By("LaunchTemplateNames", "LaunchTemplateName", "InvalidLaunchTemplateName.NotFoundException",
           "The launch template name '{}' does not exist"),
    ),
    filters={"launch-template-name": "LaunchTemplateName", "create-time": "CreateTime"},
    page=(1, 200),
))  # fmt: skip

listing(Listing(
    "DescribeDhcpOptions", "DhcpOptions", "DhcpOptionsId",
    by=(By("DhcpOptionsIds", "DhcpOptionsId", "InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist"),),
    filters={"dhcp-options-id": "DhcpOptionsId", "owner-id": "OwnerId", "key": "DhcpConfigurations.Key",
             "value": "DhcpConfigurations.Values.Value"},
    page=(5, 1000),
))  # fmt: skip

listing(Listing(
    "DescribeRegions", "Regions", "RegionName",
    by=(By("RegionNames", "RegionName", "InvalidParameterValue", "Invalid region name: {}"),),
    filters={"region-name": "RegionName", "endpoint": "Endpoint", "opt-in-status": "OptInStatus"},
))  # fmt: skip

ZONES = Listing(
    "DescribeAvailabilityZones", "AvailabilityZones", "ZoneName",
    by=(
        By("ZoneNames", "ZoneName", "InvalidParameterValue", "Invalid availability zone: [{}]"),
        By("ZoneIds", "ZoneId", "InvalidParameterValue", "Invalid availability zone-id: [{}]"),
    ),
    filters={
        "zone-name": "ZoneName", "zone-id": "ZoneId", "zone-type": "ZoneType", "region-name": "RegionName",
        "state": "State", "opt-in-status": "OptInStatus", "group-name": "GroupName", "group-long-name": "GroupName",
        "parent-zone-id": "ParentZoneId", "parent-zone-name": "ParentZoneName", "message": "Messages.Message",
    },
)  # fmt: skip


@operation("ec2", "DescribeAvailabilityZones")
def zones(call: Call) -> dict[str, Any]:
    region = call.region
    found = [
        {
            "ZoneName": zone.name, "ZoneId": zone.zone_id, "ZoneType": "availability-zone", "State": "available",
            "RegionName": region.name, "OptInStatus": "opt-in-not-required", "GroupName": f"{region.name}-zg-1",
            "NetworkBorderGroup": region.name, "Messages": [],
        }
        for zone in region.moto.describe_availability_zones()
    ]  # fmt: skip
    return ZONES(call, {"AvailabilityZones": found})


def _canonical(call: Call, param: str, wire: str) -> None:
    """Clears the host bits of a CIDR parameter, as AWS does before it stores one."""
    value = call.get(param)
    if value:
        try:
            call.form[wire] = call.params[param] = str(ipaddress.ip_network(value, strict=False))
        except ValueError:
            raise invalid_value(
                f"Value ({value}) for parameter {wire[:1].lower() + wire[1:]} is invalid. This is not a valid CIDR block."
            ) from None


@operation("ec2", "CreateVpc")
def create_vpc(call: Call) -> dict[str, Any]:
    _canonical(call, "CidrBlock", "CidrBlock")
    result = forward(call)
    call.region.created(result["Vpc"]["VpcId"])
    return result


@operation("ec2", "CreateSubnet")
def create_subnet(call: Call) -> dict[str, Any]:
    lookup.vpc(call.region, call.params["VpcId"])
    _canonical(call, "CidrBlock", "CidrBlock")
    result = forward(call)
    call.region.created(result["Subnet"]["SubnetId"])
    return result


@operation("ec2", "CreateInternetGateway")
def create_internet_gateway(call: Call) -> dict[str, Any]:
    result = forward(call)
    call.region.created(result["InternetGateway"]["InternetGatewayId"])
    return result


@operation("ec2", "CreateRouteTable")
def create_route_table(call: Call) -> dict[str, Any]:
    lookup.vpc(call.region, call.params["VpcId"])
    result = forward(call)
    call.region.created(result["RouteTable"]["RouteTableId"])
    return result


@operation("ec2", "CreateRoute", "ReplaceRoute")
def route(call: Call) -> dict[str, Any]:
    _canonical(call, "DestinationCidrBlock", "DestinationCidrBlock")
    return forward(call)


@operation("ec2", "DeleteSubnet")
def delete_subnet(call: Call) -> dict[str, Any]:
    subnet = lookup.subnet(call.region, call.params["SubnetId"])
    if any(eni["SubnetId"] == subnet.id for eni in call.region.interfaces.values()):
        raise dependency_violation(f"The subnet '{subnet.id}' has dependencies and cannot be deleted.")
    return forward(call)


@operation("ec2", "DeleteVpc")
def delete_vpc(call: Call) -> dict[str, Any]:
    region, vpc = call.region, lookup.vpc(call.region, call.params["VpcId"])
    busy = any(eni["VpcId"] == vpc.id for eni in region.interfaces.values())
    busy = busy or any(group.vpc_id == vpc.id and group.name != "default" for group in all_groups(region))
    busy = busy or any(
        acl.vpc_id == vpc.id and str(acl.default).lower() != "true" for acl in region.moto.network_acls.values()
    )
    busy = busy or any(gateway.vpc and gateway.vpc.id == vpc.id for gateway in region.moto.internet_gateways.values())
    if busy:
        raise dependency_violation(f"The vpc '{vpc.id}' has dependencies and cannot be deleted.")
    return forward(call)


@operation("ec2", "AttachInternetGateway")
def attach_internet_gateway(call: Call) -> dict[str, Any]:
    vpc_id = call.params["VpcId"]
    lookup.vpc(call.region, vpc_id)
    for gateway in call.region.moto.internet_gateways.values():
        if gateway.vpc and gateway.vpc.id == vpc_id:
            raise AwsError("Resource.AlreadyAssociated", f"Network {vpc_id} already has an internet gateway attached")
    return forward(call)


@operation("ec2", "DetachInternetGateway")
def detach_internet_gateway(call: Call) -> dict[str, Any]:
    gateway_id, vpc_id = call.params["InternetGatewayId"], call.params["VpcId"]
    gateway = call.region.moto.internet_gateways.get(gateway_id)
    if gateway is not None and not (gateway.vpc and gateway.vpc.id == vpc_id):
        raise AwsError("Gateway.NotAttached", f"resource {gateway_id} is not attached to network {vpc_id}")
    if any(eni["VpcId"] == vpc_id and eni.get("Association") for eni in call.region.interfaces.values()):
        raise dependency_violation(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        )
    return forward(call)
