"""What the SF client makes of answers that the sandbox never gives."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.order import Address
from providers.errors import ProviderError
from providers.sf.client import Sf
from providers.sf.gateway import SfConfig, SfRefused, SfUnavailable, SfUnknown
from providers.tms.messages import BookShipment

CHILD = "SO2603020001-01"
NU = "SF0000000000001"
WAYBILL = [{"waybillType": 1, "waybillNo": NU}]
TO = Address(recipient="张三", phone="13800000000", province="浙江省", city="杭州市", street="文三路 1 号")
SHIPMENT = BookShipment(shipment_id=CHILD, receiver=TO, weight_g=1200, items=3)


def sf(answer: Callable[[httpx.Request], str]) -> Sf:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=answer(request)))
    config = SfConfig("http://sf.test", "PARTNER", "w0rd", "7551234567", sender=TO)
    return Sf(config, httpx.AsyncClient(transport=transport), lambda: datetime.now(UTC), lambda: "request")


def answered(data: Any, code: str = "A1000") -> str:
    return json.dumps({"apiResultCode": code, "apiErrorMsg": "", "apiResultData": data})


def told(message: Any, **more: Any) -> str:
    return json.dumps({"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": message} | more)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        "{}",
        '{"apiResultCode":"","apiResultData":""}',
        '{"apiResultCode":"A1000","apiResultCode":"A1000"}',
        answered(None),
        answered(""),
        answered("[]"),
        answered("nonsense"),
        answered(told(None)),
        answered(told({})),
        answered(told({"orderId": CHILD}, success=False)),
        answered(told({"orderId": CHILD, "waybillNoInfoList": WAYBILL}, errorCode="S0001")),
        answered(told({"orderId": CHILD}, success=False, errorCode="no\r\ncode")),
        answered(told({"orderId": CHILD, "waybillNoInfoList": None})),
        answered(told({"orderId": CHILD, "waybillNoInfoList": [{"waybillType": 2, "waybillNo": NU}]})),
        answered(told({"orderId": CHILD, "waybillNoInfoList": [{"waybillType": 1, "waybillNo": "x"}]})),
        answered(told({"orderId": "SO2603020001-99", "waybillNoInfoList": WAYBILL})),
        answered("", code="\u202eA1006"),
    ],
    ids=range(21),
)
async def test_an_answer_outside_the_protocol_is_unknown(body: str) -> None:
    with pytest.raises(SfUnknown) as e:
        await sf(lambda _request: body).book(SHIPMENT)
    assert str(e.value).isprintable()


@pytest.mark.parametrize("packed", [told, lambda m: json.loads(told(m)), lambda m: told(json.dumps(m))])
async def test_json_is_unpacked_on_whichever_level_sf_packed_it(packed: Callable[[Any], Any]) -> None:
    body = answered(packed({"orderId": CHILD, "filterResult": 2, "waybillNoInfoList": WAYBILL}))
    assert (await sf(lambda _request: body).book(SHIPMENT)).waybill_no == NU


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (answered("", code="A1001"), SfRefused),
        (answered("", code="A1003"), SfRefused),
        (answered("", code="A1004"), SfRefused),
        (answered("", code="A1005"), SfUnavailable),
        (answered("", code="A1009"), SfUnknown),
        (answered("", code="A1099"), SfUnknown),
        (answered(told(None, success=False, errorCode="S0003")), SfUnknown),
        (answered(told(None, success=False, errorCode="20052", errorMsg="月结卡号不匹配")), SfRefused),
        (answered(told({"orderId": CHILD, "resStatus": 1})), SfRefused),
    ],
)
async def test_each_code_has_its_class(body: str, error: type[ProviderError]) -> None:
    def answer(request: httpx.Request) -> str:
        return answered(told({"routeResps": []})) if b"SEARCH_ROUTES" in request.content else body

    with pytest.raises(error):
        await sf(answer).void(CHILD)
