"""A case that waits for its order's word on stopping does not wait in silence: a person ends it, or has it asked."""

from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import Case, case_of
from domain.returns.enums import CaseStatus, ReturnType
from domain.states import ChildStatus
from tests.raw_messages import raw
from tests.returns.orders import paid
from workflows.order.workflow import Order
from workflows.order_return_signals import STOP_FOR_CASE
from workflows.returns.stop_shipping import UNANSWERED


async def unheard(house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch) -> Case:
    """The order is of a version that cannot read what the case asks, and goes on as if nothing had been said."""
    life = await paid(house)
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 2}, images=0)
    hear = Order._hear
    monkeypatch.setattr(Order, "_hear", lambda self, name, a: hear(self, name, [] if name == STOP_FOR_CASE else a))
    await case.apply()
    monkeypatch.undo()
    assert [t.step for t in (await life.view()).open_tickets] == ["unread signal"]
    await house.pass_until(house.now() + UNANSWERED + timedelta(minutes=1))
    assert [t.step for t in (await case.view()).open_tickets] == ["stop for a return"]
    return case


async def test_an_order_that_could_not_read_it_is_asked_again(
    house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await unheard(house, monkeypatch)
    await case.resolve("retry")
    assert [a.key for a in house.systems.of("wms.cancel")] == [case.life.child_no(1)]
    assert await case.status() is CaseStatus.SUPERVISOR_REVIEW and not (await case.view()).open_tickets
    (child,) = (await case.life.view()).children
    assert child.status is ChildStatus.CANCELLED
    house.has_a_known_fault("the order keeps its question about the first message")


async def test_a_person_may_say_that_nothing_was_stopped(
    house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await unheard(house, monkeypatch)
    await case.resolve("give_up")
    await case.decide("u-sup")
    assert await case.status() is CaseStatus.WAITING_RETURN


@pytest.mark.parametrize("arguments", [[None], [], [raw("{")]])
async def test_an_answer_that_cannot_be_read_is_asked_about_at_once(
    house: ScenarioEnvironment, arguments: list[object]
) -> None:
    life = await paid(house)
    house.systems.intercepts[life.child_no(1)] = "pending"
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 2}, images=0)
    await case.apply()
    await case.handle.signal("stopped", args=arguments)
    await house.rest()
    assert sorted(t.step for t in (await case.view()).open_tickets) == ["stop for a return", "unread signal"]
