"""Faults under every call, over real HTTP: each has its class, and repeating never does harm."""

import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from providers.alipay import Alipay
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.payment_errors import NotFound, RateLimited, UnverifiedReply
from tests.providers.alipay_world import NO, payment, refund, world
from tests.providers.wechat_world import key, private_pem


@pytest.mark.parametrize(
    ("fault", "error", "committed"),
    [
        ("error_before", UnknownOutcome, 0),
        ("error_after", UnknownOutcome, 1),
        ("system_error", UnknownOutcome, 1),
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
        with pytest.raises(error) as e:
            await w.pay.create_qr(payment())
        assert type(e.value) is error
        assert w.rows("create") == committed
        await w.pay.create_qr(payment())
        assert w.rows("create") == 1


@pytest.mark.parametrize("operation", ["query", "close", "refund", "query_refund"])
@pytest.mark.parametrize("fault", ["error_after", "system_error", "reset", "garbage", "unsigned", "error_before"])
async def test_fault_of_any_other_call_leaves_its_outcome_unknown(operation: str, fault: str) -> None:
    async with world() as w:
        await w.pay.create_qr(payment())
        if operation == "close":
            await w.buyer_scans()
        else:
            await w.buyer_pays()
        if operation == "query_refund":
            await w.pay.refund(refund())
        w.arm(operation, fault)
        call: dict[str, Callable[[], Awaitable[Any]]] = {
            "query": lambda: w.pay.query(NO),
            "close": lambda: w.pay.close(NO),
            "refund": lambda: w.pay.refund(refund()),
            "query_refund": lambda: w.pay.query_refund(NO, "R-1"),
        }
        with pytest.raises(UnknownOutcome):
            await call[operation]()


@pytest.mark.parametrize("fault", ["error_after", "system_error", "reset", "unsigned"])
async def test_refund_of_unknown_outcome_is_paid_back_once_whoever_repeats_it(fault: str) -> None:
    async with world() as w:
        await w.paid()
        w.arm("refund", fault)
        with pytest.raises(UnknownOutcome):
            await w.pay.refund(refund())
        assert (await w.pay.refund(refund())).status == "PROCESSING"
        assert (await w.pay.query_refund(NO, "R-1")).status == "SUCCESS"
        assert w.rows("refund_end") == 1


async def test_unsigned_refusal_is_believed() -> None:
    async with world() as w:
        w.arm("query", "unsigned")
        with pytest.raises(NotFound):
            await w.pay.query(NO)


async def test_nobody_at_the_address_is_certainly_not_done() -> None:
    async with world() as w:
        pass
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(Unavailable):
            await Alipay(w.config, http, w.clock).create_qr(payment())


async def test_retry_after_is_told() -> None:
    async with world() as w:
        w.arm("query", "too_many", delay_s=7)
        with pytest.raises(RateLimited) as e:
            await w.pay.query(NO)
        assert e.value.retry_after_s == 7


async def test_our_clock_far_off_is_a_refusal_not_an_unknown() -> None:
    async with world() as w:
        slow = Alipay(w.config, w.http, lambda: w.clock() - timedelta(hours=8))
        with pytest.raises(Refused) as e:
            await slow.query(NO)
        assert e.value.code == "isv.invalid-timestamp"


async def test_reply_signed_by_another_key_is_not_believed_whether_yes_or_no() -> None:
    async with world() as w:
        w.server.seal._own = key("impostor")
        with pytest.raises(UnverifiedReply):
            await w.pay.create_qr(payment())
        with pytest.raises(UnverifiedReply):
            await w.pay.query(NO)


@pytest.mark.parametrize("change", [{"private_key": private_pem("impostor")}, {"app_id": "2021000000000002"}])
async def test_request_of_a_stranger_is_refused(change: dict[str, str]) -> None:
    async with world() as w:
        forged = Alipay(dataclasses.replace(w.config, **change), w.http, w.clock)
        with pytest.raises(Refused) as e:
            await forged.create_qr(payment())
        assert e.value.code.startswith("isv.invalid-")
        assert w.rows("create") == 0


async def test_wrong_seller_setting_is_found_before_anybody_pays() -> None:
    async with world() as w:
        wrong = Alipay(dataclasses.replace(w.config, seller_id="2088000000000099"), w.http, w.clock)
        with pytest.raises(Refused):
            await wrong.create_qr(payment())
