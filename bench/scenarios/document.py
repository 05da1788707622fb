"""Reads a scenario file strictly: every key known, every scenario with an id of its own."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from bench.scenarios.plain_yaml import Malformed, load
from domain.strict import faults

SCHEMA_VERSION = 1
MAX_BYTES = 5_000_000
FILE_KEYS = frozenset({"schema_version", "conventions", "fsm", "fsm_rank", "scenarios"})
SCENARIO_KEYS = frozenset({"id", "title", "covers", "input", "expected"})

M = TypeVar("M", bound=BaseModel)


class NotYet(Exception):
    """A part of the format that is not built yet. Never counts as passed."""


@dataclass(frozen=True)
class ByRule:
    """What the pure rule says where a running workflow cannot be given such input. `note`: why not."""

    actual: Any
    note: str


@dataclass(frozen=True)
class Scenario:
    """One scenario: `given` (its input blocks) and `expected` as plain values; `fsm`, `fsm_rank` of its file."""

    id: str
    given: dict[str, Any]
    expected: dict[str, Any]
    title: str = ""
    fsm: Any = None
    fsm_rank: Any = None


def read_file(path: Path) -> tuple[Scenario, ...]:
    """All scenarios of a file, in its order. Raises `Malformed` for what makes the file as a whole unreadable."""
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise Malformed(f"{path}: {e.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise Malformed(f"{path}: {len(raw)} bytes; at most {MAX_BYTES} are read")
    try:
        return read_text(raw.decode("utf-8"))
    except UnicodeDecodeError as e:
        raise Malformed(f"{path}: not UTF-8 (byte {e.start})") from None
    except yaml.YAMLError as e:
        raise Malformed(f"{path}: not YAML: {e}") from None


def read_text(text: str) -> tuple[Scenario, ...]:
    top = _mapping(load(text), "the file")
    _only(top, FILE_KEYS, "the file")
    if top.get("schema_version") != SCHEMA_VERSION:
        raise Malformed(f"schema_version is {top.get('schema_version')!r}; this runner reads {SCHEMA_VERSION}")
    found = top.get("scenarios")
    if not isinstance(found, list) or not found:
        raise Malformed("scenarios: a list with at least one scenario is wanted")
    scenarios = tuple(_scenario(item, n, top) for n, item in enumerate(found))
    ids = [s.id for s in scenarios]
    if twice := sorted({i for i in ids if ids.count(i) > 1}):
        raise Malformed(f"scenario ids stand twice: {', '.join(twice)}")
    return scenarios


def read(model: type[M], value: Any, where: str) -> M:
    """`value` as `model`, strictly. Raises `Malformed` with one line per fault, each with its path."""
    return read_as(TypeAdapter(model), value, where)


T = TypeVar("T")


def read_as(adapter: TypeAdapter[T], value: Any, where: str) -> T:
    try:
        # Strict mode reads dates and tuples from JSON text only.
        return adapter.validate_json(json.dumps(value))
    except ValidationError as e:
        raise Malformed("\n".join(f"{where}.{line}" for line in faults(e).splitlines())) from None


def block(scenario: Scenario, name: str) -> Any:
    """An input block that another block needs. Raises `Malformed` when the scenario lacks it."""
    if name not in scenario.given:
        raise Malformed(f"input.{name} is missing")
    return scenario.given[name]


def _scenario(item: Any, n: int, top: dict[str, Any]) -> Scenario:
    where = f"scenarios[{n}]"
    fields = _mapping(item, where)
    _only(fields, SCENARIO_KEYS, where)
    number = fields.get("id")
    if not isinstance(number, str) or not number:
        raise Malformed(f"{where}.id: a text is wanted")
    return Scenario(
        id=number,
        title=str(fields.get("title", "")),
        given=_mapping(fields.get("input"), f"{number}.input"),
        expected=_mapping(fields.get("expected"), f"{number}.expected"),
        fsm=top.get("fsm"),
        fsm_rank=top.get("fsm_rank"),
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Malformed(f"{where}: a mapping with text keys is wanted")
    return value


def _only(found: Iterable[str], known: frozenset[str], where: str) -> None:
    if unknown := sorted(set(found) - known):
        raise Malformed(f"{where}: unknown keys {', '.join(unknown)}")
