"""Every statement that stands in the code as a text, and what its plan reads from end to end."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from store.pool import Connection

PARTIAL = "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
"""Names of the indexes of what waits, not of all."""
STATEMENT = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\s")


def statements(*rooms: Any) -> dict[str, str]:
    """By the name of the module and of the constant; texts of a mapping or a sequence with their place in it."""
    found: dict[str, str] = {}
    for room in rooms:
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not module.name.endswith("__main__"):
                for name, value in vars(importlib.import_module(module.name)).items():
                    found.update(_texts(f"{module.name}.{name}", value))
    named: dict[str, str] = {}
    for name, text in found.items():
        named.setdefault(text, name)  # imported from elsewhere: one of its names is enough
    return {name: text for text, name in named.items()}


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and STATEMENT.match(value):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(f"{name}[{key}]", item)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _texts(f"{name}[{place}]", item)


async def generic_plan(connection: Connection, text: str) -> dict[str, Any]:
    """As it is when the server knows no value."""
    given = len((await connection.prepare(text)).get_parameters())
    await connection.execute(f"PREPARE looked_at AS {text}")
    try:
        values = f"({', '.join(['NULL'] * given)})" if given else ""
        return _plan(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{values}"))
    finally:
        await connection.execute("DEALLOCATE looked_at")


async def plan_with(connection: Connection, text: str, values: Sequence[object]) -> dict[str, Any]:
    """As it is for these values."""
    return _plan(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", *values))


def _plan(told: str) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    return plan


def read_whole(plan: Mapping[str, Any], growing: set[str], partial: set[str], limited: bool = False) -> Iterator[str]:
    """What of these tables is read from end to end. An index of what waits (`partial`) may be; one that gives rows in
    their order may be, where as many are taken as are asked for and none is passed over."""
    node, table = plan["Node Type"], plan.get("Relation Name")
    limited = limited or node == "Limit"
    if table in growing:
        walked = node.startswith("Index") and "Index Cond" not in plan and plan["Index Name"] not in partial
        if node == "Seq Scan" or (walked and not (limited and "Filter" not in plan)):
            yield f"{node} of {table} {plan.get('Index Name', '')}".strip()
    for part in plan.get("Plans", ()):
        yield from read_whole(part, growing, partial, limited)
