"""Customs declaration of a payment, part by part (merchant document 4012357089, global API v3).

Real declarations go to the host of the global API; place and merchant number are agreed with the customs office before.
"""

import json
from dataclasses import replace
from typing import Any

from providers.errors import Refused, UnknownOutcome
from providers.wechat.errors import SYSTEM
from providers.wechat.models import CustomsRequest, CustomsResult, WechatConfig
from providers.wechat.transport import Transport
from providers.wechat.wire import WireCustoms

PATH = "/v3/global/customs/orders"


def abroad(config: WechatConfig) -> WechatConfig:
    """The merchant's configuration towards the global API."""
    return replace(config, base_url=config.customs.base_url) if config.customs else config


async def declare(transport: Transport, config: WechatConfig, request: CustomsRequest) -> CustomsResult:
    """Sends one part. Sending it again is harmless. Raises `Refused` when it cannot be declared."""
    place = config.customs
    if place is None:
        raise Refused(SYSTEM, "NO_CUSTOMS_PLACE", f"{request.sub_order_no}: no customs office is configured")
    body: dict[str, Any] = {
        "appid": config.appid,
        "mchid": config.mchid,
        "out_trade_no": request.order_no,
        "transaction_id": request.transaction_id,
        "customs": place.place,
        "merchant_customs_no": place.merchant_no,
        "sub_order_no": request.sub_order_no,
        "fee_type": "CNY",
        "order_fee": request.order_minor,
        "product_fee": request.product_minor,
        "transport_fee": request.transport_minor,
        "duty": request.duty_minor,
    }
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    result = (await transport.read(WireCustoms, "POST", PATH, raw)).result()
    if result.sub_order_no != request.sub_order_no:
        text = f"declared {request.sub_order_no}, told of {result.sub_order_no}"
        raise UnknownOutcome(SYSTEM, "MALFORMED", text)
    if result.state in ("FAIL", "EXCEPT"):
        raise Refused(SYSTEM, result.state, f"{request.sub_order_no}: {result.note or 'customs gave no reason'}")
    return result
