"""Every paid unit has one owner: each owner, each gap, told from the books of one order."""

from typing import Any

import pytest

from domain.ownership import OwnerFault
from domain.policy import Policy
from domain.records import (
    RefundRecord,
    SettlePayment,
    TicketResolution,
)
from domain.states import ChildStatus, OrderStatus, PaymentStatus, RefundStatus
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_settled_order, a_write, an_order
from tests.store.ownership.books import (
    CANCELLED,
    FIRST,
    ORDER,
    SECOND,
    SHIPPED,
    SHORT,
    found,
    is_now,
    move,
    names,
    paid,
    refund,
    ticket,
    write,
)

__all__ = ["paid"]

# --- one owner ------------------------------------------------------------------------------------------------------


async def test_units_reserved_in_a_parcel_are_owned(pool: Pool, paid: str) -> None:
    assert await found(pool) == []


async def test_units_that_wait_for_stock_are_owned(orders: OrderStore, pool: Pool) -> None:
    await a_settled_order(orders)
    assert {r["status"] for r in await pool.fetch("SELECT status FROM child_orders")} == {"BACKORDER"}
    assert await found(pool) == []


@pytest.mark.parametrize(
    "status",
    [
        ChildStatus.SHIPPED, ChildStatus.IN_TRANSIT, ChildStatus.OUT_FOR_DELIVERY, ChildStatus.SIGNED,
        ChildStatus.EXCEPTION,
    ],
)  # fmt: skip
async def test_units_on_their_way_or_delivered_are_owned(
    orders: OrderStore, pool: Pool, paid: str, status: ChildStatus
) -> None:
    await write(orders, a_write(seq=2, children=(is_now(FIRST, status),), moves=(move(FIRST, "ship"),)))
    assert await found(pool) == []


async def test_cancelled_and_refunded_units_are_owned(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),)))
    assert await found(pool) == []


async def test_units_that_were_missing_and_are_refunded_are_owned(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, SHORT, a_write(seq=3, refunds=(refund("R-1", 2_040, FIRST, 1),)))
    assert await found(pool) == []


