"""What the world says while a person or a bank takes its time: who decides then decides about what is there."""

from datetime import timedelta

import pytest

from bench.scenarios.environment.finance import decided
from bench.scenarios.environment.return_case import MINUTE, Case, case_of
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.policy import Policy
from domain.returns.enums import CaseStatus, ReturnType
from store.outside_money.chargebacks import ChargebackStore
from store.rules.policies import PolicyStore
from tests.conserve.conftest import Ground
from tests.conserve.test_goods_after_all import pushed_and_then_disputed, replaced
from tests.conserve.test_late_words import LEFT, questions, world
from tests.conserve.test_two_at_once import CUP, cups, every_owner
from workflows.messages import ResolveTicket

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


# --- a case that asks for a stop only once it is agreed to -----------------------------------------------------------


@pytest.mark.parametrize("kind", [ReturnType.REFUND_ONLY, ReturnType.CANCEL_UNSHIPPED])
@pytest.mark.parametrize("shared", [True, False], ids=["one of two", "all of it"])
async def test_what_the_warehouse_cancels_while_a_case_is_decided_is_paid_by_the_case(
    ground: Ground, kind: ReturnType, shared: bool
) -> None:
    """The order asked for its money as well, was refused, and a person was asked about it; with another return of the
    same parcel the case waited for goods that never left."""
    number = f"770000{70 + len(kind)}{int(shared)}"
    life = await stocked(ground.house(), cups(number))
    await life.pay()
    house = world(life)
    house.world.captured_minor = 2 * CUP
    house.world.plans.stops = ["too_late"]
    cases: list[Case] = []
    if shared:
        cases.append(await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1}))
        await cases[0].apply()
    await PolicyStore(house.pool).publish(Policy(stop_before_asking=False), "u-ops")
    try:
        cases.insert(0, await case_of(life, kind, {"L1": 1 if shared else 2}))
        await cases[0].apply()
    finally:
        await PolicyStore(house.pool).publish(Policy(), "u-ops")
    await life.happens(Kind.INTERCEPTED, 1)
    for case in cases:
        assert not await questions(life)
        await every_owner(ground, life, number)
        await case.decide()
        await house.pass_until(house.now() + 2 * MINUTE)
    assert house.world.given_back_minor == 2 * CUP and not await questions(life)
    assert all([(await case.shown()).ended_at for case in cases])
    await every_owner(ground, life, number)
    free = "SELECT available FROM stock WHERE sku = $1 AND warehouse = 'WH-BJ'"
    assert await house.pool.fetchval(free, f"CUP{number}") == 2


# --- a replacement that waits ----------------------------------------------------------------------------------------


def labels(case: Case) -> int:
    return len([call for call in world(case.life).world.of("carrier.book") if case.life.child_no(2) in str(call)])


async def the_bank_decides(case: Case, number: str) -> None:
    house = world(case.life)
    await decided(ChargebackStore(house.pool), f"CC{number}", "won", house.now())
    await house.pass_until(house.now() + timedelta(minutes=10))


async def test_a_check_that_is_taken_back_while_the_bank_disputes_is_made_again_before_the_label(
    ground: Ground,
) -> None:
    number = "77000030"
    case = await pushed_and_then_disputed(ground, number)
    await case.check_outbound(passed=False)
    await the_bank_decides(case, number)
    assert labels(case) == 0
    await case.check_outbound(passed=True)
    assert labels(case) == 1
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    await case.life.happens(Kind.SIGNED, 2)
    assert (await case.shown()).status is CaseStatus.EXCHANGED and not (await case.view()).open_tickets
    await every_owner(ground, case.life, number)


@pytest.mark.parametrize("kind", [Kind.WMS_REJECTED, Kind.INTERCEPTED])
async def test_a_replacement_that_is_not_sent_any_more_gets_no_label_once_the_bank_has_decided(
    ground: Ground, kind: Kind
) -> None:
    number = f"7700004{int(kind is Kind.INTERCEPTED)}"
    case = await pushed_and_then_disputed(ground, number)
    await case.life.happens(kind, 2)
    await the_bank_decides(case, number)
    assert labels(case) == 0 and [t.step for t in (await case.view()).open_tickets] == ["replacement not sent"]
    await case.resolve("give_up")
    await every_owner(ground, case.life, number)


async def test_a_person_is_asked_once_about_a_piece_that_left_before_another_was_sent_in_its_place(
    ground: Ground,
) -> None:
    number = "77000060"
    case = await replaced(ground, number)
    await case.life.happens(Kind.INTERCEPTED, 2)
    await case.life.happens(Kind.WAYBILL_RETURNED, 2)
    (ticket,) = [t for t in (await case.view()).open_tickets if "retry" in t.actions]
    again = ResolveTicket(ticket_id=ticket.ticket_id, action="retry", remark="one more", by="u-ops")
    await case.client.resolve_ticket(case.return_no, again)
    await case.house.rest()
    await case.life.happens(Kind.SIGNED, 2)
    assert [t.step for t in (await case.view()).open_tickets] == [LEFT]
    await every_owner(ground, case.life, number)
