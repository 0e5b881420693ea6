"""NAT gateways, which take their time both ways and can fail after the call that makes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ..errors import AwsError
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow
from . import lookup
from .addresses import associate_with, disassociate_from
from .interfaces import create_interface, remove_interface

GATEWAYS = Listing(
    "DescribeNatGateways", "NatGateways", "NatGatewayId",
    by=(By("NatGatewayIds", "NatGatewayId", "NatGatewayNotFound", "The Nat Gateway {} was not found", prefix="nat",
           malformed="NatGatewayMalformed"),),
    filters={"nat-gateway-id": "NatGatewayId", "state": "State", "subnet-id": "SubnetId", "vpc-id": "VpcId"},
    page=(5, 1000),
)  # fmt: skip


@operation("ec2", "DescribeNatGateways")
def describe(call: Call) -> dict[str, Any]:
    return GATEWAYS(call, {"NatGateways": list(call.region.nat_gateways.values())})


@operation("ec2", "CreateNatGateway")
def create(call: Call) -> dict[str, Any]:
    region, subnet = call.region, lookup.subnet(call.region, call.params["SubnetId"])
    public = call.get("ConnectivityType", "public") == "public"
    address = None
    if public:
        address = region.addresses.get(call.get("AllocationId", ""))
        if address is None:
            raise AwsError(
                "InvalidAllocationID.NotFound", f"The allocation ID '{call.get('AllocationId')}' does not exist"
            )
        if address.get("AssociationId"):
            raise AwsError("Resource.AlreadyAssociated", f"resource {address['AllocationId']} is already associated")
    gateway_id = new_id("nat")
    interface = create_interface(
        region, subnet, None, description=f"Interface for NAT Gateway {gateway_id}", private_ip=call.get("PrivateIpAddress"),
        interface_type="nat_gateway", requester="amazon-nat",
    )  # fmt: skip
    interface["Status"] = "in-use"
    entry: dict[str, Any] = {
        "NetworkInterfaceId": interface["NetworkInterfaceId"],
        "PrivateIp": interface["PrivateIpAddress"],
        "IsPrimary": True,
    }
    if address is not None:
        entry |= {
            "AllocationId": address["AllocationId"],
            "PublicIp": address["PublicIp"],
            "AssociationId": associate_with(region, address, interface),
        }
    gateway = {
        "NatGatewayId": gateway_id,
        "SubnetId": subnet.id,
        "VpcId": subnet.vpc_id,
        "State": "pending",
        "CreateTime": utcnow(),
        "ConnectivityType": "public" if public else "private",
        "NatGatewayAddresses": [entry],
        "Tags": call.tags_for("natgateway"),
    }
    region.nat_gateways[gateway_id] = gateway
    # moto's routes only ask whether the gateway exists.
    region.moto.nat_gateways[gateway_id] = SimpleNamespace(id=gateway_id)
    region.created(gateway_id)
    attached = any(g.vpc and g.vpc.id == subnet.vpc_id for g in region.moto.internet_gateways.values())
    outcome = call.outcome

    def settle() -> None:
        if gateway["State"] != "pending":
            return
        if outcome is not None or (public and not attached):
            gateway["State"] = "failed"
            gateway["FailureCode"] = outcome.code if outcome is not None else "Gateway.NotAttached"
            gateway["FailureMessage"] = (
                outcome.message if outcome is not None else f"Network {subnet.vpc_id} has no Internet gateway attached"
            )
            _release(call, gateway)
        else:
            gateway["State"] = "available"

    region.later("nat_pending", settle)
    return {"NatGateway": gateway, "ClientToken": call.get("ClientToken")}


def _release(call: Call, gateway: dict[str, Any]) -> None:
    for entry in gateway["NatGatewayAddresses"]:
        if address := call.region.addresses.get(entry.get("AllocationId", "")):
            disassociate_from(call.region, address)
        if interface := call.region.interfaces.get(entry["NetworkInterfaceId"]):
            remove_interface(call.region, interface)


@operation("ec2", "DeleteNatGateway")
def delete(call: Call) -> dict[str, Any]:
    gateway = call.region.nat_gateways.get(call.params["NatGatewayId"])
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"The Nat Gateway {call.params['NatGatewayId']} was not found")
    if gateway["State"] not in ("deleting", "deleted"):
        gateway["State"] = "deleting"

        def gone() -> None:
            _release(call, gateway)
            gateway["State"], gateway["DeleteTime"] = "deleted", utcnow()
            call.region.moto.nat_gateways.pop(gateway["NatGatewayId"], None)

        call.region.later("nat_deleting", gone)
    return {"NatGatewayId": gateway["NatGatewayId"]}
