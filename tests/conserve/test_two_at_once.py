"""Two that want the same at once, and steps that stall: who loses acts on what the winner left; nothing is twice."""

from datetime import timedelta

import pytest

from bench.conserve.checks import Checks
from bench.conserve.fate import Fate
from bench.conserve.house import EngineHouse
from bench.conserve.life import Life
from bench.conserve.turns import Answer
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE, case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.order import SkuTags
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import ChildStatus, OrderStatus
from domain.strict import Strict
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import order
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import ChangeAddress
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

CUP = 3_000


def cups(number: str) -> OrderIn:
    """Two in one parcel."""
    tags = SkuTags(warehouse="WH-BJ")
    line = LineIn(id="L1", sku=f"CUP{number}", qty=2, unit_price=CUP, tags=tags)
    return OrderIn(order_no=f"SO{number}", lines=(line,))


async def asked(house: EngineHouse, life: ScenarioOrder, name: str, message: Strict) -> Answer:
    """Not waited for."""
    answer = house.engine.update(f"order/{life.order.order_no}", name, house.converted(message))
    await house.rest()
    return answer


def another_address(life: ScenarioOrder) -> ChangeAddress:
    address = life.order.address.model_copy(update={"street": "2 Road"})
    return ChangeAddress(address=address, by="u-cs", remark="moved")


async def every_owner(ground: Ground, life: ScenarioOrder, number: str) -> None:
    await Checks(ground.pool).after_a_step(Life(life.house, int(number), life, {}))  # type: ignore[arg-type]


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "left"])
async def test_who_loses_a_parcels_stop_acts_on_what_the_winner_left_of_it(ground: Ground, stopped: bool) -> None:
    """A new address has the parcel stopped; meanwhile the buyer cancels."""
    number = f"6200000{int(stopped)}"
    house = ground.house()
    life = await stocked(house, cups(number))
    await life.pay()
    house.world.plans.stops = ["pending"]
    first = await asked(house, life, "change_address", another_address(life))
    second = await asked(house, life, "cancel", CancelOrder(by="buyer", reason="no"))
    assert not first.known and not second.known
    assert len(house.world.of("wms.cancel")) == 1, "the warehouse is asked once"
    parcel = house.world.parcels[life.child_no(1)]
    parcel.asked, parcel.state = False, "cancelled" if stopped else "left"
    if stopped:
        await life.happens(Kind.INTERCEPTED)
    else:
        await life.happens(Kind.WAYBILL_RETURNED)
    await house.pass_until(house.now() + 5 * MINUTE)
    assert first.known and second.known
    house.world.captured_minor = 2 * CUP
    await every_owner(ground, life, number)
    if stopped:
        assert house.world.given_back_minor == 2 * CUP and await life.status() is OrderStatus.CLOSED
        assert all(c["status"] == ChildStatus.CANCELLED for c in (await life.detail()).children)
    else:
        assert house.world.given_back_minor == 0 and await life.status() is OrderStatus.SHIPPED


class BooksAway(Fate):
    """The books take no write of a case while `away`."""

    away = False

    def fails(self, step: str) -> str:
        return "before" if self.away and step.startswith("returns.") else ""

    def dies(self, step: str) -> str:
        return self.fails(step)


async def test_a_case_whose_books_are_away_says_so_and_is_paid_when_they_are_back(ground: Ground) -> None:
    fate = BooksAway()
    house = ground.house(fate)
    life = await stocked(house, order("62000002"))
    await life.pay()
    await life.ships(1, 2)
    await life.happens(Kind.SIGNED, 2)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L2": 2})
    await case.apply()
    fate.away = True
    await case.decide()
    await house.pass_until(house.now() + 5 * MINUTE)
    (ticket,) = [t for t in (await case.view()).open_tickets if t.severity != "info"]
    assert ticket.step == "step in our books"
    told = "SELECT state FROM tickets WHERE ticket_id = $1"
    assert await house.pool.fetchval(told, ticket.ticket_id) == "open", "told beside the write that stalls"
    assert house.world.given_back_minor == 0
    fate.away = False
    await house.pass_until(house.now() + timedelta(hours=1))
    assert await house.pool.fetchval(told, ticket.ticket_id) == "resolved"
    await case.decide("u-fin")
    assert house.world.given_back_minor == 12_900
    assert await house.pool.fetchval("SELECT status FROM return_cases WHERE return_no = $1", case.return_no) == (
        CaseStatus.REFUNDED
    )


