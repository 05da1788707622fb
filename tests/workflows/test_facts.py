"""Facts come late, twice, out of order, or alone: the order ends the same (R01-R04, S04)."""

import random
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.waybills import waybill
from domain.facts import Fact, Kind
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, new_number, one_parcel_order, two_parcel_order

LIFE = (
    Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.COLLECTED, Kind.IN_TRANSIT,
    Kind.OUT_FOR_DELIVERY, Kind.SIGNED,
)  # fmt: skip


async def test_a_pick_up_scan_alone_moves_the_order_to_shipped(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.COLLECTED, 1, waybill_no="SF1000000000001", carrier="SF")
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        assert play.world.account.moved("ship") == {"CUP": 2}


async def test_a_signature_before_the_payment_is_held_then_counts(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.happens(Kind.SIGNED, 1)
        assert await play.statuses() == ("PENDING_PAYMENT",)
        await play.pay()
        assert await play.statuses() == ("DELIVERED", "SIGNED")
        assert await play.finish() == "COMPLETED"
    assert play.world.goods.pushed == [], "a parcel that was signed for is not ordered from the warehouse again"


async def test_a_scan_for_an_order_that_is_never_paid_is_accounted_for(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        await play.happens(Kind.SIGNED, 1)
        await play.pass_time(timedelta(minutes=31))
        assert await play.notes() == ["unknown parcel"]
        assert await play.finish() == "CLOSED"


async def test_facts_that_come_before_the_order_is_in_the_books_wait_for_it(plays: Plays) -> None:
    async with plays() as play:
        pass
    await play.begin(one_parcel_order())
    await play.signal(await play.buyer_pays())
    await play.signal(fact(Kind.COLLECTED, play.child(1), await play.now()))
    async with play.worker():
        await play.rest()
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        assert await play.finish() == "COMPLETED"
    play.world.check()


async def test_a_fact_about_a_parcel_the_order_does_not_have_is_noted(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.SIGNED, 7)
        assert await play.notes() == ["unknown parcel"] and await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")


async def test_a_fact_may_name_its_parcel_by_the_waybill(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 2, waybill_no="SF1000000000002", carrier="SF")
        signed = fact(Kind.SIGNED, "", await play.now()).model_copy(
            update={"child_no": None, "waybill_no": "SF1000000000002"}
        )
        await play.tell(signed)
        assert await play.statuses() == ("PARTIALLY_SHIPPED", "RELEASED", "SIGNED")


async def test_a_stale_event_leaves_its_facts(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.SIGNED, 1)
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")
        assert play.world.account.outcomes(f"qimen:{play.child(1)}:WAYBILL_RETURNED") == ["STALE"]
        (child,) = (await play.view()).children
        assert (child.status, child.waybill_no, child.carrier) == ("SIGNED", "SF1000000000001", "SF")


async def test_the_number_under_which_the_warehouse_ships_counts_more_than_our_label(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PACKED, 1)
        assert (await play.view()).children[0].waybill_no == waybill(play.child(1))
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")
        (child,) = (await play.view()).children
        assert (child.waybill_no, child.carrier) == ("SF1000000000001", "SF")


async def test_an_order_with_nothing_to_pay_ships_at_once(plays: Plays) -> None:
    async with plays() as play:
        coupon = {"coupon_id": "ALL", "amount_minor": 6000}
        await play.start(one_parcel_order(coupons=[coupon], payable_minor=0))
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED") and play.world.calls["create"] == 0
        assert (await play.cancel()).refund_minor == 0
        assert await play.finish() == "CLOSED"
    assert play.world.calls["refund"] == 0


def story(order_no: str, start: Fact) -> list[Fact]:
    """Everything that is ever told about an order of one parcel, payment included, each thing a minute later."""
    minute = timedelta(minutes=1)
    child = f"{order_no}-01"
    told = [start]
    for n, kind in enumerate(LIFE, start=1):
        waybill = {"waybill_no": "SF1000000000001", "carrier": "SF"} if kind is Kind.WAYBILL_RETURNED else {}
        told.append(fact(kind, child, start.occurred_at + n * minute, **waybill))
    short = fact(Kind.SHORT_PICKED, child, start.occurred_at + 2 * minute, actual={"L1": 1})
    return [*told, short]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), batches=st.integers(1, 6))
async def test_any_order_of_any_repetition_ends_in_the_same_state(plays: Plays, seed: int, batches: int) -> None:
    dice = random.Random(seed)
    async with plays() as play:
        order = one_parcel_order(order_no=new_number())
        await play.start(order)
        facts = story(order.order_no, await play.buyer_pays())
        told = facts + dice.choices(facts, k=5)
        dice.shuffle(told)
        size = -(-len(told) // batches)
        for n in range(0, len(told), size):
            await play.tell(*told[n : n + size])
        assert await play.statuses() == ("DELIVERED", "SIGNED")
        ticket = await play.ticket()
        assert ticket.step == "short pick"
        await play.resolve("give_up")
        (child,) = (await play.view()).children
        by_kind = {f.kind: f for f in facts}
        assert (child.waybill_no, child.carrier) == ("SF1000000000001", "SF")
        assert child.shipped_at == by_kind[Kind.WAYBILL_RETURNED].occurred_at
        assert child.signed_at == by_kind[Kind.SIGNED].occurred_at
        assert await play.finish() == "COMPLETED"
    assert play.world.account.refunded_minor == 3000
    assert play.world.account.moved("ship").get("CUP", 0) + play.world.account.moved("write_off").get("CUP", 0) == 2
