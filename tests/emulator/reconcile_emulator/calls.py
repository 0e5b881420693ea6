"""What was called, how often, and how it ended."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

READ_PREFIXES = ("Describe", "Get", "List", "Head")


def mutates(operation: str) -> bool:
    """Whether an operation changes anything."""
    return not operation.startswith(READ_PREFIXES)


class CallLog:
    """The calls of one account in the order they arrived."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._log: list[dict[str, Any]] = []
            self._started = time.monotonic()

    def begin(self, service: str, operation: str, region: str) -> dict[str, Any]:
        """Notes a call that arrived; the caller fills in how it ended."""
        with self._lock:
            entry = {
                "number": len(self._log) + 1,
                "at_seconds": round(time.monotonic() - self._started, 4),
                "service": service,
                "operation": operation,
                "region": region,
                "executed": False,
                "status": None,
                "code": None,
                "seconds": None,
            }
            self._log.append(entry)
            return entry

    def report(self, *, with_log: bool) -> dict[str, Any]:
        with self._lock:
            log = [dict(entry) for entry in self._log]
        operations = Counter(entry["operation"] for entry in log)
        report: dict[str, Any] = {
            "total": len(log),
            "mutating": sum(1 for entry in log if mutates(entry["operation"])),
            "operations": dict(sorted(operations.items())),
            "errors": dict(sorted(Counter(entry["code"] for entry in log if entry["code"]).items())),
            "throttled": sum(1 for entry in log if entry.get("throttled")),
            "unimplemented": [
                {"service": e["service"], "operation": e["operation"], "message": e.get("message")}
                for e in log
                if e["code"] == "EmulatorUnimplemented"
            ],
        }
        if with_log:
            report["log"] = log
        return report
