"""`oms ticket` as a queue of work, on a real database."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from config.settings import TemporalSettings
from domain.records import TicketRecord
from domain.tickets import Escalation
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from store.tickets.escalating import EscalationStore
from store.tickets.tickets import TicketStore
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store
from tests.store.cases import a_case, a_case_write, an_arrived_order

__all__ = ["database_url", "store"]


async def opened(ticket: TicketRecord, at: datetime, pool: Pool) -> None:
    await TicketStore(pool).open_outside(ticket, None, at)


@pytest.fixture
def queue(store: Store) -> Store:
    """T-1: urgent, an hour old; T-2: normal, two hours; T-3: info, three hours."""
    for n, (severity, system) in enumerate((("urgent", "wechat"), ("normal", "wms"), ("info", "wms")), 1):
        ticket = TicketRecord(ticket_id=f"T-{n}", system=system, step="push", error="HTTP 503", actions=("give_up",))
        told = ticket.model_copy(update={"severity": severity})
        at = datetime.now(UTC) - timedelta(hours=n)
        store(partial(opened, told, at))
    return store


def numbers(oms: Oms, *options: str) -> list[str]:
    return [t["ticket_id"] for t in oms("ticket", "list", "--json", *options).json]


def test_the_queue_is_narrowed_down_and_sorted(oms: Oms, queue: Store) -> None:
    assert numbers(oms) == ["T-1", "T-2", "T-3"]
    assert numbers(oms, "--sort", "age") == ["T-3", "T-2", "T-1"]
    assert numbers(oms, "--severity", "normal") == ["T-2"]
    assert numbers(oms, "--system", "wms", "--older-than", "150m") == ["T-3"]
    assert oms("ticket", "list", "--older-than", "soon").code == 2
    assert oms("ticket", "list", "--mine", "--unowned").code == 2


def test_a_ticket_passes_through_hands_and_shows_its_story(oms: Oms, queue: Store) -> None:
    assert oms("ticket", "take", "T-1", "T-2", "--by", "anna").code == 0
    assert numbers(oms, "--mine", "--by", "anna") == ["T-1", "T-2"] and numbers(oms, "--unowned") == ["T-3"]
    taken = oms("ticket", "take", "T-1", "--by", "bert")
    assert (taken.code, "anna" in taken.err, taken.err.count("\n")) == (1, True, 1)
    assert oms("ticket", "assign", "T-1", "bert", "--by", "anna").code == 0
    assert oms("ticket", "release", "T-2", "--by", "anna").code == 0
    assert oms("ticket", "release", "T-2", "--by", "anna").code == 1
    queue(lambda pool: EscalationStore(pool).escalate(Escalation(), datetime.now(UTC) + timedelta(hours=2)))
    shown = oms("ticket", "show", "T-1").out
    for said in ("age", "1h", "bert", "take", "to bert, from anna", "urgent -> urgent, told: supervisors"):
        assert said in shown, said
    told = oms("ticket", "show", "T-1", "--json").json
    assert told["age_s"] >= 3_600 and [m["action"] for m in told["history"]] == ["take", "assign", "escalate"]


@pytest.mark.parametrize("remark", ["", "   ", "a\nb"])
def test_nobody_resolves_a_ticket_without_a_remark(oms: Oms, queue: Store, remark: str) -> None:
    said = oms("ticket", "resolve", "T-1", "--give-up", "--remark", remark)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert numbers(oms, "--severity", "urgent") == ["T-1"]


async def a_case_with_a_question(pool: Pool) -> None:
    await an_arrived_order(OrderStore(pool), StockStore(pool))
    returns = ReturnStore(pool)
    case = await a_case(returns, pool)
    asked = TicketRecord(ticket_id=f"T-{case.return_no}-1", system="wechat", step="refund", error="HTTP 503")
    await returns.write(a_case_write(case.return_no, tickets=(asked,)))


def test_the_answer_to_a_cases_question_goes_to_the_case(
    oms: Oms, store: Store, temporal: TemporalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its order's workflow would not know the question. Here no case runs, and that is what is said."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.temporal_address)
    store(a_case_with_a_question)
    said = oms("ticket", "resolve", "T-RT20261120-1", "--retry", "--remark", "the channel is back")
    assert (said.code, "there is no return RT20261120" in said.err) == (1, True)
