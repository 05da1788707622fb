"""One visible change of an order, in one transaction: read model by rising time, all else once by its own key."""

from collections.abc import Sequence

from domain.records import ChildPlan, OrderWrite
from store.audit.audit import append_entries
from store.dispatch.holds import keep_holds
from store.errors import NoSuchOrder
from store.inbox.fact_outcomes import record_events
from store.orders import children
from store.orders.payments import book_payment, keep_refunds
from store.outbox import lock_order, publish
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
UPDATE_ALL = f"WITH moved AS ({UPDATE}) {children.UPDATE.format(*range(10, 17))}"


async def apply_write(connection: Connection, write: OrderWrite, created: Sequence[ChildPlan] = ()) -> None:
    """Inside a transaction. Repeating a write, or writing out of order, does no harm.

    Money first (a refund needs what was paid), the audit chain last (its lock is shared by all orders). `created`:
    children that the same transaction has made.
    """
    before = await lock_order(connection, write.order_no)
    if before is None:
        raise NoSuchOrder(write.order_no)
    if write.payment is not None:
        await book_payment(connection, write.order_no, write.payment, write.at)
    await keep_refunds(connection, write)
    moved = await _move(connection, write)
    await apply_moves(connection, write.moves, write.at)
    await keep_tickets(connection, write)
    await keep_holds(connection, write)
    write = await keep_outside(connection, write)
    await record_events(connection, write)
    await publish(connection, write, before, created, moved)
    await append_entries(connection, write)


async def _move(connection: Connection, write: OrderWrite) -> list[Row]:
    """The order's own row and its children's. Returns the children it was not too late for, with the status before
    (`was`)."""
    own = (
        write.order_no, write.seq, write.at, write.status, write.payment_status, clean(write.waiting_for),
        write.needs_attention, write.payment_code, write.ended,
    )  # fmt: skip
    if not write.children:
        await connection.execute(UPDATE, *own)
        return []
    moved = await connection.fetch(UPDATE_ALL, *own, *children.columns(write.children))
    await keep_packages(connection, children.with_new_packages(write.children, moved), write.at)
    return moved
