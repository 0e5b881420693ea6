"""What a test may set for its account; `GET /_emulator/settings` shows it."""

from __future__ import annotations

from typing import Any

# Seconds an object stays in a state before it moves on. With 0 the answer to the call still shows
# the state ("pending"), and the next call already finds the object past it.
DURATIONS = {
    "instance_pending": 0.0,
    "instance_stopping": 0.0,
    "instance_shutting_down": 0.0,
    "instance_terminated_visible": 3600.0,
    "instance_monitoring": 0.0,
    "image_pending": 0.0,
    "image_name_reserved": 0.0,
    "snapshot_pending": 0.0,
    "volume_creating": 0.0,
    "volume_attaching": 0.0,
    "volume_detaching": 0.0,
    "volume_modifying": 0.0,
    "volume_optimizing": 0.0,
    "interface_detaching": 0.0,
    "nat_pending": 0.0,
    "nat_deleting": 0.0,
    "load_balancer_provisioning": 0.0,
    "load_balancer_interfaces_linger": 0.0,
    "target_initial": 0.0,
    "target_draining": 0.0,
}

DEFAULTS: dict[str, Any] = {
    **DURATIONS,
    # Eventual consistency: a new object is missing from reads for so long, or for so many reads.
    "hidden_seconds": 0.0,
    "hidden_reads": 0,
    # Whether a hidden object is also unknown to the calls that change it.
    "hidden_from_writes": False,
    # No page is larger than this, whatever the caller asks for; 0 means AWS's own sizes.
    "page_size": 0,
    # How often one volume can be modified; AWS allows four times in 24 hours.
    "volume_modifications": 4,
    # Lists come in another order than they were made in, wherever AWS promises none.
    "shuffle": False,
    # Added to every call.
    "latency_seconds": 0.0,
    # AWS's published request buckets, scaled: 1 is AWS's own rate, 2 is twice as generous.
    "throttle": False,
    "throttle_scale": 1.0,
}


class Settings(dict):
    """The settings of one account; an unknown name is refused rather than ignored."""

    def __init__(self) -> None:
        super().__init__(DEFAULTS)

    def change(self, changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            if name == "durations":
                # One number for everything that takes time, except how long the dead are shown.
                for duration in DURATIONS:
                    if duration not in ("instance_terminated_visible", "image_name_reserved"):
                        self[duration] = float(value)
            elif name not in DEFAULTS:
                raise ValueError(f"unknown setting '{name}'; known are: durations, {', '.join(sorted(DEFAULTS))}")
            else:
                self[name] = type(DEFAULTS[name])(value)
