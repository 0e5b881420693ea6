"""Elastic Load Balancing v2, whole: moto's own differs from AWS in nearly every answer."""

from . import (  # noqa: F401  (each registers its handlers)
    attributes,
    listeners,
    load_balancers,
    rules,
    tags,
    target_groups,
    targets,
)
