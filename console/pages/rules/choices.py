"""What may be chosen in a cell: values of the catalogue, the books, the settings, and closed lists of ours."""

import json
from collections.abc import Mapping
from itertools import permutations
from typing import get_args

from domain.catalog.records import CustomsMode
from domain.policy import FreightBack
from domain.returns.enums import Fault, Reason, ReturnType, Risk
from domain.rules.check import ROUTES
from domain.rules.reading import read_table
from domain.rules.sets import RuleSet
from domain.rules.tables import DIMENSIONS, SHAPES, Output
from store.console.rules import RuleChoices
from store.pool import Pool
from store.rules.policies import PolicyStore

Values = Mapping[str, tuple[str, ...]]
PLACES = ("ship_from", "warehouse", "warehouses")


async def values_of(pool: Pool, rule_set: RuleSet) -> Values:
    """By column, of conditions and of answers."""
    known, policy = await RuleChoices(pool).values(), await PolicyStore(pool).current()
    places = tuple(sorted({*known["warehouse"], *policy.warehouses}))
    return {
        **{name: known[name] for name in ("channel", "sku", "supplier")},
        **dict.fromkeys(PLACES, places),
        "logistics": tuple(dict.fromkeys((*policy.logistics, *known["logistics"]))),
        "customs": get_args(CustomsMode),
        "currency": policy.currencies,
        "type": tuple(ReturnType),
        "risk": tuple(Risk),
        "reason": tuple(Reason),
        "fault": tuple(Fault),
        "carriers": _carriers(rule_set),
        "carrier": _carriers(rule_set),
    }


CLOSED: Values = {
    "priority": (*(json.dumps(order) for order in permutations(DIMENSIONS)), "policy_priority"),
    "levels": tuple(json.dumps([str(level) for level in route]) for route in ROUTES),
    "freight": tuple(f'"{way}"' for way in get_args(FreightBack)),
    "days": ("7", "15", "30"),
    "kind": ('"customs"', '"temperature"', '"hazard"'),
    "value": ("customs", "logistics", "supplier", "sku"),
}
"""Answers that are ours to list, as they stand in a cell."""


def answers_of(output: Output, values: Values) -> tuple[str, ...]:
    """As they stand in a cell."""
    if output.field in CLOSED:
        return CLOSED[output.field]
    known = values.get(output.field, ())
    return tuple(f'["{value}"]' if output.kind == "texts" else f'"{value}"' for value in known)


def conditions_of(field: str, kind: str | None, values: Values) -> tuple[str, ...]:
    """As they stand in a cell: one value, or any other."""
    if kind == "flag":
        return ("true", "false")
    known = values.get(field, ())
    if kind == "texts":
        return tuple(f"contains($, '{value}')" for value in known)
    if kind == "whole":
        return (">= 10", "[1..5]")
    return tuple(f"'{value}'" for value in known) + tuple(f"!= '{value}'" for value in known)


def _carriers(rule_set: RuleSet) -> tuple[str, ...]:
    """Those that some tariff prices."""
    table, _ = read_table(SHAPES["tariffs"], rule_set.tables["tariffs"]) if "tariffs" in rule_set.tables else (None, ())
    if table is None:
        return ()
    column = next(c.id for c in table.outputs if c.field == "carrier")
    return tuple(sorted({row.cells[column].strip("\"'") for row in table.rows}))[:60]
