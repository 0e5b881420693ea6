"""Identifiers in AWS's forms."""

from __future__ import annotations

import hashlib
import re
import secrets


def new_id(prefix: str) -> str:
    """A random id such as `i-0123456789abcdef0`."""
    return f"{prefix}-0{secrets.token_hex(8)}"


def derived_id(prefix: str, *parts: str) -> str:
    """An id that is the same in every run, for what AWS itself owns."""
    return f"{prefix}-0{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:16]}"


def well_formed(prefix: str, value: str) -> bool:
    """Whether AWS would look an id up at all, rather than call it malformed."""
    return re.fullmatch(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})", value) is not None


def account_id(access_key: str) -> str:
    """The account an access key belongs to: each key has a world of its own."""
    if access_key == "test":
        return "123456789012"
    number = int(hashlib.sha256(access_key.encode()).hexdigest(), 16)
    return str(10**11 + number % (9 * 10**11))
