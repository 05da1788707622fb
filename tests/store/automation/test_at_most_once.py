"""Whatever happens in whatever order, told again, late, with workers that die in the middle: an order is done something
to at most once, and in the end exactly where the trial says (R83)."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.automation.acting import act
from store.automation.desk import AutomationDesk
from store.automation.running import AutomationRunner
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.automation.test_running import BIG, done, paid, publish, soon, told

NUMBERS = count(30_000)
STEPS = st.lists(
    st.tuples(st.sampled_from(["pays", "again", "looks", "dies before", "dies after"]), st.integers(0, 3)), max_size=12
)


async def dies_before(*_: Any) -> Any:
    raise RuntimeError("a worker died")


async def dies_after(*args: Any) -> Any:
    await act(*args)
    raise RuntimeError("a worker died")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_at_most_once(pool: Pool, orders: OrderStore, steps: list[tuple[str, int]]) -> None:
    if not await pool.fetchval("SELECT count(*) FROM business_books"):
        await publish(pool, BIG)
    began, mine = datetime.now(UTC), [f"SO2026{next(NUMBERS)}" for _ in range(4)]
    channels = {no: "shop" if n % 2 == 0 else "other" for n, no in enumerate(mine)}
    runner, placed, now = AutomationRunner(pool), list[str](), soon()
    for step, which in steps:
        now += timedelta(minutes=1)
        number = mine[which]
        if step == "pays" and number not in placed:
            await paid(orders, number, channel=channels[number])
            placed.append(number)
        elif step == "again":
            await pool.execute(
                "INSERT INTO automation_events (trigger, order_no, ref) SELECT 'order_paid', order_no, order_no "
                "FROM orders WHERE order_no = $1", number,
            )  # fmt: skip
        elif step == "looks":
            await runner.look(now)
        elif step.startswith("dies"):
            with patch("store.automation.running.act", dies_before if step == "dies before" else dies_after):
                await runner.look(now)
    await runner.look(now + timedelta(hours=1))
    tried = await AutomationDesk(pool).try_on_past(BIG, 1, "u-ed", soon())
    would = sorted(row["order_no"] for row in tried.would_do if row["order_no"] in mine)
    assert would == sorted(no for no in placed if channels[no] == "shop"), began
    assert [no for _, no, _ in await done(pool) if no in mine] == would
    assert [key.rpartition(":")[2] for key in await told(pool) if key.rpartition(":")[2] in mine] == would
