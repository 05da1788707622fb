"""A chargeback that a source tells of holds refunds at once, and is in dispute when finance has said so (N17)."""

import base64
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
import standardwebhooks

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.finance import decided
from domain.facts import Fact
from domain.records import TicketResolution
from domain.refunds.outside import BookAs
from providers.callbacks import CallbackRefused, RawRequest
from providers.generic.loading import load_mapping
from providers.generic.receiver import GenericReceiver
from store.outside_money.booking import BookingRefused
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from tests.outside_money.money import FINDERS, ask, booked, called_back, chargeback, decide, open_tickets
from tests.returns.orders import paid, signed
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

PAID = 6_000
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECRET, STRANGERS = ("whsec_" + base64.b64encode(os.urandom(24)).decode() for _ in range(2))
MINUTES = timedelta(minutes=20)


@pytest.mark.parametrize("ended", [False, True], ids=["open", "ended"])
@pytest.mark.parametrize("way", FINDERS)
async def test_it_is_one_ticket_in_dispute_once_approved_and_not_news_again(
    house: ScenarioEnvironment, way: str, ended: bool
) -> None:
    life = await signed(house)
    if ended:
        await house.pass_until(house.now() + timedelta(days=365))
    fact = chargeback(life, PAID)
    await FINDERS[way](house, fact)
    (ticket,) = await open_tickets(life)
    for told in ("CB-1", "wechat", "60.00 CNY", "book_chargeback"):
        assert told in ticket.error, told

    await booked(life, BookAs.CHARGEBACK)
    (dispute,) = await open_tickets(life)
    assert (dispute.step, dispute.ticket_id) == ("chargeback", "T-CB-CB-1")
    taken = "SELECT charged_back_minor FROM payment_balances WHERE order_no = $1"
    assert await house.pool.fetchval(taken, life.order.order_no) == PAID
    await house.has_owners()

    for again in FINDERS.values():
        await again(house, fact)
    assert len(await open_tickets(life)) == 1
    lost = await decided(ChargebackStore(house.pool), "CB-1", "lost", house.now())
    assert (lost.state, lost.amount_minor) == ("lost", PAID)


def from_the_dispute_desk(
    house: ScenarioEnvironment, order_no: str, secret: str, event: str = "dispute.opened"
) -> Fact:
    """A signed message of a system of the shop's own, read as `examples/chargebacks.yaml` says."""
    receiver = GenericReceiver(load_mapping(EXAMPLES / "chargebacks.yaml"), [SECRET])
    told = {
        "event": event, "happened": house.now().isoformat(), "order": order_no, "dispute": "CB-1",
        "amount": "60.00", "currency": "CNY",
    }  # fmt: skip
    body = json.dumps(told)
    headers = {
        "webhook-id": "msg_1", "webhook-timestamp": str(int(house.now().timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("msg_1", house.now(), body),
    }  # fmt: skip
    (fact,) = receiver.read(RawRequest(headers, {}, body.encode()), house.now()).facts
    return fact


async def test_a_channel_that_tells_of_none_is_spoken_for_by_a_source_of_the_shops_own(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house)
    with pytest.raises(CallbackRefused):
        from_the_dispute_desk(house, life.order.order_no, STRANGERS)
    fact = from_the_dispute_desk(house, life.order.order_no, SECRET)
    for n in range(2):  # told twice, by messages of their own, it is one
        await house.deliver(fact, event_id=f"msg_{n}")
    (ticket,) = await open_tickets(life)
    assert "dispute-desk tells of chargeback CB-1" in ticket.error
    await booked(life, BookAs.CHARGEBACK)
    won, lost = (from_the_dispute_desk(house, life.order.order_no, SECRET, f"dispute.{end}") for end in ("won", "lost"))
    await house.deliver(won)
    assert not await open_tickets(life)
    await house.has_owners()
    await house.deliver(lost)
    (ticket,) = await open_tickets(life)
    assert "lost; but it was won" in ticket.error


async def test_no_refund_goes_out_between_its_being_told_and_the_decision(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await called_back(house, chargeback(life, PAID))
    await life.handle.execute_update("cancel", CancelOrder(by="buyer", reason="x"))
    await house.pass_until(house.now() + MINUTES)
    assert not house.systems.refunds
    (ticket,) = [t for t in (await life.view()).open_tickets if t.step == "refund on hold"]
    assert "chargeback CB-1" in ticket.error

    found = next(t for t in await open_tickets(life) if t.ticket_id.startswith("T-money-"))
    closing = TicketResolution(
        ticket_id=found.ticket_id, action="give_up", remark="taken back by the bank", resolved_by="u-fin"
    )
    await house.tickets.resolve_outside(closing, house.now())
    await house.pass_until(house.now() + MINUTES)
    assert list(house.systems.refunds.values()) == [PAID], "a person said that it is none: the refund goes out"


async def test_one_that_a_person_has_recorded_is_not_found_again(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await ChargebackStore(house.pool).open(NewChargeback("CB-1", life.order.order_no, PAID, "u-fin"), house.now())
    await called_back(house, chargeback(life, PAID))
    assert [t.ticket_id for t in await open_tickets(life)] == ["T-CB-CB-1"]


async def test_what_does_not_fit_is_refused_by_name(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await called_back(house, chargeback(life, PAID + 1))
    with pytest.raises(BookingRefused, match=r"has no payment .* of at least 6001"):
        await ask(life, BookAs.CHARGEBACK)
    await called_back(house, chargeback(life, PAID, "CB-2"))
    number = await ask(life, BookAs.CHARGEBACK)
    with pytest.raises(BookingRefused, match="names no units"):
        await ask(life, BookAs.CHARGEBACK, units={"L1": 1})
    await decide(life, number)
