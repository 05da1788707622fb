"""The payment client against the sandbox over real HTTP: every call and every refusal."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from domain.facts import Kind
from providers.alipay import RefundNumberUsed, refund_facts, trade_facts
from providers.errors import Refused
from providers.payment_errors import DecideByQuery, NotEnough, NotFound, OrderAlreadyPaid, OrderClosed, OrderNumberUsed
from tests.providers.alipay_world import NO, SELLER_ID, payment, refund, world


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_an_order_is_created_scanned_paid_queried_and_refunded() -> None:
    async with world() as w:
        assert (await w.pay.create_qr(payment())).startswith("https://qr.alipay.com/")
        with pytest.raises(NotFound):
            await w.pay.query(NO)
        await w.buyer_scans()
        assert (await w.pay.query(NO)).trade_state == "WAIT_BUYER_PAY"
        assert trade_facts(await w.pay.query(NO)) == ()
        number = (await w.buyer_pays()).json()["trade_no"]
        trade = await w.pay.query(NO)
        assert (trade.trade_state, trade.amount_minor, trade.currency) == ("TRADE_SUCCESS", 12900, "CNY")
        assert (trade.seller_id, trade.paid_at, trade.transaction_id) == (SELLER_ID, w.clock.now, number)
        (fact,) = trade_facts(trade)
        assert (fact.key, fact.kind, fact.source) == (f"alipay:pay:{number}", Kind.PAYMENT_SUCCEEDED, "alipay")
        assert (fact.order_no, fact.merchant_id, fact.amount_minor) == (NO, SELLER_ID, 12900)
        result = await w.pay.refund(refund())
        assert (result.status, result.refund_minor, result.total_minor) == ("SUCCESS", 100, 12900)
        assert await w.pay.query_refund(NO, "R-1") == result
        (told,) = refund_facts(result, merchant_id=SELLER_ID, seen_at=w.clock.now)
        assert (told.key, told.refund_no, told.amount_minor) == ("alipay:refund:R-1:SUCCESS", "R-1", 100)
        assert trade_facts(await w.pay.query(NO)) == (fact,)


async def test_same_number_may_be_created_again_but_not_with_other_parameters() -> None:
    async with world() as w:
        assert await w.pay.create_qr(payment()) == await w.pay.create_qr(payment())
        assert w.rows("create") == 1
        with pytest.raises(OrderNumberUsed):
            await w.pay.create_qr(payment(amount_minor=1))


@pytest.mark.parametrize("description", ["茶/杯=1&2", "///", '"\\n"', "emoji 🍵"])
async def test_description_of_any_kind_is_made_a_subject(description: str) -> None:
    async with world() as w:
        assert await w.pay.create_qr(payment(description=description))


async def test_close_of_a_waiting_trade_and_of_a_code_that_nobody_scanned() -> None:
    async with world() as w:
        await w.pay.create_qr(payment())
        await w.pay.close(NO)
        await w.buyer_scans()
        await w.pay.close(NO)
        assert (await w.pay.query(NO)).trade_state == "TRADE_CLOSED"
        with pytest.raises(DecideByQuery):
            await w.pay.close(NO)
        with pytest.raises(OrderClosed):
            await w.pay.create_qr(payment())


async def test_close_and_create_tell_when_the_buyer_was_faster() -> None:
    async with world() as w:
        await w.paid()
        with pytest.raises(DecideByQuery):
            await w.pay.close(NO)
        with pytest.raises(OrderAlreadyPaid):
            await w.pay.create_qr(payment())


async def test_code_and_trade_end_by_themselves_when_time_is_up() -> None:
    async with world() as w:
        await w.pay.create_qr(payment())
        await w.pay.create_qr(payment("ORD-000002"))
        await w.buyer_scans()
        w.clock.move(3600)
        assert (await w.pay.query(NO)).trade_state == "TRADE_CLOSED"
        assert (await w.buyer_pays()).json()["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
        assert (await w.buyer_scans("ORD-000002")).json()["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
        assert (await w.buyer_pays(late=True)).status_code == 200
        assert (await w.pay.query(NO)).is_paid


async def test_unknown_numbers_are_not_found() -> None:
    async with world() as w:
        for call in (w.pay.query("ORD-404404"), w.pay.query_refund("ORD-404404", "R-404"), w.pay.refund(refund())):
            with pytest.raises(NotFound):
                await call
        await w.paid()
        with pytest.raises(NotFound) as e:
            await w.pay.query_refund(NO, "R-404")
        assert e.value.code == "REFUND_NOT_EXIST"


async def test_payment_of_another_amount_is_told_as_it_was() -> None:
    async with world() as w:
        await w.pay.create_qr(payment())
        await w.buyer_pays(amount_minor=1)
        assert (await w.pay.query(NO)).amount_minor == 1


async def test_repeated_refund_moves_no_money_and_must_be_queried() -> None:
    async with world() as w:
        await w.paid()
        assert (await w.pay.refund(refund())).status == "SUCCESS"
        again = await w.pay.refund(refund())
        assert (again.status, refund_facts(again, merchant_id="", seen_at=w.clock.now)) == ("PROCESSING", ())
        assert w.rows("refund") == 1
        assert (await w.pay.query_refund(NO, "R-1")).status == "SUCCESS"
        with pytest.raises(RefundNumberUsed):
            await w.pay.refund(refund(minor=200))


async def test_a_trade_is_refunded_by_alipays_own_number_and_asked_for_by_it() -> None:
    async with world() as w:
        await w.paid()
        number = (await w.pay.query(NO)).transaction_id
        told = await w.pay.refund(refund().model_copy(update={"order_no": "OTHER", "transaction_id": number}))
        assert (told.status, told.transaction_id) == ("SUCCESS", number)
        assert (await w.pay.query_refund("OTHER", "R-1", number)).status == "SUCCESS"


async def test_refunds_never_exceed_what_was_paid_and_the_last_closes_the_trade() -> None:
    async with world() as w:
        await w.paid()
        await w.pay.refund(refund("R-1", 12000))
        with pytest.raises(Refused):
            await w.pay.refund(refund("R-2", 901))
        assert (await w.pay.query(NO)).is_paid
        second = await w.pay.refund(refund("R-2", 900))
        assert (second.status, second.refund_minor) == ("SUCCESS", 900)
        trade = await w.pay.query(NO)
        assert (trade.trade_state, trade.is_paid, trade_facts(trade)) == ("TRADE_CLOSED", False, ())


async def test_refund_of_an_unpaid_or_old_trade_is_refused() -> None:
    async with world() as w:
        await w.pay.create_qr(payment())
        await w.buyer_scans()
        with pytest.raises(DecideByQuery):
            await w.pay.refund(refund())
        await w.buyer_pays()
        w.clock.move(366 * 86400)
        with pytest.raises(Refused):
            await w.pay.refund(refund())


async def test_refund_without_balance_needs_a_person_and_may_succeed_later() -> None:
    async with world() as w:
        await w.paid()
        w.arm("refund", "not_enough")
        with pytest.raises(NotEnough):
            await w.pay.refund(refund())
        assert (await w.pay.refund(refund())).status == "SUCCESS"


async def test_pending_refund_is_processing_until_it_has_ended() -> None:
    async with world(refund_delay_s=10**9) as w:
        await w.paid()
        w.arm("refund", "pending")
        assert (await w.pay.refund(refund())).status == "PROCESSING"
        assert (await w.pay.query_refund(NO, "R-1")).status == "PROCESSING"
    async with world(refund_delay_s=0) as w:
        await w.paid()
        w.arm("refund", "pending")
        await w.pay.refund(refund())

        async def done() -> bool:
            return (await w.pay.query_refund(NO, "R-1")).status == "SUCCESS"

        await until(done)


async def test_failed_refund_is_not_found_and_the_same_call_repairs_it() -> None:
    async with world() as w:
        await w.paid()
        w.arm("refund", "fails")
        assert (await w.pay.refund(refund())).status == "PROCESSING"

        async def gone() -> bool:
            try:
                await w.pay.query_refund(NO, "R-1")
            except NotFound:
                return True
            return False

        await until(gone)
        assert (await w.pay.refund(refund())).status == "SUCCESS"
        assert (await w.pay.query_refund(NO, "R-1")).status == "SUCCESS"
