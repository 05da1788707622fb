"""`oms doctor`: tells units without an owner, and orders that are open in the books and run nowhere."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.settings import TemporalSettings
from starter.standing_walls import OWNS
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store
from tests.store.examples import a_settled_order, a_write
from tests.store.ownership.books import CANCELLED, FIRST, ORDER, refund

__all__ = ["database_url", "store"]


@pytest.fixture
def shop(store: Store, temporal_server: TemporalSettings, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One order whose first parcel was stopped; its workflow was never started."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server.temporal_address)

    async def seed(pool: Pool) -> None:
        await StockStore(pool).receive("A", "WH-1", 10, "GR-A")
        await StockStore(pool).receive("B", "WH-2", 10, "GR-B")
        await a_settled_order(OrderStore(pool))
        await OrderStore(pool).write(CANCELLED)
        await pool.execute("UPDATE orders SET updated_at = $1", datetime(2026, 1, 1, tzinfo=UTC))

    store(seed)
    return store


def _named(rows: Any, what: str) -> list[Any]:
    return [row for row in rows if what in row["what"]]


@pytest.mark.parametrize("arguments", [(), (ORDER,), ("--all",)])
def test_it_names_order_line_unit_and_sku_and_says_what_next(oms: Oms, shop: Store, arguments: tuple[str, ...]) -> None:
    said = oms("doctor", *arguments)
    assert said.code == 1
    for word in (ORDER, "L1", "0-2", "A", FIRST, "cancelled", "6120", "not healthy"):
        assert word in said.out


def test_an_order_that_is_open_in_the_books_and_runs_nowhere_is_told(oms: Oms, shop: Store) -> None:
    told = oms("doctor", ORDER, "--json").json
    assert not told["healthy"]
    assert [row["id"] for row in _named(told["running"], "open in the books, unknown to Temporal")] == [
        f"order/{ORDER}"
    ]
    units = [row for row in told["ownership"] if row["units"]]
    assert [(row["line_id"], row["unit"], row["sku"], row["child_no"]) for row in units] == [("L1", "0-2", "A", FIRST)]


def test_a_message_that_was_delivered_and_never_heard_is_told(oms: Oms, shop: Store) -> None:
    async def lose(pool: Pool) -> None:
        await pool.execute(
            """INSERT INTO inbox (source, event_id, kind, digest, body, facts, received_at, state, order_no,
                next_try_at, delivered_at)
            VALUES ('wechat', 'e-1', 'k', $1, '', '[]', $2, 'delivered', $3, $2, $2)""",
            bytes(32), datetime.now(UTC) - timedelta(minutes=9), ORDER,
        )  # fmt: skip

    shop(lose)
    (row,) = _named(oms("doctor", ORDER, "--json").json["running"], "never heard")
    assert row["id"].startswith("inbox/")
    assert "oms event replay" in row["next_step"]


def test_an_order_in_order_that_ended_is_healthy(oms: Oms, shop: Store) -> None:
    async def settle(pool: Pool) -> None:
        await OrderStore(pool).write(
            a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),), children=(), ended=False)
        )
        await pool.execute("UPDATE orders SET updated_at = '2026-01-01', ended_at = '2026-01-01'")
        await pool.execute("UPDATE child_orders SET status = 'SIGNED' WHERE child_no <> $1", FIRST)
        await pool.execute("INSERT INTO stock_moves VALUES ($1, 'ship', 'B', 'WH-2', 2, now())", f"{ORDER}-02/L2")

    shop(settle)
    said = oms("doctor", ORDER, "--json")
    assert (said.code, said.json["ownership"], said.json["running"]) == (0, [], [])


def test_an_order_that_is_not_in_the_books_is_bad_input(oms: Oms, shop: Store) -> None:
    assert oms("doctor", "SO99999999").code == 2


def test_walls_that_are_off_are_told_and_are_no_matter_of_health(oms: Oms, shop: Store) -> None:
    """The development server has no roles; the command is not the books' owner, as who makes this test's rows is."""
    told = oms("doctor", ORDER, "--json").json
    off = {wall["name"] for wall in told["walls_off"]}
    assert off >= {"temporal token", "temporal roles"} and "role in the books" not in off
    assert "may poll for tasks" in oms("doctor", ORDER).out

    async def as_owner(pool: Pool) -> None:
        assert await pool.fetchval(OWNS)

    shop(as_owner)
