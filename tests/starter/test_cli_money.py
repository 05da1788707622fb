"""`oms money`: looked at, asked for, booked, and told what does not fit."""

import pytest

from domain.refunds.outside import OutsideKind, OutsideMoney
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store
from tests.store.examples import NOW, a_settled_order, a_write, an_event

__all__ = ["database_url", "store"]
pytestmark = pytest.mark.usefixtures("at_desk")

ORDER = "SO20261120"
ASK = ("money", "ask", "1", "book_refund", "--evidence", "the back office's page", "--by", "u-cs")


@pytest.fixture
def found(store: Store) -> None:
    """A refund of 3.00 that somebody made by hand."""
    money = OutsideMoney(
        kind=OutsideKind.REFUND, source="wechat", number="5030001", key="wechat:refund:5030001:SUCCESS",
        amount_minor=300, currency="CNY", occurred_at=NOW, why="nobody asked for it",
    )  # fmt: skip

    async def seed(pool: Pool) -> None:
        orders = OrderStore(pool)
        await a_settled_order(orders, ORDER)
        told = an_event(key=money.key).model_copy(update={"outside": money})
        await orders.write(a_write(ORDER, seq=2, events=(told,)))

    store(seed)


def test_it_is_shown_asked_for_and_waits_for_finance(oms: Oms, found: None) -> None:
    (row,) = oms("money", "list", "--order", ORDER, "--json").json
    assert (row["money_no"], row["money"]["number"], row["money"]["amount_minor"]) == (1, "5030001", 300)
    assert "3.00 CNY" in oms("money", "list").out and "book_refund" in oms("money", "show", "1").out
    said = oms(*ASK)
    assert said.code == 0 and "A-money/1-1 asks FINANCE" in said.out
    assert oms(*ASK, "--json").json["content"]["amount_minor"] == 300, "asked again, the same question"
    assert "waits for FINANCE" in oms("money", "book", "1", "--by", "u-cs").out
    assert "Money from outside" in oms("approve", "show", "A-money/1-1").out


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("money", "show", "9"), 1, "no money M9 was found"),
        (("money", "book", "1", "--by", "u-cs"), 1, "nobody has asked"),
        ((*ASK, "--units", "L1"), 2, "LINE=N"),
        ((*ASK, "--units", "L1=99"), 1, "units free, 99 are named"),
        ((*ASK, "--amount-minor", "301"), 1, "tells 3.00 CNY"),
        (("money", "ask", "1", "keep_it", "--evidence", "x"), 2, "no way to book money"),
        (("money", "ask", "1", "give_back", "--evidence", "x", "--by", "u-cs"), 1, "not as give_back"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    oms: Oms, found: None, arguments: tuple[str, ...], code: int, why: str
) -> None:
    said = oms(*arguments)
    assert said.code == code and why in said.err and "Traceback" not in said.err
