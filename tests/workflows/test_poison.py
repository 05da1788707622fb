"""What the world says never stops an order: it counts as far as it can be believed, and a person is told the rest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.facts import Fact, Kind
from domain.states import Outcome
from tests.workflows.conftest import Plays
from tests.workflows.orders import fact, one_parcel_order, two_parcel_order
from tests.workflows.play import Play, kinds
from workflows.order.parcels.parcel import Parcel

YEAR_9999 = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


async def assert_no_task_failed(play: Play) -> None:
    assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0


@pytest.mark.parametrize("actual", [{"L1": -1}, {"L1": 7}, {"L9": 1}, {"L9": -3}])
async def test_a_count_that_cannot_be_is_told_and_the_parcel_has_left_all_the_same(
    plays: Plays, actual: dict[str, int]
) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="YT1000000000001", carrier="YTO", actual=actual)
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        assert await play.notes() == ["count does not fit"]
        assert play.world.account.moved("ship") == {"CUP": 2}
        await assert_no_task_failed(play)
        assert await play.finish() == "COMPLETED"


async def test_a_warehouse_of_the_year_9999_is_believed_but_for_the_year(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        heard = await play.now()
        await play.happens(Kind.PACKED, 1)
        await play.tell(
            fact(Kind.WAYBILL_RETURNED, play.child(1), YEAR_9999, waybill_no="YT1000000000001", carrier="YTO")
        )
        (child,) = (await play.view()).children
        assert child.status == "SHIPPED" and child.shipped_at is not None
        assert heard <= child.shipped_at < heard + timedelta(minutes=1)
        assert await play.notes() == ["time does not fit"]
        await assert_no_task_failed(play)
        assert await play.finish() == "COMPLETED"


@pytest.mark.parametrize("ago", [timedelta(days=40), timedelta(minutes=1)])
async def test_a_scan_from_before_the_payment_is_a_trace_of_another_parcel(plays: Plays, ago: timedelta) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        for kind in (Kind.COLLECTED, Kind.SIGNED):
            await play.tell(
                fact(kind, play.child(1), await play.now() - ago, waybill_no="YT1000000000001", carrier="YTO")
            )
            assert play.world.account.outcomes(f"kuaidi100:{play.child(1)}:{kind}") == [Outcome.STALE]
        (child,) = (await play.view()).children
        assert (child.status, child.shipped_at, child.signed_at) == ("RELEASED", None, None)
        assert await play.cancel()
        assert await play.finish() == "CLOSED"


@pytest.mark.parametrize("kind", [Kind.COLLECTED, Kind.SIGNED, Kind.COURIER_EXCEPTION, Kind.DELIVERY_REFUSED])
async def test_a_scan_that_is_still_to_come_moves_nothing_and_is_told(plays: Plays, kind: Kind) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        for _ in range(2):
            await play.tell(fact(kind, play.child(1), YEAR_9999, waybill_no="YT1000000000001", carrier="YTO"))
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED")
        assert await play.notes() == ["time does not fit"]
        await assert_no_task_failed(play)


async def test_ten_days_count_from_no_earlier_than_the_payment(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        long_ago = await play.now() - timedelta(days=40)
        await play.tell(
            fact(Kind.WAYBILL_RETURNED, play.child(1), long_ago, waybill_no="YT1000000000001", carrier="YTO")
        )
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        await play.pass_time(timedelta(days=9))
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        assert await play.finish() == "COMPLETED"


@pytest.mark.parametrize("numbers", [{"waybill_no": "YT\x00"}, {"waybill_no": "Y" * 5000}, {"carrier": "\x00"}])
async def test_a_number_that_nobody_can_have_is_told_and_not_kept(plays: Plays, numbers: dict[str, Any]) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.COLLECTED, 1, **({"waybill_no": "YT1000000000001", "carrier": "YTO"} | numbers))
        (child,) = (await play.view()).children
        told = {"waybill_no": "YT1000000000001", "carrier": "YTO"} | dict.fromkeys(numbers)
        assert child.status == "SHIPPED" and {"waybill_no": child.waybill_no, "carrier": child.carrier} in (
            told, {"waybill_no": None, "carrier": None},
        )  # fmt: skip
        assert await play.notes() == ["number does not fit"]


async def test_one_facts_failure_does_not_touch_its_neighbours(plays: Plays, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in applying one of three facts of one batch: the others count, people are told which."""
    apply = Parcel.apply

    def broken(self: Parcel, told: Fact) -> None:
        if told.kind is Kind.PICKING:
            raise ZeroDivisionError("a mistake of ours")
        apply(self, told)

    monkeypatch.setattr(Parcel, "apply", broken)
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        now, child = await play.now(), play.child(1)
        await play.tell(*(fact(kind, child, now) for kind in (Kind.WMS_ACCEPTED, Kind.PICKING, Kind.COLLECTED)))
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
        assert play.world.account.outcomes(f"qimen:{child}:PICKING") == [Outcome.MISMATCH]
        (ticket,) = [t for t in await play.tickets() if t.step == "event not applied"]
        assert ticket.severity == "urgent" and f"qimen:{child}:PICKING: ZeroDivisionError" in ticket.error
        await assert_no_task_failed(play)
        await play.resolve("give_up")
        assert await play.finish() == "COMPLETED"


