"""What the machine has found, each as the few steps that were left of its run."""

from datetime import timedelta

import pytest

from bench.conserve.fate import Fate
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.fulfilment.reallocation import Part
from domain.order import SkuTags
from domain.returns.enums import CaseStatus, ReturnType
from starter.clients.return_errors import StepRefused
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import AN_ORDERS_LIFE, order
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import RequestResplit
from workflows.order.messages import CancelOrder
from workflows.returns.messages import CancelReturn, LowerAmount

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


class Lost(Fate):
    """The answer of one attempt of `step` is lost; it was done."""

    def __init__(self, step: str) -> None:
        self._step = step

    def fails(self, step: str) -> str:
        if step != self._step:
            return ""
        self._step = ""
        return "after"


async def test_an_order_does_not_wait_for_a_decision_that_was_withdrawn_without_an_answer(ground: Ground) -> None:
    house = ground.house(Lost("people.withdraw"))
    life = await stocked(house, order("60000001"))
    await life.pay()
    apart = (Part(lines={"L2": 1}), Part(lines={"L2": 1}))
    asked = RequestResplit(children=(life.child_no(2),), into=apart, remark="apart", by="u-sup")
    await house.client.request_resplit(life.order.order_no, asked)
    await life.happens(Kind.PICKING, 2)  # too late to split it: nobody is asked any more
    await life.ships(1, 2)
    await life.happens(Kind.SIGNED, 1)
    await life.happens(Kind.SIGNED, 2)
    await life.confirm_receipt()
    await house.pass_until(house.now() + AN_ORDERS_LIFE + timedelta(days=1))
    assert house.engine.executions[f"order/{life.order.order_no}"].ended


async def test_a_case_is_paid_when_the_order_says_in_one_breath_what_was_stopped_and_that_the_rest_has_left(
    ground: Ground,
) -> None:
    """Both signals in one workflow task, as after a worker was away."""
    house = ground.house()
    life = await stocked(house, order("60000002"))
    await life.pay()
    await life.ships(1)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1, "L2": 1})
    await case.apply()
    await case.plain_life()
    await house.pass_until(house.now() + timedelta(minutes=5))
    assert house.world.given_back_minor == 89_900 + 6_450
    assert house.engine.executions[f"return/{case.return_no}"].ended


async def test_a_case_whose_goods_are_inspected_is_not_taken_back_while_the_supervisor_is_asked_again(
    ground: Ground,
) -> None:
    """The parcel came without a waybill, and staff agreed on less after the inspection."""
    house = ground.house()
    life = await stocked(house, order("60000003"))
    await life.pay()
    await life.ships(1, 2)
    await life.happens(Kind.SIGNED, 1)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    await case.receive()
    await case.inspect()
    assert await case.status() is CaseStatus.FINANCE_REVIEW
    await case.client.lower(case.return_no, LowerAmount(by="u-cs", amount_minor=50_000, reason="scratched"))
    assert await case.status() is CaseStatus.SUPERVISOR_REVIEW
    with pytest.raises(StepRefused):
        await case.client.cancel(case.return_no, CancelReturn(by="buyer", reason="keep it"))
    await case.decide()
    await case.decide()
    assert house.world.given_back_minor == 50_000


async def test_a_missing_unit_is_paid_back_itself_and_not_its_neighbour_when_a_case_was_paid_for_another(
    ground: Ground,
) -> None:
    house = ground.house()
    tags = SkuTags(warehouse="WH-BJ")
    cups = OrderIn(order_no="SO60000004", lines=(LineIn(id="L1", sku="CUP4", qty=3, unit_price=576, tags=tags),))
    life = await stocked(house, cups)
    await life.pay()
    await life.happens(Kind.PICKING, 1)  # too late to cut its units off
    await life.happens(Kind.SHORT_PICKED, 1, actual={"L1": 2})
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide()
    await life.happens(Kind.WAYBILL_RETURNED, 1, actual={"L1": 2})
    await house.pass_until(house.now() + timedelta(minutes=5))
    (ticket,) = [t for t in (await life.view()).open_tickets if t.step == "short pick"]
    answer = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="none left", by="u-ops")
    await house.client.resolve_ticket(life.order.order_no, answer)
    await house.pass_until(house.now() + timedelta(minutes=5))
    units = await house.pool.fetch(
        "SELECT k.first_unit FROM unit_claims k JOIN refunds r ON r.refund_no = k.holder AND r.return_no IS NULL "
        "WHERE k.order_no = $1 AND k.held", cups.order_no,
    )  # fmt: skip
    assert [u["first_unit"] for u in units] == [2], "the last one was missing"


async def test_the_second_parcel_of_a_refused_return_does_not_wait_until_the_channel_has_paid_for_the_first(
    ground: Ground,
) -> None:
    """The order was cancelled while the supervisor was asked. Each parcel's money is asked for at once."""
    house = ground.house()
    life = await stocked(house, order("60000005"))
    await life.pay()
    house.world.plans.refunds += [("SUCCEEDED", 1_000), ("SUCCEEDED", 1_000)]
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1, "L2": 2}, images=0)
    await case.apply()
    await life.house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="no"))
    await house.rest()
    await case.decide(verdict="reject")
    await house.pass_until(house.now() + timedelta(minutes=5))
    rows = await house.pool.fetch("SELECT amount_minor FROM refunds WHERE order_no = $1", life.order.order_no)
    assert sorted(r["amount_minor"] for r in rows) == [12_900, 89_900]


async def test_the_second_parcel_of_a_return_is_stopped_though_the_warehouse_of_the_first_has_not_answered(
    ground: Ground,
) -> None:
    house = ground.house()
    life = await stocked(house, order("60000006"))
    await life.pay()
    house.world.plans.stops.append("pending")
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1, "L2": 2}, images=0)
    await case.apply()
    await house.rest()
    states = [house.world.parcels[life.child_no(n)].state for n in (1, 2)]
    assert states == ["there", "cancelled"], "the first is asked and has said nothing yet"
