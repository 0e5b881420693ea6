"""Network interfaces: the things that hold subnets and security groups in use."""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING, Any

from ..errors import AwsError, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow
from . import lookup

if TYPE_CHECKING:
    from ..world import Region

Interface = dict[str, Any]

INTERFACES = Listing(
    "DescribeNetworkInterfaces", "NetworkInterfaces", "NetworkInterfaceId",
    by=(
        By("NetworkInterfaceIds", "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound",
           "The networkInterface ID '{}' does not exist", prefix="eni", malformed="InvalidNetworkInterfaceId.Malformed"),
    ),
    filters={
        "network-interface-id": "NetworkInterfaceId", "subnet-id": "SubnetId", "vpc-id": "VpcId", "status": "Status",
        "availability-zone": "AvailabilityZone", "description": "Description", "group-id": "Groups.GroupId",
        "group-name": "Groups.GroupName", "interface-type": "InterfaceType", "mac-address": "MacAddress",
        "owner-id": "OwnerId", "private-dns-name": "PrivateDnsName", "private-ip-address": "PrivateIpAddress",
        "requester-id": "RequesterId", "requester-managed": "RequesterManaged", "source-dest-check": "SourceDestCheck",
        "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
        "addresses.primary": "PrivateIpAddresses.Primary",
        "addresses.association.public-ip": "PrivateIpAddresses.Association.PublicIp",
        "association.allocation-id": "Association.AllocationId",
        "association.association-id": "Association.AssociationId",
        "association.public-ip": "Association.PublicIp",
        "attachment.attachment-id": "Attachment.AttachmentId",
        "attachment.instance-id": "Attachment.InstanceId",
        "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
        "attachment.device-index": "Attachment.DeviceIndex",
        "attachment.status": "Attachment.Status",
        "attachment.delete-on-termination": "Attachment.DeleteOnTermination",
    },
    page=(5, 1000), ids_exclude_paging=True, tags="TagSet",
)  # fmt: skip


def private_dns(region: Region, address: str) -> str:
    suffix = "ec2.internal" if region.name == "us-east-1" else f"{region.name}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{suffix}"


def public_dns(region: Region, address: str) -> str:
    suffix = "compute-1" if region.name == "us-east-1" else f"{region.name}.compute"
    return f"ec2-{address.replace('.', '-')}.{suffix}.amazonaws.com"


def public_address() -> str:
    """An address from 198.18.0.0/15, which no one on the internet answers at (RFC 2544)."""
    return f"198.{18 + secrets.randbelow(2)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"


