"""Notifications of Alipay: what is believed, what is refused, and that nothing whatever breaks the door."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facts import Kind
from providers.alipay import AlipayConfig, AlipayReceiver
from providers.alipay.signing import Signer, signed_text
from providers.callbacks import CallbackRefused, RawRequest
from tests.providers.alipay_world import APP_ID, NO, SELLER_ID, config
from tests.providers.test_alipay_crypto import PUBLISHED_FIELDS, PUBLISHED_KEY, PUBLISHED_SIGN
from tests.providers.wechat_world import private_pem

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PAID = {
    "app_id": APP_ID,
    "charset": "utf-8",
    "fund_bill_list": '[{"amount":"129.00","fundChannel":"PCREDIT"}]',
    "gmt_create": "2026-03-01 16:59:00",
    "gmt_payment": "2026-03-01 16:59:58",
    "notify_id": "N-1",
    "notify_time": "2026-03-01 17:00:00",
    "notify_type": "trade_status_sync",
    "out_trade_no": NO,
    "seller_id": SELLER_ID,
    "subject": "两件 100% & = + /",
    "total_amount": "129.00",
    "trade_no": "2026030122001",
    "trade_status": "TRADE_SUCCESS",
    "version": "1.0",
}
REFUNDED = {**PAID, "gmt_refund": "2026-03-01 16:59:59.320", "out_biz_no": "R-1", "refund_fee": "9.00"}


def signer(by: str) -> Signer:
    return Signer.load("x", private_pem(by))


def signed(fields: dict[str, str], *, by: str = "platform", **unsigned: str) -> RawRequest:
    sign = signer(by).sign(signed_text(fields))
    return RawRequest({}, {}, urlencode({**fields, "sign_type": "RSA2", "sign": sign, **unsigned}).encode())


def paid(**change: str | None) -> RawRequest:
    return signed({name: value for name, value in {**PAID, **change}.items() if value is not None})


def sent(at: datetime) -> RawRequest:
    return paid(notify_time=(at + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S"))


def added(tail: bytes) -> RawRequest:
    return RawRequest({}, {}, paid().body + tail)


def swapped(old: bytes, new: bytes) -> RawRequest:
    body = paid().body
    assert old in body
    return RawRequest({}, {}, body.replace(old, new))


def receiver() -> AlipayReceiver:
    return AlipayReceiver(config())


def refusal(request: RawRequest, now: datetime = NOW) -> str:
    with pytest.raises(CallbackRefused) as e:
        receiver().read(request, now)
    answer = receiver().refused(request, e.value)
    assert answer.body == b"fail"
    assert 400 <= answer.status < 500
    return e.value.reason


def test_payment_becomes_a_fact_with_its_evidence() -> None:
    callback = receiver().read(paid(), NOW)
    (fact,) = callback.facts
    assert (callback.event_id, callback.kind) == ("N-1", "TRADE_SUCCESS")
    assert (fact.key, fact.kind, fact.order_no) == ("alipay:pay:2026030122001", Kind.PAYMENT_SUCCEEDED, NO)
    assert (fact.amount_minor, fact.currency, fact.merchant_id) == (12900, "CNY", SELLER_ID)
    assert fact.occurred_at == datetime(2026, 3, 1, 8, 59, 58, tzinfo=UTC)
    answer = receiver().accepted(paid())
    assert (answer.status, answer.body) == (200, b"success")


def test_finished_trade_is_a_payment_too() -> None:
    finished = receiver().read(paid(trade_status="TRADE_FINISHED"), NOW)
    assert finished.facts == receiver().read(paid(), NOW).facts


def test_partial_refund_names_itself_beside_the_standing_payment() -> None:
    payment, back = receiver().read(signed(REFUNDED), NOW).facts
    assert payment == receiver().read(paid(), NOW).facts[0]
    assert (back.key, back.kind, back.refund_no) == ("alipay:refund:R-1:SUCCESS", Kind.REFUND_SUCCEEDED, "R-1")
    assert (back.order_no, back.amount_minor) == (NO, None)
    assert back.occurred_at == datetime(2026, 3, 1, 8, 59, 59, 320_000, tzinfo=UTC)


def test_full_refund_closes_the_trade_and_is_no_payment() -> None:
    (back,) = receiver().read(signed({**REFUNDED, "trade_status": "TRADE_CLOSED"}), NOW).facts
    assert (back.kind, back.refund_no) == (Kind.REFUND_SUCCEEDED, "R-1")


@pytest.mark.parametrize(
    "change",
    [
        {"trade_status": "WAIT_BUYER_PAY", "gmt_payment": None},
        {"trade_status": "TRADE_CLOSED", "gmt_payment": None},
        {"trade_status": "TRADE_CLOSED", "refund_fee": "129.00"},
        {"notify_type": "something_of_tomorrow", "seller_id": None, "trade_status": None},
    ],
)
def test_notification_without_meaning_for_us_is_stored_without_facts(change: dict[str, str | None]) -> None:
    assert receiver().read(paid(**change), NOW).facts == ()


def published(**unsigned: str) -> RawRequest:
    return RawRequest({}, {}, urlencode({**PUBLISHED_FIELDS, "sign": PUBLISHED_SIGN, **unsigned}).encode())


@pytest.mark.parametrize("unsigned", [{}, {"sign_type": "RSA2"}])
def test_published_notification_is_believed_with_and_without_sign_type(unsigned: dict[str, str]) -> None:
    theirs = AlipayConfig(
        base_url="http://127.0.0.1:9",
        app_id=PUBLISHED_FIELDS["app_id"],
        seller_id=PUBLISHED_FIELDS["seller_id"],
        private_key="",
        alipay_public_key=PUBLISHED_KEY,
        notify_url="",
    )
    at = datetime(2019, 8, 15, 8, 0, tzinfo=UTC)
    callback = AlipayReceiver(theirs).read(published(**unsigned), at)
    assert callback.event_id == "2019081500222155624068450559358070"
    assert (callback.facts[0].order_no, callback.facts[0].amount_minor) == ("20190815155618536-564-57", 10)


def test_percent_encoding_of_any_style_is_the_same_message() -> None:
    fields = {**PAID, "sign": signer("platform").sign(signed_text(PAID))}
    pieces = [f"{name}={''.join(f'%{b:02x}' for b in value.encode())}" for name, value in reversed(fields.items())]
    spaces = [f"{name}={quote(value, safe='')}" for name, value in fields.items()]
    for body in ("&".join(pieces), "&".join(spaces)):
        assert receiver().read(RawRequest({}, {}, body.encode()), NOW) == receiver().read(paid(), NOW)


@pytest.mark.parametrize(
    ("age", "believed"),
    [
        (timedelta(0), True),
        (timedelta(hours=24, minutes=24), True),
        (timedelta(hours=26), True),
        (timedelta(hours=26, seconds=1), False),
        (timedelta(days=3000), False),
        (timedelta(minutes=-5), True),
        (timedelta(minutes=-5, seconds=-1), False),
    ],
)
def test_every_documented_repeat_is_fresh_and_nothing_older(age: timedelta, believed: bool) -> None:
    if believed:
        assert receiver().read(sent(NOW - age), NOW).event_id == "N-1"
    else:
        assert refusal(sent(NOW - age)) == "stale"


def test_replay_reads_the_same_so_that_the_inbox_can_drop_it() -> None:
    assert receiver().read(paid(), NOW) == receiver().read(paid(), NOW + timedelta(hours=25))
    assert receiver().read(sent(NOW + timedelta(seconds=9)), NOW) == receiver().read(paid(), NOW)


def split_anew() -> RawRequest:
    """A genuine notification of one fen, read so that its remark pays somebody else's order."""
    other = {**PAID, "out_trade_no": "VICTIM", "total_amount": "195.80", "body": "x"}
    hidden = signed_text({name: value for name, value in other.items() if name > "body"}).decode()
    genuine = {**PAID, "total_amount": "0.01", "body": f"x&{hidden}&zz="}
    swallowed = signed_text({name: value for name, value in genuine.items() if name > "body"}).decode()
    forged = other | {"zz": f"&{swallowed}"}
    assert signed_text(forged) == signed_text(genuine)
    return RawRequest({}, {}, urlencode({**forged, "sign": signer("platform").sign(signed_text(genuine))}).encode())


