"""`oms customs` on a real database: what waits at the border, and values that a person has confirmed."""

import json
from pathlib import Path

from domain.policy import Policy
from domain.records import SettlePayment
from store.orders.customs import CustomsStore
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, database_url, store
from tests.store.examples import NOW, a_payment, a_write, an_order

__all__ = ["database_url", "store"]


def test_values_are_shown_and_published_from_a_day_on(oms: Oms, store: Store, tmp_path: Path) -> None:
    shown = oms("customs", "parameters", "--json").json
    assert [(p["valid_from"], p["origin"]) for p in shown][-1] == ("2019-01-01", "built in")
    values = {"valid_from": "2027-01-01", "single_limit_minor": 800_000, "annual_limit_minor": 3_000_000}
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values))
    said = oms("customs", "publish", str(file), "--by", "anna")
    assert (said.code, "from 2027-01-01" in said.out) == (0, True), said.err
    assert "8,000.00" in oms("customs", "parameters").out


def test_values_that_cannot_be_read_publish_nothing(oms: Oms, store: Store, tmp_path: Path) -> None:
    file = tmp_path / "values.json"
    file.write_text('{"valid_from": "2027-01-01", "single_limit_minor": 8.5}')
    said = oms("customs", "publish", str(file))
    assert (said.code, said.err.count("\n")) == (2, 1) and "single_limit_minor" in said.err
    assert oms("customs", "publish", str(tmp_path / "nothing.json")).code == 2


def test_what_is_held_at_the_border_says_why(oms: Oms, store: Store) -> None:
    async def seed(pool: Pool) -> None:
        order = an_order()
        lines = tuple(
            line.model_copy(update={"tags": line.tags.model_copy(update={"customs": "cbec"})})
            for line in order.lines
            if line.tags
        )
        orders = OrderStore(pool)
        await orders.register(order.model_copy(update={"lines": lines}), "run-1", NOW)
        await orders.settle(SettlePayment(write=a_write(payment=a_payment()), policy=Policy()))
        await CustomsStore(pool).assess(order.order_no, f"{order.order_no}-01", NOW)

    store(seed)
    (held,) = oms("customs", "list", "--state", "HELD", "--json").json
    assert "SKU A has no ct_bp" in held["why"]
    assert "HELD" in oms("customs", "list").out
    assert oms("customs", "list", "--state", "DECLARED", "--json").json == []
    assert oms("customs", "list", "--state", "LOST").code == 2
