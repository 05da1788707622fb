"""The return risk in the books: what was counted of each paid order, what became of it, and the models in versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.insight.evaluation import Training
from domain.insight.periods import Span
from domain.insight.risk import RiskFeatures, RiskTable
from domain.insight.risk_model import RiskModel
from domain.policy import Policy
from domain.records import AuditEntry
from domain.strict import of
from store.audit.audit import append_entry
from store.pool import Connection, Pool, Row
from store.rules.policies import read_current

LABEL_AFTER = timedelta(days=45)
"""What has not come back by then, counted from payment, does not."""
LEARNT_FROM = timedelta(days=366)
MOST = 100_000
"""Orders: the latest before the month, and as many of the month."""
PAST_ORDERS = 5_000
"""On which a field of another system is tried."""
LONGEST_S = 60

KEEP = "INSERT INTO risk_features (order_no, paid_at, features) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
IN_FORCE = "SELECT CASE WHEN outcome = 'in_force' THEN model END FROM risk_models ORDER BY version DESC LIMIT 1"
NEWEST = "SELECT version, training FROM risk_models ORDER BY version DESC LIMIT 1"
PUT = """
INSERT INTO risk_models (version, month, outcome, training, model, trained_by, trained_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
VERSIONS = """
SELECT version, outcome, training, model, trained_by, trained_at FROM risk_models ORDER BY version DESC LIMIT $1"""

# What became of orders within the time. Whoever was asked before an order left, and says that it helped, has seen one
# that would have come back. Where the seller was at fault nothing is said about the order; what nobody has signed for,
# and nobody has sent back, is not over.
LABELLED = """
SELECT f.features, coalesce(c.came_back, false) OR coalesce(h.helped, false) AS came_back,
    CASE WHEN coalesce(h.helped, false) THEN NULL
        WHEN coalesce(c.sellers_fault, false) THEN 'sellers_fault'
        WHEN NOT coalesce(c.came_back, false) AND s.order_no IS NULL THEN 'not_delivered' END AS left_out
FROM (SELECT order_no, paid_at, features FROM risk_features WHERE paid_at >= $1 AND paid_at < $2
    ORDER BY paid_at DESC, order_no LIMIT $4) f
LEFT JOIN LATERAL (
    SELECT bool_or(fault <> 'seller') AS came_back, bool_or(fault = 'seller') AS sellers_fault FROM return_cases
    WHERE order_no = f.order_no AND type IN ('return_refund', 'exchange') AND applied_at < f.paid_at + $3::interval
        AND status NOT IN ('REJECTED', 'CANCELLED_BY_BUYER', 'CLOSED_NOT_SENT')
) c ON true
LEFT JOIN LATERAL (SELECT bool_or(helped) AS helped FROM order_holds WHERE order_no = f.order_no) h ON true
LEFT JOIN LATERAL (
    SELECT order_no FROM child_orders
    WHERE order_no = f.order_no AND type = 'SHIPMENT' AND signed_at < f.paid_at + $3::interval LIMIT 1
) s ON true"""


@dataclass(frozen=True)
class RiskHistory:
    """Labelled orders before a month, and of it: features and whether they came back. `left_out`: of both, by
    reason."""

    before: tuple[list[RiskFeatures], list[bool]]
    held_out: tuple[list[RiskFeatures], list[bool]]
    left_out: dict[str, int]
    table: RiskTable
    in_force: RiskModel | None
    newest: int


@dataclass(frozen=True)
class RiskVersion:
    version: int
    training: Training
    model: RiskModel | None
    trained_by: str
    trained_at: datetime


async def keep_features(connection: Connection, order_no: str, paid_at: datetime, features: RiskFeatures) -> None:
    """Once: what was counted first is what the order was judged by."""
    await connection.execute(KEEP, order_no, paid_at, features.model_dump(exclude_defaults=True))


def in_force(policy: Policy, versions: Sequence[RiskVersion]) -> RiskVersion | None:
    """Of the versions, newest first. None: points judge."""
    if not policy.risk.trained or not versions or versions[0].training.outcome != "in_force":
        return None
    return versions[0]


async def model_in_force(connection: Connection) -> RiskModel | None:
    """None: points judge."""
    found = await connection.fetchval(IN_FORCE)
    return None if found is None else of(RiskModel, found)


class RiskModelStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def history(self, month: Span) -> RiskHistory:
        """One snapshot of it."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")
            newest = await connection.fetchrow(NEWEST)
            since = month.since - LEARNT_FROM
            left_out: dict[str, int] = {}
            policy = await read_current(connection)
            return RiskHistory(
                before=_labelled(await _read(connection, since, month.since), left_out),
                held_out=_labelled(await _read(connection, month.since, month.until), left_out),
                left_out=dict(sorted(left_out.items())),
                table=RiskTable() if policy is None else policy.risk,
                in_force=await model_in_force(connection),
                newest=0 if newest is None else newest["version"],
            )

    async def put(self, version: int, training: Training, model: RiskModel | None, by: str, at: datetime) -> int:
        """The version that says so: the newest one if it does. A number that somebody was quicker with is refused by
        the key: whoever trains does it again."""
        content = training.model_dump(mode="json")
        async with self._pool.acquire() as connection, connection.transaction():
            newest = await connection.fetchrow(NEWEST)
            if newest is not None and newest["training"] == content:
                return int(newest["version"])
            kept = None if model is None else model.model_dump(mode="json")
            await connection.execute(PUT, version, training.month, training.outcome, content, kept, by, at)
            detail = {"version": version, "month": training.month, "outcome": training.outcome}
            await append_entry(connection, AuditEntry(actor=by, action="insight.risk_trained", detail=detail), at)
            return version

    async def lately(self, now: datetime, most: int) -> tuple[list[RiskFeatures], list[bool]]:
        """The latest orders whose end is known."""
        async with self._pool.acquire() as connection:
            until = now - LABEL_AFTER
            rows = await connection.fetch(LABELLED, until - LEARNT_FROM, until, LABEL_AFTER, most, timeout=LONGEST_S)
        return _labelled(rows, {})

    async def versions(self, most: int = 24) -> tuple[RiskVersion, ...]:
        """Newest first."""
        return tuple(_version(row) for row in await self._pool.fetch(VERSIONS, most))


async def _read(connection: Connection, since: datetime, until: datetime) -> list[Row]:
    return await connection.fetch(LABELLED, since, until, LABEL_AFTER, MOST, timeout=LONGEST_S)


def _labelled(rows: list[Row], left_out: dict[str, int]) -> tuple[list[RiskFeatures], list[bool]]:
    features, marks = [], []
    for row in rows:
        if (why := row["left_out"]) is not None:
            left_out[why] = left_out.get(why, 0) + 1
            continue
        features.append(of(RiskFeatures, row["features"]))
        marks.append(row["came_back"])
    return features, marks


def _version(row: Row) -> RiskVersion:
    model: Any = row["model"]
    return RiskVersion(
        row["version"], of(Training, row["training"]), None if model is None else of(RiskModel, model),
        row["trained_by"], row["trained_at"],
    )  # fmt: skip
