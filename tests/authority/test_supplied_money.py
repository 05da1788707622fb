"""What a person says of money counts once another person of finance agrees; until then nothing moves (R44)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.approvers import ADMIN
from bench.scenarios.environment.providers import no_answer
from bench.scenarios.ordered import stocked
from domain.approvals import RefusalCode, Role
from domain.states import OrderStatus
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from store.approvals.approvals import Approval
from store.tickets.tickets import TicketRow
from tests.authority.sender import Sender
from tests.outside_money.money import payment
from tests.returns.orders import cups
from workflows.messages import ResolveTicket, TicketAnswer

PAID = 6_000


@dataclass
class Unanswered:
    """An order whose channel does not say whether it is paid; a person of finance is asked."""

    life: ScenarioOrder
    sender: Sender
    ticket: TicketRow

    def says(self, by: str = "u-fin", remark: str = "seen in the back office", **changed: Any) -> ResolveTicket:
        fact = payment(self.life, PAID).model_dump(mode="json") | changed
        result = {"state": "PAID", "fact": fact}
        return ResolveTicket(ticket_id=self.ticket.ticket_id, action="supply", result=result, remark=remark, by=by)

    async def say(self, message: ResolveTicket) -> TicketAnswer:
        proof = self.sender.proof(message.by, "resolve_ticket", message)
        answer = await self.sender.send("resolve_ticket", message, proof, result_type=TicketAnswer)
        assert isinstance(answer, TicketAnswer)
        return answer

    async def asked(self) -> Approval:
        (approval,) = await self.sender.house.office.waiting(self.ticket.ticket_id)
        return approval

    async def decide(self, person: str, verdict: str = "approve", **changed: Any) -> None:
        house, approval = self.sender.house, await self.asked()
        decision = house.office.decision(approval, person, verdict, **changed)
        await ApprovalClient(house.temporal).decide(self.sender.workflow_id, decision)
        await house.rest()

    async def refused(self, person: str, **changed: Any) -> str:
        with pytest.raises(DecisionNotTaken) as refused:
            await self.decide(person, **changed)
        await self.nothing_has_moved()
        return refused.value.type

    async def nothing_has_moved(self) -> None:
        house = self.sender.house
        view = await self.life.view()
        assert (view.status, view.paid_minor) == (OrderStatus.PENDING_PAYMENT, 0)
        assert not house.systems.pushed and not await house.pool.fetchval("SELECT count(*) FROM payments")
        assert [t.ticket_id for t in view.open_tickets] == [self.ticket.ticket_id]

    async def is_paid(self) -> bool:
        paid: int = (await self.life.view()).paid_minor
        return paid == PAID


@pytest_asyncio.fixture(loop_scope="session")
async def unanswered(house: ScenarioEnvironment) -> Unanswered:
    life = await stocked(house, cups())
    house.systems.script("payment.query", *[no_answer("payment.query")] * 4)
    await house.pass_until(house.now() + timedelta(minutes=40))
    (ticket,) = [t for t in await house.tickets.list() if t.severity != "info"]
    return Unanswered(life, Sender(house, f"order/{life.order.order_no}"), ticket)


async def test_nothing_moves_before_another_person_of_finance_has_agreed(unanswered: Unanswered) -> None:
    answer = await unanswered.say(unanswered.says())
    await unanswered.nothing_has_moved()
    asked = (await unanswered.asked()).request
    assert (answer.approval_id, asked.role, asked.requested_by) == (asked.approval_id, Role.FINANCE, "u-fin")
    told = asked.content
    assert (told["channel"], told["amount_minor"], told["evidence"]) == ("wechat", PAID, "seen in the back office")
    assert told["number"] == unanswered.life.order.order_no and told["says"]["state"] == "PAID"
    await unanswered.decide("u-fin2")
    assert await unanswered.is_paid()
    (row,) = await unanswered.sender.audited("ticket.resolve")
    assert (row.actor, row.detail["approved_by"]) == ("u-fin", "u-fin2")
    assert await unanswered.sender.house.tickets.list(severity="normal") == ()


async def test_neither_the_same_person_nor_their_delegate_nor_another_role_agrees(unanswered: Unanswered) -> None:
    people, now = unanswered.sender.house.office.people, unanswered.sender.house.now()
    await people.delegate("u-fin", "u-fin2", now + timedelta(days=2), ADMIN, now)
    await unanswered.say(unanswered.says())
    assert await unanswered.refused("u-fin") == RefusalCode.SELF_APPROVAL
    assert await unanswered.refused("u-fin2") == RefusalCode.SELF_APPROVAL
    assert await unanswered.refused("u-sup") == RefusalCode.WRONG_ROLE


async def test_nobody_but_finance_asks(unanswered: Unanswered) -> None:
    says = unanswered.says("u-ops")
    sender = unanswered.sender
    assert await sender.refused("resolve_ticket", says, sender.proof("u-ops", "resolve_ticket", says)) == "WRONG_ROLE"
    assert await sender.house.office.waiting(unanswered.ticket.ticket_id) == ()


async def test_said_twice_it_is_one_question_and_something_else_waits_for_its_end(unanswered: Unanswered) -> None:
    said = unanswered.says()
    assert await unanswered.say(said) == await unanswered.say(said)
    other, sender = unanswered.says("u-fin2", transaction_id="another"), unanswered.sender
    assert await sender.refused("resolve_ticket", other, sender.proof("u-fin2", "resolve_ticket", other)) == "NotNow"
    assert len(await sender.house.office.waiting(unanswered.ticket.ticket_id)) == 1


async def test_decided_twice_it_counts_once(unanswered: Unanswered) -> None:
    await unanswered.say(unanswered.says())
    approval = await unanswered.asked()
    await unanswered.decide("u-fin2")
    house = unanswered.sender.house
    with pytest.raises(DecisionNotTaken) as refused:
        again = house.office.decision(approval, "u-fin2")
        await ApprovalClient(house.temporal).decide(unanswered.sender.workflow_id, again)
    assert refused.value.type == RefusalCode.ALREADY_DECIDED
    assert await house.pool.fetchval("SELECT count(*) FROM payments") == 1


async def test_a_token_that_has_expired_decides_nothing(unanswered: Unanswered) -> None:
    await unanswered.say(unanswered.says())
    house = unanswered.sender.house
    old = house.office.token("u-fin2", await unanswered.asked(), now=house.now() - timedelta(hours=2))
    assert await unanswered.refused("u-fin2", token=old) == RefusalCode.TOKEN_EXPIRED
    await unanswered.decide("u-fin2")
    assert await unanswered.is_paid()


async def test_rejected_it_is_not_told_and_may_be_asked_anew(unanswered: Unanswered) -> None:
    await unanswered.say(unanswered.says())
    await unanswered.decide("u-fin2", "reject")
    await unanswered.nothing_has_moved()
    await unanswered.say(unanswered.says(remark="looked once more"))
    (asked,) = [a for a in await unanswered.sender.house.office.waiting(unanswered.ticket.ticket_id) if not a.decided()]
    decision = unanswered.sender.house.office.decision(asked, "u-fin2")
    await ApprovalClient(unanswered.sender.house.temporal).decide(unanswered.sender.workflow_id, decision)
    await unanswered.sender.house.rest()
    assert await unanswered.is_paid()


async def test_when_the_world_says_it_meanwhile_the_question_is_void(unanswered: Unanswered) -> None:
    await unanswered.say(unanswered.says())
    approval, house = await unanswered.asked(), unanswered.sender.house
    await unanswered.life.pay()
    assert await unanswered.is_paid()
    found = await house.office.approvals.get(approval.request.approval_id)
    assert found is not None and found.state == "withdrawn"
    ticket = await house.tickets.get(unanswered.ticket.ticket_id)
    assert ticket is not None and (ticket.state, ticket.action) == ("resolved", "evidence")
    with pytest.raises(DecisionNotTaken) as refused:
        decision = house.office.decision(approval, "u-fin2")
        await ApprovalClient(house.temporal).decide(unanswered.sender.workflow_id, decision)
    assert refused.value.type == RefusalCode.ALREADY_DECIDED
    assert await house.pool.fetchval("SELECT count(*) FROM payments") == 1


async def test_another_answer_to_the_ticket_makes_the_question_void(unanswered: Unanswered) -> None:
    await unanswered.say(unanswered.says())
    approval, house = await unanswered.asked(), unanswered.sender.house
    again = ResolveTicket(ticket_id=unanswered.ticket.ticket_id, action="retry", remark="it answers now", by="u-ops")
    await unanswered.say(again)
    found = await house.office.approvals.get(approval.request.approval_id)
    assert found is not None and found.state == "withdrawn" and not await unanswered.is_paid()


async def test_an_approver_who_is_gone_by_then_lets_nothing_through(unanswered: Unanswered) -> None:
    pool = unanswered.sender.house.pool
    await pool.execute(
        "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE people "
        " SET active = false, deactivated_at = now() WHERE person_id = NEW.decided_by; RETURN NEW; END $$"
    )
    await pool.execute("CREATE TRIGGER gone AFTER UPDATE OF state ON approvals FOR EACH ROW EXECUTE FUNCTION gone()")
    await unanswered.say(unanswered.says())
    await unanswered.decide("u-fin2")
    assert not await unanswered.is_paid()
    assert [t.step for t in (await unanswered.life.view()).open_tickets if t.severity == "info"] == [
        "supplied result not used"
    ]
