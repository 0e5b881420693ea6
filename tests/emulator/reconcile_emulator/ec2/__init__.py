"""EC2: the handlers of what moto lacks or answers differently from AWS."""

from . import (  # noqa: F401  (each registers its handlers)
    addresses,
    attributes,
    images,
    instance_options,
    instance_types,
    instances,
    interfaces,
    key_pairs,
    launch,
    nat_gateways,
    network,
    placement_groups,
    profiles,
    security_group_rules,
    security_groups,
    snapshots,
    spot,
    tags,
    volumes,
)
