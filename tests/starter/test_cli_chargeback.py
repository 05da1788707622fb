"""`oms order chargeback`: recorded, decided, and told what does not fit."""

import pytest

from store.orders.orders import OrderStore
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, store
from tests.store.examples import PAYABLE, a_refund, a_settled_order, a_write

__all__ = ["database_url", "store"]
pytestmark = pytest.mark.usefixtures("at_desk")

ORDER = "SO20261120"


@pytest.fixture
def refunded(store: Store) -> None:
    async def seed(pool: Pool) -> None:
        orders = OrderStore(pool)
        await a_settled_order(orders, ORDER)
        await orders.write(a_write(ORDER, seq=2, refunds=(a_refund("R-1", PAYABLE - 300),)))

    store(seed)


def test_it_is_recorded_once_and_decided(oms: Oms, refunded: None) -> None:
    command = ("order", "chargeback", ORDER, "--id", "CB-77", "--amount-minor", "1000", "--by", "u-fin")
    for _ in range(2):
        said = oms(*command)
        assert said.code == 0
        assert "7.00 of it had been refunded before: contest that" in said.out
    first = oms("order", "chargeback-decided", "CB-77", "won", "--by", "u-fin")
    assert "once a second person of finance says the same" in first.out
    assert oms("order", "chargeback-decided", "CB-77", "won", "--by", "u-fin2", "--json").json["state"] == "won"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("chargeback", ORDER, "--id", "CB-1", "--amount-minor", "99999"), 1),
        (("chargeback", ORDER, "--id", "CB 1", "--amount-minor", "1"), 2),
        (("chargeback", ORDER, "--id", "CB-1", "--amount-minor", "0"), 2),
        (("chargeback", "../x", "--id", "CB-1", "--amount-minor", "1"), 2),
        (("chargeback-decided", "CB-1", "perhaps"), 2),
        (("chargeback-decided", "CB-1", "won"), 1),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    oms: Oms, refunded: None, arguments: tuple[str, ...], code: int
) -> None:
    said = oms("order", *arguments, "--by", "u-fin")
    assert said.code == code
    assert "Traceback" not in said.err
