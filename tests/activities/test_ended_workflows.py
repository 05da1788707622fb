"""Looking after what was ended in Temporal, when much was or something does not answer; the rest is played on a real
server (tests/returns/test_temporals_buttons.py)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.watching import ended_workflows
from activities.watching.ended_workflows import STEP, SYSTEM, EndedWorkflows
from domain.records import TicketRecord
from store.orders.orders import OrderStore
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.postgres import database_url, pool
from tests.store.examples import NOW, an_order

__all__ = ["database_url", "pool"]


@dataclass
class Run:
    id: str
    run_id: str
    close_time: Any = NOW
    start_time: Any = NOW
    status: WorkflowExecutionStatus = WorkflowExecutionStatus.TERMINATED


@dataclass
class Server:
    """Lists what has ended and what runs; workflows do not answer."""

    ended: list[Run] = field(default_factory=list)
    running: Sequence[str] = ()

    async def list_workflows(self, query: str, **_: Any) -> AsyncIterator[Run]:
        for run in self.ended if "CloseTime" in query else [Run(i, "now") for i in self.running if f"'{i}'" in query]:
            yield run

    def get_workflow_handle(self, _: str) -> "Server":
        return self

    async def query(self, *_: Any, **__: Any) -> None:
        raise RPCError("the task fails", RPCStatusCode.UNAVAILABLE, b"")


async def no_loops() -> None:
    """None run here."""


def watch(server: Server, pool: Pool) -> EndedWorkflows:
    return EndedWorkflows(cast(Client, server), pool, no_loops, lambda: NOW)


async def open_orders(pool: Pool, count: int) -> list[Run]:
    numbers = [f"SO2611200{n}" for n in range(count)]
    for number in numbers:
        await OrderStore(pool).register(an_order(number), "run-1", NOW)
    return [Run(f"order/{number}", f"{n:08}-run") for n, number in enumerate(numbers)]


async def asked_about(pool: Pool) -> set[str | None]:
    return {t.order_no for t in await TicketStore(pool).list(system=SYSTEM) if t.step == STEP}


async def test_of_more_than_one_look_takes_the_next_takes_the_rest(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_workflows, "MOST", 2)
    looking = watch(Server(await open_orders(pool, 5)), pool)
    for found in (2, 4, 5):
        await looking.look()
        assert len(await asked_about(pool)) == found


async def test_one_that_does_not_answer_hides_no_other(pool: Pool) -> None:
    stuck, ended = await open_orders(pool, 2)
    await watch(Server([stuck, ended], running=[stuck.id]), pool).look()
    assert await asked_about(pool) == {ended.id.removeprefix("order/")}


async def test_one_that_was_not_in_the_books_yet_is_found_when_it_is(pool: Pool) -> None:
    server = Server([Run("order/SO26112000", "00000000-run")])
    looking = watch(server, pool)
    await looking.look()
    assert await asked_about(pool) == set()
    await open_orders(pool, 1)
    await looking.look()
    assert await asked_about(pool) == {"SO26112000"}


async def test_a_ticket_closes_once_its_workflow_runs_however_many_notes_are_newer(pool: Pool) -> None:
    server = Server(await open_orders(pool, 1))
    looking = watch(server, pool)
    await looking.look()
    for n in range(120):
        note = TicketRecord(ticket_id=f"T-note-{n}", system=SYSTEM, step="a note", error="?", severity="info")
        await TicketStore(pool).open_outside(note, None, NOW + timedelta(seconds=1 + n))
    server.running = [server.ended[0].id]
    await looking.look()
    assert not await TicketStore(pool).open_numbers(SYSTEM, STEP)
