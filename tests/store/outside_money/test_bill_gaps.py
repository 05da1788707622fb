"""What our books have of a day and the channel's bills lack: one ticket each or one a bill, closed by a later bill."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.polling.bills import BillFindings
from domain.records import TicketResolution
from domain.states import RefundStatus
from store.orders.orders import OrderStore
from store.outside_money.bill_gaps import OwnLine
from store.outside_money.trade_bills import TradeBillStore
from store.pool import Pool
from store.tickets.tickets import TicketRow, TicketStore
from tests.store.examples import NOW, a_payment, a_refund, a_write, an_order

ORDER = "SO20261120"
DAY = date(2026, 11, 20)
PAID = OwnLine("payment", f"TX-{ORDER}", 10_200)
NIGHT = datetime(2026, 11, 30, tzinfo=UTC)


class Books:
    """`read`: the channel's bill of the nth day after the payment has these lines."""

    def __init__(self, pool: Pool, orders: OrderStore) -> None:
        self.pool, self.orders, self.bills, self._seq = pool, orders, TradeBillStore(pool), 1

    async def read(self, nth: int, *lines: OwnLine, channel: str = "wechat") -> None:
        found = BillFindings(lines=len(lines))
        await self.bills.done(channel, DAY + timedelta(days=nth), found, lines, NIGHT)

    async def tickets(self) -> list[TicketRow]:
        return list(await TicketStore(self.pool).list())

    async def paid_too(self, count: int, at: datetime = NOW) -> Sequence[OwnLine]:
        """Other payments, whoever's."""
        await self.pool.execute(
            """INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency,
                paid_at, booked_at)
            SELECT 'wechat:pay:T' || n, $1, 'wechat', 'T' || n, 'm-1', 100, 'CNY', $2, $2
            FROM generate_series(1, $3) n""",
            ORDER, at, count,
        )  # fmt: skip
        return [OwnLine("payment", f"T{n}", 100) for n in range(1, count + 1)]

    async def refunded(self, asked: datetime, done: datetime, status: RefundStatus = RefundStatus.SUCCEEDED) -> None:
        for state, at in ((RefundStatus.REQUESTED, asked), (status, done)):
            self._seq += 1
            refund = a_refund("R-1", 500, state)
            await self.orders.write(a_write(seq=self._seq, at=at, refunds=(refund,)))


@pytest.fixture
async def books(pool: Pool, orders: OrderStore) -> Books:
    await orders.register(an_order(), "run-1", NOW)
    await orders.write(a_write(payment=a_payment()))
    return Books(pool, orders)


async def test_what_the_bill_has_is_no_question(books: Books) -> None:
    await books.read(0, PAID)
    await books.read(1)
    assert not await books.tickets()


async def test_a_payment_is_asked_about_once_the_next_days_bill_lacks_it_too(books: Books) -> None:
    await books.read(0)
    assert not await books.tickets(), "paid at midnight it may stand in the next"
    for _ in range(2):
        await books.read(1)
    (ticket,) = await books.tickets()
    told = (PAID.number, ORDER, "102.00 CNY", "2026-11-20", "2026-11-21")
    assert all(word in ticket.error for word in told) and ticket.order_no == ORDER
    assert (ticket.severity, ticket.step) == ("urgent", "not in the channel's bill")


@pytest.mark.parametrize("nth", [-1, 1, 3])
async def test_whichever_days_bill_has_it(books: Books, nth: int) -> None:
    for day in range(-1, 4):
        await books.read(day, *([PAID] if day == nth else []))
    assert not await books.tickets()


async def test_a_later_bill_closes_the_ticket(books: Books) -> None:
    await books.read(0)
    await books.read(1)
    (ticket,) = await books.tickets()
    await books.read(2, PAID)
    assert not await books.tickets()
    closed = await TicketStore(books.pool).get(ticket.ticket_id)
    assert closed is not None and (closed.action, closed.resolved_by) == ("evidence", "system")
    await books.read(1)
    assert not await books.tickets()


async def test_the_days_are_those_of_shanghai(books: Books) -> None:
    (late,) = await books.paid_too(1, datetime(2026, 11, 20, 16, 0, 1, tzinfo=UTC))  # a second of the 21st there
    await books.read(0, PAID)
    await books.read(1)
    assert not await books.tickets()
    await books.read(2)
    (ticket,) = await books.tickets()
    assert late.number in ticket.error and "on 2026-11-21" in ticket.error


async def test_another_channels_bill_says_nothing_of_it(books: Books) -> None:
    await books.read(0, PAID)
    for nth in (0, 1):
        await books.read(nth, channel="alipay")
    assert not await books.tickets()


