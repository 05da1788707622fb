"""A chargeback holds every refund of its order, whoever asks for it; the same money never goes out twice (R48, N17)."""

from datetime import timedelta
from typing import Any

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.finance import accounted, decided
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.records import TicketRecord
from domain.returns.enums import ReturnType
from domain.states import OrderStatus
from providers.errors import UnknownOutcome
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from tests.returns.orders import cups, paid, signed
from tests.returns.test_stopping import TWO
from workflows.messages import ResolveTicket
from workflows.order.messages import Cancelled, CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

MINUTES = timedelta(minutes=20)
LAMP = 12_900


async def bank_takes(house: ScenarioEnvironment, life: ScenarioOrder, amount_minor: int = LAMP) -> None:
    await ChargebackStore(house.pool).open(
        NewChargeback("CB-1", life.order.order_no, amount_minor, "u-fin"), house.now()
    )


async def bank_decides(house: ScenarioEnvironment, outcome: Any) -> None:
    await decided(ChargebackStore(house.pool), "CB-1", outcome, house.now())
    await house.pass_until(house.now() + MINUTES)


async def on_hold(life: ScenarioOrder) -> TicketRecord:
    """The one blocking ticket: it names the chargeback."""
    (ticket,) = [t for t in (await life.view()).open_tickets if t.severity != "info"]
    assert ticket.step == "refund on hold" and "CB-1" in ticket.error
    return ticket


async def lamp_cancelled(house: ScenarioEnvironment) -> ScenarioOrder:
    """The cups cannot be stopped any more; the lamp's 129.00 is what the bank takes back."""
    house.systems.intercepts[f"{TWO.order_no}-01"] = "too_late"
    life = await paid(house, TWO)
    await bank_takes(house, life)
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"), result_type=Cancelled)
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    await on_hold(life)
    return life


async def resolve(life: ScenarioOrder, action: Any) -> None:
    await on_hold(life)
    await answer(life, "refund on hold", action)


async def answer(life: ScenarioOrder, step: str, action: Any) -> None:
    (ticket,) = [t for t in (await life.view()).open_tickets if t.severity != "info"]
    assert ticket.step == step
    message = ResolveTicket(ticket_id=ticket.ticket_id, action=action, remark="seen", by="u-fin")
    await life.handle.execute_update("resolve_ticket", message)


async def test_a_cancelled_parcels_refund_waits_and_goes_on_by_itself_when_the_bank_gives_way(
    house: ScenarioEnvironment,
) -> None:
    life = await lamp_cancelled(house)
    await bank_decides(house, "won")
    assert list(house.systems.refunds.values()) == [LAMP]
    assert not (await life.view()).open_tickets


async def test_what_the_bank_has_taken_is_not_paid_again_whoever_tries(house: ScenarioEnvironment) -> None:
    life = await lamp_cancelled(house)
    await bank_decides(house, "lost")
    assert "lost" in (await on_hold(life)).error
    await resolve(life, "retry")
    await house.pass_until(house.now() + MINUTES)
    await on_hold(life)
    assert not house.systems.refunds
    await resolve(life, "give_up")
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds and not (await life.view()).open_tickets


async def test_what_is_still_owed_goes_out_once_a_person_has_accounted_for_what_the_bank_took(
    house: ScenarioEnvironment,
) -> None:
    life = await lamp_cancelled(house)
    await bank_decides(house, "lost")
    await accounted(ChargebackStore(house.pool), "CB-1", house.now())
    await house.pass_until(house.now() + MINUTES)
    assert list(house.systems.refunds.values()) == [LAMP]
    taken, paid_minor = await house.pool.fetchrow(  # type: ignore[misc]
        "SELECT sum(reserved_minor + charged_back_minor), sum(paid_minor) FROM payment_balances"
    )
    assert taken <= paid_minor
    assert not (await life.view()).open_tickets


