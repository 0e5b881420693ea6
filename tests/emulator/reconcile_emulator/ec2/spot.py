"""Spot requests, as far as instances started with market options have one."""

from __future__ import annotations

from typing import Any

from ..ids import new_id
from ..operations import Call, operation
from ..reads import By, Listing
from ..world import utcnow

REQUESTS = Listing(
    "DescribeSpotInstanceRequests", "SpotInstanceRequests", "SpotInstanceRequestId",
    by=(By("SpotInstanceRequestIds", "SpotInstanceRequestId", "InvalidSpotInstanceRequestID.NotFound",
           "The spot instance request ID '{}' does not exist"),),
    filters={"spot-instance-request-id": "SpotInstanceRequestId", "instance-id": "InstanceId", "state": "State", "type": "Type"},
    page=(5, 1000),
)  # fmt: skip


def request(call: Call, instance_id: str) -> str:
    """Notes the request behind a spot instance and returns its id."""
    options = call.get("InstanceMarketOptions", {}).get("SpotOptions", {})
    request_id = new_id("sir")
    call.region.spot_requests[request_id] = {
        "SpotInstanceRequestId": request_id,
        "InstanceId": instance_id,
        "CreateTime": utcnow(),
        "State": "active",
        "Status": {"Code": "fulfilled", "Message": "Your Spot request is fulfilled.", "UpdateTime": utcnow()},
        "SpotPrice": options.get("MaxPrice"),
        "Type": options.get("SpotInstanceType", "one-time"),
        "InstanceInterruptionBehavior": options.get("InstanceInterruptionBehavior", "terminate"),
        "ValidUntil": options.get("ValidUntil"),
        "Tags": call.tags_for("spot-instances-request"),
    }
    return request_id


@operation("ec2", "DescribeSpotInstanceRequests")
def describe(call: Call) -> dict[str, Any]:
    return REQUESTS(call, {"SpotInstanceRequests": list(call.region.spot_requests.values())})


@operation("ec2", "CancelSpotInstanceRequests")
def cancel(call: Call) -> dict[str, Any]:
    found = [
        call.region.spot_requests[i] for i in call.params["SpotInstanceRequestIds"] if i in call.region.spot_requests
    ]
    for spot_request in found:
        spot_request["State"] = "cancelled"
    return {
        "CancelledSpotInstanceRequests": [
            {"SpotInstanceRequestId": r["SpotInstanceRequestId"], "State": "cancelled"} for r in found
        ]
    }
