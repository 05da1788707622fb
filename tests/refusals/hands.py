"""The outside systems' hands: each writes a genuine message about an order, or spoils exactly one thing of it.

`at`: when it is signed; `key`: whose key signs; `account`: for which merchant; `amount`: what is said to be paid;
`body`: what is done to the bytes after signing.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

import defusedxml.ElementTree
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bench.scenarios.town import Life
from providers.alipay.signing import Signer, signed_text
from providers.kuaidi100.client import md5_upper
from providers.standard_webhooks import Webhook
from tests.providers import alipay_world, test_alipay_receiver, test_wechat_receiver
from tests.providers.test_qimen_receiver import PROCESS, process
from tests.providers.test_qimen_receiver import signed as qimen_signed
from tests.providers.wechat_world import PLATFORM_ID, private_pem
from tests.providers.wechat_world import key as rsa_key
from tests.refusals.secrets_of_ours import (
    KUAIDI100_SALT,
    SF_KEY,
    TEST_KUAIDI100_SALT,
    TEST_SF_KEY,
    TEST_WEBHOOK_SECRET,
    WEBHOOK_SECRET,
)  # fmt: skip
from tests.refusals.shop import Message
from tests.sandbox.qimen_world import APP_KEY, SECRET

CHINA = timedelta(hours=8)
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


def nothing(body: bytes) -> bytes:
    return body


@dataclass(frozen=True)
class Spoilt:
    """What is wrong with a message; nothing by default."""

    at: timedelta = timedelta(0)
    """Added to the time of signing."""
    key: str = "live"
    """`live`, `test` (the one of the test installation) or `impostor`."""
    account: str = ""
    amount: int | None = None
    body: Callable[[bytes], bytes] = nothing


class Hand(Protocol):
    def __call__(self, life: Life, spoilt: Spoilt) -> Message: ...


def now() -> datetime:
    return datetime.now(UTC)


def wechat(life: Life, spoilt: Spoilt) -> Message:
    at = now() + spoilt.at
    total = life.order.payable_minor if spoilt.amount is None else spoilt.amount
    number = life.order.order_no
    told = test_wechat_receiver.PAID | {
        "out_trade_no": number, "transaction_id": f"42{number}", "success_time": at.isoformat(timespec="seconds"),
        "amount": {"total": total, "currency": "CNY"},
    }  # fmt: skip
    if spoilt.account:
        told |= {"mchid": spoilt.account}
    body = test_wechat_receiver.body(resource=told, id=f"EV-{number}")
    stamp = str(int(at.timestamp()))
    signer = "platform" if spoilt.key == "live" else "impostor"
    signature = rsa_key(signer).sign(f"{stamp}\nnonce\n".encode() + body + b"\n", PKCS1v15(), SHA256())
    headers = {
        "Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": "nonce",
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Serial": "PUB_KEY_ID_TEST" if spoilt.key == "test" else PLATFORM_ID,
    }  # fmt: skip
    return Message(headers | JSON, {}, spoilt.body(body))


def alipay(life: Life, spoilt: Spoilt) -> Message:
    local = f"{now() + spoilt.at + CHINA:%Y-%m-%d %H:%M:%S}"
    total = life.order.payable_minor if spoilt.amount is None else spoilt.amount
    number = life.order.order_no
    fields = test_alipay_receiver.PAID | {
        "notify_id": f"N-{number}", "notify_time": local, "gmt_create": local, "gmt_payment": local,
        "out_trade_no": number, "trade_no": f"2026{number}", "total_amount": f"{total // 100}.{total % 100:02}",
    }  # fmt: skip
    if spoilt.account:
        fields["seller_id"] = spoilt.account
    sign = Signer.load("x", private_pem("platform" if spoilt.key == "live" else "impostor")).sign(signed_text(fields))
    body = urlencode(fields | {"sign_type": "RSA2", "sign": sign}).encode()
    assert fields["app_id"] == alipay_world.APP_ID
    return Message(FORM, {}, spoilt.body(body))


def qimen(life: Life, spoilt: Spoilt) -> Message:
    at = now() + spoilt.at
    body = process("PACKAGE", life.child_no(1), f"{now() + CHINA:%Y-%m-%d %H:%M:%S}")
    secret = SECRET if spoilt.key == "live" else f"{spoilt.key}-{SECRET}"
    params = qimen_signed(PROCESS, body, at=at, secret=secret, changed={"app_key": spoilt.account or APP_KEY})
    return Message({"content-type": "text/xml"}, params, spoilt.body(body))


def tms(life: Life, spoilt: Spoilt) -> Message:
    data = {"shipment_id": life.child_no(1), "waybill_no": f"YT{life.child_no(1)}", "carrier": "YTO"}
    told = {"type": "shipment.out_for_delivery", "timestamp": now().isoformat(timespec="seconds"), "data": data}
    return _webhook(f"msg_tms_{life.order.order_no}", json.dumps(told).encode(), spoilt)


def erp(life: Life, spoilt: Spoilt) -> Message:
    total = life.order.payable_minor if spoilt.amount is None else spoilt.amount
    number = life.order.order_no
    told = {
        "type": 1, "time": int(now().timestamp() * 1000), "order": number, "id": f"77{number}",
        "amount": f"{total // 100}.{total % 100:02}",
    }  # fmt: skip
    return _webhook(f"msg_erp_{number}", json.dumps(told).encode(), spoilt)


def _webhook(message_id: str, body: bytes, spoilt: Spoilt) -> Message:
    secret = WEBHOOK_SECRET if spoilt.key == "live" else TEST_WEBHOOK_SECRET
    return Message(Webhook([secret]).sign(message_id, now() + spoilt.at, body) | JSON, {}, spoilt.body(body))


def kuaidi100(life: Life, spoilt: Spoilt) -> Message:
    rows = [("5", "正在派送"), ("1002", "运输中"), ("103", "已揽收")]
    if spoilt.at < timedelta(0):
        rows = rows[2:]  # the picture of an earlier time
    scans = [{"time": "2026-03-02 18:20:00", "context": text, "statusCode": code} for code, text in rows]
    last = {"message": "ok", "state": "0", "ischeck": "0", "com": "yuantong", "nu": f"YT{life.child_no(1)}"}
    param = json.dumps({"status": "polling", "message": "", "lastResult": last | {"data": scans}}, ensure_ascii=False)
    salt = KUAIDI100_SALT if spoilt.key == "live" else TEST_KUAIDI100_SALT
    body = urlencode({"sign": md5_upper(param + salt), "param": param}).encode()
    return Message(FORM, {}, spoilt.body(body))


def sf(life: Life, spoilt: Spoilt) -> Message:
    scan = {
        "id": f"scan-{life.order.order_no}{'-old' if spoilt.at < timedelta(0) else ''}",
        "mailno": f"YT{life.child_no(1)}", "orderid": life.child_no(1), "acceptTime": "2026-03-02 18:20:00",
        "acceptAddress": "杭州市", "remark": "派件", "opCode": "50" if spoilt.at < timedelta(0) else "44",
        "reasonCode": "",
    }  # fmt: skip
    body = json.dumps({"Body": {"WaybillRoute": [scan]}}, ensure_ascii=False).encode()
    key = {"live": SF_KEY, "test": TEST_SF_KEY}.get(spoilt.key, "guessed-" + "x" * 24)
    return Message(JSON, {"key": key}, spoilt.body(body))


HANDS: dict[str, Hand] = {
    "wechat": wechat, "alipay": alipay, "qimen": qimen, "tms": tms, "kuaidi100": kuaidi100, "sf": sf, "erp": erp,
}  # fmt: skip


# --- done to the bytes after signing ---------------------------------------------------------------------------------


def one_byte(body: bytes) -> bytes:
    at = body.index(b"2026") + 3
    return body[:at] + b"7" + body[at + 1 :]


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


def sealed(source: str, raw: bytes) -> Message:
    """Signed by the right hand, whatever it says. Alipay signs fields, not bytes: there is none of it."""
    if source == "wechat":
        stamp = str(int(now().timestamp()))
        signature = rsa_key("platform").sign(f"{stamp}\nnonce\n".encode() + raw + b"\n", PKCS1v15(), SHA256())
        headers = {
            "Wechatpay-Timestamp": stamp, "Wechatpay-Nonce": "nonce", "Wechatpay-Serial": PLATFORM_ID,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
        }  # fmt: skip
        return Message(headers | JSON, {}, raw)
    if source == "qimen":
        return Message({"content-type": "text/xml"}, qimen_signed(PROCESS, raw, at=now()), raw)
    if source == "kuaidi100":
        param = raw.decode("latin-1")
        return Message(FORM, {}, urlencode({"sign": md5_upper(param + KUAIDI100_SALT), "param": param}).encode())
    if source == "sf":
        return Message(JSON, {"key": SF_KEY}, raw)
    return Message(Webhook([WEBHOOK_SECRET]).sign("msg_sealed", now(), raw) | JSON, {}, raw)
