"""Finding objects by ARN, and the lists and pages of ELBv2, which has no filters."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from ..errors import AwsError
from ..operations import MAX_TAGS, Call, check_tags
from ..reads import page

if TYPE_CHECKING:
    from ..world import Region

NAME = re.compile(r"(?!-)[a-zA-Z0-9-]{1,32}(?<!-)")
DEFAULT_PAGE = 400
MAX_NAMES = 20


def arn(region: Region, path: str) -> str:
    return f"arn:aws:elasticloadbalancing:{region.name}:{region.account.id}:{path}"


def suffix() -> str:
    return secrets.token_hex(8)


def check_name(name: str, what: str) -> None:
    if not NAME.fullmatch(name) or name.startswith("internal-"):
        raise AwsError(
            "ValidationError",
            f"The {what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-), must be at "
            "most 32 characters long, and must not begin or end with a hyphen.",
        )


def _find(region: Region, store: dict[str, Any], wanted: str, code: str, what: str) -> dict[str, Any]:
    if not wanted.startswith("arn:aws:elasticloadbalancing:"):
        raise AwsError("ValidationError", f"'{wanted}' is not a valid {what} ARN")
    found = store.get(wanted)
    if found is None or region.hidden_from_writes(wanted):
        raise AwsError(code, f"{what.capitalize()} '{wanted}' not found")
    return found


def load_balancer(region: Region, wanted: str) -> dict[str, Any]:
    return _find(region, region.load_balancers, wanted, "LoadBalancerNotFound", "load balancer")


def target_group(region: Region, wanted: str) -> dict[str, Any]:
    return _find(region, region.target_groups, wanted, "TargetGroupNotFound", "target group")


def listener(region: Region, wanted: str) -> dict[str, Any]:
    return _find(region, region.listeners, wanted, "ListenerNotFound", "listener")


def rule(region: Region, wanted: str) -> dict[str, Any]:
    return _find(region, region.rules, wanted, "RuleNotFound", "rule")


def select(
    region: Region, items: list[dict[str, Any]], arn: str, key: str, wanted: list[str] | None, code: str, what: str
) -> list[dict[str, Any]]:
    """The visible objects, all or those whose `key` is wanted; one unknown name fails the call."""
    if wanted is not None and len(wanted) > MAX_NAMES:
        raise AwsError("ValidationError", f"Up to {MAX_NAMES} names or ARNs can be specified, not {len(wanted)}")
    chosen = [item for item in items if not wanted or item[key] in wanted]
    visible = {item[key]: item for item in chosen if not region.hidden(item[arn], count_read=True)}
    for name in wanted or ():
        if name not in visible:
            raise AwsError(code, f"{what} '{name}' not found")
    return [visible[name] for name in wanted] if wanted else list(visible.values())


def paged(call: Call, result: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """One page in ELBv2's manner."""
    size = call.get("PageSize") or DEFAULT_PAGE
    if forced := call.region.setting("page_size"):
        size = min(size, forced)
    chosen, marker = page(items, size, call.get("Marker"))
    return {result: chosen, "NextMarker": marker}


def tags(call: Call) -> list[dict[str, str]]:
    wanted = call.get("Tags", [])
    keys = [tag["Key"] for tag in wanted]
    if len(set(keys)) != len(keys):
        raise AwsError("DuplicateTagKeys", "A tag key was specified more than once")
    if len(keys) > MAX_TAGS:
        raise AwsError("TooManyTags", f"The maximum number of tags is {MAX_TAGS}")
    check_tags(wanted)
    return [{"Key": tag["Key"], "Value": tag.get("Value", "")} for tag in wanted]
