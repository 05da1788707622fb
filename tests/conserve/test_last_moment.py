"""What is told in the very moment in which nobody would listen any more has been told in time."""

from datetime import timedelta

import pytest

from bench.conserve.fate import Fate
from bench.scenarios.ordered import stocked
from domain.states import OrderStatus, PaymentStatus
from tests.conserve.conftest import Ground
from tests.conserve.test_late_words import questions, world
from tests.conserve.test_two_at_once import CUP, cups, every_owner


class Slow(Fate):
    """Our own steps take long: what comes in meanwhile is heard before they are done."""

    def lasts(self) -> bool:
        return True

    def pick(self, count: int) -> int:
        return count - 1


@pytest.mark.parametrize("steps", range(2))
async def test_money_that_comes_as_the_watch_for_late_money_ends_goes_back(ground: Ground, steps: int) -> None:
    """`steps`: so many after it has ended, while the last write is under way. It was booked, the order ended, and
    nobody gave it back."""
    number = f"7600000{steps}"
    life = await stocked(ground.house(), cups(number))
    house = world(life)
    await house.pass_until((await life.view()).as_of + timedelta(hours=1))
    assert await life.status() is OrderStatus.CLOSED
    over = house.engine.next_due()
    assert over is not None and over - house.now() > timedelta(hours=1), "the watch"
    await house.pass_until(over - timedelta(seconds=1))
    house.engine.now, house.engine.fate = over, Slow()
    for _ in range(steps):
        await house.engine.step()
    assert not house.engine.executions[f"order/{life.order.order_no}"].ended
    house.world.captured_minor = 2 * CUP
    await life.pay()
    await house.pass_until(over + timedelta(minutes=5))
    assert house.engine.executions[f"order/{life.order.order_no}"].ended
    row = await house.pool.fetchrow(
        "SELECT status, payment_status, refunded_minor FROM orders WHERE order_no = $1", life.order.order_no
    )
    assert row is not None and tuple(row) == (OrderStatus.CLOSED, PaymentStatus.LATE, 2 * CUP)
    assert house.world.given_back_minor == 2 * CUP and not await questions(life)
    await every_owner(ground, life, number)
