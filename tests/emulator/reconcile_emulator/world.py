"""Accounts, their regions, and time passing in them."""

from __future__ import annotations

import copy
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from . import ids
from .calls import CallLog
from .faults import Faults
from .settings import Settings
from .throttle import Buckets


def utcnow() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


class Region:
    """What exists in one region of one account, in the shapes AWS's API gives it.

    VPCs, subnets, route tables and their like live in moto; `moto` is its backend. Everything here
    is a dictionary with AWS's member names. Members beginning with `_` are ours and never sent.
    """

    def __init__(self, account: Account, name: str):
        from .moto_bridge import backend

        self.account = account
        self.name = name
        self.moto = backend(account.id, name)
        self.instances: dict[str, dict[str, Any]] = {}
        self.volumes: dict[str, dict[str, Any]] = {}
        self.modifications: dict[str, dict[str, Any]] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.retired_images: set[str] = set()
        self.reserved_image_names: dict[str, str] = {}
        self.interfaces: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.nat_gateways: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.profile_associations: dict[str, dict[str, Any]] = {}
        self.placement_groups: dict[str, dict[str, Any]] = {}
        self.spot_requests: dict[str, dict[str, Any]] = {}
        self.load_balancers: dict[str, dict[str, Any]] = {}
        self.target_groups: dict[str, dict[str, Any]] = {}
        self.listeners: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.tokens: dict[tuple[str, ...], tuple[str, dict[str, Any]]] = {}
        # What AWS makes by itself with the account; no test has to clean it up.
        self.made_by_aws: set[str] = set()
        self._born: dict[str, list[float]] = {}
        self._schedule: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        from .ec2 import defaults

        defaults.prepare(self)

    def setting(self, name: str) -> Any:
        return self.account.settings[name]

    def later(self, duration: str, change: Callable[[], None]) -> None:
        """Makes a change when the setting named `duration` has passed, and not before the next call."""
        self.at(time.monotonic() + self.setting(duration), change)

    def at(self, when: float, change: Callable[[], None]) -> None:
        heapq.heappush(self._schedule, (when, next(self._order), change))

    def advance(self) -> None:
        """Lets everything happen that is due."""
        now = time.monotonic()
        due = []
        while self._schedule and self._schedule[0][0] <= now:
            due.append(heapq.heappop(self._schedule)[2])
        for change in due:
            change()

    def created(self, object_id: str) -> None:
        """Notes a birth, from which on the object may be hidden for a while."""
        reads, seconds = self.setting("hidden_reads"), self.setting("hidden_seconds")
        if reads or seconds:
            self._born[object_id] = [time.monotonic() + seconds, reads]

    def hidden(self, object_id: str, *, count_read: bool) -> bool:
        """Whether the object is not visible yet; `count_read` uses up one of its hidden reads."""
        entry = self._born.get(object_id)
        if entry is None:
            return False
        if entry[1] > 0:
            if count_read:
                entry[1] -= 1
            return True
        if time.monotonic() < entry[0]:
            return True
        del self._born[object_id]
        return False

    def contents(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What exists here, in our model and in moto's, without what is on its way."""
        places = ("account", "name", "moto", "_schedule", "_order")
        ours = {name: value for name, value in self.__dict__.items() if name not in places}
        return ours, dict(self.moto.__dict__)

    def hidden_from_writes(self, object_id: str) -> bool:
        return self.setting("hidden_from_writes") and self.hidden(object_id, count_read=False)


class Account:
    """One access key's world, settings, faults and call log."""

    def __init__(self, account_id: str):
        self.id = account_id
        self.lock = threading.RLock()
        self.settings = Settings()
        self.faults = Faults()
        self.calls = CallLog()
        self.buckets = Buckets()
        self.regions: dict[str, Region] = {}
        self._saved: Any = None

    def region(self, name: str) -> Region:
        """A region, made with its AWS defaults on first use."""
        if name not in self.regions:
            self.regions[name] = Region(self, name)
        return self.regions[name]

    def reset(self) -> None:
        """An empty account again, as if just opened."""
        from .moto_bridge import forget

        forget(self.id)
        self.regions.clear()
        self.faults.clear()
        self.calls.clear()
        self.buckets = Buckets()
        self.settings = Settings()


    def save(self) -> None:
        """Keeps what exists now, for `restore`. Changes that are on their way are not kept."""
        for region in self.regions.values():
            region.advance()
        self._saved = self._copy({name: region.contents() for name, region in self.regions.items()})

    def restore(self) -> None:
        """Makes everything what it was when it was saved; faults and the call log begin anew."""
        if self._saved is None:
            raise ValueError("nothing was saved")
        for name, (ours, motos) in self._copy(self._saved).items():
            region = self.regions[name]
            region.__dict__.update(ours)
            region.moto.__dict__.update(motos)
        self.faults.clear()
        self.calls.clear()

    def _copy(self, contents: Any) -> Any:
        """A copy that shares nothing with the original but the places where things are."""
        places = [self, *self.regions.values(), *(region.moto for region in self.regions.values())]
        return copy.deepcopy(contents, {id(place): place for place in places})


class World:
    """All accounts of this emulator."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: dict[str, Account] = {}

    def account(self, access_key: str) -> Account:
        account_id = ids.account_id(access_key)
        with self._lock:
            if account_id not in self._accounts:
                self._accounts[account_id] = Account(account_id)
            return self._accounts[account_id]
