"""Asks the rule set that an order keeps, inside the transaction that plans the order."""

import asyncio
from collections.abc import Mapping, Sequence

from domain.catalog.records import SkuRecord
from domain.policy import Policy
from domain.records import Priced
from domain.rules.decision import RuleDecision, without_rules
from domain.rules.question import Head, Place, question_of
from store.pool import Connection, Row
from store.rules.rule_sets import engine_for

# What rules look at of an order, and the version that it keeps.
HEAD = """
SELECT rules_version, channel, kind, currency, start #>> '{address,country}' AS country,
    start #>> '{address,province}' AS province, start #>> '{address,city}' AS city,
    start #>> '{address,district}' AS district
FROM orders WHERE order_no = $1"""


async def decision_for(
    connection: Connection,
    order_no: str,
    priced: Priced,
    catalogue: Mapping[str, SkuRecord],
    candidates: Mapping[str, Sequence[str]],
    stock: Mapping[Place, int],
    policy: Policy,
) -> RuleDecision:
    """By the version the order was registered under; by the policy alone if there was none. Raises `UnableToDecide`."""
    row = await connection.fetchrow(HEAD, order_no)
    if row is None or row["rules_version"] is None:
        return without_rules(policy.split_priority, (line.line_id for line in priced.lines))
    engine = await engine_for(connection, row["rules_version"])
    question = question_of(head(row), priced, catalogue, candidates, stock, policy.split_priority)
    return await asyncio.to_thread(engine.decide, question) if engine.is_slow(question) else engine.decide(question)


def head(row: Row) -> Head:
    names = ("channel", "kind", "currency", "country", "province", "city", "district")
    return Head(**{name: row[name] or "" for name in names})