async def test_units_told_to_be_missing_after_shipping_and_refunded_are_owned(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    late = a_write(seq=3, moves=(move(FIRST, "unship", 1, "~1"),), refunds=(refund("R-1", 2_040, FIRST, 1),))
    await write(orders, SHIPPED, late)
    assert await found(pool) == []


async def test_an_order_that_waits_for_tags_owns_all_its_units(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    await write(orders, a_write(payment=a_payment()))
    assert await found(pool) == []


async def test_an_order_that_is_not_paid_owes_nothing(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    assert await found(pool) == []


async def test_a_parcel_that_was_stopped_while_another_still_is_asked_for_is_owned(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    both = (is_now(FIRST, ChildStatus.CANCELLED), is_now(SECOND, ChildStatus.INTERCEPTING))
    await write(orders, a_write(seq=2, children=both, moves=(move(FIRST, "release"),)))
    assert await found(pool) == []


async def test_a_parcel_that_is_being_made_anew_keeps_its_stock_and_is_owned(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, a_write(seq=2, children=(is_now(FIRST, ChildStatus.CANCELLED),)))
    assert await found(pool) == []


async def test_an_open_ticket_about_the_parcel_names_its_units(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, SHORT, a_write(seq=3, tickets=(ticket("short pick", FIRST),)))
    assert await names(pool) == []


async def test_a_late_payment_that_went_back_is_owned(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    late: dict[str, Any] = {"status": OrderStatus.CLOSED, "payment_status": PaymentStatus.LATE}
    back = RefundRecord(
        refund_no="R-L1", amount_minor=10_200, status=RefundStatus.REQUESTED, reason="late", units={"L1": 3, "L2": 2}
    )
    await write(orders, a_write(payment=a_payment(), **late), a_write(seq=2, refunds=(back,), **late))
    assert await found(pool) == []


async def test_a_late_payment_whose_refund_waits_for_a_person_is_named_by_the_ticket(
    orders: OrderStore, pool: Pool
) -> None:
    """The bank disputes it, so the refund was not even reserved; the order had no parcel yet."""
    await orders.register(an_order(), "run-1", NOW)
    late: dict[str, Any] = {"status": OrderStatus.CLOSED, "payment_status": PaymentStatus.LATE}
    held = ticket("refund on hold", None, error="refund R-L1 of 10200: on hold: disputed")
    await write(orders, a_write(payment=a_payment(), tickets=(held,), **late))
    assert await found(pool) == []


async def test_what_cost_nothing_is_owed_to_nobody_when_it_is_cancelled(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 10, "GR-A")
    await stock.receive("B", "WH-2", 10, "GR-B")
    free = an_order(
        lines=tuple(line.model_copy(update={"unit_price_minor": 0}) for line in an_order().lines),
        freight=(),
        payable_minor=0,
    )
    await orders.register(free, "run-1", NOW)
    await orders.settle(SettlePayment(write=a_write(), policy=Policy()))
    await write(orders, CANCELLED)
    assert await found(pool) == []


@pytest.mark.parametrize(
    ("step", "action", "child"),
    [("short pick", "supply", ChildStatus.SHIPPED), ("delivery refused", "give_up", ChildStatus.REFUSED)],
)
async def test_a_persons_word_that_it_is_settled_counts(
    orders: OrderStore, pool: Pool, paid: str, step: str, action: str, child: ChildStatus
) -> None:
    answer = TicketResolution.model_validate(
        {"ticket_id": f"T-{ORDER}-1", "action": action, "remark": "the buyer has it", "resolved_by": "u-1",
         "result": {"how": "by hand"} if action == "supply" else None}
    )  # fmt: skip
    moves = SHORT.moves if step == "short pick" else (move(FIRST, "ship"),)
    before = a_write(seq=2, children=(is_now(FIRST, child),), moves=moves)
    asked = a_write(seq=3, tickets=(ticket(step, FIRST),))
    await write(orders, before)
    assert len(await names(pool)) == 1
    await write(orders, asked)
    assert await names(pool) == []
    await write(orders, a_write(seq=4, resolutions=(answer,)))
    assert await names(pool) == []


# --- no owner -------------------------------------------------------------------------------------------------------


async def test_a_parcel_that_was_stopped_and_not_refunded_is_named_unit_by_unit(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED)
    unit, money = await found(pool)
    assert (unit.found, unit.line_id, unit.sku, unit.unit, unit.child_no) == (
        OwnerFault.CANCELLED,
        "L1",
        "A",
        "0-2",
        FIRST,
    )
    assert (money.found, money.amount_minor) == (OwnerFault.MONEY_LEFT_OVER, 6_120)


async def test_a_refund_of_some_units_leaves_the_others_without_an_owner(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 2_040, FIRST, 1),)))
    assert await names(pool) == [(OwnerFault.CANCELLED, "L1", "0-1")]


async def test_units_that_were_missing_and_nobody_is_asked_about_have_no_owner(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, SHORT)
    assert await names(pool) == [(OwnerFault.MISSING, "L1", "2")]


async def test_a_note_that_nobody_has_to_answer_names_no_unit(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, SHORT, a_write(seq=3, tickets=(ticket("contradicting event", FIRST, severity="info"),)))
    assert await names(pool) == [(OwnerFault.MISSING, "L1", "2")]


async def test_a_ticket_that_closed_by_itself_is_nobodys_word(orders: OrderStore, pool: Pool, paid: str) -> None:
    over = TicketResolution(ticket_id=f"T-{ORDER}-1", action="evidence", remark="it arrived", resolved_by="system")
    await write(
        orders, SHORT, a_write(seq=3, tickets=(ticket("short pick", FIRST),)), a_write(seq=4, resolutions=(over,))
    )
    assert await names(pool) == [(OwnerFault.MISSING, "L1", "2")]


async def test_a_parcel_to_be_shipped_without_stock_owns_nothing(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, a_write(seq=2, moves=(move(FIRST, "release"),)))
    assert await names(pool) == [(OwnerFault.UNRESERVED, "L1", "0-2")]


async def test_an_order_that_ended_while_a_parcel_waits_has_left_its_units_behind(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, a_write(seq=2, status=OrderStatus.COMPLETED, ended=True))
    assert await names(pool) == [(OwnerFault.LEFT_BEHIND, "L1", "0-2"), (OwnerFault.LEFT_BEHIND, "L2", "0-1")]


async def test_a_parcel_that_was_sent_back_without_a_question_has_no_owner(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, a_write(seq=2, children=(is_now(FIRST, ChildStatus.REFUSED),), moves=(move(FIRST, "ship"),)))
    assert await names(pool) == [(OwnerFault.REFUSED, "L1", "0-2")]


async def test_units_that_a_split_by_hand_forgot_are_nowhere(pool: Pool, paid: str) -> None:
    await pool.execute("DELETE FROM child_lines WHERE line_id = 'L2'")
    assert await names(pool) == [(OwnerFault.NOWHERE, "L2", "0-1")]


async def test_a_late_payment_that_nobody_gives_back_has_no_owner(orders: OrderStore, pool: Pool) -> None:
    await orders.register(an_order(), "run-1", NOW)
    late: dict[str, Any] = {"status": OrderStatus.CLOSED, "payment_status": PaymentStatus.LATE}
    await write(orders, a_write(payment=a_payment(), **late))
    assert [v.found for v in await found(pool)] == [OwnerFault.NOWHERE, OwnerFault.NOWHERE, OwnerFault.MONEY_LEFT_OVER]
