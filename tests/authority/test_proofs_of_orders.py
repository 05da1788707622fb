"""A command to an order moves nothing until its sender is proven, for exactly this command, and may give it (F6)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.approvers import ADMIN, SHOP
from bench.scenarios.environment.providers import no_answer
from domain.access.authority import Binding, ProofCode
from domain.approvals import Role
from domain.order import Address
from domain.states import OrderStatus
from starter.clients.errors import CommandRefused
from starter.clients.orders import OrderClient
from tests.authority.sender import FOREIGN, Sender
from tests.returns.orders import cups, paid
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import ChangeAddress
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

CANCEL = CancelOrder(by="u-cs", reason="the buyer rang")
ELSEWHERE = Address(recipient="张伟", phone="13900139000", province="上海市", city="上海市", street="南京路 2 号")
THIRD = ELSEWHERE.model_copy(update={"street": "人民路 3 号"})
MOVE = ChangeAddress(by="u-cs", address=ELSEWHERE, remark="the buyer has moved")


async def sender_of_a_paid_order(house: ScenarioEnvironment) -> Sender:
    life = await paid(house, cups())
    return Sender(house, f"order/{life.order.order_no}")


async def stands_untouched(sender: Sender) -> None:
    number = sender.workflow_id.partition("/")[2]
    view = await sender.house.client.view(number)
    assert (view.status, sender.house.systems.refunds) == (OrderStatus.AWAITING_SHIPMENT, {})
    assert await sender.audited("order.cancel") == []
    assert await sender.audited("command.admitted") == []


Forge = Callable[[Sender], Awaitable[tuple[CancelOrder, str | None]]]


async def nothing(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, None


async def junk(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, "no.token.atall"


async def by_a_foreign_key(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, key=FOREIGN)


async def by_the_key_of_a_service(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, key=sender.house.office.shop_key, issuer=SHOP)


async def for_another_order(sender: Sender) -> tuple[CancelOrder, str | None]:
    made = sender.binding("cancel", CANCEL)
    other = Binding("order/SO26119999", made.command, made.content_hash)
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, binding=other)


async def for_another_command(sender: Sender) -> tuple[CancelOrder, str | None]:
    made = sender.binding("cancel", CANCEL)
    other = Binding(made.workflow_id, "order.confirm_receipt", made.content_hash)
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, binding=other)


async def for_other_words(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL.model_copy(update={"reason": "sold elsewhere"}), sender.proof("u-cs", "cancel", CANCEL)


async def too_late(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, now=sender.house.now() - timedelta(minutes=6))


async def that_lives_too_long(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, life=timedelta(hours=2))


async def for_another_audience(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL, audience="another shop")


async def by_a_stranger(sender: Sender) -> tuple[CancelOrder, str | None]:
    message = CANCEL.model_copy(update={"by": "u-nobody"})
    return message, sender.proof("u-nobody", "cancel", message)


async def by_somebody_who_has_left(sender: Sender) -> tuple[CancelOrder, str | None]:
    await sender.house.office.people.set_active("u-cs", False, ADMIN, sender.house.now())
    return CANCEL, sender.proof("u-cs", "cancel", CANCEL)


async def in_the_wrong_role(sender: Sender) -> tuple[CancelOrder, str | None]:
    message = CANCEL.model_copy(update={"by": "u-wh"})
    return message, sender.proof("u-wh", "cancel", message)


async def in_the_name_of_another(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-ops", "cancel", CANCEL)


async def by_a_service_for_one_of_the_staff(sender: Sender) -> tuple[CancelOrder, str | None]:
    made = {"key": sender.house.office.shop_key, "issuer": SHOP, "on_behalf_of": "u-cs"}
    return CANCEL, sender.proof(SHOP, "cancel", CANCEL, **made)


async def by_a_person_on_behalf_of_another(sender: Sender) -> tuple[CancelOrder, str | None]:
    return CANCEL, sender.proof("u-ops", "cancel", CANCEL, on_behalf_of="u-cs")


ATTACKS: list[tuple[Forge, ProofCode]] = [
    (nothing, ProofCode.PROOF_REQUIRED),
    (junk, ProofCode.TOKEN_INVALID),
    (by_a_foreign_key, ProofCode.TOKEN_INVALID),
    (by_the_key_of_a_service, ProofCode.TOKEN_INVALID),
    (for_another_order, ProofCode.PROOF_MISMATCH),
    (for_another_command, ProofCode.PROOF_MISMATCH),
    (for_other_words, ProofCode.PROOF_MISMATCH),
    (too_late, ProofCode.TOKEN_EXPIRED),
    (that_lives_too_long, ProofCode.TOKEN_INVALID),
    (for_another_audience, ProofCode.TOKEN_INVALID),
    (by_a_stranger, ProofCode.UNKNOWN_PERSON),
    (by_somebody_who_has_left, ProofCode.PERSON_INACTIVE),
    (in_the_wrong_role, ProofCode.WRONG_ROLE),
    (in_the_name_of_another, ProofCode.NOT_THE_SENDER),
    (by_a_service_for_one_of_the_staff, ProofCode.NOT_THE_SENDER),
    (by_a_person_on_behalf_of_another, ProofCode.TOKEN_INVALID),
]


@pytest.mark.parametrize(("forge", "code"), ATTACKS, ids=[forge.__name__ for forge, _ in ATTACKS])
async def test_a_paid_order_is_not_cancelled_by(house: ScenarioEnvironment, forge: Forge, code: ProofCode) -> None:
    sender = await sender_of_a_paid_order(house)
    message, proof = await forge(sender)
    assert await sender.refused("cancel", message, proof) == code
    (refused,) = await sender.audited("command.refused")
    assert (refused.detail["code"], refused.detail["command"]) == (code, "order.cancel")
    assert refused.order_no == sender.workflow_id.partition("/")[2]
    await stands_untouched(sender)


async def test_a_proven_command_is_given_once_and_leaves_its_evidence(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    proof = sender.proof("u-cs", "cancel", CANCEL, token_id="once")
    await sender.send("cancel", CANCEL, proof)
    (admitted,) = await sender.audited("command.admitted")
    assert (admitted.actor, admitted.detail["role"]) == ("u-cs", "CS_AGENT")
    kept = await house.pool.fetchrow("SELECT * FROM command_proofs WHERE command = 'order.cancel'")
    assert kept is not None
    assert (kept["token_id"], kept["person_id"], kept["command"]) == ("oms-local once", "u-cs", "order.cancel")
    assert kept["claims"]["content_hash"] == sender.binding("cancel", CANCEL).content_hash
    assert list(house.systems.refunds.values()) == [6_000]


async def test_a_spent_proof_moves_nothing_once_more(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    proof = sender.proof("u-cs", "change_address", MOVE)
    first = await sender.send("change_address", MOVE, proof)
    back = MOVE.model_copy(update={"address": THIRD, "remark": "and on"})
    await sender.send("change_address", back, sender.proof("u-cs", "change_address", back))
    moved = house.systems.streets.copy()
    assert await sender.send("change_address", MOVE, proof) == first
    assert house.systems.streets == moved
    assert len(await sender.audited("command.admitted")) == 2
    assert await sender.refused("change_address", back, proof) == ProofCode.PROOF_MISMATCH


async def test_what_was_done_is_told_again_whatever_becomes_of_its_proof(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    proof = sender.proof("u-cs", "cancel", CANCEL)
    house.systems.script("payment.refund", *[no_answer("refund")] * 2)  # the order stays open meanwhile
    first = await sender.send("cancel", CANCEL, proof)
    assert await sender.send("cancel", CANCEL, proof) == first
    await house.pass_until(house.now() + timedelta(hours=1))
    number = sender.workflow_id.partition("/")[2]
    for client in (house.client, OrderClient(house.temporal)):  # proven anew, and not at all: the order has ended
        assert (await client.cancel(number, CANCEL)).model_dump(mode="json") == first
    assert len(await sender.audited("command.admitted")) == 1
    assert len(await sender.audited("order.cancel")) == 1


async def test_two_at_once_with_a_proof_each_are_one_cancellation(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    proofs = [sender.proof("u-cs", "cancel", CANCEL) for _ in range(3)]
    answers = await asyncio.gather(*(sender.send("cancel", CANCEL, proof) for proof in proofs))
    assert all(answer == answers[0] for answer in answers)
    assert len(await sender.audited("order.cancel")) == 1
    assert list(house.systems.refunds.values()) == [6_000]


async def test_a_refused_proof_does_not_spoil_the_key_of_a_command(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    number, stale = sender.workflow_id.partition("/")[2], await too_late(sender)

    async def expired(_binding: Binding, _by: str) -> str:
        return str(stale[1])

    one, other = house.client.keyed("k-1"), type(house.client)(house.temporal, key="k-1", prover=expired)
    with pytest.raises(CommandRefused) as refused:
        await other.cancel(number, CANCEL)
    assert refused.value.type == ProofCode.TOKEN_EXPIRED
    assert (await one.cancel(number, CANCEL)).refund_minor == 6_000


async def test_a_backend_cancels_for_its_buyer_and_says_for_whom(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    message = CANCEL.model_copy(update={"by": "buyer-7"})
    made: dict[str, Any] = {"key": house.office.shop_key, "issuer": SHOP}
    assert await sender.refused("cancel", message, sender.proof(SHOP, "cancel", message, **made)) == "NOT_THE_SENDER"
    await sender.send("cancel", message, sender.proof(SHOP, "cancel", message, **made, on_behalf_of="buyer-7"))
    (admitted,) = await sender.audited("command.admitted")
    assert (admitted.actor, admitted.detail["on_behalf_of"], admitted.detail["role"]) == (SHOP, "buyer-7", "SERVICE")


async def test_a_deactivated_service_commands_nothing_more(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    made: dict[str, Any] = {"key": house.office.shop_key, "issuer": SHOP, "on_behalf_of": "buyer-7"}
    moved = MOVE.model_copy(update={"by": "buyer-7"})
    await sender.send("change_address", moved, sender.proof(SHOP, "change_address", moved, **made))
    await house.office.people.set_active(SHOP, False, ADMIN, house.now())
    message = CANCEL.model_copy(update={"by": "buyer-7"})
    assert await sender.refused("cancel", message, sender.proof(SHOP, "cancel", message, **made)) == "PERSON_INACTIVE"


async def test_what_became_of_money_is_said_by_finance_only(house: ScenarioEnvironment) -> None:
    house.systems.script("payment.refund", *[no_answer("refund")] * 4)
    sender = await sender_of_a_paid_order(house)
    await sender.send("cancel", CANCEL, sender.proof("u-cs", "cancel", CANCEL))
    await house.pass_until(house.now() + timedelta(hours=1))
    (ticket,) = [t for t in await house.tickets.list() if t.severity != "info"]
    says = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="paid back by hand", by="u-ops")
    assert await sender.refused("resolve_ticket", says, sender.proof("u-ops", "resolve_ticket", says)) == "WRONG_ROLE"
    (refused,) = await sender.audited("command.refused")
    assert refused.detail["command"] == "order.resolve_ticket: money"
    finance = says.model_copy(update={"by": "u-fin"})
    await sender.send("resolve_ticket", finance, sender.proof("u-fin", "resolve_ticket", finance))
    assert await house.tickets.list(state="open") == ()


async def test_a_role_that_is_taken_away_admits_nothing(house: ScenarioEnvironment) -> None:
    sender = await sender_of_a_paid_order(house)
    proof = sender.proof("u-cs", "cancel", CANCEL)
    await house.office.people.set_role("u-cs", Role.CS_AGENT, False, ADMIN, house.now())
    assert await sender.refused("cancel", CANCEL, proof) == ProofCode.WRONG_ROLE
    await house.office.people.set_role("u-cs", Role.CS_AGENT, True, ADMIN, house.now())
    await sender.send("cancel", CANCEL, proof)  # a refusal has not spent it
