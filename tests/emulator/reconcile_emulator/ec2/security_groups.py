"""Security groups. The groups are moto's, so that its VPCs know them; the rules are ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import AwsError, dependency_violation, invalid_value
from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from . import lookup

if TYPE_CHECKING:
    from ..world import Region

Rule = dict[str, Any]

GROUP_NAME = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")

GROUPS = Listing(
    "DescribeSecurityGroups",
    "SecurityGroups",
    "GroupId",
    by=(
        By("GroupIds", "GroupId", "InvalidGroup.NotFound", "The security group '{}' does not exist",
           prefix="sg", malformed="InvalidGroupId.Malformed"),
        By("GroupNames", "GroupName", "InvalidGroup.NotFound", "The security group '{}' does not exist in default VPC"),
    ),
    filters={
        "group-id": "GroupId",
        "group-name": "GroupName",
        "vpc-id": "VpcId",
        "description": "Description",
        "owner-id": "OwnerId",
        **{
            f"{prefix}ip-permission.{name}": f"{member}.{path}"
            for prefix, member in (("", "IpPermissions"), ("egress.", "IpPermissionsEgress"))
            for name, path in (
                ("cidr", "IpRanges.CidrIp"),
                ("ipv6-cidr", "Ipv6Ranges.CidrIpv6"),
                ("from-port", "FromPort"),
                ("to-port", "ToPort"),
                ("protocol", "IpProtocol"),
                ("group-id", "UserIdGroupPairs.GroupId"),
                ("user-id", "UserIdGroupPairs.UserId"),
                ("prefix-list-id", "PrefixListIds.PrefixListId"),
            )
        },
    },
    page=(5, 1000),
)  # fmt: skip


def rules_of(region: Region, group: Any) -> list[Rule]:
    """A group's rules, which begin as AWS makes them."""
    if not hasattr(group, "emulated_rules"):
        group.emulated_rules = [
            new_rule(region, group.id, egress=True, protocol="-1", source={"CidrIpv4": "0.0.0.0/0"})
        ]
        if group.name == "default":
            own = {"ReferencedGroupInfo": {"GroupId": group.id, "UserId": region.account.id}}
            group.emulated_rules.append(new_rule(region, group.id, egress=False, protocol="-1", source=own))
        vpc = region.moto.vpcs.get(group.vpc_id)
        if vpc is not None and vpc.get_cidr_block_association_set(ipv6=True):
            group.emulated_rules.append(
                new_rule(region, group.id, egress=True, protocol="-1", source={"CidrIpv6": "::/0"})
            )
    return group.emulated_rules


def new_rule(
    region: Region,
    group_id: str,
    *,
    egress: bool,
    protocol: str,
    source: dict[str, Any],
    ports: tuple[int, int] = (-1, -1),
) -> Rule:
    return {
        "SecurityGroupRuleId": new_id("sgr"),
        "GroupId": group_id,
        "GroupOwnerId": region.account.id,
        "IsEgress": egress,
        "IpProtocol": protocol,
        "FromPort": ports[0],
        "ToPort": ports[1],
        **source,
        "Tags": [],
    }


def all_groups(region: Region) -> list[Any]:
    return [group for groups in region.moto.groups.values() for group in groups.values()]


def view(region: Region, group: Any) -> dict[str, Any]:
    """A group as DescribeSecurityGroups shows it: rules gathered by protocol and ports."""
    rules = rules_of(region, group)
    return {
        "GroupId": group.id,
        "GroupName": group.name,
        "Description": group.description,
        "OwnerId": region.account.id,
        "VpcId": group.vpc_id,
        "SecurityGroupArn": f"arn:aws:ec2:{region.name}:{region.account.id}:security-group/{group.id}",
        "IpPermissions": _permissions([rule for rule in rules if not rule["IsEgress"]]),
        "IpPermissionsEgress": _permissions([rule for rule in rules if rule["IsEgress"]]),
        "Tags": lookup.tags_of(region, group.id),
    }


