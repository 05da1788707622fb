"""What order and return state do alike: what the store refused is not lost, and nobody writes what a step carries."""

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from domain.records import RefundRecord, StockMove
from domain.states import RefundStatus
from tests.workflows.orders import one_parcel_order
from workflows.durable.details import Axis, Details
from workflows.durable.journal import Journal
from workflows.order.state import OrderState
from workflows.returns.state import ReturnState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MOVE = StockMove(ref="SO-1-01/L1", kind="release", sku="S1", warehouse="WH-1", qty=2)


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The current details, one entry a write; the clock stands at noon."""
    details: list[str] = []
    stand_in = SimpleNamespace(
        now=lambda: NOON,
        set_current_details=details.append,
        info=lambda: SimpleNamespace(typed_search_attributes={}, continued_run_id=None),
        upsert_search_attributes=lambda changes: None,
    )
    monkeypatch.setattr("workflows.durable.journal.workflow", stand_in)
    return details


async def refuse(message: Any) -> None:
    raise ApplicationError("contradiction", type="Contradiction")


async def take(message: Any) -> Any:
    return message


@pytest.fixture(params=["order", "return"])
def journal(request: pytest.FixtureRequest) -> Journal[Any]:
    return OrderState(one_parcel_order()) if request.param == "order" else ReturnState("RMA-0001", "SO-1")


async def test_what_the_store_refused_rides_in_the_next_write(journal: Journal[Any]) -> None:
    journal.moves(MOVE)
    journal.tickets.note("qimen", "unknown parcel", "SO-1-09")
    with pytest.raises(ApplicationError):
        await journal.commit_with(refuse)
    assert not journal.all_flushed
    written = await journal.commit_with(take)
    assert (written.seq, written.moves, [t.step for t in written.tickets]) == (2, (MOVE,), ["unknown parcel"])
    assert journal.all_flushed
    assert (await journal.commit_with(take)).moves == ()


async def test_a_return_keeps_its_own_part_of_a_refused_write_too() -> None:
    state = ReturnState("RMA-0001", "SO-1")
    state.log("buyer-1", "waybill", "BUYER")
    with pytest.raises(ApplicationError):
        await state.commit_with(refuse)
    state.log("buyer-1", "taken back", "BUYER")
    written = await state.commit_with(take)
    assert [line.action for line in written.timeline] == ["waybill", "taken back"]


async def test_a_refund_that_the_books_refuse_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(condition: Any) -> None:
        assert condition()

    state = OrderState(one_parcel_order())
    monkeypatch.setattr("workflows.durable.journal.workflow.wait_condition", at_once, raising=False)
    monkeypatch.setattr(state, "_write", refuse)
    refund = RefundRecord(refund_no="R1", amount_minor=100, status=RefundStatus.REQUESTED, reason="late payment")
    assert "contradiction" in await state.reserve(refund)
    assert (await state.commit_with(take)).refunds == ()


async def test_writes_are_deferred_while_a_step_carries_them_and_no_longer(journal: Journal[Any]) -> None:
    with pytest.raises(ApplicationError), journal.writes_deferred():
        assert journal.deferred
        await journal.commit_with(refuse)
    assert not journal.deferred


async def test_steps_that_overlap_silence_the_projector_until_the_last_one_ends(journal: Journal[Any]) -> None:
    """Whichever of them ends first: else one is written half, or nothing is written any more."""
    first, second = journal.writes_deferred(), journal.writes_deferred()
    with ExitStack() as outer:
        with ExitStack() as inner:
            inner.enter_context(first)
            outer.enter_context(second)
        assert journal.deferred
    assert not journal.deferred


async def test_refunds_that_ride_in_a_refused_step_ride_in_the_next_write(journal: Journal[Any]) -> None:
    asked = RefundRecord(refund_no="R1", amount_minor=100, status=RefundStatus.REQUESTED, reason="short pick")
    journal.refund(asked)
    with pytest.raises(ApplicationError):
        await journal.commit_with(refuse)
    assert (await journal.commit_with(take)).refunds == (asked,)


async def test_operators_see_status_and_tickets(journal: Journal[Any], shown: list[str]) -> None:
    journal.now_waits_for("customs")
    journal.tickets.note("customs", "limit", "too much")
    await journal.commit_with(take)
    head, _, first, *_, last = shown[-1].splitlines()
    assert head == "| | state | since | waits for |"
    assert first == f"| {journal._kind} | {journal.status.value} | 2026-03-02 20:00:00 | customs |"
    assert "Times: Asia/Shanghai." in shown[-1]
    assert last.endswith("customs limit: too much")


def test_since_is_when_the_state_was_first_seen_and_a_new_run_says_before() -> None:
    details, later = Details(), NOON + timedelta(hours=1)
    details.table([Axis("order", "PAID", "a | b")], NOON, goes_on=False)
    assert details.table([Axis("order", "PAID", "a | b")], later, goes_on=False)[2] == (
        "| order | PAID | 2026-03-02 20:00:00 | a \\| b |"
    )
    assert "| SHIPPED | 2026-03-02 21:00:00 |" in details.table([Axis("order", "SHIPPED")], later, goes_on=False)[2]
    assert "| PAID | before 2026-03-02 21:00:00 |" in Details().table([Axis("order", "PAID")], later, goes_on=True)[2]
