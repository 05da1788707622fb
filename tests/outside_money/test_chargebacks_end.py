"""How a chargeback ended, told by a source: the books do what they do at a person's word, once, in any order (N17)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.finance import decided
from bench.scenarios.order import LineIn, OrderIn
from domain.facts import Fact, Kind
from domain.records import TicketResolution
from domain.refunds.outside import BookAs
from store.outside_money.booking import OutsideMoneyStore
from store.outside_money.chargebacks import ChargebackRefused, ChargebackStore, NewChargeback
from store.outside_money.found import MoneyAfterEnd
from store.tickets.tickets import TicketRow
from tests.outside_money.money import booked, chargeback, decide, open_tickets
from tests.returns.orders import paid, signed
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

PAID = 6_000
MINUTES = timedelta(minutes=20)
WON, LOST = Kind.CHARGEBACK_WON, Kind.CHARGEBACK_LOST


def ended(life: ScenarioOrder, kind: Kind, amount_minor: int = PAID, source: str = "dispute-desk") -> Fact:
    told = chargeback(life, amount_minor)
    return told.model_copy(update={"key": f"{source}:CB-1:{kind}:{amount_minor}", "kind": kind, "source": source})


async def recorded(life: ScenarioOrder, amount_minor: int = PAID) -> None:
    new = NewChargeback("CB-1", life.order.order_no, amount_minor, "u-fin")
    await ChargebackStore(life.house.pool).open(new, life.house.now())


async def state_of(life: ScenarioOrder) -> str | None:
    state: str | None = await life.house.pool.fetchval("SELECT state FROM chargebacks WHERE chargeback_id = 'CB-1'")
    return state


async def taken(life: ScenarioOrder) -> int:
    return int(await life.house.pool.fetchval("SELECT charged_back_minor FROM payment_balances"))


async def outcomes(life: ScenarioOrder) -> list[str]:
    rows = await life.house.pool.fetch(
        "SELECT outcome FROM order_events WHERE kind IN ('CHARGEBACK_WON', 'CHARGEBACK_LOST') ORDER BY id"
    )
    return [row["outcome"] for row in rows]


async def differing(life: ScenarioOrder) -> list[TicketRow]:
    return [t for t in await open_tickets(life) if t.step == "chargeback told otherwise"]


async def over(life: ScenarioOrder) -> None:
    """Its order has ended long ago."""
    await life.house.pass_until(life.house.now() + timedelta(days=365))


@pytest.mark.parametrize("after_end", [False, True], ids=["open", "ended"])
@pytest.mark.parametrize(("kind", "state", "left"), [(WON, "won", 0), (LOST, "lost", PAID)])
async def test_a_fact_does_what_a_persons_word_does_and_told_again_nothing(
    house: ScenarioEnvironment, kind: Kind, state: str, left: int, after_end: bool
) -> None:
    life = await signed(house)
    await recorded(life)
    if after_end:
        await over(life)
    for n in range(3):
        await house.deliver(ended(life, kind), event_id=f"msg-{n}")
    assert (await state_of(life), await taken(life)) == (state, left)
    assert not await open_tickets(life), "its own question is answered"
    assert (await outcomes(life))[0] == "APPLIED" and set((await outcomes(life))[1:]) <= {"DUPLICATE"}
    told = await house.pool.fetch("SELECT actor FROM audit WHERE action = $1", f"chargeback.{state}")
    assert [row["actor"] for row in told] == ["dispute-desk"]
    again = await decided(ChargebackStore(house.pool), "CB-1", "won" if kind is WON else "lost", house.now())
    assert again.state == state, "a person who says the same says nothing new"
    assert await house.pool.fetchval("SELECT count(*) FROM audit WHERE action = $1", f"chargeback.{state}") == 1


async def test_a_refund_that_waits_goes_out_once_it_is_told_as_won_and_only_once(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await recorded(life)
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"))
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    for n in range(2):
        await house.deliver(ended(life, WON), event_id=f"msg-{n}")
    await house.pass_until(house.now() + MINUTES)
    assert list(house.systems.refunds.values()) == [PAID]
    assert not await open_tickets(life)


async def test_what_was_lost_is_not_paid_again(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await recorded(life)
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"))
    await house.deliver(ended(life, LOST))
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds and await taken(life) == PAID
    (ticket,) = [t for t in (await life.view()).open_tickets if t.step == "refund on hold"]
    assert "lost" in ticket.error


@pytest.mark.parametrize("after_end", [False, True], ids=["open", "ended"])
async def test_won_before_it_was_told_as_opened_leaves_nothing_to_book_and_holds_nothing(
    house: ScenarioEnvironment, after_end: bool
) -> None:
    life = await signed(house)
    if after_end:
        await over(life)
    await house.deliver(ended(life, WON))
    await house.deliver(chargeback(life, PAID))
    assert not await open_tickets(life) and await taken(life) == 0
    await recorded(life)
    assert (await state_of(life), await taken(life)) == ("won", 0), "opened by a person after all, it has ended"
    assert not await open_tickets(life)


async def test_won_while_finance_has_not_booked_it_answers_that_question(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await house.deliver(chargeback(life, PAID))
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"))
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    await house.deliver(ended(life, WON))
    await house.pass_until(house.now() + MINUTES)
    assert list(house.systems.refunds.values()) == [PAID] and not await open_tickets(life)


@pytest.mark.parametrize("opened_first", [False, True])
@pytest.mark.parametrize("after_end", [False, True], ids=["open", "ended"])
async def test_lost_before_it_was_booked_is_one_question_and_lost_once_booked(
    house: ScenarioEnvironment, opened_first: bool, after_end: bool
) -> None:
    life = await signed(house)
    if after_end:
        await over(life)
    facts = [chargeback(life, PAID), ended(life, LOST, source="wechat")]
    for fact in facts if opened_first else facts[::-1]:
        await house.deliver(fact)
    (ticket,) = await open_tickets(life)
    assert ticket.ticket_id.startswith("T-money-") and await state_of(life) is None
    await booked(life, BookAs.CHARGEBACK)
    assert (await state_of(life), await taken(life)) == ("lost", PAID)
    assert not await open_tickets(life)


@pytest.mark.parametrize("after_end", [False, True], ids=["open", "ended"])
@pytest.mark.parametrize(("first", "then"), [(WON, LOST), (LOST, WON)])
@pytest.mark.parametrize("in_books", [True, False], ids=["recorded", "not recorded"])
async def test_the_opposite_afterwards_is_one_ticket_and_moves_nothing(
    house: ScenarioEnvironment, first: Kind, then: Kind, after_end: bool, in_books: bool
) -> None:
    life = await signed(house)
    if in_books:
        await recorded(life)
    if after_end:
        await over(life)
    await house.deliver(ended(life, first))
    before = (await state_of(life), await taken(life))
    for n in range(2):
        await house.deliver(ended(life, then), event_id=f"again-{n}")
    (ticket,) = await differing(life)
    words = ("CB-1", "dispute-desk", "60.00 CNY", "won", "lost")
    assert all(word in ticket.error for word in words) and ticket.severity == "urgent"
    assert (await state_of(life), await taken(life)) == before
    assert (await outcomes(life))[:2] == ["APPLIED", "MISMATCH"]


async def test_another_amount_is_a_ticket_and_ends_nothing(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await recorded(life)
    for amount_minor in (PAID + 1, PAID + 2, 1):
        await house.deliver(ended(life, WON, amount_minor))
    (ticket,) = await differing(life)
    assert "60.01 CNY" in ticket.error and "60.00 CNY" in ticket.error
    assert (await state_of(life), await taken(life)) == ("open", PAID)
    await house.deliver(ended(life, WON))
    assert await state_of(life) == "won", "the word that fits counts all the same"


async def test_no_refund_goes_out_while_words_about_the_money_differ(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await recorded(life)
    await house.deliver(ended(life, WON))
    await house.deliver(ended(life, LOST))
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"))
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds, "the bank may have it"
    (ticket,) = await differing(life)
    answer = TicketResolution(ticket_id=ticket.ticket_id, action="give_up", remark="a slip", resolved_by="u-fin")
    await house.tickets.resolve_outside(answer, house.now())
    await house.pass_until(house.now() + MINUTES)
    assert list(house.systems.refunds.values()) == [PAID]


async def test_lost_after_its_telling_was_dropped_asks_again_and_holds(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await house.deliver(chargeback(life, PAID))
    (told,) = await open_tickets(life)
    dropping = TicketResolution(ticket_id=told.ticket_id, action="give_up", remark="none", resolved_by="u-fin")
    await house.tickets.resolve_outside(dropping, house.now())
    await house.deliver(ended(life, LOST))
    (ticket,) = await differing(life)
    assert "was dropped" in ticket.error and "oms money ask" in ticket.error
    number = int(told.ticket_id.removeprefix("T-money-"))
    store = OutsideMoneyStore(house.pool)
    await store.ask(number, BookAs.CHARGEBACK, "u-cs", house.now(), evidence="letter of the bank")
    await decide(life, number)
    await store.book(number, "u-cs", house.now())
    assert await state_of(life) == "lost" and not await open_tickets(life)


async def test_opened_again_with_another_amount_is_a_ticket(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await house.deliver(chargeback(life, PAID))
    other = chargeback(life, PAID - 1).model_copy(update={"key": "wechat:chargeback:CB-1:2"})
    await house.deliver(other, event_id="again")
    (ticket,) = await differing(life)
    assert "60.00 CNY was told before" in ticket.error and "59.99 CNY" in ticket.error


async def test_the_word_about_another_orders_chargeback_moves_neither(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await recorded(life)
    other = OrderIn(order_no="SO26112002", lines=(LineIn(id="L1", sku="CUP", qty=2, unit_price=3_000),))
    stranger = await signed(house, other)
    await house.deliver(ended(stranger, WON))
    (ticket,) = await differing(stranger)
    assert f"it is of order {life.order.order_no}" in ticket.error
    assert await state_of(life) == "open"


Step = Callable[[ScenarioOrder], Awaitable[object]]


async def opens(life: ScenarioOrder) -> None:
    await recorded(life)


async def hears_won(life: ScenarioOrder) -> None:
    await MoneyAfterEnd(life.house.pool).keep(life.order.order_no, [ended(life, WON)], life.house.now())


async def person_says_lost(life: ScenarioOrder) -> None:
    try:
        await decided(ChargebackStore(life.house.pool), "CB-1", "lost", life.house.now())
    except ChargebackRefused:
        return


@pytest.mark.parametrize("steps", [(opens, hears_won), (opens, opens, hears_won, hears_won, person_says_lost)])
async def test_at_the_same_moment_it_ends_once(house: ScenarioEnvironment, steps: tuple[Step, ...]) -> None:
    life = await signed(house)
    await asyncio.gather(*(step(life) for step in steps))
    state, asked = await state_of(life), await differing(life)
    assert (state == "won" and not asked) or (state == "lost" and len(asked) == 1)
    assert await taken(life) == (0 if state == "won" else PAID)
    decisions = "SELECT count(*) FROM audit WHERE action IN ('chargeback.won', 'chargeback.lost')"
    assert await house.pool.fetchval(decisions) == 1
