"""A case that hears much, or lives long, goes on as a new run: nothing is lost, doubled or asked twice (N13, N19)."""

import asyncio
from datetime import timedelta

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import DESK, Case, case_of
from domain.facts import Kind
from domain.returns.enums import CaseStatus, Grade, ReturnType
from tests.returns.orders import cups, paid, signed
from tests.returns.test_exchange import exchange
from tests.returns.test_stopping import TWO
from workflows.durable import continuing
from workflows.returns.messages import Scanned, ScanUnit

WHENEVER_QUIET = 6


async def lengths_of_runs(case: Case) -> list[int]:
    """Events of each run, the latest first."""
    found, run_id = [], (await case.handle.describe()).run_id
    while run_id:
        handle = case.house.temporal.get_workflow_handle(case.handle.id, run_id=run_id)
        found.append((await handle.describe()).history_length)
        async for event in handle.fetch_history_events(page_size=1):
            run_id = event.workflow_execution_started_event_attributes.continued_execution_run_id
            break
    return found


async def runs(case: Case) -> int:
    return len(await lengths_of_runs(case))


@pytest.fixture
def many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "MOST_EVENTS", WHENEVER_QUIET)


@pytest.mark.long
async def test_goods_and_money_in_many_runs(house: ScenarioEnvironment, many_runs: None) -> None:
    case = await case_of(await signed(house, cups(price=10_001)), ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await case.days_pass(3)
    assert [t.step for t in (await case.view()).open_tickets] == ["review overdue"], "once, whatever the runs"
    await case.decide("u-sup")
    await case.goods_come_back()
    await case.decide("u-fin")
    shown = await case.shown()
    assert (shown.status, shown.refunded_minor) == (CaseStatus.REFUNDED, 20_002)
    assert house.systems.refunds == {f"R{case.return_no}": 20_002}
    assert not await house.office.waiting(case.return_no)
    assert await runs(case) > 4


@pytest.mark.long
async def test_an_exchange_with_a_second_piece_in_many_runs(house: ScenarioEnvironment, many_runs: None) -> None:
    case = await exchange(house)
    await case.goods_come_back()
    await case.check_outbound(passed=True)
    await case.life.happens(Kind.INTERCEPTED, 2)
    await case.resolve("retry")
    await case.check_outbound(passed=True)
    await case.life.happens(Kind.WAYBILL_RETURNED, 3)
    await case.days_pass(2)
    await case.life.happens(Kind.SIGNED, 3)
    assert (await case.shown()).status is CaseStatus.EXCHANGED
    assert [house.systems.booked.count(case.life.child_no(n)) for n in (2, 3)] == [1, 1]
    assert await runs(case) > 4


@pytest.mark.long
async def test_what_was_stopped_ships_again_in_many_runs(house: ScenarioEnvironment, many_runs: None) -> None:
    case = await case_of(await paid(house, TWO), ReturnType.CANCEL_UNSHIPPED, {"L1": 1, "L2": 1}, images=0)
    await case.apply()
    await case.decide("u-sup", "reject")
    for number in (3, 4):
        await case.life.ships(number)
    statuses = {int(c["child_no"][-2:]): c["status"] for c in (await case.life.detail()).children}
    assert statuses == {1: "CANCELLED", 2: "CANCELLED", 3: "SHIPPED", 4: "SHIPPED"}
    assert house.systems.refunds == {}


@pytest.mark.long
async def test_the_seven_days_are_the_same_in_every_run(house: ScenarioEnvironment, many_runs: None) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    for _ in range(6):
        await case.days_pass(1)
        assert await case.ask_for_money() == "GOODS_NOT_RECEIVED"
    assert await case.status() is CaseStatus.WAITING_RETURN
    await case.house.pass_until(case.house.now() + timedelta(days=1, minutes=1))
    assert await case.status() is CaseStatus.CLOSED_NOT_SENT


@pytest.mark.long
async def test_goods_that_do_not_come_are_asked_about_on_the_same_days_in_every_run(
    house: ScenarioEnvironment, many_runs: None
) -> None:
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    await case.courier(Kind.COLLECTED, f"BACK{case.return_no}")
    await case.house.pass_until(case.house.now() + timedelta(days=10, seconds=2))
    await case.resolve("retry")
    for _ in range(9):
        await case.days_pass(1)
        assert await case.ask_for_money() == "GOODS_NOT_RECEIVED"
        assert (await case.view()).open_tickets == ()
    await case.days_pass(1)
    assert [t.step for t in (await case.view()).open_tickets] == ["not received"]
    await case.resolve("give_up")
    assert (await case.asked()).request.kind == "dispute"
    assert await runs(case) > 4


async def test_many_scans_are_all_answered(
    house: ScenarioEnvironment, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """`make longlives`: 1,000 of them, as one run of production bears them."""
    scans: int = request.config.getoption("--scans")
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 2})
    await case.apply()
    await case.decide()
    await case.enter_waybill()
    await case.receive()
    monkeypatch.setattr(continuing, "MOST_EVENTS", min(scans * 5 // 8, continuing.MOST_EVENTS))
    gate, code = asyncio.Semaphore(8), await case.code()

    async def scan(n: int, code: str = "no such code") -> Scanned:
        message = ScanUnit(scan_id=f"many-{n}", by=DESK, code=code, grade=Grade.GOOD)
        async with gate:
            return await case.client.scan(case.return_no, message)

    answers = await asyncio.gather(*(scan(n) for n in range(scans)))
    assert {a.result for a in answers} == {"UNKNOWN_CODE"}
    lengths = await lengths_of_runs(case)
    assert len(lengths) > 2 and max(lengths) < 10_000
    again = await scan(3)
    assert again == answers[3], "the same scan has the same answer in a later run"
    assert [(await scan(scans + n, code)).accepted for n in range(2)] == [1, 2]
    await house.rest()
    kept = await house.pool.fetchval("SELECT count(*) FROM return_scans WHERE return_no = $1", case.return_no)
    assert (kept, (await case.shown()).status) == (scans + 2, CaseStatus.REFUNDED)
