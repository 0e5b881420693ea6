"""Client tokens: the same request again is the same object again.

AWS scopes RunInstances' token to the zone when the request names a subnet or a zone, so the same
token in another zone starts a second instance. That trap is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .errors import AwsError

if TYPE_CHECKING:
    from .operations import Call


def _scope(call: Call) -> tuple[str, ...]:
    scope = (call.service.name, call.name, call.params["ClientToken"])
    if call.name != "RunInstances":
        return scope
    subnet_id = call.params.get("SubnetId") or next(
        (nic["SubnetId"] for nic in call.params.get("NetworkInterfaces", ()) if nic.get("SubnetId")), None
    )
    if subnet_id:
        for subnets in call.region.moto.subnets.values():
            if subnet_id in subnets:
                return (*scope, subnets[subnet_id].availability_zone)
    return (*scope, call.params.get("Placement", {}).get("AvailabilityZone", "regional"))


def _fingerprint(params: dict[str, Any]) -> str:
    kept = {name: value for name, value in params.items() if name not in ("ClientToken", "DryRun")}
    return json.dumps(kept, sort_keys=True, default=str)


# What a token is about: where it counts, and the request it stands for.
Token = tuple[tuple[str, ...], str]


def of(call: Call) -> Token | None:
    """The token of a call. To be asked before the call is answered: handlers complete parameters."""
    token = call.params.get("ClientToken")
    if not token:
        return None
    limit = 128 if "LaunchTemplate" in call.name else 64
    if len(token) > limit or not token.isascii():
        raise AwsError("InvalidParameterValue", f"The client token must be at most {limit} ASCII characters long.")
    return _scope(call), _fingerprint(call.params)


def replay(call: Call, token: Token | None) -> dict[str, Any] | None:
    """The recorded answer if this token was used before; an error if for something else."""
    if token is None or token[0] not in call.region.tokens:
        return None
    fingerprint, result = call.region.tokens[token[0]]
    if fingerprint != token[1]:
        raise AwsError(
            "IdempotentParameterMismatch",
            "The client token you have provided is associated with a resource that was created with "
            "different parameters.",
        )
    if call.name == "RunInstances":
        living = [i for i in result["_instances"] if i["InstanceId"] in call.region.instances]
        if not living:
            raise AwsError(
                "IdempotentInstanceTerminated",
                "The client token belongs to an instance that has been terminated.",
            )
    return result


def record(call: Call, token: Token | None, result: dict[str, Any]) -> None:
    """Remembers a success. A failed call leaves its token unused, as on AWS."""
    if token is not None:
        call.region.tokens[token[0]] = (token[1], result)
