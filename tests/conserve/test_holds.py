"""What is held does not leave, has one owner all the while, and goes on when the hold is over (R81)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from bench.conserve.house import EngineHouse
from bench.conserve.turns import Answer
from bench.scenarios.environment.order import ScenarioOrder
from bench.scenarios.environment.return_case import MINUTE, case_of
from bench.scenarios.ordered import stocked
from domain.dispatch.holds import Hold, HoldEnd, HoldKind
from domain.facts import Fact, Kind
from domain.returns.enums import ReturnType
from domain.states import ChildStatus, OrderStatus
from domain.strict import Strict
from tests.conserve.conftest import Ground
from tests.conserve.test_engine import order
from tests.conserve.test_two_at_once import another_address, cups, every_owner
from workflows.order.holds.messages import HoldOrder, ReleaseHold
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

HOLD = HoldOrder(kind=HoldKind.MESSAGE, reason="the buyer wrote", by="u-cs")
HOUR = timedelta(hours=1)


async def told(house: EngineHouse, life: ScenarioOrder, name: str, message: Strict) -> Answer:
    """Its answer, with everything that follows at once."""
    answer = house.engine.update(f"order/{life.order.order_no}", name, house.converted(message))
    await house.rest()
    return answer


async def held(house: EngineHouse, life: ScenarioOrder, **changes: Any) -> Hold:
    answer = await told(house, life, "hold", HOLD.model_copy(update=changes))
    assert answer.known
    return (await life.view()).holds[-1]


async def released(house: EngineHouse, life: ScenarioOrder, hold: Hold) -> None:
    await told(house, life, "release", ReleaseHold(hold_id=hold.hold_id, remark="all well", by="u-sup"))


async def only_hold(life: ScenarioOrder) -> Hold:
    (hold,) = (await life.view()).holds
    return hold


def pushed(house: EngineHouse) -> list[str]:
    return sorted(house.world.parcels)


async def states(life: ScenarioOrder) -> Sequence[str]:
    return [c.status.value for c in (await life.view()).children]


async def test_a_held_child_waits_while_the_others_go_on_and_goes_when_it_is_released(ground: Ground) -> None:
    """Held before there are children: all of them; then released, and one of them held alone."""
    house = ground.house()
    life = await stocked(house, order("63000021"))
    whole = await held(house, life)
    one = await held(house, life, kind=HoldKind.OTHER)
    await life.pay()
    await house.pass_until(house.now() + HOUR)
    assert pushed(house) == [] and await life.status() is OrderStatus.AWAITING_SHIPMENT
    await every_owner(ground, life, "63000021")
    await released(house, life, whole)
    assert pushed(house) == [], "another hold is on it"
    second = await held(house, life, child_no=life.child_no(2))
    await released(house, life, one)
    assert pushed(house) == [life.child_no(1)]
    await life.ships(1)
    await released(house, life, second)
    assert pushed(house) == [life.child_no(1), life.child_no(2)]
    kept = {row.hold_id: row.ending for row in (await life.detail()).holds}
    assert kept == {whole.hold_id: "released", one.hold_id: "released", second.hold_id: "released"}


async def test_what_the_warehouse_has_is_stopped_keeps_its_stock_and_ships_again_under_a_new_number(
    ground: Ground,
) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000022"))
    await life.pay()
    hold = await held(house, life)
    assert hold.stopped == (life.child_no(1),) and await states(life) == ["CANCELLED"]
    assert await life.status() is OrderStatus.AWAITING_SHIPMENT
    await house.pass_until(house.now() + 3 * HOUR)
    await every_owner(ground, life, "63000022")
    house.engine.crash()
    await released(house, life, hold)
    assert await states(life) == ["CANCELLED", "RELEASED"] and life.child_no(2) in pushed(house)
    await life.ships(2)
    assert await life.status() is OrderStatus.SHIPPED and house.world.given_back_minor == 0
    await every_owner(ground, life, "63000022")


async def test_a_hold_that_comes_too_late_says_so_and_is_over(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000003"))
    await life.pay()
    house.world.plans.stops = ["too_late"]
    hold = await held(house, life)
    assert (hold.end, hold.too_late, hold.stopped) == (HoldEnd.TOO_LATE, (life.child_no(1),), ())
    assert await states(life) == ["RELEASED"]
    await life.ships(1)
    assert await life.status() is OrderStatus.SHIPPED


async def test_a_packed_child_gets_no_label_while_it_is_not_known_whether_the_hold_stops_it(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000004"))
    await life.pay()
    house.world.plans.stops = ["pending"]
    hold = await held(house, life)
    await life.happens(Kind.PICKING)
    await life.happens(Kind.PACKED)
    assert house.world.of("carrier.book") == []
    await life.happens(Kind.INTERCEPT_REFUSED)
    assert len(house.world.of("carrier.book")) == 1
    found = await only_hold(life)
    assert (found.hold_id, found.end) == (hold.hold_id, HoldEnd.TOO_LATE)


async def test_an_order_that_is_cancelled_while_it_stands_still_for_a_hold_is_paid_back_once(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000005"))
    await life.pay()
    house.world.captured_minor = 6_000
    await held(house, life)
    answer = await told(house, life, "cancel", CancelOrder(by="buyer", reason="no"))
    assert answer.known
    await house.pass_until(house.now() + 5 * MINUTE)
    assert house.world.given_back_minor == 6_000 and len(house.world.refunding) == 1
    assert await life.status() is OrderStatus.CLOSED
    assert (await life.detail()).holds[0].ending == HoldEnd.NOTHING_LEFT
    await every_owner(ground, life, "63000005")


async def test_a_return_takes_over_what_stands_still_for_a_hold(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000006"))
    await life.pay()
    house.world.captured_minor = 6_000
    hold = await held(house, life)
    case = await case_of(life, ReturnType.CANCEL_UNSHIPPED, {"L1": 2})
    await case.apply()
    await case.decide()
    await house.pass_until(house.now() + 5 * MINUTE)
    await house.pass_until(house.now() + 5 * MINUTE)
    detail = await life.detail()
    assert house.world.given_back_minor == 6_000 and [c["status"] for c in detail.children] == ["CANCELLED"]
    assert (detail.holds[0].hold_id, detail.holds[0].ending) == (hold.hold_id, HoldEnd.NOTHING_LEFT)
    await every_owner(ground, life, "63000006")


async def test_a_return_of_a_part_of_what_stands_still_takes_that_and_the_rest_ships_when_the_hold_is_over(
    ground: Ground,
) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000016"))
    await life.pay()
    house.world.captured_minor = 6_000
    hold = await held(house, life)
    case = await case_of(life, ReturnType.REFUND_ONLY, {"L1": 1})
    await case.apply()
    await case.decide()
    for _ in range(3):
        await house.pass_until(house.now() + 5 * MINUTE)
    assert house.world.given_back_minor == 3_000 and pushed(house) == [life.child_no(1)], "and nothing has left"
    await released(house, life, hold)
    await house.pass_until(house.now() + 5 * MINUTE)
    detail = await life.detail()
    shipping = [c for c in detail.children if c["status"] not in ("CANCELLED",)]
    assert [c["lines"] for c in shipping] == [{"L1": 1}], "the other cup alone goes on"
    assert house.world.given_back_minor == 3_000
    await every_owner(ground, life, "63000016")


async def test_a_hold_with_a_time_ends_by_itself_and_one_without_asks_a_person_again_and_again(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000007"))
    await held(house, life, kind=HoldKind.RISK, ends_after_s=1_800)
    await held(house, life, ask_after_s=3_600)
    await life.pay()
    await house.pass_until(house.now() + timedelta(minutes=29))
    assert all(hold.is_open for hold in (await life.view()).holds)
    await house.pass_until(house.now() + timedelta(minutes=2))
    first, second = (await life.view()).holds
    assert (first.end, second.end) == (HoldEnd.CAUSE, None) and (await life.view()).open_tickets == ()
    await house.pass_until(house.now() + timedelta(minutes=30))
    (ticket,) = (await life.view()).open_tickets
    assert (ticket.step, ticket.actions) == ("hold lasts", ("retry",)) and second.hold_id in ticket.error
    house.engine.crash()
    await released(house, life, second)
    assert (await life.view()).open_tickets == () and pushed(house) == [life.child_no(1)]


async def test_the_same_hold_told_again_is_the_same_and_a_rule_holds_an_order_once(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000008"))
    first, again = await told(house, life, "hold", HOLD), await told(house, life, "hold", HOLD)
    assert first.result is not None and first.result == again.result
    assert len((await life.view()).holds) == 1
    by_rule = await held(house, life, kind=HoldKind.RISK, rule="dear-orders/3")
    assert by_rule.source == "rule"
    await released(house, life, by_rule)
    late = HOLD.model_copy(update={"kind": HoldKind.RISK, "rule": "dear-orders/3", "reason": "in other words"})
    assert (await told(house, life, "hold", late)).failure is not None, "a rule's word that comes late holds nothing"
    assert len((await life.view()).holds) == 2


@pytest.mark.parametrize("at_warehouse", [False, True])
async def test_a_new_address_ends_what_was_held_for_the_old_one_and_ships_there(
    ground: Ground, at_warehouse: bool
) -> None:
    number = f"6300001{int(at_warehouse)}"
    house = ground.house()
    life = await stocked(house, cups(number))
    if at_warehouse:
        await life.pay()
    hold = await held(house, life, kind=HoldKind.ADDRESS)
    if not at_warehouse:
        await life.pay()
    await told(house, life, "change_address", another_address(life))
    await house.rest()
    found = await only_hold(life)
    assert (found.hold_id, found.end, found.end_remark) == (hold.hold_id, HoldEnd.CAUSE, "address_changed")
    last = (await life.detail()).children[-1]
    assert last["status"] == ChildStatus.RELEASED and last["address"] is None
    assert last["child_no"] in pushed(house)
    await every_owner(ground, life, number)


async def test_a_chargeback_holds_what_has_not_left_until_it_is_won(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000012"))
    await life.pay()

    def word(kind: Kind) -> Fact:
        return Fact(
            key=f"bank:{kind}", kind=kind, source="bank", occurred_at=house.now(), order_no=life.order.order_no,
            chargeback_no="CB1", amount_minor=6_000, currency="CNY",
        )  # fmt: skip

    await house.deliver(word(Kind.CHARGEBACK_OPENED))
    hold = await only_hold(life)
    assert (hold.kind, hold.source, hold.stopped) == (HoldKind.DISPUTE, "fact", (life.child_no(1),))
    await house.deliver(word(Kind.CHARGEBACK_WON))
    assert (await only_hold(life)).end is HoldEnd.CAUSE
    assert life.child_no(2) in pushed(house)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        (Kind.BUYER_ADDRESS, HoldKind.ADDRESS),
        (Kind.BUYER_REMARK, HoldKind.MESSAGE),
        (Kind.BUYER_REFUND, HoldKind.MESSAGE),
    ],
)
async def test_what_the_buyer_tells_the_channel_holds_what_has_no_label_and_counts_once(
    ground: Ground, kind: Kind, holds: HoldKind
) -> None:
    number = f"630001{[*Kind].index(kind):02d}"
    house = ground.house()
    life = await stocked(house, cups(number))
    await life.pay()
    fact = said(house, life, kind)
    await house.deliver(fact)
    hold = await only_hold(life)
    assert (hold.kind, hold.source, hold.stopped) == (holds, "fact", (life.child_no(1),))
    assert hold.remark == "to my office, please"
    await released(house, life, hold)
    await house.deliver(fact, fact)
    assert len((await life.view()).holds) == 1, "told again it holds nothing again"
    assert await states(life) == ["CANCELLED", "RELEASED"]
    await every_owner(ground, life, number)


async def test_what_the_buyer_says_too_late_is_a_note_for_a_person_and_nothing_is_held(ground: Ground) -> None:
    house = ground.house()
    life = await stocked(house, cups("63000030"))
    await life.pay()
    await life.ships(1)
    await house.deliver(said(house, life, Kind.BUYER_REFUND))
    view = await life.view()
    assert view.holds == () and [t.step for t in view.open_tickets] == ["buyer's change"]


def said(house: EngineHouse, life: ScenarioOrder, kind: Kind) -> Fact:
    return Fact(
        key=f"shop:{life.order.order_no}:{kind}:1", kind=kind, source="shop", occurred_at=house.now(),
        order_no=life.order.order_no, note="to my office, please",
    )  # fmt: skip
