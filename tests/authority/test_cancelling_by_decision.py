"""A paid order is cancelled as the matrix says of a return before shipping: asked first, stopped second (R31, R44)."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio

from bench.scenarios.cancelling import everybody_agrees
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.ordered import stocked
from domain.approvals import RefusalCode, Role
from domain.states import OrderStatus
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from store.approvals.approvals import Approval
from tests.authority.sender import Sender
from tests.cancelling import agreeing
from tests.returns.orders import cups, paid
from workflows.order.handlers import OrderHandlers
from workflows.order.messages import Cancelled, CancelOrder

CANCEL = CancelOrder(by="u-cs", reason="the buyer rang")
PAID, FIVE_HUNDRED = 6_000, 50_000


@dataclass
class PaidOrder:
    life: ScenarioOrder
    sender: Sender

    @property
    def house(self) -> ScenarioEnvironment:
        return self.sender.house

    async def cancel(self, message: CancelOrder = CANCEL) -> Cancelled:
        proof = self.sender.proof(message.by, "cancel", message)
        answer = await self.sender.send("cancel", message, proof, result_type=Cancelled)
        assert isinstance(answer, Cancelled)
        return answer

    async def waiting(self) -> Approval:
        (approval,) = await self.house.office.waiting(self.life.order.order_no)
        return approval

    async def decide(self, person: str, verdict: str = "approve") -> None:
        decision = self.house.office.decision(await self.waiting(), person, verdict)
        await ApprovalClient(self.house.temporal).decide(self.sender.workflow_id, decision)
        await self.house.rest()

    async def stands(self) -> bool:
        """Nothing has been stopped, nothing goes back."""
        return not (self.house.systems.refunds or self.house.systems.of("wms.cancel")) and (
            (await self.life.view()).status is OrderStatus.AWAITING_SHIPMENT
        )

    async def is_cancelled(self, refund_minor: int = PAID) -> bool:
        status: OrderStatus = (await self.life.view()).status
        return status is OrderStatus.CLOSED and list(self.house.systems.refunds.values()) == [refund_minor]

    async def notes(self) -> list[str]:
        return [t.step for t in (await self.life.view()).open_tickets]


async def order(house: ScenarioEnvironment, price: int = PAID) -> PaidOrder:
    life = await paid(house, cups(qty=1, price=price))
    return PaidOrder(life, Sender(house, f"order/{life.order.order_no}"))


@pytest_asyncio.fixture(loop_scope="session")
async def placed(house: ScenarioEnvironment) -> PaidOrder:
    return await order(house)


async def test_a_small_order_is_cancelled_once_the_supervisor_has_agreed(placed: PaidOrder) -> None:
    answer = await placed.cancel()
    asked = (await placed.waiting()).request
    assert (answer.approval_id, answer.cancelled, answer.refund_minor) == (asked.approval_id, (), 0)
    assert (asked.role, asked.requested_by, asked.content["amount_minor"]) == (Role.CS_SUPERVISOR, "u-cs", PAID)
    assert [c["child_no"] for c in asked.content["children"]] == [f"{placed.life.order.order_no}-01"]
    await placed.house.pass_until(placed.house.now() + timedelta(hours=3))
    assert await placed.stands()
    await placed.decide("u-sup")
    assert await placed.is_cancelled()


async def test_above_the_small_amount_finance_agrees_too_before_anything_is_stopped(house: ScenarioEnvironment) -> None:
    placed = await order(house, FIVE_HUNDRED)
    await placed.cancel()
    await placed.decide("u-sup")
    assert await placed.stands() and (await placed.waiting()).request.role is Role.FINANCE
    await placed.decide("u-fin")
    assert await placed.is_cancelled(FIVE_HUNDRED)
    assert len(await placed.sender.audited("order.cancel.agreed")) == 1


async def test_a_table_that_wants_the_supervisor_for_cancelling_gets_the_supervisor(house: ScenarioEnvironment) -> None:
    await agreeing(house, ["CS_SUPERVISOR"])
    placed = await order(house, FIVE_HUNDRED)
    await placed.cancel()
    assert await placed.stands()
    await placed.decide("u-sup")
    assert await placed.is_cancelled(FIVE_HUNDRED)


async def test_a_table_that_exempts_cancelling_has_nobody_asked(house: ScenarioEnvironment) -> None:
    await agreeing(house, ["SYSTEM"])
    placed = await order(house)
    answer = await placed.cancel()
    assert (answer.approval_id, answer.refund_minor) == (None, PAID) and await placed.is_cancelled()


async def test_the_supervisor_who_cancels_is_not_the_one_who_agrees(placed: PaidOrder) -> None:
    await placed.cancel(CANCEL.model_copy(update={"by": "u-sup"}))
    with pytest.raises(DecisionNotTaken) as refused:
        await placed.decide("u-sup")
    assert refused.value.type == RefusalCode.SELF_APPROVAL and await placed.stands()
    await placed.decide("u-sup2")
    assert await placed.is_cancelled()


async def test_rejected_the_order_ships_and_a_person_reads_why(placed: PaidOrder) -> None:
    await placed.cancel()
    await placed.decide("u-sup", "reject")
    assert await placed.stands() and await placed.notes() == ["not cancelled"]
    assert (await placed.cancel()).approval_id == f"A-{placed.life.order.order_no}-2"


async def test_asked_twice_it_is_one_question_and_other_words_wait(placed: PaidOrder) -> None:
    assert await placed.cancel() == await placed.cancel()
    other = CANCEL.model_copy(update={"reason": "other words"})
    assert await placed.sender.refused("cancel", other, placed.sender.proof("u-cs", "cancel", other)) == "NotNow"
    await everybody_agrees(placed.house, placed.life.order.order_no)
    assert await placed.is_cancelled()


async def test_shipped_meanwhile_the_question_is_withdrawn_and_nothing_goes_back(placed: PaidOrder) -> None:
    await placed.cancel()
    approval = await placed.waiting()
    await placed.life.ships(1)
    found = await placed.house.office.approvals.get(approval.request.approval_id)
    assert found is not None and found.state == "withdrawn"
    assert not placed.house.systems.refunds and "not cancelled" in await placed.notes()


async def test_more_than_was_agreed_to_is_not_paid_back(
    house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    worth = [PAID]
    monkeypatch.setattr(OrderHandlers, "_worth_of_cancelling", lambda _order: (worth[0], {}))
    placed = await order(house)
    await placed.cancel()
    worth[0] += 1
    await placed.decide("u-sup")
    assert await placed.stands() and await placed.notes() == ["not cancelled"]


async def test_an_unpaid_order_is_cancelled_at_once(house: ScenarioEnvironment) -> None:
    life = await stocked(house, cups())
    sender = Sender(house, f"order/{life.order.order_no}")
    answer = await sender.send("cancel", CANCEL, sender.proof("u-cs", "cancel", CANCEL), result_type=Cancelled)
    assert (answer.approval_id, (await life.view()).status) == (None, OrderStatus.CLOSED)
