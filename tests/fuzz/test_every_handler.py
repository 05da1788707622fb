"""No message of any type, size or shape fails a task of any of our workflows: no signal, update, query or start.

Workflows and handlers are those that the worker registers, so that a new one is fuzzed, or fails here.
"""

import asyncio
from functools import partial

import pytest

from bench.scenarios.environment import ScenarioEnvironment
from tests.fuzz.handlers import OF_THE_SDK, WORKFLOWS, handlers_of
from tests.fuzz.shapes import EVERY, GIANT, LARGEST, Arguments, almost, batches
from tests.fuzz.stranger import RUNNING, all_of, each_alone, failed_tasks, plain, query, signal, update
from tests.fuzz.subjects import BEGIN, STARTED_WITH, Subject
from workflows.messages import FACTS, TASK_QUEUE

MOVED = {
    "money": "SELECT order_no, paid_minor, refunded_minor FROM orders ORDER BY 1",
    "refunds": "SELECT refund_no, amount_minor FROM refunds ORDER BY 1",
    "goods": "SELECT sku, warehouse, available, reserved, shipped FROM stock ORDER BY 1, 2",
}
AT_ONCE_OVER: dict[str, set[str]] = {"DecideInPlace": set(), "DeskWork": {"done"}}
"""Their one step is asked for in the start message: nothing is said to them afterwards. By name what they may be asked,
without a word."""

BEFORE_US = "two, not decodable"
"""Two arguments, where a start takes one, are decoded by the SDK before anything of ours is asked."""


async def moved(house: ScenarioEnvironment) -> dict[str, list[tuple[object, ...]]]:
    return {what: [tuple(row) for row in await house.pool.fetch(sql)] for what, sql in MOVED.items()}


async def unharmed(house: ScenarioEnvironment, subject: Subject) -> None:
    assert await failed_tasks(plain(house.temporal), subject.handle.id) == []
    assert (await house.temporal.get_workflow_handle(subject.handle.id).describe()).status is RUNNING
    await subject.goes_on()


def stranger_to(house: ScenarioEnvironment, subject: Subject) -> Subject:
    return Subject(plain(house.temporal).get_workflow_handle(subject.handle.id), subject.goes_on)


def test_whatever_can_be_spoken_to_is_spoken_to_here() -> None:
    assert {*BEGIN, *AT_ONCE_OVER} == set(WORKFLOWS) == set(STARTED_WITH)
    for name, asked in AT_ONCE_OVER.items():
        told = handlers_of(WORKFLOWS[name])
        assert (set(told.signals), set(told.updates), set(told.queries)) == (
            {"no_such_one", ""}, {"no_such_one"} | asked, {"no_such_one"},
        )  # fmt: skip


def test_handlers_are_found_where_they_are_known() -> None:
    order, case = handlers_of(WORKFLOWS["Order"]), handlers_of(WORKFLOWS["Return"])
    assert {"facts", "case_opened", "case_closed", "stop_for_case", "decide_by_signal"} <= set(order.signals)
    assert {"facts", "stopped", "decide_by_signal"} <= set(case.signals)
    assert {"configure", "run_now"} <= set(handlers_of(WORKFLOWS["ReconcileDaily"]).signals)
    assert {"place", "cancel", "resolve_ticket", "decide"} <= set(order.updates) and order.updates["place"] is None
    assert {"view", "first_answer"} <= set(order.queries)


@pytest.mark.parametrize("name", BEGIN)
async def test_no_signal_fails_a_task(house: ScenarioEnvironment, name: str) -> None:
    subject = stranger_to(house, await BEGIN[name](house))
    before = await moved(house)
    signals = [s for s in handlers_of(WORKFLOWS[name]).signals if s]
    small = [(s, shape) for s in signals for what, shape in EVERY.items() if what not in GIANT]
    small += [(FACTS, shape) for _, shape in batches()]
    await all_of(partial(signal, subject.handle, *one) for one in small)
    large = [(s, shape) for s in signals for shape in (*GIANT.values(), LARGEST)]
    await each_alone(partial(signal, subject.handle, *one) for one in large)
    assert await moved(house) == before
    await unharmed(house, subject)


@pytest.mark.parametrize("name", BEGIN)
async def test_no_update_fails_a_task(house: ScenarioEnvironment, name: str) -> None:
    subject = stranger_to(house, await BEGIN[name](house))
    before = await moved(house)
    told: list[tuple[str, Arguments]] = []
    for one, message in handlers_of(WORKFLOWS[name]).updates.items():
        shapes = [*EVERY.values(), LARGEST, *(shape for _, shape in (almost(message) if message else ()))]
        told += [(one, shape) for shape in shapes]
    await all_of(partial(update, subject.handle, *one) for one in told)
    assert await moved(house) == before
    await unharmed(house, subject)


@pytest.mark.parametrize("name", BEGIN)
async def test_no_query_fails_a_task(house: ScenarioEnvironment, name: str) -> None:
    subject = stranger_to(house, await BEGIN[name](house))
    queries = handlers_of(WORKFLOWS[name]).queries
    told = [(one, shape) for one in queries for shape in EVERY.values()] + [(one, ()) for one in OF_THE_SDK]
    await all_of(partial(query, subject.handle, *one) for one in told)
    await unharmed(house, subject)


@pytest.mark.parametrize("name", WORKFLOWS)
async def test_no_start_is_stuck(house: ScenarioEnvironment, name: str) -> None:
    """It is refused, or it runs: its first task does not fail."""
    client = plain(house.temporal)

    async def start(number: int, arguments: Arguments) -> None:
        workflow_id = f"fuzz/{name}/{number}"
        handle = await client.start_workflow(name, args=list(arguments), id=workflow_id, task_queue=TASK_QUEUE)
        while (await handle.describe()).history_length < len(("started", "scheduled", "task started", "completed")):
            await asyncio.sleep(0.02)
        assert await failed_tasks(client, workflow_id) == [], arguments
        if (await handle.describe()).status is RUNNING:
            await handle.terminate("looked at")

    every = {**EVERY, "as large as can be": LARGEST, **dict(almost(STARTED_WITH[name]))}
    del every[BEFORE_US]
    await all_of(partial(start, *one) for one in enumerate(every.values()))
    assert await moved(house) == {what: [] for what in MOVED}
