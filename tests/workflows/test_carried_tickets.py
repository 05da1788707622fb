"""A question outlives the run in which it was asked: it is asked once, and its answer finds whoever waits for it."""

from collections.abc import Callable

import pytest

from activities.messages import Pushed
from workflows.durable.carrying import give, take
from workflows.durable.tickets import CannotResolve, Tickets
from workflows.messages import ResolveTicket


def tickets() -> Tickets:
    return Tickets("SO1", lambda: None)


def next_run(before: Tickets) -> Tickets:
    after = tickets()
    give(after, take(before))
    return after


async def at_once(condition: Callable[[], bool]) -> None:
    assert condition(), "nobody has answered"


def answer(action: str, **more: object) -> ResolveTicket:
    return ResolveTicket.model_validate(
        {"ticket_id": "T-SO1-1", "action": action, "remark": "seen", "by": "ops", **more}
    )


def asked() -> Tickets:
    before = tickets()
    before.open("wms", "push outbound", "down", "SO1-01", result=Pushed, maybe_done=True)
    return next_run(before)


async def test_who_asks_the_same_again_waits_for_the_open_one() -> None:
    after = asked()
    open_one = after.left_open("wms", "push outbound", "SO1-01")
    assert open_one is not None and open_one.maybe_done
    assert after.left_open("wms", "push outbound", "SO1-02") is None
    assert after.claim("wms", "push outbound", "SO1-01", result=Pushed) is open_one
    assert after.left_open("wms", "push outbound", "SO1-01") is None, "nobody else takes it up"
    after.resolve(answer("supply", result={"wms_ref": "W1"}))
    assert after.open("wms", "void label", "down").record.ticket_id == "T-SO1-2", "its number is not given again"


async def test_an_answer_that_comes_before_who_asked_is_not_lost() -> None:
    after = asked()
    after.resolve(answer("give_up"))
    given = await after.ask("wms", "push outbound", "?", "SO1-01", wait=at_once)
    assert given is not None and given.action == "give_up"
    assert [r.ticket_id for r in after.resolved] == ["T-SO1-1"] and after.opened == []


async def test_a_result_waits_until_it_is_known_how_it_must_look() -> None:
    after = asked()
    with pytest.raises(CannotResolve, match="try again in a moment"):
        after.resolve(answer("supply", result={"wms_ref": "W1"}))
