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


def replay(call: Call) -> dict[str, Any] | None:
    """The recorded answer if this token was used before; an error if for something else."""
    if not call.params.get("ClientToken"):
        return None
    recorded = call.region.tokens.get(_scope(call))
    if recorded is None:
        return None
    fingerprint, result = recorded
    if fingerprint != _fingerprint(call.params):
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


def record(call: Call, result: dict[str, Any]) -> None:
    """Remembers a success. A failed call leaves its token unused, as on AWS."""
    if call.params.get("ClientToken"):
        call.region.tokens[_scope(call)] = (_fingerprint(call.params), result)
