"""Callbacks of WeChat Pay: what is believed, what is refused, and that nothing whatever breaks the door."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facts import Kind
from providers.callbacks import CallbackRefused, RawRequest
from providers.wechat import WechatReceiver
from tests.providers.wechat_world import APIV3_KEY, MCHID, PLATFORM_ID, config, key

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PAID: dict[str, Any] = {
    "mchid": MCHID,
    "appid": "wx0000000000000001",
    "out_trade_no": "ORD-000001",
    "transaction_id": "4200001",
    "trade_state": "SUCCESS",
    "success_time": "2026-03-01T16:59:58+08:00",
    "amount": {"total": 12900, "currency": "CNY", "payer_total": 12900, "payer_currency": "CNY"},
    "a_field_of_tomorrow": {"x": 1.5},
}
REFUNDED: dict[str, Any] = {
    "mchid": MCHID,
    "out_trade_no": "ORD-000001",
    "transaction_id": "4200001",
    "out_refund_no": "R-1",
    "refund_id": "5030001",
    "refund_status": "SUCCESS",
    "success_time": "2026-03-01T16:59:59+08:00",
    "amount": {"total": 12900, "refund": 900, "payer_total": 12900, "payer_refund": 900},
}


def sealed(plain: bytes, secret: str = APIV3_KEY) -> dict[str, str]:
    cipher = AESGCM(secret.encode()).encrypt(b"abcdefghijkl", plain, b"transaction")
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "abcdefghijkl",
        "associated_data": "transaction",
        "ciphertext": b64encode(cipher).decode(),
    }


def body(kind: str = "TRANSACTION.SUCCESS", resource: Any = None, **more: Any) -> bytes:
    plain = resource if isinstance(resource, bytes) else json.dumps(PAID if resource is None else resource).encode()
    value = {
        "id": "EV-1",
        "create_time": "2026-03-01T17:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": kind,
        "summary": "x",
        "resource": sealed(plain),
    }
    return json.dumps({**value, **more}).encode()


def signed(raw: bytes, *, at: datetime = NOW, by: str = "platform", serial: str = PLATFORM_ID) -> RawRequest:
    stamp = str(int(at.timestamp()))
    message = f"{stamp}\nnonce\n".encode() + raw + b"\n"
    headers = {
        "wechatpay-timestamp": stamp,
        "wechatpay-nonce": "nonce",
        "wechatpay-signature": b64encode(key(by).sign(message, PKCS1v15(), SHA256())).decode(),
        "wechatpay-serial": serial,
    }
    return RawRequest(headers, {}, raw)


def altered(name: str, value: str | None) -> RawRequest:
    good = signed(body())
    headers = {k: v for k, v in good.headers.items() if k != name}
    if value is not None:
        headers[name] = value
    return RawRequest(headers, {}, good.body)


def rebodied(change: Callable[[bytes], bytes]) -> RawRequest:
    good = signed(body())
    return RawRequest(good.headers, {}, change(good.body))


def receiver() -> WechatReceiver:
    return WechatReceiver(config())


def refusal(request: RawRequest) -> str:
    with pytest.raises(CallbackRefused) as e:
        receiver().read(request, NOW)
    answer = receiver().refused(request, e.value)
    assert 400 <= answer.status < 500
    assert json.loads(answer.body)["code"] == "FAIL"
    return e.value.reason


def test_payment_becomes_a_fact_with_its_evidence() -> None:
    callback = receiver().read(signed(body()), NOW)
    (fact,) = callback.facts
    assert (callback.event_id, callback.kind) == ("EV-1", "TRANSACTION.SUCCESS")
    assert (fact.key, fact.kind, fact.order_no) == ("wechat:pay:4200001", Kind.PAYMENT_SUCCEEDED, "ORD-000001")
    assert (fact.amount_minor, fact.currency, fact.merchant_id) == (12900, "CNY", MCHID)
    assert fact.occurred_at == datetime(2026, 3, 1, 8, 59, 58, tzinfo=UTC)
    assert receiver().accepted(signed(body())).status == 204


@pytest.mark.parametrize(
    ("status", "kind", "at"),
    [
        ("SUCCESS", Kind.REFUND_SUCCEEDED, "2026-03-01T08:59:59Z"),
        ("ABNORMAL", Kind.REFUND_ABNORMAL, "2026-03-01T09:00:00Z"),
        ("CLOSED", Kind.REFUND_CLOSED, "2026-03-01T09:00:00Z"),
    ],
)
def test_refund_states_become_facts(status: str, kind: Kind, at: str) -> None:
    resource = {**REFUNDED, "refund_status": status}
    if status != "SUCCESS":
        del resource["success_time"]
    (fact,) = receiver().read(signed(body(f"REFUND.{status}", resource)), NOW).facts
    assert (fact.key, fact.kind) == (f"wechat:refund:R-1:{status}", kind)
    assert (fact.refund_no, fact.order_no, fact.amount_minor) == ("R-1", "ORD-000001", 900)
    assert fact.occurred_at == datetime.fromisoformat(at)


@pytest.mark.parametrize("kind", ["COUPON.USE", "REFUND.PROCESSING"])
def test_event_without_meaning_for_us_is_stored_without_facts(kind: str) -> None:
    resource = {**REFUNDED, "refund_status": "PROCESSING"}
    assert receiver().read(signed(body(kind, resource)), NOW).facts == ()


def test_replay_reads_the_same_so_that_the_inbox_can_drop_it() -> None:
    request = signed(body())
    assert receiver().read(request, NOW) == receiver().read(request, NOW + timedelta(seconds=200))


ABUSE: list[tuple[str, RawRequest, str]] = [
    ("1 forged signature", signed(body(), by="impostor"), "signature"),
    ("1 probe", altered("wechatpay-signature", "WECHATPAY/SIGNTEST/" + "A" * 320), "signature"),
    ("2 no timestamp", altered("wechatpay-timestamp", None), "missing_header"),
    ("2 no nonce", altered("wechatpay-nonce", None), "missing_header"),
    ("2 no signature", altered("wechatpay-signature", None), "missing_header"),
    ("2 no serial", altered("wechatpay-serial", None), "missing_header"),
    ("2 empty serial", altered("wechatpay-serial", ""), "missing_header"),
    ("3 bad base64", altered("wechatpay-signature", "!!!"), "signature"),
    ("3 base64 cut short", altered("wechatpay-signature", "QUJD="), "signature"),
    ("3 not ASCII", altered("wechatpay-signature", "é" * 8), "malformed_header"),
    ("3 control character in nonce", altered("wechatpay-nonce", "a\nb"), "malformed_header"),
    ("4 fifty thousand signatures", altered("wechatpay-signature", "QUJD," * 50_000), "header_too_long"),
    ("4 long nonce", altered("wechatpay-nonce", "n" * 129), "header_too_long"),
    ("5 six minutes old", signed(body(), at=NOW - timedelta(minutes=6)), "stale"),
    ("6 six minutes ahead", signed(body(), at=NOW + timedelta(minutes=6)), "stale"),
    ("7 nan", altered("wechatpay-timestamp", "nan"), "malformed_header"),
    ("7 400 digits", altered("wechatpay-timestamp", "1" * 400), "header_too_long"),
    ("7 negative", altered("wechatpay-timestamp", "-1"), "malformed_header"),
    ("7 decimal", altered("wechatpay-timestamp", "1772355600.5"), "malformed_header"),
    ("7 full-width digits", altered("wechatpay-timestamp", "１７７２３５５６００"), "malformed_header"),
    ("8 test key on the live door", signed(body(), serial="PUB_KEY_ID_TEST"), "unknown_key"),
    ("9 another merchant's key", signed(body(), by="impostor", serial="PUB_KEY_ID_OTHER"), "unknown_key"),
    ("9 another merchant's payment", signed(body(resource={**PAID, "mchid": "1900000002"})), "wrong_merchant"),
    ("9 another merchant's refund", signed(body("REFUND.SUCCESS", {**REFUNDED, "mchid": "1"})), "wrong_merchant"),
    ("10 one byte changed", rebodied(lambda raw: raw.replace(b"EV-1", b"EV-2")), "signature"),
    ("11 serialised again", rebodied(lambda raw: json.dumps(json.loads(raw), indent=1).encode()), "signature"),
    ("21 huge body", signed(b" " * 256_001), "too_large"),
    ("28 deep JSON", signed(b"[" * 100_000), "malformed"),
    ("29 duplicate key", signed(body().replace(b'"id": "EV-1"', b'"id": "EV-1", "id": "EV-2"')), "malformed"),
    ("30 NaN", signed(body(x=float("nan"))), "malformed"),
    ("31 endless integer", signed(body().replace(b'"summary": "x"', b'"summary": ' + b"9" * 5000)), "malformed"),
    ("33 not UTF-8", signed(b"\xff\xfe{}"), "malformed"),
    ("not an object", signed(b"[]"), "malformed"),
    ("empty", signed(b""), "malformed"),
    ("no id", signed(body(id="")), "malformed"),
    ("id with a line break", signed(body(id="a\nb")), "malformed"),
    ("naive time", signed(body(create_time="2026-03-01T17:00:00")), "malformed"),
    ("resource not JSON", signed(body(resource=b"<xml/>")), "malformed"),
    ("amount as text", signed(body(resource={**PAID, "amount": {"total": "12900", "currency": "CNY"}})), "malformed"),
    ("amount as float", signed(body(resource={**PAID, "amount": {"total": 129.0, "currency": "CNY"}})), "malformed"),
    ("amount as true", signed(body(resource={**PAID, "amount": {"total": True, "currency": "CNY"}})), "malformed"),
    ("amount negative", signed(body(resource={**PAID, "amount": {"total": -1, "currency": "CNY"}})), "malformed"),
    ("amount above all", signed(body(resource={**PAID, "amount": {"total": 2**63, "currency": "CNY"}})), "malformed"),
    ("paid without a transaction", signed(body(resource={**PAID, "transaction_id": None})), "malformed"),
    ("success that is not paid", signed(body(resource={**PAID, "trade_state": "NOTPAY"})), "malformed"),
    ("state of tomorrow", signed(body(resource={**PAID, "trade_state": "HALFPAID"})), "malformed"),
]


@pytest.mark.parametrize(("request_", "reason"), [a[1:] for a in ABUSE], ids=[a[0] for a in ABUSE])
def test_abuse_is_refused_for_its_reason(request_: RawRequest, reason: str) -> None:
    assert refusal(request_) == reason


def with_resource(change: dict[str, str]) -> RawRequest:
    value = json.loads(body())
    value["resource"] |= change
    return signed(json.dumps(value).encode())


@pytest.mark.parametrize(
    "change",
    [
        sealed(b"{}", "f" * 32),
        {"ciphertext": "!!"},
        {"ciphertext": ""},
        {"nonce": ""},
        {"nonce": "é"},
        {"associated_data": "refund"},
        {"algorithm": "AEAD_SM4_GCM"},
    ],
)
def test_resource_not_sealed_for_us_is_refused(change: dict[str, str]) -> None:
    assert refusal(with_resource(change)) == "encryption"


def test_wrong_amount_under_a_valid_signature_is_passed_on_for_the_order_to_judge() -> None:
    (fact,) = receiver().read(signed(body(resource={**PAID, "amount": {"total": 1, "currency": "JPY"}})), NOW).facts
    assert (fact.amount_minor, fact.currency) == (1, "JPY")


@given(
    raw=st.binary(max_size=300) | st.text(max_size=300).map(str.encode),
    headers=st.dictionaries(
        st.sampled_from(["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature", "wechatpay-serial"]),
        st.text(max_size=60) | st.sampled_from([PLATFORM_ID, str(int(NOW.timestamp()))]),
    ),
)
def test_no_bytes_whatever_raise_anything_but_a_refusal(raw: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(CallbackRefused):
        receiver().read(RawRequest(headers, {}, raw), NOW)


@settings(max_examples=40, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PAID, *REFUNDED]), inner),
    ),
    st.sampled_from(["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "REFUND.X"]),
)
def test_no_signed_content_whatever_raises_anything_but_a_refusal(resource: Any, kind: str) -> None:
    with pytest.raises(CallbackRefused):
        receiver().read(signed(body(kind, json.dumps(resource).encode())), NOW)
