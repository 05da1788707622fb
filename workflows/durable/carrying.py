"""What one run of a workflow hands to the next: each class says beside its fields which go along, and why not.
A test finds every field that is in neither list (tests/workflows/test_carried_fields.py)."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

from pydantic import TypeAdapter

from domain.strict import Strict

VERSION = 1
PACKED_FROM = 200_000
"""Bytes of JSON. More is compressed: the state of thousands of lines stays far below Temporal's 2 MB."""
KEYS_KEPT = 5_000
"""Keys of facts that a run hands to the next, the latest. The inbox refuses repeated messages first (decision 0034)."""


class Whole(Strict):
    """`start`: the start message, as JSON text; `state`: what each part of the workflow has packed."""

    start: str
    state: dict[str, Any]


class Carried(Strict):
    """What a run that goes on for another begins with, instead of the start message."""

    version: int
    whole: Whole | None = None
    packed: str | None = None
    """The same, compressed."""


class Way(Protocol):
    """How one field of `owner` goes along."""

    def take(self, owner: Any, name: str) -> Any: ...
    def give(self, owner: Any, name: str, data: Any) -> None: ...


class ByType:
    """A field that is a value, by its type. `pack`, `unpack`: where the field is not what travels."""

    def __init__(self, kind: Any, pack: Callable[[Any], Any] | None = None, unpack: Any = None) -> None:
        self._kind, self._pack, self._unpack = kind, pack, unpack

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._kind)

    def take(self, owner: Any, name: str) -> Any:
        value = getattr(owner, name)
        return self._adapter.dump_python(self._pack(value) if self._pack else value, mode="json")

    def give(self, owner: Any, name: str, data: Any) -> None:
        value = self._adapter.validate_json(json.dumps(data), strict=True)
        setattr(owner, name, self._unpack(value) if self._unpack else value)


class Into(ByType):
    """A field that is an object without a table, to which others hold on: it takes on what the kept one says."""

    def give(self, owner: Any, name: str, data: Any) -> None:
        there = getattr(owner, name)
        super().give(owner, name, data)
        vars(there).update(vars(getattr(owner, name)))
        setattr(owner, name, there)


class Own:
    """A field that is an object with a table of its own (`CARRIED`), there already when the state is given back."""

    def take(self, owner: Any, name: str) -> Any:
        return take(getattr(owner, name))

    def give(self, owner: Any, name: str, data: Any) -> None:
        give(getattr(owner, name), data)


class Through:
    """A field that two methods of its owner know how to carry: `packed() -> JSON`, `unpack(JSON)`."""

    def __init__(self, packed: str, unpack: str) -> None:
        self._packed, self._unpack = packed, unpack

    def take(self, owner: Any, name: str) -> Any:
        return getattr(owner, self._packed)()

    def give(self, owner: Any, name: str, data: Any) -> None:
        getattr(owner, self._unpack)(data)


class Table:
    """`fields`: in the order in which they are given back. `left`: fields that do not go along, and why."""

    def __init__(self, *, left: Mapping[str, str] | None = None, **fields: Any) -> None:
        self.left = left or {}
        self.fields: dict[str, Way] = {
            name: kind if isinstance(kind, ByType | Own | Through) else ByType(kind) for name, kind in fields.items()
        }

    def under(self, base: "Table") -> "Table":
        """With the table of the class above."""
        joined = Table(left={**base.left, **self.left})
        joined.fields = {**base.fields, **self.fields}
        return joined


class LatestKeys(dict[str, None]):
    """Keys in the order in which they came."""

    def add(self, key: str) -> None:
        self[key] = None


KEYS = ByType(list[str], lambda keys: [*keys][-KEYS_KEPT:], LatestKeys.fromkeys)
"""Of a field that is a `LatestKeys`."""


def take(owner: Any) -> dict[str, Any]:
    """What is empty is left out: every field begins empty, or with what it never loses."""
    taken = ((name, way.take(owner, name)) for name, way in owner.CARRIED.fields.items())
    return {name: data for name, data in taken if data not in (None, False, 0, "", [], {})}


def give(owner: Any, data: Mapping[str, Any]) -> None:
    """Raises `ValueError` for what this version does not know: nothing is dropped in silence."""
    fields = owner.CARRIED.fields
    if unknown := sorted(set(data) - set(fields)):
        raise ValueError(f"{type(owner).__name__} of this version does not know {', '.join(unknown)}")
    for name, way in fields.items():
        if name in data:
            way.give(owner, name, data[name])


def carried(owner: Any, start: str) -> Carried:
    """What `owner` knows, and the start message that it began with."""
    whole = Whole(start=start, state=take(owner))
    text = whole.model_dump_json().encode()
    if len(text) < PACKED_FROM:
        return Carried(version=VERSION, whole=whole)
    return Carried(version=VERSION, packed=base64.b64encode(zlib.compress(text)).decode())


def unpacked(message: Carried) -> Whole:
    """Raises `ValueError` for one of another version."""
    if message.version != VERSION:
        raise ValueError(f"the state of the run before has version {message.version}, this worker reads {VERSION}")
    if message.packed is not None:
        return Whole.model_validate_json(zlib.decompress(base64.b64decode(message.packed)))
    if message.whole is None:
        raise ValueError("the state of the run before is not there")
    return message.whole