async def test_days_whose_bill_was_not_read_and_bills_read_by_older_code_are_not_judged(books: Books) -> None:
    await books.read(1)
    await books.read(2)
    assert not await books.tickets()
    await books.pool.execute(
        "INSERT INTO trade_bills (channel, day, lines, found, strange, read_at) VALUES ('wechat', $1, 9, 0, 0, $2)",
        DAY, NIGHT,
    )  # fmt: skip
    await books.read(2)
    assert not await books.tickets()


async def test_what_was_booked_long_after_its_day_is_judged_by_the_bills_of_its_day(books: Books) -> None:
    for nth in range(8):
        await books.read(nth, *([PAID] if nth == 0 else []))
    late = NOW + timedelta(days=7)
    await books.pool.execute(
        """INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at,
            booked_at) VALUES ('wechat:pay:L', $1, 'wechat', 'SAID-BY-SOMEBODY', 'm-1', 100, 'CNY', $2, $3)""",
        ORDER, NOW, late,
    )  # fmt: skip
    await books.read(8)
    (ticket,) = await books.tickets()
    assert "SAID-BY-SOMEBODY" in ticket.error


@pytest.mark.parametrize("accepted", range(4))
async def test_a_refund_stands_between_its_being_asked_for_and_the_day_after_its_success(
    books: Books, accepted: int
) -> None:
    await books.refunded(NOW, NOW + timedelta(days=2))
    for nth in range(4):
        lines = [PAID] if nth == 0 else []
        await books.read(nth, *lines, *([OwnLine("refund", "R-1", 500)] if nth == accepted else []))
    assert not await books.tickets()


async def test_a_refund_that_no_bill_has_is_asked_about(books: Books) -> None:
    await books.refunded(NOW, NOW + timedelta(days=2))
    for nth in range(3):
        await books.read(nth, *([PAID] if nth == 0 else []))
    assert not await books.tickets()
    await books.read(3)
    (ticket,) = await books.tickets()
    assert "refund R-1" in ticket.error and "5.00 CNY on 2026-11-22" in ticket.error


async def test_a_refund_that_has_not_succeeded_is_not_missed(books: Books) -> None:
    await books.refunded(NOW, NOW, RefundStatus.ACCEPTED)
    for nth in range(5):
        await books.read(nth, *([PAID] if nth == 0 else []))
    assert not await books.tickets()


@pytest.mark.parametrize("has_one", [False, True], ids=["empty", "cut off"])
async def test_a_bill_that_lacks_thousands_is_one_ticket_and_is_read_again(books: Books, has_one: bool) -> None:
    others = await books.paid_too(3_000)
    await books.read(0, *([PAID] if has_one else []))
    for _ in range(2):
        await books.read(1)
    (ticket,) = await books.tickets()
    count = 3_000 if has_one else 3_001
    assert f"lacks {count} payments or refunds" in ticket.error and f"and {count - 10} more" in ticket.error
    assert ticket.order_no is None and ticket.step == "trade bill lacks"
    assert await again(books, 2) == [0, 1, 2]
    await books.read(0, PAID, *others[:-1])
    assert len(await books.tickets()) == 1, "one is missing still"
    await books.read(0, PAID, *others)
    assert not await books.tickets() and await again(books, 2) == [2]


async def test_two_that_an_empty_bill_lacks_are_one_ticket(books: Books) -> None:
    await books.paid_too(1)
    await books.read(0)
    await books.read(1)
    (ticket,) = await books.tickets()
    assert ticket.step == "trade bill lacks"


async def test_of_a_full_bill_each_has_its_own(books: Books) -> None:
    await books.paid_too(2)
    await books.read(0, PAID)
    await books.read(1)
    assert [t.step for t in await books.tickets()] == ["not in the channel's bill"] * 2


async def test_an_answered_question_is_not_asked_again_nor_the_bill_read_again(books: Books) -> None:
    await books.read(0)
    await books.read(1)
    (ticket,) = await books.tickets()
    answer = TicketResolution(ticket_id=ticket.ticket_id, action="give_up", remark="found", resolved_by="u-fin")
    await TicketStore(books.pool).resolve_outside(answer, NIGHT)
    await books.read(1)
    assert not await books.tickets() and await again(books, 1) == []


async def again(books: Books, upto: int) -> list[int]:
    """Which of the first days, counted from the payment's, are read tonight."""
    due = await books.bills.due(["wechat"], datetime(2026, 11, 25, tzinfo=UTC))
    return [n for n in range(upto + 1) if ("wechat", DAY + timedelta(days=n)) in due]
