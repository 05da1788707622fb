"""A label is given out with a name, and again only with a reason."""

import asyncio
import base64

import pytest

from domain.records import ChildState
from domain.states import ChildStatus
from store.audit.audit import AuditStore
from store.orders.labels import LabelStore, NoLabel, ReprintNeedsReason
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import NOW, a_settled_order, a_write

CHILD = "SO20261120-01"


@pytest.fixture
async def labels(orders: OrderStore, pool: Pool) -> LabelStore:
    await a_settled_order(orders)
    booked = ChildState(
        child_no=CHILD,
        status=ChildStatus.PACKED,
        waybill_no="W1",
        carrier="SF",
        label_format="ZPL",
        label_b64=base64.b64encode(b"^XA").decode(),
    )
    await orders.write(a_write(seq=2, children=(booked,)))
    return LabelStore(pool)


async def test_every_copy_is_in_the_audit_with_who_and_why(labels: LabelStore, pool: Pool) -> None:
    first = await labels.give_out(CHILD, "anna", None, NOW)
    assert (first.copy, first.label.content, first.label.waybill_no) == (1, b"^XA", "W1")
    with pytest.raises(ReprintNeedsReason, match=CHILD):
        await labels.give_out(CHILD, "anna", "  ", NOW)
    assert (await labels.give_out(CHILD, "bo", "the printer jammed", NOW)).copy == 2
    rows = [r for r in await AuditStore(pool).list(order_no="SO20261120") if r.action.startswith("label.")]
    assert [(r.actor, r.action, r.detail["reason"]) for r in rows] == [
        ("bo", "label.reprint", "the printer jammed"),
        ("anna", "label.print", ""),
    ]


async def test_two_who_print_at_once_get_two_copies(labels: LabelStore) -> None:
    printed = await asyncio.gather(*(labels.give_out(CHILD, "anna", "two at once", NOW) for _ in range(8)))
    assert sorted(p.copy for p in printed) == list(range(1, 9))


async def test_a_child_without_a_label_says_so_and_nothing_is_noted(labels: LabelStore, pool: Pool) -> None:
    with pytest.raises(NoLabel, match="SO20261120-02"):
        await labels.give_out("SO20261120-02", "anna", None, NOW)
    assert await pool.fetchval("SELECT count(*) FROM label_prints") == 0
