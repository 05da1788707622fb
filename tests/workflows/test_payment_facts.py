"""Payments that are late, doubled, wrong, or come together with a cancellation (N1, N2, S02)."""

from datetime import timedelta
from typing import Any

import pytest

from domain.states import Outcome
from tests.workflows.conftest import Plays
from tests.workflows.orders import two_parcel_order
from tests.workflows.play import Play

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def closed_unpaid(play: Play) -> None:
    await play.start(two_parcel_order())
    await play.pass_time(31 * MINUTE)
    assert await play.statuses() == ("CLOSED",)


async def test_a_late_payment_is_given_back_once_and_never_ships(plays: Plays) -> None:
    async with plays() as play:
        await closed_unpaid(play)
        await play.pass_time(HOUR)
        await play.pay()
        assert await play.finish() == "CLOSED"
    world = play.world
    assert world.channel.refunds == {f"R{play.order.order_no}-L1": 10_600} and world.calls["refund"] == 1
    assert world.goods.pushed == [] and world.calls["push"] == 0 and world.account.plans == ()
    assert world.last.payment_status == "LATE" and world.account.refunded_minor == 10_600
    assert [t.step for t in world.account.open_tickets] == ["late payment"]


async def test_a_late_payment_told_twice_is_given_back_once(plays: Plays) -> None:
    async with plays() as play:
        await closed_unpaid(play)
        paid = await play.buyer_pays()
        await play.signal(paid, paid)
        await play.tell(paid)
        assert await play.finish() == "CLOSED"
    assert play.world.account.outcomes(paid.key) == ["APPLIED", "DUPLICATE", "DUPLICATE"]
    assert play.world.calls["refund"] == 1


async def test_a_closed_order_listens_for_25_hours_then_ends(plays: Plays) -> None:
    async with plays() as play:
        await closed_unpaid(play)
        await play.pass_time(24 * HOUR)
        assert not play.world.last.ended
        await play.pass_time(HOUR)
        assert play.world.last.ended


async def test_a_cancelled_unpaid_order_is_closed_at_the_channel_too(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        answer = await play.cancel()
        assert (answer.cancelled, answer.too_late, answer.refund_minor) == ((), (), 0)
        assert await play.statuses() == ("CLOSED",) and play.world.channel.closed == [play.order.order_no]


@pytest.mark.parametrize("first", ["payment", "cancel"])
async def test_payment_and_cancellation_in_one_moment_end_in_total_or_zero(plays: Plays, first: str) -> None:
    """Both wait for a worker that was away; whichever is first, the money kept is all or nothing."""
    async with plays() as play:
        await play.start(two_parcel_order())
    paid = await play.buyer_pays()
    if first == "payment":
        await play.signal(paid)
    asked = await play.send_cancel()
    if first == "cancel":
        await play.signal(paid)
    async with play.worker():
        await asked
        assert await play.finish() == "CLOSED"
    play.world.check()
    assert play.world.account.refunded_minor == 10_600
    assert set(play.world.goods.pushed) == set(play.world.goods.intercepted)


async def test_a_payment_found_while_a_cancellation_closes_the_order_goes_back(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.buyer_pays()
        answer = await play.cancel()
        assert answer.refund_minor == 10_600 and answer.cancelled == ()
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 10_600 and play.world.goods.pushed == []


@pytest.mark.parametrize(
    ("wrong", "word"), [({"amount": 10_599}, "10599"), ({"amount": 10_601}, "10601"), ({"currency": "USD"}, "USD")]
)
async def test_a_payment_that_does_not_fit_moves_nothing_and_is_money_from_outside(
    plays: Plays, wrong: dict[str, Any], word: str
) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        paid = await play.pay(**wrong)
        assert await play.statuses() == ("PENDING_PAYMENT",)
        (found,) = play.world.account.outside
        assert found.kind == "payment" and word in f"{found.amount_minor} {found.why}"
        assert play.world.account.outcomes(paid.key) == [Outcome.MISMATCH] and play.world.account.payment is None
        await play.tell(paid)
        assert len(play.world.account.outside) == 1 and not await play.tickets(), "told again, not asked again"


async def test_a_payment_that_does_not_fit_is_a_question_at_the_deadline(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        await play.pay(amount=1)
        await play.pass_time(31 * MINUTE)
        assert (await play.ticket()).step == "query payment" and play.world.calls["query"] == 1
        assert await play.statuses() == ("PENDING_PAYMENT",)
        await play.resolve("give_up")
        assert await play.statuses() == ("CLOSED",)
        assert await play.finish() == "CLOSED"
    assert play.world.account.refunded_minor == 0


async def test_a_payment_of_another_order_moves_nothing(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        paid = await play.buyer_pays()
        await play.tell(paid.model_copy(update={"order_no": "T000002"}))
        assert await play.statuses() == ("PENDING_PAYMENT",) and len(play.world.account.outside) == 1


async def test_a_second_payment_is_noted_and_moves_nothing(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(two_parcel_order())
        again = await play.pay(transaction="4299")
        assert play.world.account.outcomes(again.key) == [Outcome.MISMATCH]
        assert len(play.world.account.outside) == 1
        assert (await play.view()).paid_minor == 10_600
        assert play.world.calls["refund"] == 0 and play.world.goods.push_batches == [(play.child(1), play.child(2))]


async def test_a_payment_told_twice_counts_once(plays: Plays) -> None:
    async with plays() as play:
        await play.start(two_parcel_order())
        paid = await play.buyer_pays()
        await play.tell(paid, paid)
        await play.tell(paid)
        assert play.world.account.outcomes(paid.key) == ["APPLIED", "DUPLICATE", "DUPLICATE"]
        assert (await play.view()).paid_minor == 10_600 and not await play.tickets()
        assert play.world.calls["push"] == 1


async def test_a_creation_that_is_refused_as_paid_takes_the_payment_and_asks_nobody(plays: Plays) -> None:
    """Our first answer was lost; the buyer paid before we asked again (WeChat Pay: ORDERPAID)."""
    async with plays() as play:
        play.world.faults.sequence("create", ["unknown", "refused"])
        await play.start(two_parcel_order())
        await play.buyer_pays()
        await play.pass_time(MINUTE)
        assert await play.statuses() == ("AWAITING_SHIPMENT", "RELEASED", "RELEASED")
        assert (play.world.calls["create"], play.world.calls["query"]) == (2, 1)
        assert await play.tickets() == () and play.world.account.open_tickets == []


@pytest.mark.parametrize("amount", [None, 1])
async def test_a_creation_that_is_refused_for_another_reason_is_a_question_for_a_person(
    plays: Plays, amount: int | None
) -> None:
    """Unpaid there, or paid with another amount: as before."""
    async with plays() as play:
        play.world.faults.sequence("create", ["unknown", "refused"])
        await play.start(two_parcel_order())
        if amount is not None:
            await play.buyer_pays(amount)
        await play.pass_time(MINUTE)
        assert "create payment" in [t.step for t in await play.tickets()]
        assert await play.statuses() == ("PENDING_PAYMENT",)