SPLIT = """
WITH second AS (
    INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at,
        booked_at)
    SELECT key || '2', order_no, channel, transaction_id || '2', merchant_id, 5000, currency,
        paid_at + interval '1 second', booked_at
    FROM payments WHERE order_no = $1 RETURNING order_no)
UPDATE payment_balances SET paid_minor = paid_minor - 5000 FROM second WHERE payment_balances.order_no = second.order_no
"""


async def test_two_payments_of_an_order_bear_a_payout_side_by_side_and_neither_waits_for_the_other(
    ground: Ground,
) -> None:
    house = ground.house()
    life = await stocked(house, cups("62000003"))
    await life.pay()
    await house.pool.execute(SPLIT, life.order.order_no)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    house.world.plans.refunds = [("SUCCEEDED", 500), ("SUCCEEDED", 0)]
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 2})
    await case.apply()
    await case.decide()
    await house.pass_until(house.now() + 3 * MINUTE)
    first, second = f"R{case.return_no}", f"R{case.return_no}-2"
    asked_for = {number: r.amount_minor for number, r in house.world.refunding.items()}
    assert asked_for == {first: 1_000, second: 5_000}
    status = "SELECT refund_no, status FROM refunds WHERE return_no = $1 ORDER BY 1"
    assert [tuple(r) for r in await house.pool.fetch(status, case.return_no)] == [
        (first, "ACCEPTED"), (second, "SUCCEEDED"),
    ]  # fmt: skip
    at = {a.key: a.at for a in house.world.of("payment.refund")}
    assert at[second] - at[first] >= timedelta(minutes=1), "a channel takes one refund of an order a minute"
    await house.deliver(house.world.refund_fact(life.order.order_no, first))
    assert (
        await house.pool.fetchval(
            "SELECT refunded_minor FROM return_cases WHERE return_no = $1 AND status = 'REFUNDED'", case.return_no
        )
        == 2 * CUP
    )


async def test_a_parcel_that_ships_is_let_go_though_the_other_one_of_a_new_address_has_not_been_answered(
    ground: Ground,
) -> None:
    """Its missing units are looked for elsewhere, or somebody is asked; they do not wait for the other stop."""
    house = ground.house()
    life = await stocked(house, order("62000031"))
    await life.pay()
    house.world.plans.stops = ["pending", "too_late"]
    answer = await asked(house, life, "change_address", another_address(life))
    await life.happens(Kind.SHORT_PICKED, 2, actual={"L2": 1})
    await life.happens(Kind.WAYBILL_RETURNED, 2, actual={"L2": 1})
    (ticket,) = [t for t in (await life.view()).open_tickets if t.step == "short pick"]
    again = ResolveTicket(ticket_id=ticket.ticket_id, action="retry", remark="others?", by="u-ops")
    await house.client.resolve_ticket(life.order.order_no, again)
    assert not answer.known
    (still,) = [t for t in (await life.view()).open_tickets if t.step == "short pick"]
    assert still.ticket_id != ticket.ticket_id, "nobody else has it, and somebody is asked"
    await every_owner(ground, life, "62000031")


@pytest.mark.parametrize("answer", ["retry", "give_up"])
async def test_what_is_stopped_for_a_case_after_a_person_was_asked_ships_again_when_the_case_has_ended(
    ground: Ground, answer: str
) -> None:
    """The warehouse of one parcel says nothing for hours. To ask again is no second stop; to end forgets no first."""
    number = f"6200005{len(answer)}"
    house = ground.house()
    life = await stocked(house, order(number))
    await life.pay()
    house.world.plans.stops = ["pending"]
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1, "L2": 2}, images=0)
    await case.apply()
    await house.pass_until(house.now() + timedelta(hours=5))
    assert [t.step for t in (await case.view()).open_tickets] == ["stop for a return"]
    await case.resolve(answer)
    if answer == "give_up":  # nothing was stopped, as far as the case knows
        await case.decide(verdict="reject")
        assert house.engine.executions[f"return/{case.return_no}"].ended
    await life.happens(Kind.INTERCEPTED, 1)
    if answer == "retry":
        await case.decide(verdict="reject")
    await house.pass_until(house.now() + 5 * MINUTE)
    again = [c for c in (await life.view()).children if c.status is ChildStatus.RELEASED]
    assert len(again) == 2, "both are on their way"
    await every_owner(ground, life, number)
