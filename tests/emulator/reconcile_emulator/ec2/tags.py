"""Tags after creation, on what is ours and on what is moto's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException

from ..errors import AwsError
from ..operations import MAX_TAGS, Call, operation
from ..reads import Listing
from .security_groups import all_groups, rules_of

if TYPE_CHECKING:
    from ..world import Region

TAGS = Listing(
    "DescribeTags", "Tags", "ResourceId",
    filters={"key": "Key", "value": "Value", "resource-id": "ResourceId", "resource-type": "ResourceType"},
    page=(5, 1000),
)  # fmt: skip

# Type as DescribeTags names it, the region's store, and the member that holds the tags.
STORES = {
    "i": ("instance", "instances", "Tags"),
    "vol": ("volume", "volumes", "Tags"),
    "snap": ("snapshot", "snapshots", "Tags"),
    "ami": ("image", "images", "Tags"),
    "eni": ("network-interface", "interfaces", "TagSet"),
    "key": ("key-pair", "keys", "Tags"),
    "eipalloc": ("elastic-ip", "addresses", "Tags"),
    "nat": ("natgateway", "nat_gateways", "Tags"),
    "pg": ("placement-group", "placement_groups", "Tags"),
    "sir": ("spot-instances-request", "spot_requests", "Tags"),
}

IN_MOTO = {
    "vpc": "vpc",
    "subnet": "subnet",
    "sg": "security-group",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "acl": "network-acl",
    "vpce": "vpc-endpoint",
    "lt": "launch-template",
    "dopt": "dhcp-options",
}

NOT_FOUND = {
    "i": "InvalidInstanceID.NotFound",
    "vol": "InvalidVolume.NotFound",
    "snap": "InvalidSnapshot.NotFound",
    "ami": "InvalidAMIID.NotFound",
    "eni": "InvalidNetworkInterfaceID.NotFound",
    "key": "InvalidKeyPair.NotFound",
    "eipalloc": "InvalidAllocationID.NotFound",
    "nat": "NatGatewayNotFound",
    "sgr": "InvalidSecurityGroupRuleId.NotFound",
    "pg": "InvalidPlacementGroup.Unknown",
    "sir": "InvalidSpotInstanceRequestID.NotFound",
}


def _rules(region: Region) -> list[dict[str, Any]]:
    return [rule for group in all_groups(region) for rule in rules_of(region, group)]


def _holder(region: Region, resource_id: str) -> tuple[dict[str, Any], str] | None:
    """The object that holds its own tags, and in which member; None for what moto holds."""
    prefix = resource_id.rpartition("-")[0]
    if prefix in STORES:
        _, store, member = STORES[prefix]
        found = getattr(region, store).get(resource_id)
    elif prefix == "sgr":
        found, member = (
            next((rule for rule in _rules(region) if rule["SecurityGroupRuleId"] == resource_id), None),
            "Tags",
        )
    else:
        try:
            region.moto.do_resources_exist([resource_id])
        except ServiceException as error:
            raise AwsError(error.code, error.message) from None
        except Exception:
            raise AwsError("InvalidID", f"The ID '{resource_id}' is not valid") from None
        if region.hidden_from_writes(resource_id):
            raise AwsError("InvalidID", f"The ID '{resource_id}' is not valid")
        return None
    if found is None or region.hidden_from_writes(resource_id):
        raise AwsError(NOT_FOUND[prefix], f"The ID '{resource_id}' does not exist")
    return found, member


@operation("ec2", "CreateTags")
def create(call: Call) -> dict[str, Any]:
    region, wanted = call.region, {tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]}
    holders = {resource_id: _holder(region, resource_id) for resource_id in call.params["Resources"]}
    merged: dict[str, dict[str, str]] = {}
    for resource_id, holder in holders.items():
        if holder is None:
            present = dict(region.moto.tags.get(resource_id, {}))
        else:
            present = {tag["Key"]: tag["Value"] for tag in holder[0][holder[1]]}
        merged[resource_id] = {**present, **wanted}
        if len(merged[resource_id]) > MAX_TAGS:
            raise AwsError("TagLimitExceeded", f"The maximum number of tags for a resource is {MAX_TAGS}.")
    for resource_id, holder in holders.items():
        _store(region, resource_id, holder, merged[resource_id])
    return {}


@operation("ec2", "DeleteTags")
def delete(call: Call) -> dict[str, Any]:
    region = call.region
    for resource_id in call.params["Resources"]:
        holder = _holder(region, resource_id)
        present = dict(region.moto.tags.get(resource_id, {})) if holder is None else {
            tag["Key"]: tag["Value"] for tag in holder[0][holder[1]]
        }  # fmt: skip
        if not call.get("Tags"):
            present = {}
        for tag in call.get("Tags", ()):
            if "Value" not in tag or present.get(tag["Key"]) == tag["Value"]:
                present.pop(tag["Key"], None)
        _store(region, resource_id, holder, present)
    return {}


def _store(region: Region, resource_id: str, holder: tuple[dict[str, Any], str] | None, tags: dict[str, str]) -> None:
    if holder is None:
        region.moto.tags[resource_id] = tags
    else:
        holder[0][holder[1]] = [{"Key": key, "Value": value} for key, value in tags.items()]


@operation("ec2", "DescribeTags")
def describe(call: Call) -> dict[str, Any]:
    region, found = call.region, []
    for kind, store, member in STORES.values():
        for resource_id, item in getattr(region, store).items():
            found += [{"ResourceId": resource_id, "ResourceType": kind, **tag} for tag in item[member]]
    for rule in _rules(region):
        found += [
            {"ResourceId": rule["SecurityGroupRuleId"], "ResourceType": "security-group-rule", **tag}
            for tag in rule["Tags"]
        ]
    for resource_id, tags in region.moto.tags.items():
        kind = IN_MOTO.get(resource_id.rpartition("-")[0])
        if kind:
            found += [{"ResourceId": resource_id, "ResourceType": kind, "Key": k, "Value": v} for k, v in tags.items()]
    return TAGS(call, {"Tags": found})
