"""Target groups and their health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ec2 import lookup as ec2
from ..errors import AwsError
from ..operations import Call, operation
from . import attributes, lookup

if TYPE_CHECKING:
    from ..world import Region

TargetGroup = dict[str, Any]

HTTP = ("HTTP", "HTTPS")
HEALTH_CHECK = (
    "HealthCheckProtocol", "HealthCheckPort", "HealthCheckEnabled", "HealthCheckPath", "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
)  # fmt: skip


def _health_check(call: Call, kind: str, protocol: str | None, version: str | None) -> dict[str, Any]:
    """The health check as AWS completes it."""
    given = {name: call.params[name] for name in HEALTH_CHECK if name in call.params}
    lambda_ = kind == "lambda"
    if lambda_:
        check_protocol = None
    else:
        check_protocol = given.get("HealthCheckProtocol") or (
            protocol if protocol in HTTP and version == "GRPC" else None
        )
        check_protocol = check_protocol or ("HTTP" if protocol in HTTP else "TCP")
    over_http = lambda_ or check_protocol in HTTP
    timeout = {"GENEVE": 5}.get(protocol or "", 6 if check_protocol == "HTTP" else 10)
    check: dict[str, Any] = {
        "HealthCheckProtocol": check_protocol,
        "HealthCheckPort": None if lambda_ else "traffic-port",
        "HealthCheckEnabled": not lambda_,
        "HealthCheckIntervalSeconds": 35 if lambda_ else 10 if protocol == "GENEVE" else 30,
        "HealthCheckTimeoutSeconds": 30 if lambda_ else timeout,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 5 if lambda_ else 2,
    }
    if over_http:
        check["HealthCheckPath"] = "/AWS.ALB/healthcheck" if version == "GRPC" else "/"
        check["Matcher"] = {"GrpcCode": "12"} if version == "GRPC" else {"HttpCode": "200"}
        if protocol not in HTTP and not lambda_:
            check["Matcher"] = {"HttpCode": "200-399"}
    check.update(given)
    _check_health(check, protocol)
    return check


def _check_health(check: dict[str, Any], protocol: str | None) -> None:
    if check["HealthCheckIntervalSeconds"] <= check["HealthCheckTimeoutSeconds"]:
        raise AwsError(
            "ValidationError",
            f"Health check timeout '{check['HealthCheckTimeoutSeconds']}' must be smaller than the interval '{check['HealthCheckIntervalSeconds']}'",
        )
    check_protocol = check["HealthCheckProtocol"]
    if check_protocol not in (None, "HTTP", "HTTPS", "TCP") or (check_protocol == "TCP" and protocol in HTTP):
        raise AwsError(
            "ValidationError",
            f"Health check protocol '{check_protocol}' is not supported for target groups with protocol '{protocol}'",
        )
    if check_protocol == "TCP" and ("HealthCheckPath" in check or "Matcher" in check):
        raise AwsError(
            "ValidationError", "Health check path and matcher are not supported for health checks with protocol 'TCP'"
        )


@operation("elbv2", "CreateTargetGroup")
def create(call: Call) -> dict[str, Any]:
    region, name, kind = call.region, call.params["Name"], call.get("TargetType", "instance")
    lookup.check_name(name, "target group")
    protocol, version = call.get("Protocol"), call.get("ProtocolVersion")
    if kind != "lambda":
        for param in ("Protocol", "Port", "VpcId"):
            if call.get(param) is None:
                raise AwsError("ValidationError", f"A {param.lower()} must be specified")
        try:
            ec2.vpc(region, call.params["VpcId"])
        except AwsError:
            raise AwsError("ValidationError", f"The VPC ID '{call.params['VpcId']}' is not found") from None
    elif any(call.get(param) is not None for param in ("Protocol", "Port", "VpcId")):
        raise AwsError(
            "ValidationError", "Protocol, port and VPC cannot be specified for target groups with target type 'lambda'"
        )
    if protocol in HTTP:
        version = version or "HTTP1"
    tags = lookup.tags(call)
    members = {
        "Protocol": protocol,
        "Port": call.get("Port"),
        "VpcId": call.get("VpcId"),
        "TargetType": kind,
        "ProtocolVersion": version,
        "IpAddressType": None if kind == "lambda" else call.get("IpAddressType", "ipv4"),
        **_health_check(call, kind, protocol, version),
    }
    for existing in region.target_groups.values():
        if existing["TargetGroupName"] == name:
            if all(existing.get(member) == value for member, value in members.items()):
                return {"TargetGroups": [view(region, existing)]}
            raise AwsError(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
    group: TargetGroup = {
        "TargetGroupArn": lookup.arn(region, f"targetgroup/{name}/{lookup.suffix()}"),
        "TargetGroupName": name,
        **members,
        "_tags": tags,
        "_targets": {},
    }
    group["_attributes"] = attributes.defaults(attributes.TARGET_GROUP[attributes.group_kind(group)])
    if kind == "ip" and "preserve_client_ip.enabled" in group["_attributes"] and protocol in ("TCP", "TLS"):
        group["_attributes"]["preserve_client_ip.enabled"] = "false"
    region.target_groups[group["TargetGroupArn"]] = group
    region.created(group["TargetGroupArn"])
    return {"TargetGroups": [view(region, group)]}


def group_arns(actions: list[dict[str, Any]]) -> set[str]:
    """The target groups that actions forward to."""
    arns = {action.get("TargetGroupArn") for action in actions}
    for action in actions:
        arns |= {entry.get("TargetGroupArn") for entry in action.get("ForwardConfig", {}).get("TargetGroups", ())}
    return {arn for arn in arns if arn}


def users(region: Region, group_arn: str) -> list[str]:
    """The load balancers whose listeners or rules forward to a group."""
    found = {
        listener["LoadBalancerArn"]
        for listener in region.listeners.values()
        if group_arn in group_arns(listener["DefaultActions"])
    }
    for rule in region.rules.values():
        if group_arn in group_arns(rule["Actions"]):
            found.add(region.listeners[rule["_listener"]]["LoadBalancerArn"])
    return sorted(found)


def view(region: Region, group: TargetGroup) -> TargetGroup:
    return {**group, "LoadBalancerArns": users(region, group["TargetGroupArn"])}


@operation("elbv2", "DescribeTargetGroups")
def describe(call: Call) -> dict[str, Any]:
    region = call.region
    key, wanted = (
        ("TargetGroupName", call.get("Names")) if call.get("Names") else ("TargetGroupArn", call.get("TargetGroupArns"))
    )
    found = lookup.select(
        region,
        list(region.target_groups.values()),
        "TargetGroupArn",
        key,
        wanted,
        "TargetGroupNotFound",
        "Target group",
    )
    shown = [view(region, group) for group in found]
    if balancer := call.get("LoadBalancerArn"):
        lookup.load_balancer(region, balancer)
        shown = [group for group in shown if balancer in group["LoadBalancerArns"]]
    return lookup.paged(call, "TargetGroups", shown)


@operation("elbv2", "ModifyTargetGroup")
def modify(call: Call) -> dict[str, Any]:
    group = lookup.target_group(call.region, call.params["TargetGroupArn"])
    given = {name: call.params[name] for name in HEALTH_CHECK if name in call.params}
    check = {name: group[name] for name in HEALTH_CHECK if name in group} | given
    if check["HealthCheckProtocol"] == "TCP":
        # What belongs to HTTP goes with it, unless the caller insists.
        check = {
            name: value for name, value in check.items() if name in given or name not in ("HealthCheckPath", "Matcher")
        }
    elif check["HealthCheckProtocol"] in HTTP:
        check.setdefault("HealthCheckPath", "/")
        check.setdefault("Matcher", {"HttpCode": "200-399"})
    _check_health(check, group["Protocol"])
    for name in HEALTH_CHECK:
        group.pop(name, None)
    group.update(check)
    return {"TargetGroups": [view(call.region, group)]}


@operation("elbv2", "DeleteTargetGroup")
def delete(call: Call) -> dict[str, Any]:
    arn = call.params["TargetGroupArn"]
    if arn in call.region.target_groups and users(call.region, arn):
        raise AwsError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    call.region.target_groups.pop(arn, None)
    return {}
