"""A refund made in the merchant's back office is found once, shown, and counts when finance has said so (R48)."""

from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from domain.polling.reconciling import SHANGHAI
from domain.refunds.outside import BookAs
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from starter.clients.errors import OrderError
from store.outside_money.booking import BookingRefused, OutsideMoneyStore
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from tests.outside_money.money import FINDERS, ask, book, booked, called_back, decide, open_tickets, refund_by_hand
from tests.returns.orders import paid, signed
from workflows.messages import ResolveTicket
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

CUP = 3_000
YEAR = timedelta(days=365)


async def given_back(life: ScenarioOrder) -> tuple[int, int]:
    """Reserved and paid out, of the order."""
    row = await life.house.pool.fetchrow(
        "SELECT refund_reserved_minor, refunded_minor FROM orders WHERE order_no = $1", life.order.order_no
    )
    assert row is not None
    return row["refund_reserved_minor"], row["refunded_minor"]


@pytest.mark.parametrize("ended", [False, True], ids=["open", "ended"])
@pytest.mark.parametrize("way", FINDERS)
async def test_it_is_one_ticket_counts_once_approved_and_is_not_news_again(
    house: ScenarioEnvironment, way: str, ended: bool
) -> None:
    life = await signed(house)
    if ended:
        await house.pass_until(house.now() + YEAR)
        assert (await life.detail()).order.ended_at is not None
    fact = refund_by_hand(life, CUP)
    await FINDERS[way](house, fact)
    (ticket,) = await open_tickets(life)
    at = f"{fact.occurred_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    for told in ("5030001", "wechat", "30.00 CNY", "book_refund", at):
        assert told in ticket.error, told
    assert await given_back(life) == (0, 0)

    progress = await booked(life, BookAs.REFUND, units={"L1": 1})
    assert progress.state == "booked" and await given_back(life) == (CUP, CUP)
    assert not await open_tickets(life)
    (found,) = await OutsideMoneyStore(house.pool).list(life.order.order_no, everything=True)
    assert (found.approved_by, found.booked_by, found.book_as) == ("u-fin", "u-cs", "book_refund")
    await house.has_owners()

    for again in FINDERS.values():
        await again(house, fact)
    assert not await open_tickets(life) and await given_back(life) == (CUP, CUP)
    assert await book(life, found.money_no) and await given_back(life) == (CUP, CUP), "booked twice is booked once"


async def test_no_return_takes_a_unit_or_money_that_was_given_back_by_hand(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await called_back(house, refund_by_hand(life, CUP))
    await booked(life, BookAs.REFUND, units={"L1": 1})
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 2})
    with pytest.raises(OrderError):
        await case.apply()
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide()
    await house.pass_until(house.now() + timedelta(minutes=20))
    assert await given_back(life) == (2 * CUP, 2 * CUP)


async def test_without_units_it_is_goodwill_and_the_buyer_keeps_what_they_have(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await called_back(house, refund_by_hand(life, 500))
    await booked(life, BookAs.REFUND)
    assert await given_back(life) == (500, 500)
    await house.has_owners()


async def test_what_does_not_fit_is_refused_by_name_and_changes_nothing(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await called_back(house, refund_by_hand(life, 2 * CUP + 1, "5030001"))
    with pytest.raises(BookingRefused, match=r"60.01 CNY is more than is left .* 60.00 CNY of 60.00 CNY"):
        await ask(life, BookAs.REFUND)
    with pytest.raises(BookingRefused, match=r"tells 60.01 CNY; that is what can be booked"):
        await ask(life, BookAs.REFUND, amount_minor=CUP)
    with pytest.raises(BookingRefused, match="can be booked as book_refund, not as book_chargeback"):
        await ask(life, BookAs.CHARGEBACK)

    await called_back(house, refund_by_hand(life, 100, "5030002"))
    with pytest.raises(BookingRefused, match="line L1 has 2 of 2 units free, 3 are named"):
        await ask(life, BookAs.REFUND, units={"L1": 3})
    with pytest.raises(BookingRefused, match="has no line L9"):
        await ask(life, BookAs.REFUND, units={"L9": 1})
    await called_back(house, refund_by_hand(life, 100, "5030003").model_copy(update={"currency": "USD"}))
    with pytest.raises(BookingRefused, match=r"is in USD, order .* in CNY"):
        await ask(life, BookAs.REFUND)
    assert await given_back(life) == (0, 0) and len(await open_tickets(life)) == 3


async def test_units_of_an_open_return_are_refused_with_who_holds_them(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await called_back(house, refund_by_hand(life, CUP))
    with pytest.raises(BookingRefused, match=f"1 of 2 units free, 2 are named; .* held by {case.return_no}"):
        await ask(life, BookAs.REFUND, units={"L1": 2})
    await booked(life, BookAs.REFUND, units={"L1": 1})


async def test_nothing_counts_before_another_person_of_finance_has_approved_it(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await called_back(house, refund_by_hand(life, CUP))
    number = await ask(life, BookAs.REFUND, by="u-fin")
    assert (await book(life, number)).state == "asked"
    for person in ("u-fin", "u-sup"):
        with pytest.raises(Exception, match=r"u-fin has asked|needs FINANCE"):
            await decide(life, number, person=person)
    await decide(life, number, "reject", "u-fin2")
    assert (await book(life, number)).state == "rejected" and await given_back(life) == (0, 0)
    await ask(life, BookAs.REFUND)
    await decide(life, number)
    assert (await book(life, number)).state == "booked" and await given_back(life) == (CUP, CUP)


async def test_what_the_bank_holds_is_not_given_back_a_second_time(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await ChargebackStore(house.pool).open(NewChargeback("CB-7", life.order.order_no, 2 * CUP, "u-fin"), house.now())
    await called_back(house, refund_by_hand(life, CUP))
    with pytest.raises(BookingRefused, match="more than is left"):
        await ask(life, BookAs.REFUND)


async def test_a_cancelled_parcel_of_which_a_unit_was_paid_back_by_hand_is_for_a_person_and_nothing_is_paid_twice(
    house: ScenarioEnvironment,
) -> None:
    """What is still owed of it depends on what the refund by hand was for: the machine sends nothing by itself, and
    the question names the parcel's refund until somebody has settled it."""
    life = await paid(house)
    await called_back(house, refund_by_hand(life, CUP))
    await booked(life, BookAs.REFUND, units={"L1": 1})
    await house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="no"))
    await house.rest()
    (ticket,) = await open_tickets(life)
    assert ticket.step == "refund refused by our books" and "6000" in ticket.error.replace(".", "")
    assert house.systems.refunds == {} and await given_back(life) == (CUP, CUP)
    await house.has_owners()
    answer = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="30.00 paid by hand", by="u-ops")
    await house.client.resolve_ticket(life.order.order_no, answer)
    await house.rest()
    assert await life.status() is OrderStatus.CLOSED and house.systems.refunds == {}
    await called_back(house, refund_by_hand(life, CUP, "5030002"))
    await booked(life, BookAs.REFUND, units={"L1": 1})
    assert await given_back(life) == (2 * CUP, 2 * CUP)
