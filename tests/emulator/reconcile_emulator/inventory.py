"""Everything in an account that AWS did not make: what a test that cleans up must leave empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ec2.lookup import tags_of
from .ec2.security_groups import all_groups

if TYPE_CHECKING:
    from .world import Account, Region


def inventory(account: Account) -> dict[str, Any]:
    """The objects by kind, over all regions, and how many there are; each kind is always present."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for region in account.regions.values():
        region.advance()
        for kind, objects in _of_region(region).items():
            kinds.setdefault(kind, []).extend(objects)
    return {"total": sum(len(objects) for objects in kinds.values()), **kinds}


def _of_region(region: Region) -> dict[str, list[dict[str, Any]]]:
    def shown(item: dict[str, Any], key: str, tags: list[dict[str, str]], **more: Any) -> dict[str, Any]:
        return {"id": item[key], "region": region.name, "tags": {tag["Key"]: tag["Value"] for tag in tags}, **more}

    def stored(store: dict[str, dict[str, Any]], key: str, *members: str, tags: str = "Tags") -> list[dict[str, Any]]:
        return [
            shown(item, key, item[tags], **{member.lstrip("_"): item.get(member) for member in members})
            for item in store.values()
        ]

    # A deleted NAT gateway or a terminated instance is only a name that lingers.
    instances = {k: v for k, v in region.instances.items() if v["State"]["Name"] != "terminated"}
    gateways = {k: v for k, v in region.nat_gateways.items() if v["State"] != "deleted"}
    rules = {k: v for k, v in region.rules.items() if not v["IsDefault"]}
    return {
        "instances": stored(instances, "InstanceId", "State", "ClientToken", "_reboots"),
        "images": stored(region.images, "ImageId", "Name", "State"),
        "snapshots": stored(region.snapshots, "SnapshotId", "Description", "State"),
        "volumes": stored(region.volumes, "VolumeId", "State", "Size"),
        "network_interfaces": stored(region.interfaces, "NetworkInterfaceId", "Description", "Status", tags="TagSet"),
        "addresses": stored(region.addresses, "AllocationId", "PublicIp"),
        "nat_gateways": stored(gateways, "NatGatewayId", "State"),
        "key_pairs": stored(region.keys, "KeyPairId", "KeyName"),
        "placement_groups": stored(region.placement_groups, "GroupId", "GroupName"),
        "load_balancers": stored(region.load_balancers, "LoadBalancerArn", "LoadBalancerName", "State", tags="_tags"),
        "target_groups": stored(region.target_groups, "TargetGroupArn", "TargetGroupName", tags="_tags"),
        "listeners": stored(region.listeners, "ListenerArn", "Port", tags="_tags"),
        "listener_rules": stored(rules, "RuleArn", "Priority", tags="_tags"),
        **_in_moto(region),
    }


def _in_moto(region: Region) -> dict[str, list[dict[str, Any]]]:
    moto = region.moto

    def ours(objects: Any) -> list[dict[str, Any]]:
        return [
            {"id": o.id, "region": region.name, "tags": {t["Key"]: t["Value"] for t in tags_of(region, o.id)}}
            for o in objects
            if o.id not in region.made_by_aws
        ]

    # A main route table comes and goes with its VPC.
    tables = [table for table in moto.route_tables.values() if not table.main_association_id]
    groups = [group for group in all_groups(region) if group.name != "default"]
    return {
        "security_groups": [
            {**entry, "GroupName": group.name} for group, entry in zip(groups, ours(groups), strict=True)
        ],
        "vpcs": ours(moto.vpcs.values()),
        "subnets": ours(subnet for subnets in moto.subnets.values() for subnet in subnets.values()),
        "internet_gateways": ours(moto.internet_gateways.values()),
        "route_tables": ours(tables),
        "network_acls": ours(a for a in moto.network_acls.values() if str(a.default).lower() != "true"),
        "launch_templates": ours(moto.launch_templates.values()),
        "vpc_endpoints": ours(e for e in moto.vpc_end_points.values() if e.state != "deleted"),
    }