ABUSE: list[tuple[str, RawRequest, str]] = [
    ("1 forged signature", signed(PAID, by="impostor"), "signature"),
    ("1 signed by ourselves", signed(PAID, by="merchant"), "signature"),
    ("2 no sign", RawRequest({}, {}, urlencode(PAID).encode()), "missing_field"),
    ("2 empty sign", signed(PAID, sign=""), "missing_field"),
    ("3 bad base64", signed(PAID, sign="!!!"), "signature"),
    ("3 not ASCII", signed(PAID, sign="é" * 8), "signature"),
    ("4 endless signature", signed(PAID, sign="QUJD" * 5_000), "signature"),
    ("8 weaker algorithm", signed(PAID, sign_type="RSA"), "sign_type"),
    ("8 no algorithm", signed(PAID, sign_type=""), "sign_type"),
    ("9 another app", paid(app_id="2021000000000002"), "wrong_app"),
    ("9 another seller", paid(seller_id="2088000000000099"), "wrong_merchant"),
    ("9 another app's other message", paid(app_id="1", notify_type="x"), "wrong_app"),
    ("10 one amount changed", swapped(b"129.00&trade_no", b"129.01&trade_no"), "signature"),
    ("10 another order", swapped(b"ORD-000001", b"ORD-000002"), "signature"),
    ("10 field taken away", swapped(b"&version=1.0", b""), "signature"),
    ("10 field added", added(b"&refund_fee=1.00"), "signature"),
    ("10 sign_type signed too", signed({**PAID, "sign_type": "RSA2"}), "signature"),
    ("12 joined fields", signed({**PAID, "subject": "x&total_amount=0.01"}, subject="x"), "signature"),
    ("12 split anew", split_anew(), "ambiguous"),
    ("12 a remark that reads as a field", paid(body="x&total_amount=195.80"), "ambiguous"),
    ("12 a name that holds others", paid(**{"a&b": "c"}), "ambiguous"),
    ("12 an order's number that holds a field", paid(out_trade_no="A&b=c"), "malformed"),
    ("21 huge body", added(b"&x=" + b"x" * 64_001), "too_large"),
    ("22 many fields", added(b"&a=b" * 200), "malformed"),
    ("29 field twice", added(b"&total_amount=0.01"), "duplicate_field"),
    ("29 sign twice", added(b"&sign=x"), "duplicate_field"),
    ("33 not UTF-8", added(b"&x=%ff%fe"), "malformed"),
    ("33 raw bytes", added("&x=两".encode()), "malformed"),
    ("34 GBK", paid(charset="GBK"), "charset"),
    ("empty", RawRequest({}, {}, b""), "missing_field"),
    ("not a form", RawRequest({}, {}, b'{"notify_id":"N-1"}'), "malformed"),
    ("no id", paid(notify_id=None), "malformed"),
    ("empty id", paid(notify_id=""), "malformed"),
    ("id with a line break", paid(notify_id="a\nb"), "malformed"),
    ("no time", paid(notify_time=None), "malformed"),
    ("time with a zone", paid(notify_time="2026-03-01T17:00:00Z"), "malformed"),
    ("no such day", paid(notify_time="2026-02-30 17:00:00"), "malformed"),
    ("no order", paid(out_trade_no=None), "malformed"),
    ("no trade", paid(trade_no=""), "malformed"),
    ("no seller", paid(seller_id=None), "malformed"),
    ("paid without a time", paid(gmt_payment=None), "malformed"),
    ("state of tomorrow", paid(trade_status="TRADE_HALFPAID"), "malformed"),
    ("amount with a third decimal", paid(total_amount="129.001"), "malformed"),
    ("amount negative", paid(total_amount="-129.00"), "malformed"),
    ("amount with an exponent", paid(total_amount="1e9"), "malformed"),
    ("amount in other digits", paid(total_amount="１２９.00"), "malformed"),
    ("amount above all", paid(total_amount="99999999999.99"), "malformed"),
    ("refund fee not an amount", signed({**REFUNDED, "refund_fee": "all"}), "malformed"),
]


