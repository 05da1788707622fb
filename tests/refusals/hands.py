"""What the outside systems say about an order, genuine or with exactly one thing spoilt.

`at`: when it is signed; `by`: whose secrets sign; `account`: for which merchant; `amount`: what is said to be paid;
`body`: what is done to the bytes after signing.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

import defusedxml.ElementTree

from bench.scenarios.environment import ScenarioOrder
from bench.signing import SignedRequest
from bench.waybills import waybill
from sandbox.qimen import reports
from sandbox.qimen.state import Order
from tests.providers.test_alipay_receiver import PAID
from tests.refusals.installations import LIVE, Installation

CHINA = timedelta(hours=8)


def nothing(body: bytes) -> bytes:
    return body


@dataclass(frozen=True)
class Spoilt:
    """What is wrong with a message; nothing by default."""

    at: timedelta = timedelta(0)
    """Added to the time of signing."""
    by: Installation = LIVE
    account: str = ""
    amount: int | None = None
    body: Callable[[bytes], bytes] = nothing

    @property
    def moment(self) -> datetime:
        return datetime.now(UTC) + self.at

    def of(self, life: ScenarioOrder) -> int:
        """What is said to be paid for the order."""
        return life.order.payable_minor if self.amount is None else self.amount


class Hand(Protocol):
    def __call__(self, life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest: ...


def wechat(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    at = spoilt.moment
    return spoilt.by.wechat(spoilt.by.wechat_payment(life.order.order_no, spoilt.of(life), at, spoilt.account), at)


def alipay(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    local = f"{spoilt.moment + CHINA:%Y-%m-%d %H:%M:%S}"
    total, number = spoilt.of(life), life.order.order_no
    fields = PAID | {
        "notify_id": f"N-{number}", "notify_time": local, "gmt_create": local, "gmt_payment": local,
        "out_trade_no": number, "trade_no": f"2026{number}", "total_amount": f"{total // 100}.{total % 100:02}",
    }  # fmt: skip
    if spoilt.account:
        fields["seller_id"] = spoilt.account
    return spoilt.by.alipay(fields)


def qimen(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    order = Order(life.child_no(1), "W1", "HZ01", {}, [], "", datetime.now(UTC))
    body = reports.process(order, "PACKAGE", datetime.now(UTC))
    return spoilt.by.qimen(reports.PROCESS, body, spoilt.moment, app_key=spoilt.account)


def tms(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    data = {"shipment_id": life.child_no(1), "waybill_no": waybill(life.child_no(1)), "carrier": "YTO"}
    told = {
        "type": "shipment.out_for_delivery", "timestamp": datetime.now(UTC).isoformat(timespec="seconds"), "data": data,
    }  # fmt: skip
    return spoilt.by.tms(f"msg_tms_{life.order.order_no}", json.dumps(told).encode(), spoilt.moment)


def erp(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    total, number = spoilt.of(life), life.order.order_no
    told = {
        "type": 1, "time": int(datetime.now(UTC).timestamp() * 1000), "order": number, "id": f"77{number}",
        "amount": f"{total // 100}.{total % 100:02}",
    }  # fmt: skip
    return spoilt.by.tms(f"msg_erp_{number}", json.dumps(told).encode(), spoilt.moment)


def kuaidi100(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    rows = [("5", "正在派送"), ("1002", "运输中"), ("103", "已揽收")]
    if spoilt.at < timedelta(0):
        rows = rows[2:]  # the picture of an earlier time
    scans = [{"time": "2026-03-02 18:20:00", "context": text, "statusCode": code} for code, text in rows]
    last = {"message": "ok", "state": "0", "ischeck": "0", "com": "yuantong", "nu": waybill(life.child_no(1))}
    told = {"status": "polling", "message": "", "lastResult": last | {"data": scans}}
    return spoilt.by.kuaidi100(json.dumps(told, ensure_ascii=False))


def sf(life: ScenarioOrder, spoilt: Spoilt) -> SignedRequest:
    old = spoilt.at < timedelta(0)
    scan = {
        "id": f"scan-{life.order.order_no}{'-old' if old else ''}",
        "mailno": waybill(life.child_no(1)), "orderid": life.child_no(1), "acceptTime": "2026-03-02 18:20:00",
        "acceptAddress": "杭州市", "remark": "派件", "opCode": "50" if old else "44", "reasonCode": "",
    }  # fmt: skip
    return spoilt.by.sf(json.dumps({"Body": {"WaybillRoute": [scan]}}, ensure_ascii=False).encode())


HANDS: dict[str, Hand] = {
    "wechat": wechat, "alipay": alipay, "qimen": qimen, "tms": tms, "kuaidi100": kuaidi100, "sf": sf, "erp": erp,
}  # fmt: skip


def say(source: str, life: ScenarioOrder, spoilt: Spoilt | None = None) -> SignedRequest:
    """The message of `source` about the order, with the one thing of `spoilt` wrong."""
    spoilt = spoilt or Spoilt()
    signed = HANDS[source](life, spoilt)
    return replace(signed, body=spoilt.body(signed.body))


# --- done to the bytes after signing ---------------------------------------------------------------------------------


def one_byte(body: bytes) -> bytes:
    """Another year, in the first date of it."""
    changed = re.sub(rb"20\d\d-", b"2007-", body, count=1)
    assert changed != body
    return changed


def json_again(body: bytes) -> bytes:
    """The same JSON, written by another hand."""
    return json.dumps(json.loads(body), indent=1).encode()


def xml_again(body: bytes) -> bytes:
    text: str = defusedxml.ElementTree.tostring(defusedxml.ElementTree.fromstring(body), encoding="unicode")
    return text.encode()


def form_again(body: bytes) -> bytes:
    """The same fields in another order."""
    return urlencode(sorted(parse_qsl(body.decode(), keep_blank_values=True), reverse=True)).encode()


def form_json_again(body: bytes) -> bytes:
    fields = dict(parse_qsl(body.decode()))
    return urlencode(fields | {"param": json.dumps(json.loads(fields["param"]), indent=1)}).encode()


# --- any bytes under a good signature --------------------------------------------------------------------------------


def sealed(source: str, raw: bytes) -> SignedRequest:
    """Signed by the right hand, whatever it says. Alipay signs fields, not bytes: there is none of it."""
    now = datetime.now(UTC)
    if source == "wechat":
        return LIVE.wechat(raw, now)
    if source == "qimen":
        return LIVE.qimen(reports.PROCESS, raw, now)
    if source == "kuaidi100":
        return LIVE.kuaidi100(raw.decode("latin-1"))
    return LIVE.sf(raw) if source == "sf" else LIVE.tms("msg_sealed", raw, now)
