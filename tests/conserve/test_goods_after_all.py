"""Goods of a return that come after all, and goods that go out instead: somebody owns them, whatever the world says."""

from datetime import timedelta

import pytest

from bench.scenarios.environment.finance import decided
from bench.scenarios.environment.return_case import MINUTE, Case, case_of
from domain.facts import Kind
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import OrderStatus
from providers.errors import ProviderError
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from tests.conserve.conftest import Ground
from tests.conserve.test_late_words import LEFT, paid, world
from tests.conserve.test_two_at_once import CUP, every_owner
from workflows.messages import ResolveTicket

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


# --- what goes out instead -------------------------------------------------------------------------------------------


async def replaced(ground: Ground, number: str, *labelling: ProviderError) -> Case:
    """One of two cups for a larger one, which is on its way. `labelling`: what becomes of the attempts to label it."""
    life = await paid(ground, number)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    await world(life).receive(f"CUPL{number}", "WH-BJ", 2)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": f"CUPL{number}"})
    await case.apply()
    await case.decide()
    await case.goods_come_back()
    world(life).world.script("carrier.book", *labelling)
    await case.check_outbound(passed=True)
    await case.house.pass_until(case.house.now() + 5 * MINUTE if labelling else case.house.now())
    return case


async def test_a_replacement_that_the_buyer_refuses_keeps_the_case_open_until_a_person_has_settled_it(
    ground: Ground,
) -> None:
    number = "74000090"
    case = await replaced(ground, number)
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    await case.life.happens(Kind.DELIVERY_REFUSED, 2, note="not at home")
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, ticket.severity, ticket.child_no) == ("delivery refused", "urgent", case.life.child_no(2))
    await case.days_pass(40)
    assert (await case.shown()).ended_at is None
    await every_owner(ground, case.life, number)
    await case.resolve("give_up")
    assert (await case.shown()).status is CaseStatus.EXCHANGED
    await every_owner(ground, case.life, number)


async def test_a_replacement_that_leaves_after_the_exchange_has_ended_without_it_is_a_question(ground: Ground) -> None:
    number = "74000091"
    case = await replaced(ground, number)
    await case.life.happens(Kind.WMS_REJECTED, 2)
    await case.resolve("give_up")
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    steps = {t.step for t in (await case.view()).open_tickets if t.severity == "urgent"}
    assert steps == {"send back", LEFT}


async def test_a_piece_that_was_cancelled_and_replaced_and_leaves_all_the_same_is_a_question(ground: Ground) -> None:
    """The buyer has two of them; nobody heard of it."""
    number = "75000093"
    case = await replaced(ground, number)
    await case.life.happens(Kind.INTERCEPTED, 2)
    await case.resolve("retry")
    assert (await case.view()).replacement_no == case.life.child_no(3)
    await case.life.happens(Kind.PACKED, 2)
    assert not (await case.view()).open_tickets
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    await case.life.happens(Kind.SIGNED, 2)
    (ticket,) = (await case.view()).open_tickets
    assert (ticket.step, ticket.severity, ticket.child_no) == (LEFT, "urgent", case.life.child_no(2))
    await case.check_outbound(passed=True)
    await case.life.happens(Kind.WAYBILL_RETURNED, 3)
    await case.life.happens(Kind.SIGNED, 3)
    assert (await case.shown()).ended_at is None, "somebody has to see to it"
    await case.resolve("give_up")
    assert (await case.shown()).status is CaseStatus.EXCHANGED
    await every_owner(ground, case.life, number)


@pytest.mark.parametrize("again", ["told again", "told late"])
async def test_what_a_warehouse_said_before_it_rejected_a_replacement_closes_no_question(
    ground: Ground, again: str
) -> None:
    """The question closed by itself, and the replacement was waited for without end."""
    case = await replaced(ground, f"750000{len(again)}9")
    before = case.house.now()
    await case.life.happens(Kind.WMS_ACCEPTED, 2, at=before)
    await case.house.pass_until(before + MINUTE)
    rejected_at = case.house.now()
    await case.life.happens(Kind.WMS_REJECTED, 2, rejected_at, note="broken")
    await case.life.happens(Kind.WMS_ACCEPTED if again == "told again" else Kind.PICKING, 2, at=before)
    assert [t.step for t in (await case.view()).open_tickets] == ["replacement not sent"]
    await case.resolve("retry")
    await case.life.happens(Kind.WMS_REJECTED, 2, rejected_at, note="broken")
    assert not (await case.view()).open_tickets, "told again, it is no news"


