"""Lists, the way every Describe call of EC2 treats them: ids, filters, pages, visibility.

moto skips most of this. Here each Describe is a row in a table, and one function does the rest.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import ids
from .errors import AwsError, bad_combination, invalid_value
from .protocol import timestamp

if TYPE_CHECKING:
    from .operations import Call

Item = dict[str, Any]
Path = str | Callable[[Item], Any]

DEFAULT_PAGE = 1000
MAX_FILTER_VALUES = 200


@dataclass(frozen=True)
class By:
    """A parameter that names objects one by one; one unknown name fails the whole call."""

    param: str
    member: str
    not_found: str
    message: str
    prefix: str | None = None
    malformed: str | None = None


@dataclass(frozen=True)
class Listing:
    """How one Describe call selects and pages."""

    operation: str
    result: str
    id: str
    by: tuple[By, ...] = ()
    filters: dict[str, Path] = field(default_factory=dict)
    page: tuple[int, int] | None = None
    # AWS refuses a page size together with ids here.
    ids_exclude_paging: bool = False
    tags: str = "Tags"

    def __call__(self, call: Call, result: dict[str, Any]) -> dict[str, Any]:
        """Takes what a call does not ask for out of its result."""
        items = self.select(call, result.get(self.result, []))
        items, token = self.paged(call, items)
        return {**result, self.result: items, "NextToken": token}

    def select(self, call: Call, items: Iterable[Item]) -> list[Item]:
        """The visible objects with the wanted ids that pass every filter."""
        chosen = list(items)
        for by in self.by:
            if wanted := self._names(call, by):
                chosen = [item for item in chosen if item.get(by.member) in wanted]
        filters = [self._filter(f) for f in call.get("Filters") or call.get("Filter") or ()]
        # Only a read that would have shown an object counts as one that missed it.
        shown = [item for item in chosen if all(passes(item) for passes in filters)]
        unseen = {id(item) for item in chosen if call.region.hidden(str(item.get(self.id)), count_read=False)}
        for item in shown:
            call.region.hidden(str(item.get(self.id)), count_read=True)
        for by in self.by:
            present = {item.get(by.member) for item in chosen if id(item) not in unseen}
            missing = [name for name in call.get(by.param) or () if name not in present]
            if missing:
                raise AwsError(by.not_found, by.message.format(", ".join(missing)))
        return [item for item in shown if id(item) not in unseen]

    def _names(self, call: Call, by: By) -> list[str]:
        wanted = call.get(by.param)
        if not wanted:
            return []
        if self.ids_exclude_paging and call.get("MaxResults"):
            name = self.by[0].param[:1].lower() + self.by[0].param[1:]
            raise bad_combination(f"The parameter {name} cannot be used with the parameter maxResults")
        if by.malformed and by.prefix:
            bad = [name for name in wanted if not ids.well_formed(by.prefix, name)]
            if bad:
                raise AwsError(by.malformed, f'Invalid id: "{bad[0]}" (expecting "{by.prefix}-...")')
        return wanted

    def _filter(self, wanted: dict[str, Any]) -> Callable[[Item], bool]:
        name = wanted.get("Name")
        if name is None:
            raise invalid_value("The filter 'null' is invalid")
        values = wanted.get("Values") or []
        if len(values) > MAX_FILTER_VALUES:
            raise AwsError(
                "FilterLimitExceeded",
                f"The maximum number of filter values specified on a single call is {MAX_FILTER_VALUES}",
            )
        if name.startswith("tag:"):
            key = name.removeprefix("tag:")
            path: Path = lambda item: [t["Value"] for t in item.get(self.tags) or () if t["Key"] == key]
        elif name == "tag-key":
            path = f"{self.tags}.Key"
        elif name == "tag-value":
            path = f"{self.tags}.Value"
        elif name in self.filters:
            path = self.filters[name]
        else:
            raise invalid_value(f"The filter '{name}' is invalid")
        matches = matcher(values)
        return lambda item: any(matches(value) for value in values_at(item, path))

    def paged(self, call: Call, items: list[Item]) -> tuple[list[Item], str | None]:
        """One page of a list, and the token for the next."""
        if self.page is None:
            return items, None
        size, forced = call.get("MaxResults"), call.region.setting("page_size")
        named = any(call.get(by.param) for by in self.by)
        if size is not None:
            low, high = self.page
            if size < low:
                raise invalid_value(
                    f"Value ( {size} ) for parameter maxResults is invalid. "
                    f"Expecting a value greater than or equal to {low}."
                )
            size = min(size, high)
        elif named:
            return items, None
        size = size or DEFAULT_PAGE
        if forced:
            size = min(size, forced)
        return page(items, size, call.get("NextToken"))


def page(items: list[Item], size: int, token: str | None) -> tuple[list[Item], str | None]:
    """The page a token stands for."""
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True).decode().removeprefix("from:"))
        except (ValueError, binascii.Error):
            raise AwsError("InvalidPaginationToken", "The pagination token is not valid.") from None
    end = start + size
    following = base64.b64encode(f"from:{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following


def values_at(item: Any, path: Path) -> list[str]:
    """The values at a dotted path, as a filter compares them; lists on the way are spread out."""
    found = [item] if isinstance(path, str) else _spread(path(item))
    if isinstance(path, str):
        for part in path.split("."):
            found = [value for each in found if isinstance(each, dict) for value in _spread(each.get(part))]
    return [_text(value) for value in found if value is not None]


def _spread(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    return str(value)


def matcher(patterns: list[str]) -> Callable[[str], bool]:
    """Whether a value is among filter values, in which `*` and `?` are wildcards and `\\` escapes."""
    exact = {p for p in patterns if not re.search(r"[*?\\]", p)}
    wild = [re.compile(_expression(p), re.DOTALL) for p in patterns if p not in exact]
    return lambda value: value in exact or any(w.fullmatch(value) for w in wild)


def _expression(pattern: str) -> str:
    out, characters = "", iter(pattern)
    for character in characters:
        if character == "\\":
            out += re.escape(next(characters, "\\"))
        elif character == "*":
            out += ".*"
        elif character == "?":
            out += "."
        else:
            out += re.escape(character)
    return out


# The lists that moto makes and the layer only selects from; handlers use their own.
LISTINGS: dict[str, Listing] = {}


def listing(row: Listing) -> Listing:
    """Enters a list that moto makes into the table."""
    LISTINGS[row.operation] = row
    return row
