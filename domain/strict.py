"""The one strict reader of JSON that comes from outside: used wherever something comes in."""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

MAX_BYTES = 2_000_000
"""Temporal refuses payloads above 2 MB (docs/performance.md, Dev server), so nothing larger is worth reading."""
MAX_DEPTH = 60
MOST_CONTAINERS = 200_000
"""The largest order has 30,000. Many more would take a workflow's task longer than it may."""
MOST_FAULTS = 200
MOST_LOOKED_AT = 5_000
"""Beyond this pydantic takes seconds to say what is wrong: longer than a workflow's task may take."""
LONGEST_PLACE = 500
"""Characters."""
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A text, or a bracket. Looked at one by one, the characters of the longest message would cost a workflow's task a
quarter of a second."""


class Strict(BaseModel):
    """Base of every message: no coercion, no unknown field, no NaN, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class UnableToRead(ValueError):
    """The bytes are not one well-formed message. The text names each fault and where it is, one per line."""


M = TypeVar("M", bound=BaseModel)


def load(raw: bytes | str, *, max_bytes: int = MAX_BYTES) -> Any:
    """JSON text to plain Python values.

    Refuses (`UnableToRead`): more than `max_bytes`, bad UTF-8 or a BOM, duplicate keys, NaN and infinities,
    integers of over 19 digits, nesting deeper than `MAX_DEPTH`, more than `MOST_CONTAINERS` lists and objects.
    """
    data = raw.encode() if isinstance(raw, str) else raw
    if len(data) > max_bytes:
        raise UnableToRead(f"the message has {len(data)} bytes; at most {max_bytes} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise UnableToRead(f"the message is not UTF-8 (byte {e.start})") from None
    _refuse_depth_and_number(text)
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_bounded_int,
            parse_float=_finite_float,
        )
    except UnableToRead:
        raise
    except (ValueError, RecursionError) as e:
        raise UnableToRead(f"the message is not JSON: {e}") from None


def parse(model: type[M], raw: bytes | str, *, max_bytes: int = MAX_BYTES) -> M:
    """JSON text to `model`, strictly. Raises `UnableToRead` with one line per fault, each with its path."""
    value = load(raw, max_bytes=max_bytes)
    try:
        # Strict mode reads dates and tuples only from JSON text, hence the second serialisation.
        return of(model, value)
    except ValidationError as e:
        raise UnableToRead(faults(e)) from None


def of(model: type[M], value: Any) -> M:
    """Plain JSON values (already read) to `model`, as strictly as `parse`. Raises pydantic's `ValidationError`."""
    return model.model_validate_json(json.dumps(value))


def faults(error: ValidationError) -> str:
    """A pydantic error as lines `path: what is wrong`, without the offending value (it may be personal). Of more than
    `MOST_FAULTS` the first ones, and how many there are."""
    if (count := error.error_count()) > MOST_LOOKED_AT:
        return f"message: {count} faults, too many to be told"
    lines = [_line(item["loc"], item["msg"]) for item in error.errors(include_input=False, include_url=False)]
    more = len(lines) - MOST_FAULTS
    return "\n".join(lines if more <= 0 else [*lines[:MOST_FAULTS], f"message: {more} more faults"])


def _line(path: tuple[int | str, ...], what: str) -> str:
    """In the path may stand a name that the sender has made up, of any length."""
    place = ".".join(str(part) for part in path) or "message"
    return f"{place[:LONGEST_PLACE]}: {what[:LONGEST_PLACE]}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise UnableToRead(f"the key {key[:60]!r} stands twice in one object")
        seen[key] = value
    return seen


def _no_constant(name: str) -> Any:
    raise UnableToRead(f"{name} is not a JSON number")


def _bounded_int(digits: str) -> int:
    if len(digits.lstrip("-")) > 19:
        raise UnableToRead(f"an integer of {len(digits)} digits is out of range")
    return int(digits)


def _finite_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise UnableToRead(f"{text[:30]} is out of range")
    return value


def _refuse_depth_and_number(text: str) -> None:
    depth = count = 0
    for token in _TOKENS.finditer(text):
        sign = text[token.start()]
        if sign in "[{":
            depth += 1
            count += 1
            if depth > MAX_DEPTH:
                raise UnableToRead(f"nested deeper than {MAX_DEPTH}")
            if count > MOST_CONTAINERS:
                raise UnableToRead(f"more than {MOST_CONTAINERS} lists and objects")
        elif sign in "]}":
            depth -= 1
