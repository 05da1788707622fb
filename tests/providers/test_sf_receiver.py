"""SF's route pushes: the secret in the address decides whom to believe; each scan is believed once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Kind
from providers.callbacks import CallbackRefused, RawRequest, Receiver
from providers.sf.receiver import SfReceiver

NOW = datetime(2026, 3, 5, tzinfo=UTC)
NU = "SF0000000000001"
KEY, OLD = "a-secret-of-at-least-24-letters", "the-secret-before-that-one"
RECEIVER: Receiver = SfReceiver([KEY, OLD])
JSON = "application/json;charset=UTF-8"


def scan(id: Any = "158918741444476928", code: str = "50", **more: Any) -> dict[str, Any]:
    told = {"id": id, "mailno": NU, "orderid": "SO2603020001-01", "acceptTime": "2026-03-02 18:20:00"}
    return told | {"acceptAddress": "杭州市", "remark": "已收取快件", "opCode": code, "reasonCode": ""} | more


def push(*scans: Any) -> bytes:
    return json.dumps({"Body": {"WaybillRoute": scans or [scan()]}}, ensure_ascii=False).encode()


def raw(body: bytes, key: str | None = KEY, content_type: str = JSON) -> RawRequest:
    return RawRequest(headers={"content-type": content_type}, query={} if key is None else {"key": key}, body=body)


def refusal(what: RawRequest) -> CallbackRefused:
    with pytest.raises(CallbackRefused) as e:
        RECEIVER.read(what, NOW)
    return e.value


def test_a_push_becomes_facts_and_trace() -> None:
    later = scan("2", "30", acceptTime="2026-03-03 08:00:00")
    callback = RECEIVER.read(raw(push(later, scan())), NOW)
    assert [(f.kind, f.key) for f in callback.facts] == [
        (Kind.COLLECTED, f"sf:{NU}:COLLECTED"),
        (Kind.IN_TRANSIT, f"sf:{NU}:IN_TRANSIT"),
    ]
    assert {(f.waybill_no, f.carrier, f.child_no) for f in callback.facts} == {(NU, "SF", None)}
    assert [(p.waybill_no, p.status, p.place) for p in callback.trace] == [
        (NU, "in_transit", "杭州市"),
        (NU, "picked_up", "杭州市"),
    ]


def test_one_push_may_be_about_several_parcels() -> None:
    callback = RECEIVER.read(raw(push(scan("1"), scan("2", "80", mailno="SF0000000000002"))), NOW)
    assert {f.key for f in callback.facts} == {f"sf:{NU}:COLLECTED", "sf:SF0000000000002:SIGNED"}


def test_the_same_scans_in_any_order_are_the_same_message() -> None:
    one, other = scan("1"), scan("2", "30")
    again = RECEIVER.read(raw(push(other, one)), NOW)
    assert RECEIVER.read(raw(push(one, other)), NOW).event_id == again.event_id
    assert RECEIVER.read(raw(push(one)), NOW).event_id != again.event_id


def test_a_number_may_come_as_a_number() -> None:
    as_text, as_number = scan("158918741444476928"), scan(158918741444476928, opCode=50)
    assert RECEIVER.read(raw(push(as_number)), NOW) == RECEIVER.read(raw(push(as_text)), NOW)


def test_either_key_opens_while_one_replaces_the_other() -> None:
    assert RECEIVER.read(raw(push(), OLD), NOW) == RECEIVER.read(raw(push(), KEY), NOW)


@pytest.mark.parametrize("key", [None, "", KEY[:-1], KEY + "?", KEY.upper(), "密", "\ud800"])
def test_a_push_without_our_key_is_refused_whatever_it_says(key: str | None) -> None:
    for body in (push(), b"", b"\xff"):
        why = refusal(raw(body, key))
        assert (why.reason, why.status) == ("key", 401)
        assert KEY not in why.text


@pytest.mark.parametrize("content_type", ["", "text/xml", "application/x-www-form-urlencoded"])
def test_a_push_that_is_not_json_is_refused(content_type: str) -> None:
    assert refusal(raw(push(), content_type=content_type)).status == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b"x" * 3_000_000,
        b'{"Body":{},"Body":{}}',
        b'{"Body":{"WaybillRoute":[]}}',
        b'{"Body":{"WaybillRoute":{}}}',
        b"\xef\xbb\xbf" + push(),
        push("x"),
        push(scan("")),
        push(scan(None)),
        push(scan("1\r\n2")),
        push(scan(mailno="x")),
        push(scan(mailno="' OR 1=1 --")),
        push(scan(mailno=f"{NU}\u202e")),
        push(scan(acceptTime={})),
        push(scan(remark=float("nan"))),
        push(*[scan(str(n)) for n in range(101)]),
    ],
    ids=range(21),
)
def test_a_malformed_push_is_a_400(body: bytes) -> None:
    why = refusal(raw(body))
    assert (why.reason, why.status) == ("malformed", 400)


@given(st.binary(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_nothing_but_a_refusal_comes_out_of_rubbish(body: bytes, key: str, content_type: str) -> None:
    refusal(raw(body, key, content_type))
    refusal(raw(body))


@given(st.fixed_dictionaries({}, optional={n: st.none() | st.integers() | st.text() for n in scan()}))
def test_no_scan_raises_anything_but_a_refusal(told: dict[str, Any]) -> None:
    try:
        RECEIVER.read(raw(json.dumps({"Body": {"WaybillRoute": [scan() | told]}}).encode()), NOW)
    except CallbackRefused as why:
        assert why.reason == "malformed"


def test_answers_are_in_sfs_own_form() -> None:
    what = raw(push())
    good, bad = RECEIVER.accepted(what), RECEIVER.refused(what, CallbackRefused("key", "…"))
    assert (good.status, json.loads(good.body)) == (200, {"return_code": "0000", "return_msg": "成功"})
    assert (bad.status, json.loads(bad.body)["return_code"]) == (401, "1000")


@pytest.mark.parametrize("keys", [[], [""], ["short"], [KEY, "short"]])
def test_a_receiver_without_good_keys_does_not_start(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="OMS_SF_PUSH_KEYS") as e:
        SfReceiver(keys)
    assert "short" not in str(e.value)
