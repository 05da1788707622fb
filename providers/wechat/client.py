"""The payment client: create, query, close, refund (docs/providers.md; merchant docs 4012525095, 4013071036)."""

import json
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from domain.clock import Clock
from providers.bills import Bill
from providers.errors import Refused, UnknownOutcome
from providers.http import DEADLINE_S
from providers.payment_errors import OrderClosed
from providers.wechat import customs
from providers.wechat.bills import trade_bill
from providers.wechat.errors import SYSTEM
from providers.wechat.keys import PlatformKeys
from providers.wechat.models import (
    CustomsRequest,
    CustomsResult,
    WechatConfig,
    WechatPayment,
    WechatRefund,
    WechatRefundRequest,
    WechatTrade,
)
from providers.wechat.transport import Nonce, Transport
from providers.wechat.wire import Created, WireRefund, WireTrade


class WechatPay:
    """Every method makes one call (two, when certificates are due) and never repeats it by itself.

    All raise `Refused`, `Unavailable`, `UnknownOutcome` or a subclass (`providers/payment_errors.py`).
    """

    def __init__(
        self,
        config: WechatConfig,
        http: httpx.AsyncClient,
        clock: Clock,
        nonce: Nonce,
        *,
        keys: PlatformKeys | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """`keys` may be shared with a `WechatReceiver`. Raises `UnableToLoadKey` for a wrong configured key."""
        self._config, self._clock, self._nonce = config, clock, nonce
        self.keys = keys or PlatformKeys(config.platform_keys)
        self._transport = Transport(config, self.keys, http, clock, nonce, deadline_s)
        abroad = config if config.customs is None or not config.customs.base_url else customs.abroad(config)
        self._customs = Transport(abroad, self.keys, http, clock, nonce, deadline_s)

    async def create_native(self, payment: WechatPayment) -> str:
        """The `code_url` to show as a QR code; good for two hours, created again by the same call."""
        created = await self._create("native", payment, {})
        if created.code_url is None:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"the reply for {payment.order_no} has no code_url")
        return created.code_url

    async def create_jsapi(self, payment: WechatPayment) -> str:
        """The `prepay_id`; good for two hours. Needs `payment.openid`."""
        if not payment.openid:
            raise Refused(SYSTEM, "PARAM_ERROR", f"payment {payment.order_no} by JSAPI needs the buyer's openid")
        created = await self._create("jsapi", payment, {"payer": {"openid": payment.openid}})
        if created.prepay_id is None:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"the reply for {payment.order_no} has no prepay_id")
        return created.prepay_id

    def jsapi_parameters(self, prepay_id: str) -> dict[str, str]:
        """Signed arguments of the client's payment call."""
        now = int(self._clock().timestamp())
        return self._transport.signer.jsapi(self._config.appid, prepay_id, timestamp=now, nonce=self._nonce())

    async def query(self, order_no: str) -> WechatTrade:
        """The trade's state. Raises `NotFound` for a number that was never created."""
        path = f"{_order_path(order_no)}?{urlencode({'mchid': self._config.mchid})}"
        trade = (await self._transport.read(WireTrade, "GET", path)).trade()
        if trade.order_no != order_no:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"asked for {order_no}, told of {trade.order_no}")
        return trade

    async def close(self, order_no: str) -> None:
        """Afterwards nobody can begin to pay. Closing twice is fine.

        Raises `DecideByQuery` (mostly `OrderAlreadyPaid`) when the buyer was faster: query, and keep the money's order.
        """
        try:
            await self._transport.call("POST", f"{_order_path(order_no)}/close", _json({"mchid": self._config.mchid}))
        except OrderClosed:
            return

    async def refund(self, request: WechatRefundRequest) -> WechatRefund:
        """Ask for a refund; the answer is mostly PROCESSING. The same `refund_no` never pays back twice."""
        body: dict[str, Any] = {
            **_payment_of(request),
            "out_refund_no": request.refund_no,
            "notify_url": self._config.notify_url,
            "amount": {
                "refund": request.refund_minor,
                "total": request.total_minor,
                "currency": request.currency,
            },
        }
        if request.reason:
            body["reason"] = request.reason
        return await self._refund("POST", "/v3/refund/domestic/refunds", request.refund_no, _json(body))

    async def query_refund(self, refund_no: str) -> WechatRefund:
        """The refund's state. Raises `NotFound` when no such refund was accepted."""
        return await self._refund("GET", f"/v3/refund/domestic/refunds/{quote(refund_no, safe='')}", refund_no, b"")

    async def declare_customs(self, request: CustomsRequest) -> CustomsResult:
        """Declares a part of a payment at the configured customs office; the same part may be sent again."""
        return await customs.declare(self._customs, self._config, request)

    def trade_bill(self, day: date) -> Bill:
        """Every payment and refund of a day in Beijing time; made after ten the next morning."""
        return trade_bill(self._transport, self._config.mchid, day)

    async def refresh_keys(self) -> None:
        """Certificate mode: fetch platform certificates if due. For processes that only receive callbacks."""
        if self._config.certificate_mode and self.keys.due(self._clock()):
            await self._transport.refresh_certificates()

    async def _create(self, kind: str, payment: WechatPayment, more: dict[str, Any]) -> Created:
        body: dict[str, Any] = {
            "appid": self._config.appid,
            "mchid": self._config.mchid,
            "description": payment.description,
            "out_trade_no": payment.order_no,
            "time_expire": payment.expires_at.isoformat(timespec="seconds"),
            "notify_url": self._config.notify_url,
            "amount": {"total": payment.amount_minor, "currency": payment.currency},
            **more,
        }
        if payment.attach:
            body["attach"] = payment.attach
        return await self._transport.read(Created, "POST", f"/v3/pay/transactions/{kind}", _json(body))

    async def _refund(self, method: str, path: str, refund_no: str, body: bytes) -> WechatRefund:
        is_refund = method == "POST"
        result = (await self._transport.read(WireRefund, method, path, body, is_refund=is_refund)).result()
        if result.refund_no != refund_no:
            raise UnknownOutcome(SYSTEM, "MALFORMED", f"asked for refund {refund_no}, told of {result.refund_no}")
        return result


def _order_path(order_no: str) -> str:
    return f"/v3/pay/transactions/out-trade-no/{quote(order_no, safe='')}"


def _payment_of(request: WechatRefundRequest) -> dict[str, str]:
    """By the channel's own number where it is another one than the order's."""
    if request.transaction_id is not None:
        return {"transaction_id": request.transaction_id}
    return {"out_trade_no": request.order_no}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
