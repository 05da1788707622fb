"""What the return risk is learnt from, and which version judges."""

from datetime import timedelta
from typing import Any

import pytest

from activities.insight.risk_model import RiskActivities, TrainRisk
from bench.insight.planting import PlantedOrder, PlantedReturn, plant_orders, plant_returns
from domain.insight.evaluation import Training
from domain.insight.periods import month
from domain.insight.risk import RiskFeatures, traits_of
from domain.insight.risk_model import RiskModel, Weight
from domain.policy import Policy
from domain.records import Settled, SettlePayment
from store.insight.risk_models import LABEL_AFTER, RiskModelStore, keep_features
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import NOW, a_payment, a_write, an_order

SEPTEMBER = month("2026-09")
AS_OF = month("2026-11").until + timedelta(hours=6)
DAY = timedelta(days=1)
T = SEPTEMBER.since + 3 * DAY
MODEL = RiskModel(
    version=1, bias=-2.0, threshold=20, weights=(Weight(feature="returns_90d", weight=1.0, usual=0.0, spread=1.0),)
)


def trained(outcome: Any = "in_force", month: str = "2026-09") -> Training:
    return Training(month=month, outcome=outcome, learnt_from=1_000, held_out=100, returned=9)


async def paid(pool: Pool, number: str, returns_90d: int = 0) -> None:
    await plant_orders(pool, [PlantedOrder(number, "杭州市", T, T, signed_at=T + 2 * DAY, dispatched_at=T + DAY)])
    async with pool.acquire() as connection:
        await keep_features(connection, number, T, RiskFeatures(returns_90d=returns_90d))


async def test_settling_keeps_what_was_counted_once_and_answers_with_the_model_in_force(
    orders: OrderStore, pool: Pool
) -> None:
    order, models = an_order(other_facts={"complaints_30d": 2}), RiskModelStore(pool)
    await orders.register(order, "run-1", NOW)
    settle = SettlePayment(write=a_write(payment=a_payment()), policy=Policy(), traits=traits_of(order))
    assert (await orders.settle(settle)).risk_model is None
    kept = "SELECT features FROM risk_features WHERE order_no = $1"
    assert await pool.fetchval(kept, order.order_no) == {
        "units": 5, "lines": 2, "amount_100": 1, "other": {"complaints_30d": 2},
    }  # fmt: skip
    await models.put(1, trained(), MODEL, "system", NOW)
    again: Settled = await orders.settle(settle)
    assert again.risk_model == MODEL and await pool.fetchval("SELECT count(*) FROM risk_features") == 1
    await models.put(2, trained("not_better"), MODEL, "system", NOW)
    assert (await orders.settle(settle)).risk_model is None, "the newest training decides"
    await pool.execute("UPDATE orders SET erased_at = now()")
    assert await pool.fetchval("SELECT count(*) FROM risk_features") == 0


async def test_an_order_is_labelled_by_what_became_of_it_in_its_time_and_left_out_where_that_says_nothing(
    pool: Pool,
) -> None:
    await paid(pool, "SO-KEPT", returns_90d=1)
    for number in ("SO-BACK", "SO-LATE", "SO-REFUSED", "SO-OURS", "SO-HELPED"):
        await paid(pool, number)
    await paid(pool, "SO-LOST")
    await pool.execute("UPDATE child_orders SET signed_at = NULL WHERE order_no = 'SO-LOST'")
    await plant_returns(
        pool,
        [
            PlantedReturn("SO-BACK", T + 9 * DAY), PlantedReturn("SO-LATE", T + LABEL_AFTER),
            PlantedReturn("SO-REFUSED", T + 9 * DAY), PlantedReturn("SO-OURS", T + 9 * DAY),
        ],
    )  # fmt: skip
    await pool.execute("UPDATE return_cases SET status = 'REJECTED' WHERE order_no = 'SO-REFUSED'")
    await pool.execute("UPDATE return_cases SET fault = 'seller' WHERE order_no = 'SO-OURS'")
    await pool.execute(
        """INSERT INTO order_holds (hold_id, order_no, children, kind, source, rule, reason, remark, placed_by,
            placed_at, ask_after_s, stopped, too_late, end_remark, updated_at, seq, helped)
        VALUES ('H-SO-HELPED-1', 'SO-HELPED', '{}', 'risk', 'rule', 'return-risk', 'r', '', 'system',
            $1, 60, '{}', '{}', '', $1, 1, true)""",
        T,
    )
    history = await RiskModelStore(pool).history(SEPTEMBER)
    features, came_back = history.held_out
    assert history.before == ([], []) and sum(came_back) == 2, "it came back, or would have"
    assert len(came_back) == 5 and history.left_out == {"not_delivered": 1, "sellers_fault": 1}
    assert [back for f, back in zip(features, came_back, strict=True) if f.returns_90d] == [False]


async def test_training_again_on_the_same_orders_makes_no_version_and_who_asked_is_kept(pool: Pool) -> None:
    await paid(pool, "SO-KEPT")
    risk = RiskActivities(pool, lambda: AS_OF)
    wanted = TrainRisk(month="2026-11", as_of=AS_OF)
    first, second = await risk.train_risk(wanted), await risk.trained(wanted, "u-ops")
    assert first == second and (first.version, first.held_out, first.outcome) == (1, "2026-09", "too_few")
    await pool.execute("UPDATE child_orders SET signed_at = NULL")
    assert (await risk.trained(wanted, "u-ops")).version == 2
    (new, old) = await RiskModelStore(pool).versions()
    assert (new.trained_by, old.trained_by, new.training.left_out) == ("u-ops", "system", {"not_delivered": 1})


async def test_a_version_is_never_changed(pool: Pool) -> None:
    await RiskModelStore(pool).put(1, trained(), MODEL, "system", NOW)
    with pytest.raises(Exception, match="risk_models"):
        await pool.execute("UPDATE risk_models SET outcome = 'not_better'")
