"""Complaints in the books: which were told of, and which channels tell of any (R21)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.insight.complaints import TellComplaint
from domain.insight.periods import Span
from store.errors import ComplaintRefused, NoSuchOrder
from store.pool import Connection, Pool

AHEAD = timedelta(minutes=15)
"""As far as another clock may be before ours."""

ORDER = "SELECT channel, placed_at FROM orders WHERE order_no = $1"
TELL = """
INSERT INTO complaints (channel, complaint_no, order_no, about, complained_at, told_by, told_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"""
KNOWN = "SELECT order_no, about, complained_at FROM complaints WHERE channel = $1 AND complaint_no = $2"
# How many were about each of a month's orders.
OF_MONTH = """
SELECT c.order_no, count(*)::integer AS told FROM complaints c JOIN orders o USING (order_no)
WHERE o.placed_at >= $1 AND o.placed_at < $2 GROUP BY c.order_no"""
# Who has begun to tell later was silent in this month, not content.
SOURCES = "SELECT channel FROM complaints GROUP BY channel HAVING min(complained_at) < $1"


class ComplaintStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tell(self, told: TellComplaint, by: str, at: datetime) -> str:
        """The channel whose number it is; told again in the same words, it is the same. Raises `NoSuchOrder` and
        `ComplaintRefused`."""
        async with self._pool.acquire() as connection, connection.transaction():
            order = await connection.fetchrow(ORDER, told.order_no)
            if order is None:
                raise NoSuchOrder(told.order_no)
            channel: str = order["channel"]
            if not order["placed_at"] <= told.complained_at <= at + AHEAD:
                raise ComplaintRefused(
                    f"complaint {told.complaint_no} is not counted: {told.complained_at.isoformat()} is before order "
                    f"{told.order_no} was placed, or still to come"
                )
            await connection.execute(
                TELL, channel, told.complaint_no, told.order_no, told.about, told.complained_at, by, at
            )
            known = await connection.fetchrow(KNOWN, channel, told.complaint_no)
            assert known is not None, "it was written, or is there"
            if tuple(known) != (told.order_no, told.about, told.complained_at):
                raise ComplaintRefused(
                    f"complaint {told.complaint_no} of {channel} is about order {known['order_no']} ({known['about']}, "
                    f"{known['complained_at'].isoformat()}) already: give another one its own number"
                )
            return channel


async def read_complaints(connection: Connection, month: Span) -> tuple[frozenset[str], Mapping[str, int]]:
    """Channels that had told of complaints by the end of a month, and how many were about each of its orders."""
    rows = await connection.fetch(OF_MONTH, month.since, month.until)
    sources = await connection.fetch(SOURCES, month.until)
    return frozenset(row["channel"] for row in sources), {row["order_no"]: row["told"] for row in rows}
