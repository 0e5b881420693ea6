"""Elastic IP addresses and what they are associated with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from . import lookup
from .interfaces import of_instance, public_address, set_public

if TYPE_CHECKING:
    from ..world import Region

QUOTA = 50

ADDRESSES = Listing(
    "DescribeAddresses", "Addresses", "AllocationId",
    by=(
        By("AllocationIds", "AllocationId", "InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
        By("PublicIps", "PublicIp", "InvalidAddress.NotFound", "Address '{}' not found."),
    ),
    filters={
        "allocation-id": "AllocationId", "association-id": "AssociationId", "instance-id": "InstanceId",
        "network-interface-id": "NetworkInterfaceId", "public-ip": "PublicIp", "private-ip-address": "PrivateIpAddress",
        "domain": "Domain", "network-interface-owner-id": "NetworkInterfaceOwnerId",
        "network-border-group": "NetworkBorderGroup",
    },
)  # fmt: skip


@operation("ec2", "DescribeAddresses")
def describe(call: Call) -> dict[str, Any]:
    return ADDRESSES(call, {"Addresses": list(call.region.addresses.values())})


@operation("ec2", "AllocateAddress")
def allocate(call: Call) -> dict[str, Any]:
    region = call.region
    if len(region.addresses) >= QUOTA:
        raise AwsError("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    address = {
        "AllocationId": new_id("eipalloc"),
        "PublicIp": public_address(),
        "Domain": "vpc",
        "PublicIpv4Pool": call.get("PublicIpv4Pool", "amazon"),
        "NetworkBorderGroup": call.get("NetworkBorderGroup", region.name),
        "Tags": call.tags_for("elastic-ip"),
    }
    region.addresses[address["AllocationId"]] = address
    region.created(address["AllocationId"])
    return address


def _of(call: Call) -> dict[str, Any]:
    if allocation_id := call.get("AllocationId"):
        if allocation_id not in call.region.addresses:
            raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")
        return call.region.addresses[allocation_id]
    for address in call.region.addresses.values():
        if address["PublicIp"] == call.get("PublicIp"):
            return address
    raise AwsError("InvalidAddress.NotFound", f"Address '{call.get('PublicIp')}' not found.")


@operation("ec2", "ReleaseAddress")
def release(call: Call) -> dict[str, Any]:
    address = _of(call)
    if address.get("AssociationId"):
        raise AwsError("InvalidIPAddress.InUse", f"Address {address['PublicIp']} is in use.")
    del call.region.addresses[address["AllocationId"]]
    return {"Return": True}


def associate_with(region: Region, address: dict[str, Any], interface: dict[str, Any]) -> str:
    """Associates an address with an interface; the association's id."""
    address |= {
        "AssociationId": new_id("eipassoc"),
        "NetworkInterfaceId": interface["NetworkInterfaceId"],
        "NetworkInterfaceOwnerId": region.account.id,
        "PrivateIpAddress": interface["PrivateIpAddress"],
        "InstanceId": interface.get("Attachment", {}).get("InstanceId"),
    }
    association = {
        "PublicIp": address["PublicIp"],
        "IpOwnerId": region.account.id,
        "AllocationId": address["AllocationId"],
        "AssociationId": address["AssociationId"],
    }
    set_public(region, interface, association)
    return address["AssociationId"]


def disassociate_from(region: Region, address: dict[str, Any]) -> None:
    interface = region.interfaces.get(address.pop("NetworkInterfaceId", None) or "")
    for name in ("AssociationId", "NetworkInterfaceOwnerId", "PrivateIpAddress", "InstanceId"):
        address.pop(name, None)
    if interface is not None:
        set_public(region, interface, None)


@operation("ec2", "AssociateAddress")
def associate(call: Call) -> dict[str, Any]:
    region, address = call.region, _of(call)
    if instance_id := call.get("InstanceId"):
        instance = lookup.instance(region, instance_id)
        if instance["State"]["Name"] not in ("running", "stopped", "stopping"):
            raise AwsError(
                "InvalidInstanceID",
                f"The {instance['State']['Name']} instance '{instance_id}' is not in a valid state for this operation.",
            )
        interface = of_instance(region, instance_id)[0]
    else:
        interface = lookup.interface(region, call.get("NetworkInterfaceId", ""))
    current = address.get("NetworkInterfaceId")
    if current == interface["NetworkInterfaceId"]:
        return {"AssociationId": address["AssociationId"]}
    if current and call.get("AllowReassociation") is False:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {address['AllocationId']} is already associated with associate-id {address['AssociationId']}",
        )
    if current:
        disassociate_from(region, address)
    return {"AssociationId": associate_with(region, address, interface)}


@operation("ec2", "DisassociateAddress")
def disassociate(call: Call) -> dict[str, Any]:
    for address in call.region.addresses.values():
        if call.get("AssociationId") and address.get("AssociationId") == call.get("AssociationId"):
            disassociate_from(call.region, address)
            return {"Return": True}
        if call.get("PublicIp") == address["PublicIp"] and address.get("AssociationId"):
            disassociate_from(call.region, address)
            return {"Return": True}
    raise AwsError("InvalidAssociationID.NotFound", f"The association ID '{call.get('AssociationId')}' does not exist")
