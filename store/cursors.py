"""Where a page of a list ended, as a text in an address: the sort keys of its last row."""

import base64
import json
from datetime import datetime
from typing import Any


def to_cursor(*keys: object) -> str:
    told = [key.isoformat() if isinstance(key, datetime) else key for key in keys]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def from_cursor(cursor: str, *kinds: type) -> list[Any]:
    """The keys, each of its kind. Raises `ValueError`."""
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(told, list) or len(told) != len(kinds):
            raise ValueError(cursor)
        return [_read(key, kind) for key, kind in zip(told, kinds, strict=True)]
    except (ValueError, TypeError, RecursionError):
        raise ValueError("this is not a page cursor of ours; start again from the first page") from None


def _read(key: object, kind: type) -> object:
    if kind is datetime:
        at = datetime.fromisoformat(str(key))
        if at.tzinfo is None:
            raise ValueError(key)
        return at
    if (
        type(key) is not kind
        or (isinstance(key, int) and abs(key) >= 2**63)
        or (isinstance(key, str) and "\x00" in key)
    ):
        raise ValueError(key)
    return key
