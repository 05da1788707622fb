"""The beginning of `make lostday`, on every run of the tests."""

from bench.lost_day import TICK_S, lost_day
from bench.scenarios.town import Town


async def test_without_any_callback_every_payment_is_found_by_asking_and_nothing_paid_is_cancelled(town: Town) -> None:
    found = await lost_day(town, hours=1, orders=2, seed=3)
    assert (found.found, found.cancelled, found.callbacks, found.delayed) == (2, 0, 0, 0)
    assert found.delay_max_s <= TICK_S + 2
