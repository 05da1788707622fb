"""The beginning of `make lostday`, on every run of the tests."""

from bench.faults.lost_day import TICK_S, lost_day
from bench.scenarios.environment import Servers


async def test_without_any_callback_every_payment_is_found_by_asking_and_nothing_paid_is_cancelled(
    servers: Servers,
) -> None:
    found = await lost_day(servers, hours=1, orders=2, seed=3)
    assert (found.found, found.cancelled, found.callbacks, found.delayed) == (2, 0, 0, 0)
    assert found.delay_max_s <= TICK_S + 2
