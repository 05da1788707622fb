"""Holds in the books: written with the order that they are on, read by people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.insight.risk import RiskScore
from domain.records import OrderWrite
from domain.strict import of
from store.pool import Connection, clean

# As it is now; a late write of it changes nothing. A workflow task that is done again after a worker died may give the
# same number to another hold: the later one is told whole.
KEEP = """
INSERT INTO order_holds AS h (hold_id, order_no, child_no, children, kind, source, rule, reason, remark, placed_by,
    placed_at, ends_at, ask_after_s, stopped, too_late, ended_at, ending, ended_by, end_remark, updated_at, seq, risk,
    helped)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
ON CONFLICT (hold_id) DO UPDATE SET (child_no, children, kind, source, rule, reason, remark, placed_by, placed_at,
    ends_at, ask_after_s, stopped, too_late, ended_at, ending, ended_by, end_remark, updated_at, seq, risk, helped) =
    ROW (excluded.child_no, excluded.children, excluded.kind, excluded.source, excluded.rule, excluded.reason,
    excluded.remark, excluded.placed_by, excluded.placed_at, excluded.ends_at, excluded.ask_after_s, excluded.stopped,
    excluded.too_late, excluded.ended_at, excluded.ending, excluded.ended_by, excluded.end_remark, excluded.updated_at,
    excluded.seq, excluded.risk, excluded.helped)
WHERE (h.updated_at, h.seq) < (excluded.updated_at, excluded.seq)"""

# Of an order that has ended nothing is held: also what only a task that never counted has told.
END = """
UPDATE order_holds SET ended_at = $2, ending = 'nothing_left', ended_by = 'system', updated_at = $2, seq = $3
WHERE order_no = $1 AND ended_at IS NULL AND (updated_at, seq) < ($2, $3)"""

# Open ones first, then the latest.
OF_ORDER = """
SELECT hold_id, order_no, child_no, children, kind, source, rule, reason, remark, placed_by, placed_at, ends_at,
    stopped, too_late, ended_at, ending, ended_by, end_remark, risk, helped
FROM order_holds WHERE order_no = $1 ORDER BY ended_at IS NOT NULL, placed_at DESC, hold_id DESC LIMIT 100"""


@dataclass(frozen=True)
class HoldRow:
    """`stopped`: a warehouse had them, they ship again under new numbers; `too_late`: they ship. What has to do with
    its end is empty while it is open."""

    hold_id: str
    order_no: str
    child_no: str | None
    children: tuple[str, ...]
    kind: str
    source: str
    rule: str | None
    reason: str
    remark: str
    placed_by: str
    placed_at: datetime
    ends_at: datetime | None
    stopped: tuple[str, ...]
    too_late: tuple[str, ...]
    ended_at: datetime | None
    ending: str | None
    ended_by: str | None
    end_remark: str
    risk: RiskScore | None
    helped: bool | None

    def is_on(self, child_no: str) -> bool:
        """Whether this child waits for it."""
        covered = self.child_no is None or child_no in self.children
        return self.ended_at is None and covered and child_no not in self.too_late


async def keep_holds(connection: Connection, write: OrderWrite) -> None:
    """Inside the transaction of an order's write."""
    for h in write.holds:
        await connection.execute(
            KEEP, h.hold_id, write.order_no, h.child_no, list(h.children), h.kind, h.source, h.rule, clean(h.reason),
            clean(h.remark), clean(h.placed_by), h.placed_at, h.ends_at, h.ask_after_s, list(h.stopped),
            list(h.too_late), h.ended_at, h.end, h.ended_by, clean(h.end_remark), write.at, write.seq,
            None if h.risk is None else h.risk.model_dump(mode="json"), h.helped,
        )  # fmt: skip
    if write.ended:
        await connection.execute(END, write.order_no, write.at, write.seq)


async def holds_of(connection: Connection, order_no: str) -> tuple[HoldRow, ...]:
    lists = ("children", "stopped", "too_late")
    rows = await connection.fetch(OF_ORDER, order_no)
    return tuple(
        HoldRow(**dict(row) | {name: tuple(row[name]) for name in lists} | {"risk": _risk(row["risk"])}) for row in rows
    )


def _risk(kept: Any) -> RiskScore | None:
    return None if kept is None else of(RiskScore, kept)
