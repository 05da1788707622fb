"""The engine does to a workflow what a Temporal server and its worker do: the same lives leave the same books."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from bench.conserve.fate import Chance, Fate
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Kind
from domain.order import SkuTags
from domain.returns.enums import ReturnType
from tests.conserve.conftest import Ground
from workflows.messages import ResolveTicket
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

AN_ORDERS_LIFE = timedelta(days=40)
Plot = Callable[[ScenarioOrder], Awaitable[None]]


def order(number: str) -> OrderIn:
    return OrderIn(
        order_no=f"SO{number}",
        lines=(
            LineIn(id="L1", sku=f"DESK{number}", qty=1, unit_price=89_900, tags=SkuTags(warehouse="WH-BJ")),
            LineIn(id="L2", sku=f"LAMP{number}", qty=2, unit_price=6_450, tags=SkuTags(warehouse="WH-SH")),
        ),
    )


async def is_received(life: ScenarioOrder) -> None:
    await life.pay()
    await life.ships(1, 2)
    await life.happens(Kind.SIGNED, 1)
    await life.happens(Kind.SIGNED, 2)
    await life.confirm_receipt()


async def is_never_paid(life: ScenarioOrder) -> None:
    await life.house.pass_until(life.house.now() + timedelta(minutes=31))


async def is_cancelled_half_way(life: ScenarioOrder) -> None:
    await life.pay()
    await life.ships(1)
    await life.house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="no"))
    await life.house.rest()


async def is_found_short(life: ScenarioOrder) -> None:
    await life.pay()
    await life.happens(Kind.WAYBILL_RETURNED, 2, actual={"L2": 1})
    (ticket,) = [t for t in (await life.view()).open_tickets if t.severity != "info"]
    answer = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="none left", by="u-ops")
    await life.house.client.resolve_ticket(life.order.order_no, answer)
    await life.house.rest()
    await life.ships(1)


async def comes_back(life: ScenarioOrder) -> None:
    await life.house.office.open_for_business()
    await is_received(life)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L2": 1})
    await case.apply()
    await case.plain_life()


async def is_taken_back_by_the_buyer(life: ScenarioOrder) -> None:
    """Before it ships: stopped, approved, paid."""
    await life.house.office.open_for_business()
    await life.pay()
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 1}, images=0)
    await case.apply()
    await case.plain_life()
    await life.ships(2)


PLOTS = (
    is_received, is_never_paid, is_cancelled_half_way, is_found_short, comes_back, is_taken_back_by_the_buyer,
)  # fmt: skip
BOOKS = {
    "order": "SELECT status, payment_status, paid_minor FROM orders WHERE order_no = $1",
    "children": "SELECT child_no, status FROM child_orders WHERE order_no = $1 ORDER BY 1",
    "events": "SELECT kind, outcome, from_status, to_status FROM order_events WHERE order_no = $1 ORDER BY id",
    "refunds": "SELECT amount_minor, status FROM refunds WHERE order_no = $1 ORDER BY 1",
    "tickets": "SELECT step, state, severity FROM tickets WHERE order_no = $1 ORDER BY 1, 2",
    "cases": "SELECT status FROM return_cases WHERE order_no = $1 ORDER BY 1",
    "moves": "SELECT kind, m.qty FROM stock_moves m JOIN order_lines l USING (sku) WHERE order_no = $1 ORDER BY 1, 2",
}


async def books_after(plot: Plot, house: ScenarioEnvironment, number: str) -> dict[str, Any]:
    life = await stocked(house, order(number))
    await plot(life)
    await house.pass_until(house.now() + AN_ORDERS_LIFE)
    return {what: [tuple(row) for row in await house.pool.fetch(sql, f"SO{number}")] for what, sql in BOOKS.items()}


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.__name__)
async def test_the_books_are_the_same_as_with_a_server(plot: Plot, ground: Ground, servers: Servers) -> None:
    number = f"9{PLOTS.index(plot):07d}"
    async with servers.house() as house:
        with_server = await books_after(plot, house, number)
    assert await books_after(plot, ground.house(), number) == with_server


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.__name__)
async def test_a_worker_that_dies_all_the_time_changes_nothing(plot: Plot, ground: Ground) -> None:
    """Every replay gives the commands of the first run; what was done twice counts once."""
    number = f"8{PLOTS.index(plot):07d}"
    calm = await books_after(plot, ground.house(), number)
    house = ground.house(Dying(Random(1)))
    assert _alike(await books_after(plot, house, f"7{number[1:]}"), f"7{number[1:]}") == _alike(calm, number)
    assert sum(e.replays for e in house.engine.executions.values()) > 5


@pytest.mark.parametrize("plot", PLOTS, ids=lambda p: p.__name__)
async def test_a_life_in_as_many_runs_as_can_be_leaves_the_same_books(plot: Plot, ground: Ground) -> None:
    number = f"5{PLOTS.index(plot):07d}"
    calm = await books_after(plot, ground.house(), number)
    house = ground.house(Growing())
    assert _alike(await books_after(plot, house, f"4{number[1:]}"), f"4{number[1:]}") == _alike(calm, number)
    assert house.engine.executions[f"order/SO4{number[1:]}"].number >= 2, "it was moved"


class Growing(Fate):
    """Every task finds its history long."""

    def grows(self) -> bool:
        return True


class Dying(Chance):
    """In turn, and after every third step. Nothing is late."""

    def pick(self, count: int) -> int:
        return 0

    def crash(self) -> bool:
        return self.random.random() < 0.3

    def fails(self, step: str) -> str:
        return ""

    def dies(self, step: str) -> str:
        return ""


def _alike(books: dict[str, Any], number: str) -> Any:
    """What was done twice may take its turn later, and be told twice."""
    applied = sorted(kind for kind, outcome, *_ in books["events"] if outcome == "APPLIED")
    others = {what: rows for what, rows in books.items() if what != "events"}
    return applied, {w: [tuple(str(v).replace(number, "N") for v in row) for row in rows] for w, rows in others.items()}


async def test_an_activity_that_is_cancelled_in_the_breath_in_which_it_answered_is_told_of_once(ground: Ground) -> None:
    """The SDK's core passes over the cancellation of what has ended; an engine that answers it stops the workflow."""
    given = [
        ("buyer_pays", 1913851926), ("receipt_is_confirmed", 3152219407), ("order_is_cancelled", 623193563),
        ("refunds_will_go_wrong", 2340634801), ("time_passes", 3401694415), ("return_is_asked_for", 660143872),
        ("address_changes", 374792440), ("refunds_will_go_wrong", 564003697), ("mail_comes", 797091438),
        ("time_passes", 388450261),
    ]  # fmt: skip
    run = await ground.player.play(396, given)
    assert (run.what, run.steps[-1][0]) == ("", "the end")