# --- it comes after all ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_goods_that_come_after_they_were_given_up_as_lost_have_a_case_or_are_a_question(
    ground: Ground, verdict: str
) -> None:
    """The case is over, paid or not: the desk was told so, and nobody owned what lay there."""
    number = f"750000{len(verdict):02d}"
    life = await paid(ground, number)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    await case.days_pass(11)
    (ticket,) = [t for t in (await case.view()).open_tickets if "retry" in t.actions]
    message = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="lost", by="u-ops")
    await case.client.resolve_ticket(case.return_no, message)
    await case.decide(verdict=verdict)  # whether nothing is paid for what did not come
    await life.house.pass_until(life.house.now() + 5 * MINUTE)
    for one in (await case.view()).open_tickets:
        closed = ResolveTicket(ticket_id=one.ticket_id, action="give_up", remark="seen", by="u-ops")
        await case.client.resolve_ticket(case.return_no, closed)
    assert world(life).world.given_back_minor == (0 if verdict == "approve" else 2 * CUP)
    await every_owner(ground, life, number)
    linked = await case.receive()
    found = "SELECT step, severity, state FROM tickets WHERE ticket_id = $1"
    late = await life.house.pool.fetchrow(found, f"T-{case.return_no}-late")
    if verdict == "reject":
        assert late is not None and tuple(late) == ("late parcel", "urgent", "open"), "they are paid"
    else:
        assert late is None and await (await case.linked(linked)).status() is CaseStatus.IN_RETURN
    assert world(life).engine.executions[f"return/{case.return_no}"].ended
    await every_owner(ground, life, number)


async def test_a_case_that_went_on_without_its_goods_listens_for_a_month_and_ends(ground: Ground) -> None:
    number = "75000020"
    life = await paid(ground, number)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    await case.days_pass(11)
    for one in (await case.view()).open_tickets:
        closed = ResolveTicket(ticket_id=one.ticket_id, action="give_up", remark="lost", by="u-ops")
        await case.client.resolve_ticket(case.return_no, closed)
    await case.decide(verdict="reject")
    await case.days_pass(31)
    assert (await case.shown()).ended_at is not None
    assert world(life).world.given_back_minor == 2 * CUP and await life.house.pool.fetchval(
        "SELECT status FROM orders WHERE order_no = $1", life.order.order_no
    ) == str(OrderStatus.CLOSED)


# --- the bank has it -------------------------------------------------------------------------------------------------


async def in_dispute(ground: Ground, number: str) -> Case:
    """An exchange whose goods are back, while the bank disputes the payment."""
    life = await paid(ground, number)
    await life.ships(1)
    await life.happens(Kind.SIGNED, 1)
    await world(life).receive(f"CUPL{number}", "WH-BJ", 2)
    case = await case_of(life, ReturnType.EXCHANGE, {"L1": 1}, replacements={"L1": f"CUPL{number}"})
    await case.apply()
    await case.decide()
    chargeback = NewChargeback(f"CB{number}", life.order.order_no, 2 * CUP, "u-fin")
    await ChargebackStore(life.house.pool).open(chargeback, life.house.now())
    await case.goods_come_back()
    return case


async def test_no_replacement_goes_out_while_the_bank_disputes_and_it_goes_out_by_itself_once_that_is_won(
    ground: Ground,
) -> None:
    number = "75000030"
    case = await in_dispute(ground, number)
    house = world(case.life)
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "replacement on hold" and f"CB{number}" in ticket.error
    assert house.world.pushed == [case.life.child_no(1)]
    await every_owner(ground, case.life, number)
    await decided(ChargebackStore(house.pool), f"CB{number}", "won", house.now())
    await house.pass_until(house.now() + timedelta(minutes=10))
    assert not (await case.view()).open_tickets and house.world.pushed[-1] == case.life.child_no(2)


