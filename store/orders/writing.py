"""One visible change of an order, in one transaction: read model by rising time, all else once by its own key."""

from collections.abc import Sequence

from domain.outbound.published import EventType
from domain.records import ChildPlan, OrderWrite
from store.audit.audit import append_entries
from store.dispatch.holds import keep_holds
from store.errors import NoSuchOrder
from store.inbox.fact_outcomes import record_events
from store.orders import children
from store.orders.payments import book_payment, keep_refunds
from store.outbox import Before, lock_order, lock_with, publish
from store.outside_money.found import keep_outside
from store.packages import keep_packages
from store.pool import Connection, Row, clean
from store.stock.ledger import apply_moves
from store.tickets.tickets import keep_tickets

# The read model. A late write finds no row and changes nothing. A workflow task that is done again after a worker died
# counts from the same seq again, and may need fewer writes for more: the later one wins, by seq within one moment.
UPDATE = """
UPDATE orders SET seq = $2, updated_at = $3, status = $4, payment_status = $5, waiting_for = $6, needs_attention = $7,
    payment_code = coalesce($8, payment_code),
    completed_at = CASE WHEN $4 = 'COMPLETED' THEN coalesce(completed_at, $3) END,
    closed_at = CASE WHEN $4 = 'CLOSED' THEN coalesce(closed_at, $3) END,
    ended_at = CASE WHEN $9 THEN coalesce(ended_at, $3) ELSE ended_at END
WHERE order_no = $1 AND (updated_at, seq) < ($3, $2)"""

# With the states of those of its children that have changed, in one round trip.
UPDATE_ALL = f"WITH moved AS ({UPDATE}) {children.UPDATE.format(*range(10, 17), when='', before='child_orders')}"

# The order's row locked and moved in one round trip, where nothing has to be done between the two: one row of what it
# was before, and one for each child that has moved. Without the row nothing is changed. The children are locked as
# well: whoever has waited for the order's row reads them otherwise as they were before the wait.
_LOCKED = " AND EXISTS (SELECT FROM before)"
_BEFORE = """b.seq AS own_seq, b.updated_at AS own_updated_at, b.status AS own_status, b.channel, b.channel_order_no,
    b.buyer_id, b.currency, b.wanted"""
_MOVE = f"WITH before AS MATERIALIZED ({lock_with('$10')}), moved AS ({UPDATE}{_LOCKED})"
MOVE = f"{_MOVE} SELECT {_BEFORE} FROM before b"  # noqa: S608 - our own words
_STOOD = f"""SELECT s.child_no, s.status, s.waybill_no, s.carrier FROM child_orders s
    WHERE s.child_no = ANY ($11::text[]){_LOCKED} ORDER BY s.child_no FOR NO KEY UPDATE"""  # noqa: S608 - our own words
MOVE_ALL = f"""{_MOVE}, stood AS MATERIALIZED ({_STOOD}),
children AS ({children.UPDATE.format(*range(11, 18), when=_LOCKED, before="stood")})
SELECT {_BEFORE}, c.* FROM before b LEFT JOIN children c ON true"""  # noqa: S608 - our own words


async def apply_write(connection: Connection, write: OrderWrite, created: Sequence[ChildPlan] = ()) -> None:
    """Inside a transaction. Repeating a write, or writing out of order, does no harm.

    Money first (a refund needs what was paid), the audit chain last (its lock is shared by all orders). `created`:
    children that the same transaction has made.
    """
    if write.payment is None and not write.refunds:
        before, moved = await _lock_and_move(connection, write)
    else:
        before, moved = await _book_and_move(connection, write)
    await keep_packages(connection, children.with_new_packages(write.children, moved), write.at)
    await apply_moves(connection, write.moves, write.at)
    await keep_tickets(connection, write)
    await keep_holds(connection, write)
    write = await keep_outside(connection, write)
    await record_events(connection, write)
    await publish(connection, write, before, created, moved)
    await append_entries(connection, write)


async def _book_and_move(connection: Connection, write: OrderWrite) -> tuple[Before, list[Row]]:
    before = await lock_order(connection, write.order_no)
    if before is None:
        raise NoSuchOrder(write.order_no)
    if write.payment is not None:
        await book_payment(connection, write.order_no, write.payment, write.at)
    await keep_refunds(connection, write)
    return before, await _move(connection, write)


async def _move(connection: Connection, write: OrderWrite) -> list[Row]:
    """The order's own row and its children's. Returns the children it was not too late for, with the status before
    (`was`)."""
    if not write.children:
        await connection.execute(UPDATE, *_own(write))
        return []
    return await connection.fetch(UPDATE_ALL, *_own(write), *children.columns(write.children))


async def _lock_and_move(connection: Connection, write: OrderWrite) -> tuple[Before, list[Row]]:
    """The same, and what the order was before. Raises `NoSuchOrder`."""
    own = (*_own(write), list(EventType))
    if write.children:
        rows = await connection.fetch(MOVE_ALL, *own, *children.columns(write.children))
    else:
        rows = await connection.fetch(MOVE, *own)
    if not rows:
        raise NoSuchOrder(write.order_no)
    b = rows[0]
    before = Before(
        seq=b["own_seq"], updated_at=b["own_updated_at"], status=b["own_status"], channel=b["channel"],
        channel_order_no=b["channel_order_no"], buyer_id=b["buyer_id"], currency=b["currency"], wanted=b["wanted"],
    )  # fmt: skip
    return before, [row for row in rows if row.get("child_no") is not None]


def _own(write: OrderWrite) -> tuple[object, ...]:
    """For `UPDATE`."""
    return (
        write.order_no, write.seq, write.at, write.status, write.payment_status, clean(write.waiting_for),
        write.needs_attention, write.payment_code, write.ended,
    )  # fmt: skip