@pytest.mark.parametrize(("request_", "reason"), [a[1:] for a in ABUSE], ids=[a[0] for a in ABUSE])
def test_abuse_is_refused_for_its_reason(request_: RawRequest, reason: str) -> None:
    assert refusal(request_) == reason


def test_empty_fields_may_be_signed_or_left_out_of_the_signed_text() -> None:
    """opendocs common/02km9f leaves them out; some notices sign them as they are."""
    empty = {"passback_params": "", "invoice_amount": ""}
    for request in (signed(PAID | empty), signed(PAID, **empty)):
        (fact,) = receiver().read(request, NOW).facts
        assert fact.order_no == PAID["out_trade_no"]


def test_a_field_that_was_not_signed_is_not_read() -> None:
    """Whoever carries the notice can add empty fields to it: they are as if they were not there."""
    added = signed({k: v for k, v in PAID.items() if k != "out_trade_no"}, out_trade_no="")
    with pytest.raises(CallbackRefused):
        receiver().read(added, NOW)
    with pytest.raises(CallbackRefused):
        receiver().read(signed(PAID, refund_fee="1.00"), NOW)


def test_wrong_amount_under_a_valid_signature_is_passed_on_for_the_order_to_judge() -> None:
    (fact,) = receiver().read(paid(total_amount="0.01"), NOW).facts
    assert fact.amount_minor == 1


@given(
    st.binary(max_size=300)
    | st.dictionaries(st.sampled_from([*PAID, "sign", "sign_type"]), st.text(max_size=30)).map(
        lambda fields: urlencode(fields, errors="replace").encode()
    )
)
def test_no_bytes_whatever_raise_anything_but_a_refusal(raw: bytes) -> None:
    with pytest.raises(CallbackRefused):
        receiver().read(RawRequest({}, {}, raw), NOW)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*REFUNDED]), st.text(max_size=12) | st.none(), min_size=1, max_size=4))
def test_no_signed_content_whatever_raises_anything_but_a_refusal(change: dict[str, str | None]) -> None:
    fields = {name: value for name, value in {**REFUNDED, **change}.items() if value is not None}
    try:
        callback = receiver().read(signed(fields), NOW)
    except CallbackRefused:
        return
    assert all(fact.order_no == fields["out_trade_no"] for fact in callback.facts)
