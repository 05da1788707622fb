"""A shop with a row of its own in its approval table: for what has not left."""

import json
from copy import deepcopy

from bench.scenarios.environment import ScenarioEnvironment
from domain.rules.sets import Document
from store.rules.defaults import built_in
from tests.store.rule_books import published


async def agreeing(house: ScenarioEnvironment, levels: list[str]) -> None:
    """Who agrees before a paid order is cancelled, of orders that are placed after it."""
    tables: dict[str, Document] = {str(name): table for name, table in built_in().tables.items()}
    tables["approval_route"] = _with_cancellations(tables["approval_route"], levels)
    await published(house.pool, by="u-boss", **tables)


def _with_cancellations(table: Document, levels: list[str]) -> Document:
    changed = deepcopy(table)
    (node,) = [n for n in changed["nodes"] if n["type"] == "decisionTableNode"]
    row = {**node["content"]["rules"][0], "_id": "cancelled", "_description": "cancelled", "exempt": ""}
    row |= {"type": '"cancel_unshipped"', "then_levels": json.dumps(levels)}
    node["content"]["rules"].insert(0, row)
    return changed