async def test_a_replacement_that_the_bank_holds_may_be_given_up(ground: Ground) -> None:
    number = "75000031"
    case = await in_dispute(ground, number)
    await case.resolve("give_up")
    view = await case.view()
    assert (view.status, [t.step for t in view.open_tickets]) == (CaseStatus.REJECTED, ["send back"])
    await every_owner(ground, case.life, number)


async def pushed_and_then_disputed(ground: Ground, number: str) -> Case:
    case = await in_dispute(ground, number)
    store, house = ChargebackStore(world(case.life).pool), world(case.life)
    await decided(store, f"CB{number}", "won", house.now())
    await house.pass_until(house.now() + timedelta(minutes=10))
    again = NewChargeback(f"CC{number}", case.life.order.order_no, 2 * CUP, "u-fin")
    await store.open(again, house.now())
    await case.check_outbound(passed=True)
    return case


async def test_a_replacement_that_the_warehouse_has_gets_no_label_while_the_bank_disputes(ground: Ground) -> None:
    number = "75000032"
    case = await pushed_and_then_disputed(ground, number)
    house = world(case.life)
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "replacement on hold" and case.life.child_no(2) in ticket.error
    assert not [call for call in house.world.of("carrier.book") if case.life.child_no(2) in str(call)]
    await decided(ChargebackStore(house.pool), f"CC{number}", "won", house.now())
    await house.pass_until(house.now() + timedelta(minutes=10))
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    await case.life.happens(Kind.SIGNED, 2)
    assert (await case.shown()).status is CaseStatus.EXCHANGED and not (await case.view()).open_tickets
    await every_owner(ground, case.life, number)


async def test_a_replacement_that_leaves_while_the_bank_disputes_has_left(ground: Ground) -> None:
    number = "75000033"
    case = await pushed_and_then_disputed(ground, number)
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    assert not (await case.view()).open_tickets
    await case.life.happens(Kind.SIGNED, 2)
    assert (await case.shown()).status is CaseStatus.EXCHANGED
    await every_owner(ground, case.life, number)


async def test_a_replacement_that_the_warehouse_has_may_be_given_up_for_the_bank(ground: Ground) -> None:
    number = "75000034"
    case = await pushed_and_then_disputed(ground, number)
    await case.resolve("give_up")
    view = await case.view()
    assert (view.status, [t.step for t in view.open_tickets]) == (CaseStatus.REJECTED, ["send back"])
    await every_owner(ground, case.life, number)


@pytest.mark.parametrize("answer", ["retry", "give_up"])
async def test_a_replacement_that_is_rejected_while_the_bank_disputes_is_asked_about_at_once(
    ground: Ground, answer: str
) -> None:
    number = f"750000{35 + len(answer)}"
    case = await pushed_and_then_disputed(ground, number)
    child_no, house = case.life.child_no(2), world(case.life)
    await case.life.happens(Kind.WMS_REJECTED, 2, note="dropped on the floor")
    (ticket,) = (await case.view()).open_tickets
    assert ticket.step == "replacement not sent" and "dropped on the floor" in ticket.error
    await case.resolve(answer)
    if answer == "give_up":
        assert (await case.view()).status is CaseStatus.REJECTED
    else:
        assert house.world.pushed.count(child_no) == 2
        assert [t.step for t in (await case.view()).open_tickets] == ["replacement on hold"]
        await decided(ChargebackStore(house.pool), f"CC{number}", "won", house.now())
        await house.pass_until(house.now() + timedelta(minutes=10))
        await case.life.happens(Kind.WAYBILL_RETURNED, 2)
        await case.life.happens(Kind.SIGNED, 2)
        assert (await case.shown()).status is CaseStatus.EXCHANGED and not (await case.view()).open_tickets
    await every_owner(ground, case.life, number)
