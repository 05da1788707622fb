"""One write is one transaction: repeated, late or out of order it does no harm."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from domain.facts import Kind
from domain.records import AuditEntry, ChildState, StockMove, TicketRecord, TicketResolution
from domain.states import ChildStatus, OrderStatus, Outcome, RefundStatus
from store.errors import NoSuchOrder, StockWouldGoNegative, TicketNotOpenYet
from store.inbox.inbox import InboxStore, Incoming
from store.orders.labels import LabelStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketRow, TicketStore
from tests.store.examples import NOW, a_fact, a_payment, a_refund, a_settled_order, a_write, an_event, an_order

TICKET = TicketRecord(ticket_id="T-SO20261120-1", system="wms", step="push", error="down")
CHILD = "SO20261120-01"


@pytest.fixture
async def order(orders: OrderStore, stock: StockStore) -> str:
    await stock.receive("A", "WH-1", 100, "GR-1")
    await stock.receive("B", "WH-2", 100, "GR-2")
    await a_settled_order(orders)
    return "SO20261120"


async def test_a_late_write_never_overwrites_the_read_model(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=5, status=OrderStatus.SHIPPED, waiting_for="receipt"))
    await orders.write(a_write(seq=4, status=OrderStatus.AWAITING_SHIPMENT, waiting_for="parcels", ended=True))
    row = await pool.fetchrow("SELECT seq, status, waiting_for, ended_at FROM orders")
    assert row is not None and tuple(row) == (5, "SHIPPED", "receipt", None)


async def test_a_task_that_is_done_again_with_fewer_writes_wins_because_it_is_later(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    """The worker died after three writes; the history knows of none, and two are enough the second time."""
    at = NOW + timedelta(hours=1)
    picking, shipped = (ChildState(child_no=CHILD, status=s) for s in (ChildStatus.PICKING, ChildStatus.SHIPPED))
    await orders.write(a_write(seq=2, at=at))
    await orders.write(a_write(seq=3, at=at))
    await orders.write(a_write(seq=4, at=at, children=(picking,), refunds=(a_refund("R-1", 500),)))
    moved = a_refund("R-1", 500, RefundStatus.ABNORMAL)
    again: dict[str, Any] = {"at": at + timedelta(seconds=10), "status": OrderStatus.SHIPPED, "ended": True}
    await orders.write(a_write(seq=3, children=(shipped,), refunds=(moved,), **again))
    row = await pool.fetchrow("SELECT seq, status, ended_at IS NOT NULL FROM orders")
    assert row is not None and tuple(row) == (3, "SHIPPED", True)
    assert await pool.fetchval("SELECT status FROM child_orders WHERE child_no = $1", CHILD) == "SHIPPED"
    assert await pool.fetchval("SELECT status FROM refunds") == "ABNORMAL"


async def test_of_writes_of_one_moment_the_higher_seq_wins(orders: OrderStore, pool: Pool, order: str) -> None:
    at = NOW + timedelta(hours=1)
    await orders.write(a_write(seq=5, at=at, status=OrderStatus.SHIPPED))
    await orders.write(a_write(seq=4, at=at, status=OrderStatus.AWAITING_SHIPMENT))
    assert await pool.fetchval("SELECT status FROM orders") == "SHIPPED"


async def test_a_late_write_still_adds_what_it_alone_knows(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=5))
    late = a_write(seq=4, events=(an_event("tms:x:SIGNED"),), tickets=(TICKET,), audit=(_audit(),))
    await orders.write(late)
    for table in ("order_events", "tickets", "audit"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608


async def test_writes_in_any_order_and_all_at_once_leave_the_highest(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    writes = [a_write(seq=n, events=(an_event(f"k:{n}"),)) for n in range(2, 14)]
    await asyncio.gather(*(orders.write(w) for w in [*reversed(writes), *writes]))
    assert await pool.fetchval("SELECT seq FROM orders") == 13
    assert await pool.fetchval("SELECT count(*) FROM order_events") == 12


async def test_a_repeated_write_adds_nothing(orders: OrderStore, stock: StockStore, pool: Pool, order: str) -> None:
    ship = StockMove(ref=f"{CHILD}/L1", kind="ship", sku="A", warehouse="WH-1", qty=3)
    write = a_write(
        seq=2,
        events=(an_event("k:1"), an_event("k:2", Outcome.HELD), an_event("k:1", Outcome.DUPLICATE)),
        moves=(ship,),
        tickets=(TICKET,),
        resolutions=(_resolution(),),
        audit=(_audit(), _audit()),
        payment=a_payment(),
    )
    for _ in range(3):
        await orders.write(write)
    counts = {"order_events": 3, "tickets": 1, "audit": 2, "payments": 1}
    for table, expected in counts.items():
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == expected  # noqa: S608
    assert [(b.available, b.reserved, b.shipped) for b in await stock.show("A")] == [(97, 0, 3)]


async def test_one_key_is_applied_at_most_once_whatever_is_told(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=2, events=(an_event("k:1"), an_event("k:1"))))
    await orders.write(a_write(seq=3, events=(an_event("k:1"),)))
    outcomes = [r["outcome"] for r in await pool.fetch("SELECT outcome FROM order_events ORDER BY id")]
    assert outcomes == ["APPLIED", "DUPLICATE", "DUPLICATE"]


async def test_a_failed_write_changes_nothing(orders: OrderStore, pool: Pool, order: str) -> None:
    too_many = StockMove(ref=f"{CHILD}/L1", kind="release", sku="A", warehouse="WH-1", qty=50)
    with pytest.raises(StockWouldGoNegative):
        await orders.write(a_write(seq=2, events=(an_event(),), audit=(_audit(),), moves=(too_many,)))
    assert await pool.fetchval("SELECT seq FROM orders") == 1
    assert await pool.fetchval("SELECT count(*) FROM order_events") == 0


async def test_moves_of_goods_that_were_never_received_are_refused(orders: OrderStore, order: str) -> None:
    with pytest.raises(StockWouldGoNegative, match="NOTHING"):
        await orders.write(
            a_write(seq=2, moves=(StockMove(ref="x", kind="ship", sku="NOTHING", warehouse="W", qty=1),))
        )


@pytest.mark.parametrize(
    ("kind", "after"), [("release", (100, 0, 0, 0)), ("ship", (97, 0, 3, 0)), ("write_off", (97, 0, 0, 3))]
)
async def test_every_kind_of_move_keeps_the_total(
    orders: OrderStore, stock: StockStore, order: str, kind: str, after: tuple[int, ...]
) -> None:
    move = StockMove.model_validate({"ref": f"{CHILD}/L1", "kind": kind, "sku": "A", "warehouse": "WH-1", "qty": 3})
    await orders.write(a_write(seq=2, moves=(move,)))
    (a,) = await stock.show("A")
    assert (a.available, a.reserved, a.shipped, a.scrapped) == after


async def test_an_order_that_is_not_in_the_books_cannot_be_written(orders: OrderStore) -> None:
    with pytest.raises(NoSuchOrder):
        await orders.write(a_write())


async def test_a_child_keeps_what_an_earlier_write_knew_and_late_ones_lose(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    label = base64.b64encode(b"%PDF").decode()
    booked = ChildState(
        child_no=CHILD, status=ChildStatus.PACKED, waybill_no="W1", carrier="SF", label_format="PDF", label_b64=label
    )
    await orders.write(a_write(seq=3, children=(booked,)))
    await orders.write(a_write(seq=4, children=(ChildState(child_no=CHILD, status=ChildStatus.SHIPPED),)))
    await orders.write(a_write(seq=2, children=(ChildState(child_no=CHILD, status=ChildStatus.PICKING),)))
    row = await pool.fetchrow("SELECT status, waybill_no, carrier, seq FROM child_orders WHERE child_no = $1", CHILD)
    assert row is not None and tuple(row) == ("SHIPPED", "W1", "SF", 4)
    found = await LabelStore(pool).get(CHILD)
    assert found is not None and (found.format, found.content) == ("PDF", b"%PDF")


async def test_what_is_asked_later_under_a_number_that_is_known_takes_its_place_and_what_came_before_does_not(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    """A workflow that a reset put back counts on from there: its next question has the number of one that is void."""
    hour, book = timedelta(hours=1), orders.write
    await book(a_write(seq=2, at=NOW + hour, tickets=(TICKET,)))
    await book(a_write(seq=3, at=NOW + 2 * hour, resolutions=(_resolution(),)))
    await book(a_write(seq=2, at=NOW + hour, tickets=(TICKET,)))
    assert (await _ticket(pool)).state == "resolved", "it is the same write again"
    other = TICKET.model_copy(update={"system": "payment", "step": "refund", "error": "refused", "severity": "urgent"})
    await book(a_write(seq=2, at=NOW + 3 * hour, tickets=(other,)))
    found = await _ticket(pool)
    assert (found.state, found.step, found.severity, found.resolved_by) == ("open", "refund", "urgent", None)
    await book(a_write(seq=3, at=NOW + 4 * hour, tickets=(TICKET,)))
    assert (await _ticket(pool)).step == "push", "nobody had answered, and it asks something else by now"
    await book(a_write(seq=4, at=NOW + 5 * hour, tickets=(TICKET,)))
    assert (await _ticket(pool)).opened_at == NOW + 4 * hour, "the same question is as old as it is"


async def test_a_resolution_that_overtook_its_ticket_is_to_be_repeated(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    answer = a_write(seq=3, resolutions=(_resolution(),))
    with pytest.raises(TicketNotOpenYet):
        await orders.write(answer)
    await orders.write(a_write(seq=2, tickets=(TICKET,)))
    await orders.write(answer)
    found = await TicketStore(pool).get(TICKET.ticket_id)
    assert found is not None and (found.state, found.resolved_by) == ("resolved", "ops")


async def test_the_end_of_an_order_is_kept(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=2, status=OrderStatus.COMPLETED))
    await orders.write(a_write(seq=3, status=OrderStatus.COMPLETED, ended=True))
    row = await pool.fetchrow("SELECT completed_at, ended_at FROM orders")
    assert row is not None and row["completed_at"] < row["ended_at"]


async def test_nul_characters_from_outside_do_not_block_an_order(orders: OrderStore, order: str) -> None:
    ticket = TICKET.model_copy(update={"error": "bad\x00byte"})
    event = an_event("k:1", note="a\x00b", kind=Kind.SIGNED)
    audit = AuditEntry(actor="ops", action="x", detail={"said": "c\x00d \\u0000"})
    await orders.write(a_write(seq=2, tickets=(ticket,), events=(event,), audit=(audit,)))


async def test_the_timeline_tells_all_of_an_order_in_order(orders: OrderStore, order: str) -> None:
    await orders.write(a_write(seq=2, events=(an_event("k:1"),), tickets=(TICKET,)))
    await orders.write(a_write(seq=3, resolutions=(_resolution(),), audit=(_audit(),)))
    told = [(entry.what, entry.result) for entry in await orders.timeline(order)]
    assert told == [
        ("order", None), ("ticket", "OPENED"), ("event", "APPLIED"), ("ticket", "RETRY"), ("audit", None),
    ]  # fmt: skip


async def test_a_late_payment_is_booked_once_by_a_plain_write(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    late = a_write(seq=1, status=OrderStatus.CLOSED, payment=a_payment())
    await orders.write(late)
    await orders.write(a_write(seq=2, status=OrderStatus.CLOSED, payment=a_payment()))
    assert await pool.fetchval("SELECT paid_minor FROM orders") == a_payment().amount_minor


def _audit() -> AuditEntry:
    return AuditEntry(actor="ops", action="ticket.resolve", detail={"why": "asked"})


def _resolution() -> TicketResolution:
    return TicketResolution(ticket_id=TICKET.ticket_id, action="retry", remark="is up again", resolved_by="ops")


async def test_the_same_write_made_again_later_with_more_in_it_wins(orders: OrderStore, pool: Pool, order: str) -> None:
    """A workflow task that is repeated after a worker died has the same seq and may have heard more meanwhile."""
    await orders.write(a_write(seq=5, waiting_for="parcels"))
    await orders.write(a_write(seq=5, waiting_for="receipt", at=NOW + timedelta(hours=1)))
    assert await pool.fetchval("SELECT waiting_for FROM orders") == "receipt"
    await orders.write(a_write(seq=5, waiting_for="parcels"))
    assert await pool.fetchval("SELECT waiting_for FROM orders") == "receipt"


async def test_a_write_done_again_that_tells_something_else_drops_no_line(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    """The same fact came three times, and two people acted: the second time the third and the other came first."""
    at = NOW + timedelta(hours=1)
    messages = [Incoming("qimen", f"e{n}", "k", bytes(32), b"{}", (a_fact(),), NOW) for n in range(2)]
    await InboxStore(pool).add_many(messages)
    inbox = [row["id"] for row in await pool.fetch("SELECT id FROM inbox ORDER BY id")]
    first, other = (an_event("k", Outcome.DUPLICATE, inbox_id=number) for number in inbox)
    anna, bert = (AuditEntry(actor=who, action="order.refresh") for who in ("anna", "bert"))
    await orders.write(a_write(seq=2, at=at, events=(first,), audit=(anna,)))
    for _ in range(2):
        again = at + timedelta(seconds=10)
        await orders.write(a_write(seq=2, at=again, events=(other,), audit=(bert,)))
    told = [r["inbox_id"] for r in await pool.fetch("SELECT inbox_id FROM order_events WHERE key = 'k' ORDER BY id")]
    assert told == inbox
    actors = [
        r["actor"] for r in await pool.fetch("SELECT actor FROM audit WHERE action = 'order.refresh' ORDER BY id")
    ]
    assert actors[:2] == ["anna", "bert"]


async def _ticket(pool: Pool) -> TicketRow:
    found = await TicketStore(pool).get(TICKET.ticket_id)
    assert found is not None
    return found