async def test_a_person_who_tries_again_too_early_is_asked_again_and_nothing_is_sent(
    house: ScenarioEnvironment,
) -> None:
    life = await lamp_cancelled(house)
    first = await on_hold(life)
    await resolve(life, "retry")
    await house.rest()
    assert (await on_hold(life)).ticket_id != first.ticket_id and not house.systems.refunds


async def test_a_whole_order_waits_and_the_bank_and_we_pay_no_more_than_came_in(house: ScenarioEnvironment) -> None:
    life = await paid(house, TWO)
    await bank_takes(house, life)
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"), result_type=Cancelled)
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    await bank_decides(house, "won")
    assert sum(house.systems.refunds.values()) == 102_800


async def asked_case(house: ScenarioEnvironment) -> tuple[ScenarioOrder, Case]:
    life = await signed(house, cups(1))
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    return life, case


async def test_a_payout_of_a_return_waits_and_goes_on_by_itself(house: ScenarioEnvironment) -> None:
    life, case = await asked_case(house)
    await bank_takes(house, life, 100)
    await case.decide()
    await house.pass_until(house.now() + MINUTES)
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, "CB-1" in ticket.error, house.systems.refunds) == ("refund on hold", True, {})
    await bank_decides(house, "won")
    assert list(house.systems.refunds.values()) == [3_000]


@pytest.mark.parametrize(("outcome", "sent"), [("won", [3_000]), ("lost", [])])
async def test_a_refund_that_never_got_an_answer_is_not_asked_for_again_while_the_bank_disputes(
    house: ScenarioEnvironment, outcome: str, sent: list[int]
) -> None:
    life, case = await asked_case(house)
    house.systems.script("payment.refund", *[UnknownOutcome("wechat", "TIMEOUT", "no answer")] * 4)
    await case.decide()
    await house.pass_until(house.now() + MINUTES)
    await bank_takes(house, life, 100)
    await case.resolve("retry")
    await house.pass_until(house.now() + MINUTES)
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, len(house.systems.of("payment.refund"))) == ("refund on hold", 4)
    await bank_decides(house, outcome)
    assert list(house.systems.refunds.values()) == sent


async def test_what_a_warehouse_did_not_find_is_paid_back_only_when_the_bank_gives_way(
    house: ScenarioEnvironment,
) -> None:
    life = await paid(house, cups(2))
    await life.happens(Kind.SHORT_PICKED, actual={"L1": 1})
    await life.happens(Kind.WAYBILL_RETURNED)
    await bank_takes(house, life, 3_000)
    await answer(life, "short pick", "give_up")
    await house.pass_until(house.now() + MINUTES)
    await on_hold(life)
    assert not house.systems.refunds
    await bank_decides(house, "won")
    assert list(house.systems.refunds.values()) == [3_000] and not (await life.view()).open_tickets


async def test_a_parcel_that_the_buyer_refused_is_not_paid_back_beside_the_bank(house: ScenarioEnvironment) -> None:
    life = await paid(house, cups(1))
    await life.ships(1)
    await bank_takes(house, life, 3_000)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await life.happens(Kind.DELIVERY_REFUSED)
    await life.happens(Kind.RETURNED_TO_SENDER)
    await case.apply()
    await case.plain_life()
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    await bank_decides(house, "won")
    assert list(house.systems.refunds.values()) == [3_000]


async def test_a_payment_that_came_too_late_is_not_given_back_beside_the_bank(house: ScenarioEnvironment) -> None:
    life = await stocked(house, cups(1))
    await house.pass_until(house.now() + timedelta(hours=2))
    assert await life.status() == OrderStatus.CLOSED
    house.systems.script("payment.refund", *[UnknownOutcome("wechat", "TIMEOUT", "no answer")] * 4)
    await house.deliver(house.systems.pays(life.order.order_no, 3_000, house.now()))
    await house.pass_until(house.now() + MINUTES)
    await bank_takes(house, life, 3_000)
    await answer(life, "refund", "retry")
    await house.pass_until(house.now() + MINUTES)
    await on_hold(life)
    assert len(house.systems.of("payment.refund")) == 4
    await bank_decides(house, "won")
    assert list(house.systems.refunds.values()) == [3_000]