def _permissions(rules: list[Rule]) -> list[dict[str, Any]]:
    gathered: dict[tuple[Any, ...], dict[str, Any]] = {}
    for rule in rules:
        protocol, low, high = rule["IpProtocol"], rule["FromPort"], rule["ToPort"]
        permission = gathered.setdefault(
            (protocol, low, high),
            {"IpProtocol": protocol, "IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []},
        )
        if protocol in ("tcp", "udp", "icmp", "icmpv6"):
            permission["FromPort"], permission["ToPort"] = low, high
        described = {"Description": rule.get("Description")}
        if "CidrIpv4" in rule:
            permission["IpRanges"].append({"CidrIp": rule["CidrIpv4"], **described})
        elif "CidrIpv6" in rule:
            permission["Ipv6Ranges"].append({"CidrIpv6": rule["CidrIpv6"], **described})
        elif "PrefixListId" in rule:
            permission["PrefixListIds"].append({"PrefixListId": rule["PrefixListId"], **described})
        else:
            permission["UserIdGroupPairs"].append({**rule["ReferencedGroupInfo"], **described})
    return list(gathered.values())


@operation("ec2", "DescribeSecurityGroups")
def describe(call: Call) -> dict[str, Any]:
    groups = all_groups(call.region)
    if call.get("GroupNames"):
        groups = [group for group in groups if group.vpc_id == call.region.moto.default_vpc.id]
    if wanted := call.get("GroupIds"):
        groups = [group for group in groups if group.id in wanted]
    return GROUPS(call, {"SecurityGroups": [view(call.region, group) for group in groups]})


@operation("ec2", "CreateSecurityGroup")
def create(call: Call) -> dict[str, Any]:
    region, name = call.region, call.params["GroupName"]
    vpc_id = call.get("VpcId") or region.moto.default_vpc.id
    lookup.vpc(region, vpc_id)
    if not GROUP_NAME.fullmatch(name) or name.startswith("sg-"):
        raise invalid_value(
            f"Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported."
        )
    description = call.params["Description"]
    if not GROUP_NAME.fullmatch(description):
        raise invalid_value(
            f"Value ({description}) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported."
        )
    if name == "default":
        raise AwsError("InvalidGroup.Reserved", "The security group 'default' is reserved")
    if any(group.name == name for group in region.moto.groups[vpc_id].values()):
        raise AwsError("InvalidGroup.Duplicate", f"The security group '{name}' already exists for VPC '{vpc_id}'")
    tags = {tag["Key"]: tag["Value"] for tag in call.tags_for("security-group")}
    group = region.moto.create_security_group(name, description, vpc_id=vpc_id, tags=tags, force=True)
    region.created(group.id)
    return {
        "GroupId": group.id,
        "Tags": lookup.tags_of(region, group.id),
        "SecurityGroupArn": f"arn:aws:ec2:{region.name}:{region.account.id}:security-group/{group.id}",
    }


@operation("ec2", "DeleteSecurityGroup")
def delete(call: Call) -> dict[str, Any]:
    region = call.region
    if group_id := call.get("GroupId"):
        group = lookup.group(region, group_id)
    elif name := call.get("GroupName"):
        group = next((g for g in region.moto.groups[region.moto.default_vpc.id].values() if g.name == name), None)
        if group is None:
            raise AwsError("InvalidGroup.NotFound", f"The security group '{name}' does not exist in default VPC")
    else:
        raise AwsError("MissingParameter", "The request must contain the parameter groupName or groupId")
    if group.name == "default":
        raise AwsError("CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted by a user')
    if any(g["GroupId"] == group.id for eni in region.interfaces.values() for g in eni["Groups"]):
        raise dependency_violation(f"resource {group.id} has a dependent object")
    for other in all_groups(region):
        if other.id != group.id and any(
            rule.get("ReferencedGroupInfo", {}).get("GroupId") == group.id for rule in rules_of(region, other)
        ):
            raise dependency_violation(f"resource {group.id} has a dependent object")
    region.moto.groups[group.vpc_id].pop(group.id)
    region.moto.tags.pop(group.id, None)
    return {"Return": True, "GroupId": group.id}
