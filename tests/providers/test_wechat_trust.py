"""The payment client's trust: keys, certificates, signatures; and the class that each error reply gets."""

import pytest

from providers.errors import Refused, UnknownOutcome
from providers.payment_errors import NotEnough, NotFound, OperatorNeeded, RateLimited, UnverifiedReply
from providers.wechat import RefundFrequencyLimited, WechatPay
from providers.wechat.errors import error_class
from tests.providers.wechat_world import key, payment, private_pem, world

NO = "ORD-000001"


async def test_reply_signed_by_another_key_is_not_believed() -> None:
    async with world() as w:
        w.server.seal._platform = key("impostor")
        with pytest.raises(UnverifiedReply):
            await w.pay.create_native(payment())


async def test_request_signed_by_another_key_is_refused() -> None:
    async with world() as w:
        forged = WechatPay(
            w.config.__class__(**{**vars(w.config), "private_key": private_pem("impostor")}),
            w.http,
            w.clock,
            lambda: "n",
        )
        with pytest.raises(Refused):
            await forged.create_native(payment())
        assert w.rows("create") == 0


async def test_certificates_are_fetched_once_and_again_after_half_a_day() -> None:
    async with world(certificates=True) as w:
        await w.pay.create_native(payment())
        await w.pay.create_native(payment())
        first = w.pay.keys._downloaded_at
        w.clock.move(11 * 3600)
        await w.pay.refresh_keys()
        assert first is not None
        assert w.pay.keys._downloaded_at == w.clock.now > first


async def test_certificates_sealed_with_another_api_key_are_not_believed() -> None:
    async with world(certificates=True) as w:
        w.server.seal._apiv3_key = b"f" * 32
        with pytest.raises(UnverifiedReply):
            await w.pay.create_native(payment())
        assert w.rows("create") == 0


@pytest.mark.parametrize(
    ("status", "code", "is_refund", "error"),
    [
        (500, "SYSTEM_ERROR", False, UnknownOutcome),
        (503, "SERVICE_UNAVAILABLE", False, UnknownOutcome),
        (202, "ACCEPTED", False, UnknownOutcome),
        (302, "", False, UnknownOutcome),
        (500, "OPENID_MISMATCH", False, Refused),
        (429, "", False, RateLimited),
        (429, "RATELIMIT_EXCEEDED", True, RefundFrequencyLimited),
        (403, "NOT_ENOUGH", True, NotEnough),
        (403, "RULE_LIMIT", True, OperatorNeeded),
        (400, "PARAM_ERROR", False, Refused),
        (400, "A_CODE_OF_TOMORROW", False, Refused),
        (599, "A_CODE_OF_TOMORROW", False, UnknownOutcome),
        (404, "ORDER_NOT_EXIST", False, NotFound),
        (404, "", False, UnknownOutcome),
    ],
)
def test_error_class_follows_the_table(status: int, code: str, is_refund: bool, error: type[Exception]) -> None:
    assert error_class(status, code, is_refund=is_refund) is error
