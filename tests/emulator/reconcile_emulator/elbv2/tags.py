"""Tags of load balancers and their parts, at most twenty ARNs a call."""

from __future__ import annotations

from typing import Any

from ..errors import AwsError
from ..operations import MAX_TAGS, Call, operation
from . import lookup

MAX_ARNS = 20


def _holder(call: Call, arn: str) -> dict[str, Any]:
    kind = arn.split(":")[-1].split("/")[0]
    match kind:
        case "loadbalancer":
            return lookup.load_balancer(call.region, arn)
        case "targetgroup":
            return lookup.target_group(call.region, arn)
        case "listener":
            return lookup.listener(call.region, arn)
        case "listener-rule":
            return lookup.rule(call.region, arn)
    raise AwsError("ValidationError", f"'{arn}' is not a valid ARN")


def _holders(call: Call) -> dict[str, dict[str, Any]]:
    arns = call.params["ResourceArns"]
    if len(arns) > MAX_ARNS:
        raise AwsError("ValidationError", f"Up to {MAX_ARNS} resources can be specified, not {len(arns)}")
    return {arn: _holder(call, arn) for arn in arns}


@operation("elbv2", "DescribeTags")
def describe(call: Call) -> dict[str, Any]:
    return {
        "TagDescriptions": [{"ResourceArn": arn, "Tags": holder["_tags"]} for arn, holder in _holders(call).items()]
    }


@operation("elbv2", "AddTags")
def add(call: Call) -> dict[str, Any]:
    wanted = {tag["Key"]: tag["Value"] for tag in lookup.tags(call)}
    holders = _holders(call)
    for holder in holders.values():
        if len({tag["Key"] for tag in holder["_tags"]} | set(wanted)) > MAX_TAGS:
            raise AwsError("TooManyTags", f"The maximum number of tags is {MAX_TAGS}")
    for holder in holders.values():
        merged = {**{tag["Key"]: tag["Value"] for tag in holder["_tags"]}, **wanted}
        holder["_tags"] = [{"Key": key, "Value": value} for key, value in merged.items()]
    return {}


@operation("elbv2", "RemoveTags")
def remove(call: Call) -> dict[str, Any]:
    for holder in _holders(call).values():
        holder["_tags"] = [tag for tag in holder["_tags"] if tag["Key"] not in call.params["TagKeys"]]
    return {}
