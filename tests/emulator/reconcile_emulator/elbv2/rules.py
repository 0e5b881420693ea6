"""Listener rules: conditions, priorities, and swapping them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..operations import Call, operation
from . import lookup
from .listeners import complete_actions

if TYPE_CHECKING:
    from ..world import Region

Rule = dict[str, Any]

MAX_PRIORITY = 50000

# Field: the member with its values, and whether the old flat `Values` is accepted.
CONDITIONS = {
    "host-header": ("HostHeaderConfig", True),
    "path-pattern": ("PathPatternConfig", True),
    "http-header": ("HttpHeaderConfig", False),
    "http-request-method": ("HttpRequestMethodConfig", False),
    "query-string": ("QueryStringConfig", False),
    "source-ip": ("SourceIpConfig", False),
}
ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")


def _conditions(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Conditions as AWS gives them back: flat values and their configuration both."""
    if not wanted:
        raise AwsError("ValidationError", "A condition must be specified")
    completed = []
    for condition in wanted:
        field = condition.get("Field")
        if field not in CONDITIONS:
            raise AwsError("ValidationError", f"Condition field '{field}' must be one of '{', '.join(CONDITIONS)}'")
        member, flat = CONDITIONS[field]
        config = dict(condition.get(member) or {})
        if flat and condition.get("Values") and not config:
            config["Values"] = condition["Values"]
        values = config.get("Values") or config.get("RegexValues") or condition.get("RegexValues")
        if not values:
            raise AwsError("ValidationError", f"A value must be specified for the condition '{field}'")
        if field == "http-header" and not config.get("HttpHeaderName"):
            raise AwsError("ValidationError", "The name of the HTTP header must be specified")
        made = {"Field": field, member: config}
        if flat and config.get("Values"):
            made["Values"] = config["Values"]
        completed.append(made)
    fields = [condition["Field"] for condition in completed]
    for field in ONCE:
        if fields.count(field) > 1:
            raise AwsError("ValidationError", f"A rule can only have one '{field}' condition")
    if sum(_size(condition) for condition in completed) > 5:
        raise AwsError("ValidationError", "A rule can have at most five condition values")
    return completed


def _size(condition: dict[str, Any]) -> int:
    config = condition[CONDITIONS[condition["Field"]][0]]
    return len(config.get("Values") or config.get("RegexValues") or ())


def _of_listener(region: Region, arn: str) -> list[Rule]:
    found = [rule for rule in region.rules.values() if rule["_listener"] == arn]
    return sorted(found, key=lambda rule: MAX_PRIORITY + 1 if rule["IsDefault"] else int(rule["Priority"]))


def _kind(region: Region, listener_arn: str) -> str:
    return region.load_balancers[region.listeners[listener_arn]["LoadBalancerArn"]]["Type"]


@operation("elbv2", "CreateRule")
def create(call: Call) -> dict[str, Any]:
    region, listener = call.region, lookup.listener(call.region, call.params["ListenerArn"])
    kind = _kind(region, listener["ListenerArn"])
    if kind != "application":
        raise AwsError(
            "InvalidConfigurationRequest", "Rules are only supported by load balancers of type 'application'"
        )
    priority = call.params["Priority"]
    if not 1 <= priority <= MAX_PRIORITY:
        raise AwsError("ValidationError", f"Priority '{priority}' must be between 1 and {MAX_PRIORITY}")
    conditions = _conditions(call.params["Conditions"])
    actions, tags = complete_actions(region, kind, listener["Protocol"], call.params["Actions"]), lookup.tags(call)
    if any(rule["Priority"] == str(priority) for rule in _of_listener(region, listener["ListenerArn"])):
        raise AwsError("PriorityInUse", f"Priority '{priority}' is currently in use")
    arn = listener["ListenerArn"].replace(":listener/", ":listener-rule/") + f"/{lookup.suffix()}"
    rule = {
        "RuleArn": arn,
        "Priority": str(priority),
        "Conditions": conditions,
        "Actions": actions,
        "IsDefault": False,
        "Transforms": call.get("Transforms"),
        "_listener": listener["ListenerArn"],
        "_tags": tags,
    }
    region.rules[arn] = rule
    region.created(arn)
    return {"Rules": [rule]}


@operation("elbv2", "DescribeRules")
def describe(call: Call) -> dict[str, Any]:
    region, wanted, listener = call.region, call.get("RuleArns"), call.get("ListenerArn")
    found = list(region.rules.values())
    if listener and not wanted:
        lookup.listener(region, listener)
        found = _of_listener(region, listener)
    elif not wanted:
        raise AwsError("ValidationError", "Either a listener ARN or rule ARNs must be specified")
    found = lookup.select(region, found, "RuleArn", "RuleArn", wanted, "RuleNotFound", "Rule")
    return lookup.paged(call, "Rules", found)


@operation("elbv2", "ModifyRule")
def modify(call: Call) -> dict[str, Any]:
    rule = lookup.rule(call.region, call.params["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", "Default rules cannot be modified; modify the listener instead")
    conditions, actions = rule["Conditions"], rule["Actions"]
    if "Conditions" in call.params:
        conditions = _conditions(call.params["Conditions"])
    if "Actions" in call.params:
        protocol = call.region.listeners[rule["_listener"]]["Protocol"]
        actions = complete_actions(call.region, "application", protocol, call.params["Actions"])
    rule.update(Conditions=conditions, Actions=actions)
    if "Transforms" in call.params or call.get("ResetTransforms"):
        rule["Transforms"] = None if call.get("ResetTransforms") else call.params["Transforms"]
    return {"Rules": [rule]}


@operation("elbv2", "DeleteRule")
def delete(call: Call) -> dict[str, Any]:
    rule = lookup.rule(call.region, call.params["RuleArn"])
    if rule["IsDefault"]:
        raise AwsError("OperationNotPermitted", "Default rules cannot be deleted")
    del call.region.rules[rule["RuleArn"]]
    return {}


@operation("elbv2", "SetRulePriorities")
def priorities(call: Call) -> dict[str, Any]:
    wanted = {}
    for change in call.params["RulePriorities"]:
        rule = lookup.rule(call.region, change.get("RuleArn", ""))
        if rule["IsDefault"]:
            raise AwsError("OperationNotPermitted", "The priority of the default rule cannot be changed")
        if not 1 <= change["Priority"] <= MAX_PRIORITY:
            raise AwsError("ValidationError", f"Priority '{change['Priority']}' must be between 1 and {MAX_PRIORITY}")
        wanted[rule["RuleArn"]] = str(change["Priority"])
    if len(set(wanted.values())) != len(wanted):
        raise AwsError("PriorityInUse", "Two rules cannot have the same priority")
    # All change at once, so that rules can swap.
    for arn in wanted:
        for other in _of_listener(call.region, call.region.rules[arn]["_listener"]):
            if other["RuleArn"] not in wanted and other["Priority"] == wanted[arn]:
                raise AwsError("PriorityInUse", f"Priority '{wanted[arn]}' is currently in use")
    for arn, priority in wanted.items():
        call.region.rules[arn]["Priority"] = priority
    return {"Rules": [call.region.rules[arn] for arn in wanted]}
