"""Replies that the sandbox would not give, and the table of error codes."""

import dataclasses
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from providers.alipay import Alipay, RefundNumberUsed, trade_facts
from providers.alipay.errors import error_class
from providers.alipay.signing import Signer
from providers.errors import Refused, UnknownOutcome
from providers.payment_errors import (
    DecideByQuery,
    NotEnough,
    NotFound,
    OperatorNeeded,
    OrderAlreadyPaid,
    OrderClosed,
    OrderNumberUsed,
    RateLimited,
    UnverifiedReply,
)
from tests.providers.alipay_world import NO, config, refund
from tests.providers.wechat_world import Hands, private_pem, public_pem


def told(value: dict[str, Any], *, name: str = "alipay_trade_query", status: int = 200, by: str = "platform") -> Alipay:
    """A client whose gateway says exactly this, signed."""
    inner = json.dumps(value).replace("/", "\\/")
    sign = Signer.load("x", private_pem(by)).sign(inner.encode())
    body = f'{{"{name}_response":{inner},"sign":"{sign}"}}'
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, text=body))
    return Alipay(config(), httpx.AsyncClient(transport=transport), Hands())


PAID = {
    "code": "10000",
    "msg": "Success",
    "out_trade_no": NO,
    "trade_no": "2026",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "129.00",
    "send_pay_date": "2026-03-01 17:00:00",
    "store_name": "a/b",
}


async def test_paid_trade_without_a_time_counts_as_paid_now() -> None:
    trade = await told({k: v for k, v in PAID.items() if k != "send_pay_date"}).query(NO)
    assert trade_facts(trade)[0].occurred_at == Hands().now
    assert (await told(PAID).query(NO)).paid_at == datetime.fromisoformat("2026-03-01T17:00:00+08:00")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"out_trade_no": "ORD-000002"}, UnknownOutcome),
        ({"total_amount": 129}, UnknownOutcome),
        ({"total_amount": "129.001"}, UnknownOutcome),
        ({"trade_status": "TRADE_HALFPAID"}, UnknownOutcome),
        ({"trade_no": None}, UnknownOutcome),
        ({"send_pay_date": "yesterday"}, UnknownOutcome),
        ({"code": "10003"}, UnknownOutcome),
        ({"code": 10000}, UnverifiedReply),
    ],
)
async def test_reply_not_as_documented_leaves_the_outcome_unknown(
    change: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(UnknownOutcome) as e:
        await told({**PAID, **change}).query(NO)
    assert type(e.value) is error


@pytest.mark.parametrize("sub_code", ["", "isv.invalid-signature", "isv.invalid-app-id"])
async def test_success_signed_by_another_is_not_believed_whatever_it_says_beside(sub_code: str) -> None:
    with pytest.raises(UnverifiedReply):
        await told({**PAID, "sub_code": sub_code}, by="impostor").query(NO)


async def test_gateway_that_does_not_know_us_is_heard_though_it_signs_for_another() -> None:
    value = {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-app-id"}
    with pytest.raises(Refused):
        await told(value, by="impostor").query(NO)


async def test_success_under_another_name_is_not_believed() -> None:
    with pytest.raises(UnknownOutcome):
        await told(PAID, name="error").query(NO)
    with pytest.raises(UnverifiedReply):
        await told(PAID, name="alipay_trade_close").query(NO)


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (502, UnknownOutcome), (302, UnknownOutcome)])
async def test_http_status_other_than_200_is_not_the_gateways_word(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        await told(PAID, status=status).query(NO)


async def test_refund_that_moved_less_than_asked_is_not_called_a_success() -> None:
    value = {"code": "10000", "out_trade_no": NO, "trade_no": "2026", "fund_change": "Y", "refund_fee": "0.99"}
    with pytest.raises(UnknownOutcome):
        await told(value, name="alipay_trade_refund").refund(refund())


def test_wrong_keys_are_found_at_start_and_never_shown() -> None:
    assert private_pem("merchant") not in repr(config())
    for change in ({"private_key": "x"}, {"alipay_public_key": "x"}):
        with pytest.raises(ValueError, match="2021000000000001"):
            Alipay(dataclasses.replace(config(), **change), httpx.AsyncClient(), Hands())
    assert public_pem("platform") not in repr(config())


@pytest.mark.parametrize(
    ("code", "sub_code", "error"),
    [
        ("20000", "isp.unknow-error", UnknownOutcome),
        ("20000", "aop.unknow-error", UnknownOutcome),
        ("20001", "aop.invalid-auth-token", Refused),
        ("40001", "isv.missing-signature", Refused),
        ("40002", "isv.invalid-signature", Refused),
        ("40003", "isv.missing-cert", Refused),
        ("40005", "", RateLimited),
        ("40006", "isv.insufficient-isv-permissions", OperatorNeeded),
        ("40004", "ACQ.SYSTEM_ERROR", UnknownOutcome),
        ("40004", "aop.ACQ.SYSTEM_ERROR", UnknownOutcome),
        ("40004", "ACQ.TRADE_NOT_EXIST", NotFound),
        ("40004", "ACQ.TRADE_HAS_SUCCESS", OrderAlreadyPaid),
        ("40004", "ACQ.TRADE_HAS_FINISHED", OrderAlreadyPaid),
        ("40004", "ACQ.TRADE_HAS_CLOSE", OrderClosed),
        ("40004", "ACQ.REASON_TRADE_STATUS_INVALID", DecideByQuery),
        ("40004", "ACQ.CONTEXT_INCONSISTENT", OrderNumberUsed),
        ("40004", "ACQ.DISCORDANT_REPEAT_REQUEST", RefundNumberUsed),
        ("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", NotEnough),
        ("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Refused),
        ("40004", "ACQ.TRADE_NOT_ALLOW_REFUND", Refused),
        ("40004", "ACQ.A_CODE_OF_TOMORROW", Refused),
        ("40004", "", Refused),
        ("10003", "", UnknownOutcome),
        ("59999", "", UnknownOutcome),
    ],
)
def test_error_class_follows_the_table(code: str, sub_code: str, error: type[Exception]) -> None:
    assert error_class(code, sub_code) is error
