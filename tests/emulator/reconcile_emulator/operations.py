"""From a parsed request to its result: our own handler where there is one, moto where not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from . import tokens
from .errors import AwsError
from .faults import Fault
from .protocol import Service
from .world import Region


@dataclass
class Call:
    """One request being answered."""

    service: Service
    operation: OperationModel
    params: dict[str, Any]
    form: dict[str, str]
    headers: dict[str, str]
    region: Region
    # The ordered failure of what this call starts, if any.
    outcome: Fault | None = None

    @property
    def name(self) -> str:
        return self.operation.name

    def get(self, name: str, default: Any = None) -> Any:
        return self.params.get(name, default)

    def tags_for(self, resource_type: str) -> list[dict[str, str]]:
        """The tags a create call asks for on objects of one type."""
        tags: dict[str, str] = {}
        for specification in self.get("TagSpecifications", ()):
            if specification.get("ResourceType") == resource_type:
                for tag in specification.get("Tags", ()):
                    tags[tag["Key"]] = tag.get("Value", "")
        return [{"Key": key, "Value": value} for key, value in tags.items()]


Handler = Callable[[Call], dict[str, Any] | None]

_HANDLERS: dict[tuple[str, str], Handler] = {}

# Which resource types may be tagged by an operation's TagSpecifications, where the model does not say.
TAGGABLE = {
    "RunInstances": {"instance", "volume", "network-interface", "spot-instances-request"},
    "CreateImage": {"image", "snapshot"},
    "CopyImage": {"image", "snapshot"},
    "CreateVolume": {"volume"},
    "CreateSnapshot": {"snapshot"},
    "CreateSnapshots": {"snapshot"},
    "CopySnapshot": {"snapshot"},
    "CreateSecurityGroup": {"security-group"},
    "AuthorizeSecurityGroupIngress": {"security-group-rule"},
    "AuthorizeSecurityGroupEgress": {"security-group-rule"},
    "CreateNetworkInterface": {"network-interface"},
    "ImportKeyPair": {"key-pair"},
    "CreateKeyPair": {"key-pair"},
    "AllocateAddress": {"elastic-ip"},
    "CreateNatGateway": {"natgateway"},
    "CreateVpc": {"vpc"},
    "CreateSubnet": {"subnet"},
    "CreateInternetGateway": {"internet-gateway"},
    "CreateRouteTable": {"route-table"},
    "CreateNetworkAcl": {"network-acl"},
    "CreateVpcEndpoint": {"vpc-endpoint"},
    "CreateLaunchTemplate": {"launch-template"},
    "CreatePlacementGroup": {"placement-group"},
}

MAX_TAGS = 50


def operation(service: str, *names: str) -> Callable[[Handler], Handler]:
    """Registers a handler for operations of a service."""

    def register(handler: Handler) -> Handler:
        for name in names:
            _HANDLERS[service, name] = handler
        return handler

    return register


def execute(call: Call) -> dict[str, Any]:
    """Answers a call, or raises the `AwsError` that is its answer. Holds the account's lock."""
    from . import moto_bridge

    _check_tags(call)
    handler = _HANDLERS.get((call.service.name, call.name))
    if call.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
    token = tokens.of(call)
    result = tokens.replay(call, token)
    if result is None:
        result = (handler or moto_bridge.forward)(call) or {}
        if "Return" in (call.operation.output_shape.members if call.operation.output_shape else ()):
            result.setdefault("Return", True)
        tokens.record(call, token, result)
    return result


# Lists in which the place of an item says something.
ORDERED = {
    "PrivateIpAddresses",
    "DefaultActions",
    "Actions",
    "Rules",
    "Instances",
    "NetworkInterfaces",
    "Ipv6Addresses",
}


def shuffled(value: Any, salt: str) -> Any:
    """A result with its lists in an order of their own, the same for the same account every time."""
    if isinstance(value, dict):
        return {
            name: child if name in ORDERED and not isinstance(child, dict) else shuffled(child, salt)
            for name, child in value.items()
            if not name.startswith("_")
        }
    if isinstance(value, list):
        items = [shuffled(item, salt) for item in value]
        return sorted(items, key=lambda item: hashlib.sha256(f"{salt}{item}".encode()).digest())
    return value


def _check_tags(call: Call) -> None:
    for specification in call.get("TagSpecifications", ()):
        allowed = TAGGABLE.get(call.name)
        resource_type = specification.get("ResourceType")
        if allowed is not None and resource_type not in allowed:
            raise AwsError(
                "InvalidParameterValue",
                f"'{resource_type}' is not a valid taggable resource type for this operation.",
            )
        check_tags(specification.get("Tags", ()))
    if call.name == "CreateTags":
        check_tags(call.get("Tags", ()))


def check_tags(tags: Any) -> None:
    """Refuses tags that AWS refuses."""
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) != len(keys):
        raise AwsError("InvalidParameterValue", "Tag keys must be unique within one specification.")
    if len(keys) > MAX_TAGS:
        raise AwsError("TagLimitExceeded", f"The maximum number of tags is {MAX_TAGS}.")
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            raise AwsError(
                "InvalidParameterValue",
                "Tag keys starting with 'aws:' are reserved for internal use.",
            )
        if not 1 <= len(tag["Key"]) <= 128 or len(tag.get("Value", "")) > 256:
            raise AwsError("InvalidParameterValue", f"Tag '{tag['Key']}' is too long.")
