"""Targets: registered by id and port, healthy after a while, draining when they leave."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..operations import Call, operation
from . import lookup
from .target_groups import TargetGroup, users

if TYPE_CHECKING:
    from ..world import Region

TEXTS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.InvalidState": "Target is in the stopped state",
}

Key = tuple[str, int | None, str | None]


def _key(group: TargetGroup, target: dict[str, Any]) -> Key:
    port = None if group["TargetType"] == "lambda" else target.get("Port", group["Port"])
    return target["Id"], port, target.get("AvailabilityZone")


def _check(region: Region, group: TargetGroup, target: dict[str, Any]) -> None:
    target_id = target["Id"]
    match group["TargetType"]:
        case "instance":
            instance = region.instances.get(target_id)
            if instance is None:
                raise AwsError("InvalidTarget", f"The following targets are not valid: '{target_id}' does not exist")
            if instance["State"]["Name"] != "running":
                raise AwsError(
                    "InvalidTarget",
                    f"The following targets are not in a running state and cannot be registered: '{target_id}'",
                )
            if instance["VpcId"] != group["VpcId"]:
                raise AwsError(
                    "InvalidTarget",
                    f"The following targets are not in the target group VPC '{group['VpcId']}': '{target_id}'",
                )
        case "ip":
            try:
                ipaddress.ip_address(target_id)
            except ValueError:
                raise AwsError("ValidationError", f"The IP address '{target_id}' is not a valid IPv4 address") from None
        case "alb":
            if target_id not in region.load_balancers:
                raise AwsError("InvalidTarget", f"The load balancer '{target_id}' does not exist")


@operation("elbv2", "RegisterTargets")
def register(call: Call) -> dict[str, Any]:
    region, group = call.region, lookup.target_group(call.region, call.params["TargetGroupArn"])
    for target in call.params["Targets"]:
        _check(region, group, target)
    for target in call.params["Targets"]:
        key = _key(group, target)
        entry = group["_targets"].get(key)
        if entry is not None and entry["state"] != "draining":
            continue
        made = {"state": "initial"}
        group["_targets"][key] = made

        def settle(made: dict[str, str] = made) -> None:
            if made["state"] == "initial":
                made["state"] = "healthy"

        region.later("target_initial", settle)
    return {}


@operation("elbv2", "DeregisterTargets")
def deregister(call: Call) -> dict[str, Any]:
    region, group = call.region, lookup.target_group(call.region, call.params["TargetGroupArn"])
    for target in call.params["Targets"]:
        wanted = _key(group, target)
        for key, entry in list(group["_targets"].items()):
            # Without a port, all registrations of the id go.
            if (
                key[0] == wanted[0]
                and (target.get("Port") is None or key[1] == wanted[1])
                and entry["state"] != "draining"
            ):
                entry["state"] = "draining"

                def gone(key: Key = key, entry: dict[str, str] = entry) -> None:
                    if group["_targets"].get(key) is entry:
                        del group["_targets"][key]

                if region.setting("target_draining") and users(region, group["TargetGroupArn"]):
                    region.later("target_draining", gone)
                else:
                    gone()
    return {}


def _health(region: Region, group: TargetGroup, key: Key, entry: dict[str, str], used: bool) -> dict[str, Any]:
    if entry["state"] == "draining":
        return _state("draining", "Target.DeregistrationInProgress")
    if not used:
        return _state("unused", "Target.NotInUse")
    if group["TargetType"] == "instance":
        instance = region.instances.get(key[0])
        if instance is None or instance["State"]["Name"] not in ("running", "pending"):
            return _state("unused", "Target.InvalidState")
    if group["TargetType"] == "lambda" and not group["HealthCheckEnabled"]:
        return {
            "State": "unavailable",
            "Reason": "Target.HealthCheckDisabled",
            "Description": "Health checks are not enabled",
        }
    if entry["state"] == "initial":
        return _state("initial", "Elb.RegistrationInProgress")
    return {"State": "healthy"}


def _state(state: str, reason: str) -> dict[str, Any]:
    return {"State": state, "Reason": reason, "Description": TEXTS[reason]}


@operation("elbv2", "DescribeTargetHealth")
def health(call: Call) -> dict[str, Any]:
    region, group = call.region, lookup.target_group(call.region, call.params["TargetGroupArn"])
    used = bool(users(region, group["TargetGroupArn"]))
    for key in [key for key in group["_targets"] if group["TargetType"] == "instance" and _dead(region, key[0])]:
        # A terminated instance leaves its groups by itself.
        del group["_targets"][key]
    found = []
    for key, entry in group["_targets"].items():
        target = {"Id": key[0], "Port": key[1], "AvailabilityZone": key[2]}
        port = group["HealthCheckPort"]
        found.append(
            {
                "Target": target,
                "HealthCheckPort": str(key[1]) if port == "traffic-port" else port,
                "TargetHealth": _health(region, group, key, entry, used),
            }
        )
    wanted = call.get("Targets")
    if wanted:
        chosen = []
        for target in wanted:
            key = _key(group, target)
            match = [one for one in found if one["Target"]["Id"] == key[0] and one["Target"]["Port"] == key[1]]
            chosen += match or [
                {"Target": {"Id": key[0], "Port": key[1]}, "TargetHealth": _state("unused", "Target.NotRegistered")}
            ]
        found = chosen
    return {"TargetHealthDescriptions": found}


def _dead(region: Region, instance_id: str) -> bool:
    instance = region.instances.get(instance_id)
    return instance is None or instance["State"]["Name"] == "terminated"