def take_address(subnet: Any, wanted: str | None) -> str:
    """A private address of a subnet, the wanted one or any free one."""
    if wanted is None:
        try:
            return subnet.get_available_subnet_ip(subnet)
        except StopIteration:
            raise AwsError(
                "InsufficientFreeAddressesInSubnet",
                f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of instances.",
            ) from None
    try:
        inside = ipaddress.ip_address(wanted) in ipaddress.ip_network(subnet.cidr_block)
    except ValueError:
        raise invalid_value(f"Value ({wanted}) for parameter privateIpAddress is invalid.") from None
    if not inside:
        raise invalid_value(f"Address {wanted} does not fall within the subnet's address range")
    if wanted in subnet._subnet_ips:
        raise AwsError("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
    subnet.request_ip(wanted, subnet)
    return wanted


def take_ipv6(subnet: Any, count: int, wanted: list[str]) -> list[dict[str, Any]]:
    """IPv6 addresses of a subnet that has a block of them."""
    if not count and not wanted:
        return []
    blocks = [
        ipaddress.ip_network(association["ipv6CidrBlock"], strict=False)
        for association in subnet.ipv6_cidr_block_associations.values()
        if association["ipv6CidrBlockState"]["State"] == "associated"
    ]
    if not blocks:
        raise invalid_value(f"The subnet '{subnet.id}' has no IPv6 CIDR block")
    for address in wanted:
        try:
            inside = any(ipaddress.ip_address(address) in block for block in blocks)
        except ValueError:
            inside = False
        if not inside:
            raise invalid_value(f"Address {address} does not fall within the subnet's IPv6 address range")
    taken = [str(ipaddress.ip_address(address)) for address in wanted]
    taken += [str(blocks[0][256 + secrets.randbelow(2**48)]) for _ in range(count)]
    return [{"Ipv6Address": address, "IsPrimaryIpv6": False} for address in taken]


def groups_for(region: Region, vpc_id: str, group_ids: list[str] | None) -> list[dict[str, str]]:
    """The groups of an interface; the VPC's default group where none is asked for."""
    groups = [lookup.group(region, group_id, vpc_id) for group_id in group_ids or ()]
    groups = groups or [lookup.default_group(region, vpc_id)]
    return [{"GroupId": group.id, "GroupName": group.name} for group in groups]


def create_interface(
    region: Region,
    subnet: Any,
    group_ids: list[str] | None,
    *,
    description: str = "",
    private_ip: str | None = None,
    secondary: int = 0,
    more_ips: list[str] | None = None,
    tags: list[dict[str, str]] | None = None,
    interface_type: str = "interface",
    requester: str | None = None,
    ipv6_count: int = 0,
    ipv6_addresses: list[str] | None = None,
) -> Interface:
    """Makes an interface and takes its addresses."""
    groups = groups_for(region, subnet.vpc_id, group_ids)
    ipv6 = take_ipv6(subnet, ipv6_count, ipv6_addresses or [])
    # The wanted ones first: a free one must not be one of them.
    wanted = [take_address(subnet, ip) for ip in more_ips or ()]
    address = take_address(subnet, private_ip)
    others = wanted + [take_address(subnet, None) for _ in range(secondary)]
    interface = {
        "NetworkInterfaceId": new_id("eni"),
        "SubnetId": subnet.id,
        "VpcId": subnet.vpc_id,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": subnet.availability_zone_id,
        "Description": description,
        "Groups": groups,
        "InterfaceType": interface_type,
        "Ipv6Addresses": ipv6,
        "MacAddress": "02:" + ":".join(f"{secrets.randbelow(256):02x}" for _ in range(5)),
        "OwnerId": region.account.id,
        "PrivateDnsName": private_dns(region, address),
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [
            {"Primary": ip == address, "PrivateIpAddress": ip, "PrivateDnsName": private_dns(region, ip)}
            for ip in (address, *others)
        ],
        "RequesterManaged": requester is not None,
        "RequesterId": requester,
        "SourceDestCheck": True,
        "Status": "available",
        "TagSet": tags or [],
    }
    region.interfaces[interface["NetworkInterfaceId"]] = interface
    region.created(interface["NetworkInterfaceId"])
    return interface


def remove_interface(region: Region, interface: Interface) -> None:
    """Takes an interface out of the world and gives its addresses back."""
    region.interfaces.pop(interface["NetworkInterfaceId"], None)
    for address in region.addresses.values():
        if address.get("NetworkInterfaceId") == interface["NetworkInterfaceId"]:
            for name in (
                "NetworkInterfaceId",
                "AssociationId",
                "InstanceId",
                "PrivateIpAddress",
                "NetworkInterfaceOwnerId",
            ):
                address.pop(name, None)
    for subnets in region.moto.subnets.values():
        if subnet := subnets.get(interface["SubnetId"]):
            for entry in interface["PrivateIpAddresses"]:
                subnet.del_subnet_ip(entry["PrivateIpAddress"])


def attach(region: Region, interface: Interface, instance_id: str, index: int, *, delete: bool) -> str:
    """Attaches an interface to an instance and returns the attachment's id."""
    interface["Status"] = "in-use"
    interface["Attachment"] = {
        "AttachmentId": new_id("eni-attach"),
        "AttachTime": utcnow(),
        "DeleteOnTermination": delete,
        "DeviceIndex": index,
        "NetworkCardIndex": 0,
        "InstanceId": instance_id,
        "InstanceOwnerId": region.account.id,
        "Status": "attached",
    }
    return interface["Attachment"]["AttachmentId"]


def detach(interface: Interface) -> None:
    interface.pop("Attachment", None)
    interface["Status"] = "available"


def set_public(region: Region, interface: Interface, association: dict[str, Any] | None) -> None:
    """Gives an interface's primary address a public one, or takes it away."""
    primary = interface["PrivateIpAddresses"][0]
    for holder in (interface, primary):
        if association is None:
            holder.pop("Association", None)
        else:
            holder["Association"] = {
                **association,
                "PublicDnsName": public_dns(region, association["PublicIp"]),
            }


def of_instance(region: Region, instance_id: str) -> list[Interface]:
    """An instance's interfaces by device index."""
    found = [eni for eni in region.interfaces.values() if eni.get("Attachment", {}).get("InstanceId") == instance_id]
    return sorted(found, key=lambda eni: eni["Attachment"]["DeviceIndex"])


@operation("ec2", "DescribeNetworkInterfaces")
def describe(call: Call) -> dict[str, Any]:
    return INTERFACES(call, {"NetworkInterfaces": list(call.region.interfaces.values())})


@operation("ec2", "CreateNetworkInterface")
def create(call: Call) -> dict[str, Any]:
    entries = call.get("PrivateIpAddresses", [])
    primary = call.get("PrivateIpAddress") or next((e["PrivateIpAddress"] for e in entries if e.get("Primary")), None)
    interface = create_interface(
        call.region,
        lookup.subnet(call.region, call.params["SubnetId"]),
        call.get("Groups"),
        description=call.get("Description", ""),
        private_ip=primary,
        secondary=call.get("SecondaryPrivateIpAddressCount", 0),
        more_ips=[e["PrivateIpAddress"] for e in entries if e["PrivateIpAddress"] != primary],
        tags=call.tags_for("network-interface"),
        interface_type=call.get("InterfaceType", "interface"),
        ipv6_count=call.get("Ipv6AddressCount", 0),
        ipv6_addresses=[entry["Ipv6Address"] for entry in call.get("Ipv6Addresses", ())],
    )
    return {"NetworkInterface": interface, "ClientToken": call.get("ClientToken")}


@operation("ec2", "DeleteNetworkInterface")
def delete(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    if interface["Status"] != "available":
        raise AwsError(
            "InvalidNetworkInterface.InUse", f"Interface {interface['NetworkInterfaceId']} is currently in use."
        )
    remove_interface(call.region, interface)
    return {"Return": True}


@operation("ec2", "AttachNetworkInterface")
def attach_call(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    instance = lookup.instance(call.region, call.params["InstanceId"])
    index = call.params["DeviceIndex"]
    if interface["Status"] != "available":
        raise AwsError(
            "InvalidNetworkInterface.InUse", f"Interface {interface['NetworkInterfaceId']} is currently in use."
        )
    if any(eni["Attachment"]["DeviceIndex"] == index for eni in of_instance(call.region, instance["InstanceId"])):
        raise invalid_value(
            f"Instance '{instance['InstanceId']}' already has an interface attached at device index '{index}'."
        )
    if interface["AvailabilityZone"] != instance["Placement"]["AvailabilityZone"]:
        raise AwsError(
            "InvalidParameterCombination", "The interface and the instance are in different availability zones."
        )
    return {
        "AttachmentId": attach(call.region, interface, instance["InstanceId"], index, delete=False),
        "NetworkCardIndex": 0,
    }


@operation("ec2", "DetachNetworkInterface")
def detach_call(call: Call) -> dict[str, Any]:
    attachment_id = call.params["AttachmentId"]
    for interface in call.region.interfaces.values():
        attachment = interface.get("Attachment", {})
        if attachment.get("AttachmentId") == attachment_id:
            if attachment.get("DeviceIndex") == 0:
                raise AwsError(
                    "OperationNotPermitted",
                    "The network interface at device index 0 and networkCard index 0 cannot be detached.",
                )
            attachment["Status"] = interface["Status"] = "detaching"
            call.region.later("interface_detaching", lambda: detach(interface))
            return {"Return": True}
    raise AwsError("InvalidAttachmentID.NotFound", f"The attachment '{attachment_id}' does not exist")


@operation("ec2", "ModifyNetworkInterfaceAttribute")
def modify(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    if "Groups" in call.params:
        interface["Groups"] = groups_for(call.region, interface["VpcId"], call.params["Groups"])
    if "Description" in call.params:
        interface["Description"] = call.params["Description"].get("Value", "")
    if "SourceDestCheck" in call.params:
        interface["SourceDestCheck"] = call.params["SourceDestCheck"].get("Value", True)
    if call.get("EnablePrimaryIpv6"):
        if not interface["Ipv6Addresses"]:
            raise invalid_value("A primary IPv6 address needs an IPv6 address on the network interface.")
        interface["Ipv6Addresses"][0]["IsPrimaryIpv6"] = True
    if change := call.get("Attachment"):
        attachment = interface.get("Attachment")
        if attachment is None or change.get("AttachmentId") != attachment["AttachmentId"]:
            raise AwsError(
                "InvalidAttachmentID.NotFound", f"The attachment '{change.get('AttachmentId')}' does not exist"
            )
        attachment["DeleteOnTermination"] = change.get("DeleteOnTermination", attachment["DeleteOnTermination"])
    return {}


@operation("ec2", "AssignPrivateIpAddresses")
def assign(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    subnet = lookup.subnet(call.region, interface["SubnetId"])
    wanted: list[str | None] = call.get("PrivateIpAddresses") or [None] * call.get("SecondaryPrivateIpAddressCount", 1)
    taken = [take_address(subnet, address) for address in wanted]
    interface["PrivateIpAddresses"] += [
        {"Primary": False, "PrivateIpAddress": ip, "PrivateDnsName": private_dns(call.region, ip)} for ip in taken
    ]
    assigned = [{"PrivateIpAddress": ip} for ip in taken]
    return {"NetworkInterfaceId": interface["NetworkInterfaceId"], "AssignedPrivateIpAddresses": assigned}


@operation("ec2", "UnassignPrivateIpAddresses")
def unassign(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    subnet = lookup.subnet(call.region, interface["SubnetId"])
    gone = call.get("PrivateIpAddresses", [])
    secondary = {e["PrivateIpAddress"] for e in interface["PrivateIpAddresses"] if not e["Primary"]}
    if not set(gone) <= secondary:
        raise invalid_value("Some of the addresses are not secondary addresses of the interface")
    interface["PrivateIpAddresses"] = [e for e in interface["PrivateIpAddresses"] if e["PrivateIpAddress"] not in gone]
    for address in gone:
        subnet.del_subnet_ip(address)
    return {}


@operation("ec2", "AssignIpv6Addresses")
def assign_ipv6(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    subnet = lookup.subnet(call.region, interface["SubnetId"])
    taken = take_ipv6(subnet, call.get("Ipv6AddressCount", 0), call.get("Ipv6Addresses", []))
    interface["Ipv6Addresses"] = interface["Ipv6Addresses"] + taken
    addresses = [entry["Ipv6Address"] for entry in taken]
    return {"NetworkInterfaceId": interface["NetworkInterfaceId"], "AssignedIpv6Addresses": addresses}


@operation("ec2", "UnassignIpv6Addresses")
def unassign_ipv6(call: Call) -> dict[str, Any]:
    interface = lookup.interface(call.region, call.params["NetworkInterfaceId"])
    gone = call.get("Ipv6Addresses", [])
    if not set(gone) <= {entry["Ipv6Address"] for entry in interface["Ipv6Addresses"]}:
        raise invalid_value("Some of the addresses are not assigned to the interface")
    interface["Ipv6Addresses"] = [e for e in interface["Ipv6Addresses"] if e["Ipv6Address"] not in gone]
    return {"NetworkInterfaceId": interface["NetworkInterfaceId"], "UnassignedIpv6Addresses": gone}
