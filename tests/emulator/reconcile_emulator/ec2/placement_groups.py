"""Placement groups, which moto does not have."""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing

GROUPS = Listing(
    "DescribePlacementGroups", "PlacementGroups", "GroupId",
    by=(
        By("GroupIds", "GroupId", "InvalidPlacementGroup.Unknown", "The Placement Group '{}' is unknown."),
        By("GroupNames", "GroupName", "InvalidPlacementGroup.Unknown", "The Placement Group '{}' is unknown."),
    ),
    filters={"group-name": "GroupName", "group-arn": "GroupArn", "state": "State", "strategy": "Strategy",
             "spread-level": "SpreadLevel"},
)  # fmt: skip


@operation("ec2", "DescribePlacementGroups")
def describe(call: Call) -> dict[str, Any]:
    return GROUPS(call, {"PlacementGroups": list(call.region.placement_groups.values())})


@operation("ec2", "CreatePlacementGroup")
def create(call: Call) -> dict[str, Any]:
    region, name = call.region, call.get("GroupName")
    if not name:
        raise AwsError("MissingParameter", "The request must contain the parameter groupName")
    if any(group["GroupName"] == name for group in region.placement_groups.values()):
        raise AwsError("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    group = {
        "GroupId": new_id("pg"),
        "GroupName": name,
        "State": "available",
        "Strategy": call.get("Strategy", "cluster"),
        "PartitionCount": call.get("PartitionCount"),
        "SpreadLevel": call.get("SpreadLevel"),
        "GroupArn": f"arn:aws:ec2:{region.name}:{region.account.id}:placement-group/{name}",
        "Tags": call.tags_for("placement-group"),
    }
    region.placement_groups[group["GroupId"]] = group
    return {"PlacementGroup": group}


@operation("ec2", "DeletePlacementGroup")
def delete(call: Call) -> dict[str, Any]:
    region, name = call.region, call.params["GroupName"]
    group = next((g for g in region.placement_groups.values() if g["GroupName"] == name), None)
    if group is None:
        raise AwsError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    if any(
        i["Placement"]["GroupName"] == name and i["State"]["Name"] != "terminated" for i in region.instances.values()
    ):
        raise AwsError("InvalidPlacementGroup.InUse", f"The placement group {name} is in use and may not be deleted.")
    del region.placement_groups[group["GroupId"]]
    return {}
