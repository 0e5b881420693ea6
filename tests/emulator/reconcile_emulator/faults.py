"""Faults on demand: what a test orders to go wrong, and when.

A fault names the operations it is for (`RunInstances`, `Describe*`, `*`, or `@mutating`), the
matching call it strikes first (`nth`, counted from when it was ordered) and how many it strikes
(`times`, 0 for all from then on).
"""

from __future__ import annotations

import fnmatch
import itertools
import threading
from typing import Any

from .calls import mutates

KINDS = {
    "cut-before": "the connection is cut and the call is not executed",
    "cut-after": "the call is executed and the connection is cut instead of an answer",
    "delay-before": "the call waits `seconds` before it is executed; deleting the fault drops what waits, "
    "or executes it at once if `executed`",
    "delay-after": "the call is executed and its answer waits `seconds`; deleting the fault releases it",
    "truncate": "the call is executed and half of its answer arrives",
    "http": "an answer with `status` (500) and a body that is not the service's; `executed` says whether the call was",
    "error": "an AWS error with `code`, `message` and `status`; `executed` says whether the call was",
    "outcome": "what the call starts fails later: images, load balancers and volumes end `failed`, "
    "instances go from pending to terminated with `code` and `message` as their reason",
}

FIELDS = {"kind", "operation", "service", "nth", "times", "seconds", "status", "code", "message", "executed"}


class Fault:
    """One ordered fault."""

    def __init__(self, number: int, order: dict[str, Any]):
        unknown = set(order) - FIELDS
        if unknown:
            raise ValueError(f"unknown member {', '.join(sorted(unknown))}; known are: {', '.join(sorted(FIELDS))}")
        if order.get("kind") not in KINDS:
            raise ValueError(f"'kind' must be one of {', '.join(KINDS)}")
        self.number = number
        self.kind: str = order["kind"]
        self.operation: str = order.get("operation", "*")
        self.service: str | None = order.get("service")
        self.nth = int(order.get("nth", 1))
        self.times = int(order.get("times", 1))
        self.seconds = float(order.get("seconds", 0))
        self.code: str = order.get("code", "InternalError")
        self.status: int | None = order.get("status")
        self.message: str = order.get("message", "An internal error has occurred")
        self.executed = bool(order.get("executed", False))
        self.seen = 0
        self.struck = 0
        self.withdrawn = threading.Event()

    def strikes(self, service: str, operation: str) -> bool:
        if self.service not in (None, service):
            return False
        if self.operation == "@mutating":
            if not mutates(operation):
                return False
        elif not fnmatch.fnmatchcase(operation, self.operation):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    def report(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "kind": self.kind,
            "operation": self.operation,
            "service": self.service,
            "nth": self.nth,
            "times": self.times,
            "seen": self.seen,
            "struck": self.struck,
        }


class Faults:
    """The faults ordered for one account, in the order they were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._numbers = itertools.count(1)
        self._faults: list[Fault] = []

    def order(self, order: dict[str, Any]) -> Fault:
        with self._lock:
            fault = Fault(next(self._numbers), order)
            self._faults.append(fault)
            return fault

    def striking(self, service: str, operation: str) -> list[Fault]:
        """The faults that strike this call; each is counted as having seen it."""
        with self._lock:
            striking = [fault for fault in self._faults if fault.strikes(service, operation)]
            if striking:
                self._changed.notify_all()
            return striking

    def wait(self, seconds: float) -> None:
        """Waits until a fault has struck, at most so long."""
        with self._lock:
            self._changed.wait_for(lambda: any(fault.struck for fault in self._faults), seconds)

    def clear(self, number: int | None = None) -> int:
        """Withdraws one fault or all; what waits for it goes on at once."""
        with self._lock:
            gone = [fault for fault in self._faults if number in (None, fault.number)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        for fault in gone:
            fault.withdrawn.set()
        return len(gone)

    def report(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.report() for fault in self._faults]
