"""SF's words on the wire: digest, the two-level answer, routes (its local time is China's)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import quote, quote_plus

from starlette.responses import JSONResponse, Response

from sandbox.core import Delivery
from sandbox.core.courier_route import Parcel, Scan
from sandbox.sf.parcels import FIRST, FIRST_NAME, Order

_CHINA = timezone(timedelta(hours=8))


def digest(text: str, timestamp: str, check_word: str) -> str:
    # java.net.URLEncoder leaves letters, digits and . - * _ alone
    encoded = quote_plus(text + timestamp + check_word, safe=".-*_").replace("~", "%7E")
    return base64.b64encode(hashlib.md5(encoded.encode(), usedforsecurity=False).digest()).decode()


def done(data: Mapping[str, Any]) -> Response:
    return _answer("A1000", "", _packed(True, "S0000", None, data))


def no(code: str, message: str) -> Response:
    """The platform passed it on, and SF says no."""
    return _answer("A1000", "", _packed(False, code, message, None))


def turned_away(code: str, message: str, *, http_status: int = 200) -> Response:
    """The platform itself says no."""
    return _answer(code, message, "", http_status)


def order(booked: Order) -> dict[str, Any]:
    return {
        "orderId": booked.order_id,
        "originCode": "571",
        "destCode": "021",
        "filterResult": 2,
        "remark": "",
        "waybillNoInfoList": [{"waybillType": 1, "waybillNo": booked.waybill_no}],
    }


def route(scan: Scan) -> dict[str, Any]:
    first = FIRST.get(scan.code, "2")
    return {
        "acceptTime": local(scan),
        "acceptAddress": "杭州市",
        "remark": scan.text,
        "opCode": scan.code,
        "firstStatusCode": first,
        "firstStatusName": FIRST_NAME[first],
    }


def push(parcel: Parcel, scan: Scan, booked: Order) -> dict[str, Any]:
    """One new scan. Pushes carry no first status."""
    told = f"{parcel.waybill_no}/{scan.at.isoformat()}/{scan.code}/{len(parcel.scans)}"
    one = {
        "id": str(int.from_bytes(hashlib.sha256(told.encode()).digest()[:7])),
        "mailno": parcel.waybill_no,
        "orderid": booked.order_id,
        "acceptTime": local(scan),
        "acceptAddress": "杭州市",
        "remark": scan.text,
        "opCode": scan.code,
        "reasonCode": "",
        "reasonName": "",
    }
    return {"Body": {"WaybillRoute": [one]}}


def render(delivery: Delivery) -> tuple[Mapping[str, str], bytes]:
    return {"content-type": "application/json;charset=UTF-8"}, json.dumps(delivery.payload).encode()


def address(delivery: Delivery, push_key: str) -> str:
    if delivery.fault == "bad_signature" and delivery.attempt == 0:
        push_key += "?"
    return f"{delivery.url}?key={quote(push_key, safe='')}" if push_key else delivery.url


def taken(status: int, body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return status == 200 and isinstance(answer, dict) and answer.get("return_code") == "0000"


def local(scan: Scan) -> str:
    return f"{scan.at.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"


def _packed(success: bool, code: str, message: str | None, data: Mapping[str, Any] | None) -> str:
    packed = {"success": success, "errorCode": code, "errorMsg": message, "msgData": data}
    return json.dumps(packed, ensure_ascii=False)


def _answer(code: str, message: str, data: str, http_status: int = 200) -> Response:
    body = {"apiErrorMsg": message, "apiResponseID": "00016", "apiResultCode": code, "apiResultData": data}
    return JSONResponse(body, status_code=http_status)
