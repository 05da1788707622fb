"""Exact comparison of what a block gave with what its scenario states, as readable differences."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

MISSING = "nothing"


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """One line per difference: `path: expected X, got Y`. None: equal, in values, types, order and length.

    Two ISO times that name the same instant in different offsets are equal.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in dict.fromkeys([*expected, *actual]):
            yield from differences(expected.get(key, _Nothing), actual.get(key, _Nothing), _join(path, str(key)))
    elif isinstance(expected, list) and isinstance(actual, list):
        for i in range(max(len(expected), len(actual))):
            yield from differences(_item(expected, i), _item(actual, i), f"{path}[{i}]")
    elif not _equal(expected, actual):
        yield f"{path or 'block'}: expected {_show(expected)}, got {_show(actual)}"


class _Nothing:
    """Stands where the other side has a value."""


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _item(values: list[Any], i: int) -> Any:
    return values[i] if i < len(values) else _Nothing


def _equal(expected: Any, actual: Any) -> bool:
    if type(expected) is not type(actual):  # 1 is not true, 0 is not null
        return False
    if isinstance(expected, str) and (at := _instant(expected)) is not None:
        return at == _instant(actual)
    return bool(expected == actual)


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _show(value: Any) -> str:
    return MISSING if value is _Nothing else repr(value)
