"""A chargeback that people enter holds as one that the channel tells (R81)."""

import pytest

from bench.scenarios.ordered import stocked
from domain.dispatch.holds import HoldEnd, HoldKind
from domain.facts import Fact
from domain.strict import of
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from tests.conserve.conftest import Ground
from tests.conserve.test_holds import only_hold, pushed
from tests.conserve.test_two_at_once import cups

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def from_the_desk(ground: Ground, order_no: str) -> list[Fact]:
    """All that the desk has put into the inbox for the order, some of it again."""
    asked = "SELECT facts FROM inbox WHERE source = 'desk' AND facts -> 0 ->> 'order_no' = $1 ORDER BY id"
    return [of(Fact, fact) for row in await ground.pool.fetch(asked, order_no) for fact in row["facts"]]


async def test_a_chargeback_that_is_entered_at_the_desk_holds_until_two_people_say_it_is_won(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000013"))
    await life.pay()
    desk, number = ChargebackStore(ground.pool), life.order.order_no
    for _ in range(2):
        await desk.open(NewChargeback(f"CB-{number}", number, 6_000, "u-fin"), house.now())
        await house.deliver(*await from_the_desk(ground, number))
    hold = await only_hold(life)
    assert (hold.kind, hold.source, hold.stopped) == (HoldKind.DISPUTE, "fact", (life.child_no(1),))
    assert [t for t in (await life.view()).open_tickets if t.severity == "urgent"] == [], "the books asked about it"
    for person in ("u-fin", "u-fin-2"):
        assert (await only_hold(life)).is_open
        await desk.decide(f"CB-{number}", "won", person, house.now())
        await house.deliver(*await from_the_desk(ground, number))
    assert (await only_hold(life)).end is HoldEnd.CAUSE and life.child_no(2) in pushed(house)
