"""What was promised with an order stays: a policy or a table of today takes nothing away and gives nothing (0070)."""

from datetime import timedelta
from typing import Any

from domain.policy import Policy
from domain.returns.admission import Judgement
from domain.returns.enums import Fault, Reason
from domain.returns.models import Quote
from domain.units import UnitRange
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.order_context_store import OrderContextStore
from store.rules.policies import PolicyStore
from store.stock.ledger import StockStore
from tests.domain.rules import a_table
from tests.store.cases import LATER, an_application, an_arrived_order, an_upload
from tests.store.examples import NOW
from tests.store.rule_books import published

LONG, SHORT = Policy(no_reason_days=15, freight_back="none"), Policy(no_reason_days=7)


async def asked(
    returns: ReturnStore, pool: Pool, order_no: str, now: Policy, days: int, **changes: Any
) -> tuple[Judgement, Quote | None]:
    application = an_application(f"RT-{order_no}-{days}", order_no, **changes)
    await an_upload(pool, application)
    return await returns.forecast(application, now, NOW + timedelta(days=days))


async def test_days_and_freight_are_those_of_the_policy_that_the_order_keeps(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await PolicyStore(pool).publish(LONG, "u-fin")
    await an_arrived_order(orders, stock, "SO-LONG")
    await PolicyStore(pool).publish(SHORT, "u-fin")
    await an_arrived_order(orders, stock, "SO-SHORT")
    kept, quote = await asked(returns, pool, "SO-LONG", SHORT, 12)
    assert kept.admitted and quote is not None and quote.freight_minor == 0, "promised 15 days, and no freight back"
    late, _ = await asked(returns, pool, "SO-SHORT", LONG, 12)
    assert late.result == "WINDOW_OVER", "a longer window of today opens no older order again"
    _, in_time = await asked(returns, pool, "SO-SHORT", LONG, 5)
    assert in_time is not None and in_time.freight_minor > 0


async def test_a_row_of_the_orders_own_table_comes_before_the_policy(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await an_arrived_order(orders, stock, "SO-BEFORE")
    await published(
        pool,
        return_policy=a_table("return_policy", {"sku": "'A'", "quality": "false", "days": "2"}, inputs=("quality",)),
        freight_back=a_table("freight_back", {"fault": "'buyer'", "freight": '"none"'}, {"freight": '"proportional"'}),
    )
    await an_arrived_order(orders, stock, "SO-AFTER")
    assert (await asked(returns, pool, "SO-AFTER", SHORT, 5))[0].result == "WINDOW_OVER"
    assert (await asked(returns, pool, "SO-AFTER", SHORT, 6, lines={"L2": 1}))[0].admitted, "other goods: the policy"
    assert (await asked(returns, pool, "SO-AFTER", SHORT, 4, reason=Reason.QUALITY_PROBLEM))[0].admitted
    assert (await asked(returns, pool, "SO-BEFORE", SHORT, 5))[0].admitted, "placed before there was the table"
    _, mine = await asked(returns, pool, "SO-AFTER", SHORT, 1, fault=Fault.BUYER)
    _, theirs = await asked(returns, pool, "SO-AFTER", SHORT, 2, fault=Fault.SELLER)
    assert mine is not None and theirs is not None
    assert (mine.freight_minor, theirs.freight_minor > 0) == (0, True)


async def test_payout_asks_what_admission_has_asked(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await PolicyStore(pool).publish(SHORT, "u-fin")
    await an_arrived_order(orders, stock, "SO-SAME")
    application = an_application("RT-SAME", "SO-SAME")
    await an_upload(pool, application)
    admitted = await returns.admit(application, "run-1", LATER, SHORT)
    await PolicyStore(pool).publish(LONG, "u-fin")
    unit = UnitRange(line_id="L1", first_unit=admitted.units[0].first_unit, units=1)
    paid = await OrderContextStore(pool).quote("RT-SAME", (unit,), LONG)
    assert paid.total_minor == admitted.quote.total_minor
