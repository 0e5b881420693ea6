"""AWS's request buckets, when a test asks for them.

The figures are those of "Request throttling for the Amazon EC2 API" and of the Elastic Load
Balancing guide: capacity, and tokens a second.
"""

from __future__ import annotations

import time
from typing import Any

from .calls import mutates
from .errors import AwsError

# Describes whose bucket is smaller when they are neither filtered nor paged.
COSTLY_WITHOUT_FILTER = {
    "DescribeInstances",
    "DescribeInstanceStatus",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeSnapshots",
    "DescribeSpotInstanceRequests",
    "DescribeVolumes",
}

OWN_BUCKET = {
    "RunInstances": (5, 2),
    "StartInstances": (5, 2),
    "TerminateInstances": (100, 5),
    "CreateNatGateway": (10, 1),
    "DeleteNatGateway": (10, 1),
    "CreateVpcEndpoint": (4, 0.3),
    "ModifyVpcEndpoint": (4, 0.3),
    "DeleteVpcEndpoints": (4, 0.3),
    "CopyImage": (100, 1),
    "CreateTags": (100, 10),
    "DeleteTags": (100, 10),
    "CreateDefaultVpc": (1, 1),
    "CreateDefaultSubnet": (1, 1),
    **{
        name: (100, 5)
        for name in (
            "CreateVolume DeleteVolume CreateSnapshot CreateSnapshots DeleteSnapshot CreateNetworkInterface "
            "DeleteNetworkInterface ModifyNetworkInterfaceAttribute AssignPrivateIpAddresses DeregisterImage "
            "ModifyImageAttribute CreateLaunchTemplateVersion ModifyLaunchTemplate ModifyInstanceMetadataOptions "
            "AssociateIamInstanceProfile DisassociateIamInstanceProfile"
        ).split()
    },
}

# Calls that also use a token for each instance they name or start.
RESOURCE_BUCKET = {
    "RunInstances": (1000, 2),
    "StartInstances": (1000, 2),
    "StopInstances": (1000, 20),
    "TerminateInstances": (1000, 20),
}

ELB_BUCKET = {
    "CreateLoadBalancer": (10, 0.2),
    "SetSubnets": (10, 0.2),
    "RegisterTargets": (20, 4),
    "DeregisterTargets": (20, 4),
}


class Bucket:
    """A token bucket, full at first."""

    def __init__(self, capacity: float, refill: float):
        self.capacity = capacity
        self.refill = refill
        self.tokens = capacity
        self.updated = time.monotonic()

    def holds(self, tokens: float) -> bool:
        now = time.monotonic()
        self.tokens = min(self.capacity, self.tokens + (now - self.updated) * self.refill)
        self.updated = now
        return self.tokens >= tokens


class Buckets:
    """The buckets of one account, by region and class."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def take(self, service: str, operation: str, region: str, params: dict[str, Any], scale: float) -> None:
        """Takes the tokens of a call from all its buckets, or refuses it and takes none."""
        wanted = [
            (self._bucket(region, name, figures, scale), tokens)
            for name, figures, tokens in _classes(service, operation, params)
        ]
        if not all(bucket.holds(tokens) for bucket, tokens in wanted):
            if service == "ec2":
                raise AwsError("RequestLimitExceeded", "Request limit exceeded.")
            raise AwsError("Throttling", "Rate exceeded")
        for bucket, tokens in wanted:
            bucket.tokens -= tokens

    def _bucket(self, region: str, name: str, figures: tuple[float, float], scale: float) -> Bucket:
        key = (region, name)
        if key not in self._buckets:
            self._buckets[key] = Bucket(figures[0] * scale, figures[1] * scale)
        return self._buckets[key]


def _classes(service: str, operation: str, params: dict[str, Any]) -> list[tuple[str, tuple[float, float], float]]:
    if service == "elbv2":
        classes: list[tuple[str, tuple[float, float], float]] = [("elb", (40, 10), 1)]
        if operation in ELB_BUCKET:
            classes.append((f"elb {operation}", ELB_BUCKET[operation], 1))
        elif mutates(operation):
            classes.append(("elb mutating", (20, 3), 1))
        return classes
    if operation in COSTLY_WITHOUT_FILTER:
        bare = not any(params.get(name) for name in ("Filters", "MaxResults", "NextToken")) and not any(
            name.endswith("Ids") and value for name, value in params.items()
        )
        return [(f"bare {operation}", (50, 10), 1)] if bare else [("reads", (100, 20), 1)]
    if not mutates(operation):
        return [("reads", (100, 20), 1)]
    classes = [(operation, OWN_BUCKET[operation], 1)] if operation in OWN_BUCKET else [("mutating", (50, 5), 1)]
    if operation in RESOURCE_BUCKET:
        count = params.get("MaxCount") or len(params.get("InstanceIds", ()))
        classes.append((f"instances of {operation}", RESOURCE_BUCKET[operation], count))
    return classes
