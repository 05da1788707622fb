"""The payment client against the sandbox over real HTTP: every call, every refusal, every fault."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.facts import Kind
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.payment_errors import (
    NotEnough,
    NotFound,
    OperatorNeeded,
    OrderAlreadyPaid,
    OrderClosed,
    OrderNumberUsed,
    RateLimited,
    UnverifiedReply,
)
from providers.wechat import RefundFrequencyLimited, WechatPay, refund_facts, trade_facts
from tests.providers.wechat_world import MCHID, World, payment, refund, world

NO = "ORD-000001"


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


async def paid(w: World, no: str = NO) -> None:
    await w.pay.create_native(payment(no))
    assert (await w.buyer_pays(no)).status_code == 200


@pytest.mark.parametrize("certificates", [False, True])
async def test_an_order_is_created_paid_queried_and_refunded(certificates: bool) -> None:
    async with world(certificates=certificates) as w:
        assert (await w.pay.create_native(payment())).startswith("weixin://")
        assert (await w.pay.query(NO)).trade_state == "NOTPAY"
        assert trade_facts(await w.pay.query(NO)) == ()
        transaction = (await w.buyer_pays(NO)).json()["transaction_id"]
        trade = await w.pay.query(NO)
        assert (trade.trade_state, trade.amount_minor, trade.currency, trade.mchid) == ("SUCCESS", 12900, "CNY", MCHID)
        assert trade.paid_at == w.clock.now
        (fact,) = trade_facts(trade)
        assert (fact.key, fact.kind) == (f"wechat:pay:{transaction}", Kind.PAYMENT_SUCCEEDED)
        assert (await w.pay.refund(refund())).status == "PROCESSING"

        async def done() -> bool:
            return (await w.pay.query_refund("R-1")).status == "SUCCESS"

        await until(done)
        result = await w.pay.query_refund("R-1")
        assert (result.refund_minor, result.total_minor, result.succeeded_at) == (100, 12900, w.clock.now)
        (told,) = refund_facts(result, merchant_id=MCHID, seen_at=w.clock.now)
        assert (told.key, told.refund_no, told.order_no) == ("wechat:refund:R-1:SUCCESS", "R-1", NO)
        assert (await w.pay.query(NO)).trade_state == "REFUND"
        assert trade_facts(await w.pay.query(NO)) == (fact,)


async def test_jsapi_gives_a_prepay_id_and_needs_the_buyer() -> None:
    async with world() as w:
        prepay = await w.pay.create_jsapi(payment(openid="o-1"))
        assert w.pay.jsapi_parameters(prepay)["package"] == f"prepay_id={prepay}"
        with pytest.raises(Refused):
            await w.pay.create_jsapi(payment("ORD-000002"))


async def test_same_number_may_be_created_again_but_not_with_other_parameters() -> None:
    async with world() as w:
        assert await w.pay.create_native(payment()) == await w.pay.create_native(payment())
        assert w.rows("create") == 1
        with pytest.raises(OrderNumberUsed):
            await w.pay.create_native(payment(amount_minor=1))


async def test_unusual_order_number_is_signed_as_sent() -> None:
    async with world() as w:
        await w.pay.create_native(payment("A|B*C_-9"))
        assert (await w.pay.query("A|B*C_-9")).order_no == "A|B*C_-9"


async def test_close_is_repeatable_and_tells_when_the_buyer_was_faster() -> None:
    async with world() as w:
        await w.pay.create_native(payment())
        await w.pay.close(NO)
        await w.pay.close(NO)
        assert (await w.pay.query(NO)).trade_state == "CLOSED"
        with pytest.raises(OrderClosed):
            await w.pay.create_native(payment())
        await paid(w, "ORD-000002")
        with pytest.raises(OrderAlreadyPaid):
            await w.pay.close("ORD-000002")


async def test_unknown_numbers_are_not_found() -> None:
    async with world() as w:
        for call in (w.pay.query("ORD-404404"), w.pay.close("ORD-404404"), w.pay.query_refund("R-404")):
            with pytest.raises(NotFound):
                await call
        with pytest.raises(NotFound):
            await w.pay.refund(refund())


async def test_late_payment_after_close_needs_to_be_asked_for() -> None:
    async with world() as w:
        await w.pay.create_native(payment())
        await w.pay.close(NO)
        assert (await w.buyer_pays(NO)).json()["code"] == "ORDER_CLOSED"
        assert (await w.buyer_pays(NO, late=True)).status_code == 200
        assert (await w.pay.query(NO)).trade_state == "SUCCESS"
        assert (await w.buyer_pays(NO, late=True)).json()["code"] == "ORDERPAID"


async def test_payment_of_another_amount_is_told_as_it_was() -> None:
    async with world() as w:
        await w.pay.create_native(payment())
        await w.buyer_pays(NO, amount_minor=1, currency="USD")
        trade = await w.pay.query(NO)
        assert (trade.amount_minor, trade.currency) == (1, "USD")


async def test_shop_may_create_the_trade_itself() -> None:
    async with world() as w:
        await w.buyer_pays("SHOP-0001", amount_minor=7, notify_url="http://127.0.0.1:9/x")
        assert (await w.pay.query("SHOP-0001")).amount_minor == 7


async def test_refund_number_is_the_idempotency_key() -> None:
    async with world(refund_delay_s=10**9) as w:
        await paid(w)
        first = await w.pay.refund(refund())
        assert (await w.pay.refund(refund())).refund_id == first.refund_id
        assert w.rows("refund") == 1
        with pytest.raises(Refused):
            await w.pay.refund(refund(minor=200))


async def test_another_payment_than_the_orders_own_is_given_back_by_its_transaction() -> None:
    async with world() as w:
        await paid(w)
        other = (await w.buyer_pays("SHOP-0001", amount_minor=700, notify_url="http://127.0.0.1:9/x")).json()
        asked = refund(minor=700).model_copy(update={"total_minor": 700, "transaction_id": other["transaction_id"]})
        told = await w.pay.refund(asked)
        assert (told.order_no, told.transaction_id, told.refund_minor) == ("SHOP-0001", other["transaction_id"], 700)


async def test_refunds_never_exceed_what_was_paid() -> None:
    async with world(refund_delay_s=10**9) as w:
        await paid(w)
        await w.pay.refund(refund("R-1", 12000))
        w.clock.move(60)
        with pytest.raises(Refused):
            await w.pay.refund(refund("R-2", 901))
        await w.pay.refund(refund("R-2", 900))
        assert w.rows("refund") == 2


async def test_two_refunds_of_an_order_must_be_a_minute_apart_divided_by_the_speed() -> None:
    async with world(refund_delay_s=10**9, speed=10.0) as w:
        await paid(w)
        await w.pay.refund(refund("R-1"))
        w.clock.move(5.9)
        with pytest.raises(RefundFrequencyLimited):
            await w.pay.refund(refund("R-2"))
        w.clock.move(0.1)
        await w.pay.refund(refund("R-2"))


async def test_an_order_has_at_most_fifty_refunds() -> None:
    async with world(refund_delay_s=10**9) as w:
        await paid(w)
        for n in range(50):
            w.clock.move(60)
            await w.pay.refund(refund(f"R-{n}", 1))
        w.clock.move(60)
        with pytest.raises(OperatorNeeded):
            await w.pay.refund(refund("R-50", 1))


async def test_refund_without_balance_needs_a_person_and_may_succeed_later() -> None:
    async with world() as w:
        await paid(w)
        w.arm("refund", "not_enough")
        with pytest.raises(NotEnough):
            await w.pay.refund(refund())
        assert (await w.pay.refund(refund())).status == "PROCESSING"


@pytest.mark.parametrize(("fault", "status"), [("abnormal", "ABNORMAL"), ("closed", "CLOSED")])
async def test_refund_may_end_badly(fault: str, status: str) -> None:
    async with world() as w:
        await paid(w)
        w.arm("refund", fault)
        await w.pay.refund(refund())

        async def ended() -> bool:
            return (await w.pay.query_refund("R-1")).status == status

        await until(ended)
        (fact,) = refund_facts(await w.pay.query_refund("R-1"), merchant_id=MCHID, seen_at=w.clock.now)
        assert fact.key == f"wechat:refund:R-1:{status}"


@pytest.mark.parametrize(
    ("fault", "error", "committed"),
    [
        ("error_before", UnknownOutcome, 0),
        ("error_after", UnknownOutcome, 1),
        ("too_many", RateLimited, 0),
        ("hang", UnknownOutcome, 1),
        ("garbage", UnverifiedReply, 1),
        ("reset", UnknownOutcome, 1),
        ("unsigned", UnverifiedReply, 1),
    ],
)
async def test_fault_of_create_has_its_class_and_the_repeat_succeeds(
    fault: str, error: type[Exception], committed: int
) -> None:
    async with world(deadline_s=0.5 if fault == "hang" else 5.0) as w:
        w.arm("create", fault)
        with pytest.raises(error):
            await w.pay.create_native(payment())
        assert w.rows("create") == committed
        await w.pay.create_native(payment())
        assert w.rows("create") == 1


@pytest.mark.parametrize("fault", ["error_after", "reset", "garbage", "too_many"])
async def test_refund_of_unknown_outcome_is_decided_by_query(fault: str) -> None:
    async with world() as w:
        await paid(w)
        w.arm("refund", fault)
        with pytest.raises(UnknownOutcome):
            await w.pay.refund(refund())
        if fault == "too_many":
            with pytest.raises(NotFound):
                await w.pay.query_refund("R-1")
        else:
            assert (await w.pay.query_refund("R-1")).refund_no == "R-1"
        assert w.rows("refund") == (0 if fault == "too_many" else 1)


async def test_nobody_at_the_address_is_certainly_not_done() -> None:
    async with world() as w:
        pass
    async with world() as other:
        lost = WechatPay(w.config, other.http, w.clock, lambda: "n")
        with pytest.raises(Unavailable):
            await lost.create_native(payment())


async def test_retry_after_is_told() -> None:
    async with world() as w:
        w.arm("query", "too_many", delay_s=7)
        with pytest.raises(RateLimited) as e:
            await w.pay.query(NO)
        assert e.value.retry_after_s == 7


async def test_our_clock_six_minutes_off_is_a_refusal_not_an_unknown() -> None:
    async with world() as w:
        slow = WechatPay(w.config, w.http, lambda: w.clock() - timedelta(seconds=360), lambda: "n")
        with pytest.raises(Refused) as e:
            await slow.query(NO)
        assert e.value.code == "SIGN_ERROR"