def of_package(kind: Kind, number: str, at: datetime) -> Fact:
    told = {"child_no": None, "waybill_no": number, "key": f"kuaidi100:{number}:{kind}"}
    return fact(kind, "", at).model_copy(update=told)


async def test_a_child_in_several_packages_is_delivered_when_all_are(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        shipped = fact(
            Kind.WAYBILL_RETURNED, play.child(1), await play.now(), waybill_no="YT1000000000001", carrier="YTO"
        )
        further = shipped.model_copy(update={"key": f"{shipped.key}:YT2", "waybill_no": "YT1000000000002"})
        await play.tell(shipped, further)
        await play.tell(of_package(Kind.OUT_FOR_DELIVERY, "YT1000000000002", await play.now()))
        assert await play.notes() == []
        await play.tell(of_package(Kind.SIGNED, "YT1000000000001", await play.now()))
        (child,) = (await play.view()).children
        assert (child.status, child.signed_at) == ("OUT_FOR_DELIVERY", None)
        assert [(p.waybill_no, p.signed_at is None) for p in child.packages] == [
            ("YT1000000000001", False),
            ("YT1000000000002", True),
        ]
        await play.pass_time(timedelta(days=1))
        last = await play.now()
        await play.tell(of_package(Kind.SIGNED, "YT1000000000002", last))
        (child,) = (await play.view()).children
        assert (child.status, child.signed_at) == ("SIGNED", last)
        assert await play.finish() == "COMPLETED"


async def test_a_package_told_after_the_signature_is_told_to_a_person(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="YT1000000000001", carrier="YTO")
        await play.tell(of_package(Kind.SIGNED, "YT1000000000001", await play.now()))
        later = fact(
            Kind.WAYBILL_RETURNED, play.child(1), await play.now(), waybill_no="YT1000000000002", carrier="YTO"
        )
        await play.tell(later.model_copy(update={"key": f"{later.key}:YT2"}))
        assert await play.statuses() == ("DELIVERED", "SIGNED") and await play.notes() == ["further package"]
        assert await play.finish() == "COMPLETED"


async def test_a_scan_of_a_package_counts_for_every_child_in_it(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, 2, waybill_no="YT1000000000001", carrier="YTO")
        told = fact(Kind.SIGNED, "", await play.now()).model_copy(
            update={"child_no": None, "waybill_no": "YT1000000000001"}
        )
        for _ in range(2):
            await play.tell(told)
        assert await play.statuses() == ("DELIVERED", "SIGNED", "SIGNED")
        await assert_no_task_failed(play)
        assert await play.finish() == "COMPLETED"


async def test_an_odd_waybill_number_counts_and_a_person_is_told_once(plays: Plays) -> None:
    """YTO's numbers are like YT1234567890123; the parcel has left all the same."""
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="YT77", carrier="YTO")
        await play.happens(Kind.COLLECTED, 1, waybill_no="YT77", carrier="YTO")
        await play.happens(Kind.WAYBILL_RETURNED, 2, waybill_no="自提", carrier="OUR-OWN-VAN")
        assert await play.statuses() == ("SHIPPED", "SHIPPED", "SHIPPED")
        told = [(t.severity, t.step, t.child_no, t.error) for t in await play.tickets()]
        assert told == [
            (
                "info", "odd waybill", play.child(1),
                "waybill YT77 looks like none of YTO, which are like YT1234567890123; it counts as it was told",
            ),
            (
                "info", "odd waybill", play.child(2),
                "waybill 自提 looks like none of any carrier; it counts as it was told",
            ),
        ]  # fmt: skip


async def test_a_number_that_a_carrier_has_booked_for_us_is_never_odd(
    plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.workflows.world.goods.waybill", lambda child_no: f"T{child_no}")
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        await play.happens(Kind.PACKED, 1)
        await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no=f"T{play.child(1)}", carrier="YTO")
        assert await play.statuses() == ("SHIPPED", "SHIPPED") and await play.tickets() == ()
