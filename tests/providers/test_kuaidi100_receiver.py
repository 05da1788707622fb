"""Kuaidi100 pushes: the salt decides whom to believe; a believed picture becomes facts and trace."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Kind
from providers.callbacks import CallbackRefused, RawRequest, Receiver
from providers.kuaidi100.receiver import Kuaidi100Receiver

NOW = datetime(2026, 3, 5, tzinfo=UTC)
NU = "YT0000000001"
SALT = "s4lt"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
RECEIVER: Receiver = Kuaidi100Receiver(SALT)
ROWS = [
    {"time": "2026-03-03 08:00:00", "ftime": "2026-03-03 08:00:00", "context": "离开 杭州", "statusCode": "1002"},
    {"time": "2026-03-02 18:20:00", "ftime": "2026-03-02 18:20:00", "context": "已揽收", "statusCode": "103"},
]


def push(status: str = "polling", **last: Any) -> str:
    result = {"message": "ok", "state": "0", "ischeck": "0", "com": "yuantong", "nu": NU, "data": ROWS} | last
    return json.dumps({"status": status, "message": "", "comOld": "", "lastResult": result}, ensure_ascii=False)


def sign(param: str, salt: str = SALT) -> str:
    return hashlib.md5((param + salt).encode(), usedforsecurity=False).hexdigest().upper()


def request(param: str, *, given_sign: str | None = None, content_type: str = FORM) -> RawRequest:
    body = urlencode({"sign": sign(param) if given_sign is None else given_sign, "param": param}).encode()
    return raw(body, content_type)


def raw(body: bytes, content_type: str = FORM) -> RawRequest:
    return RawRequest(headers={"content-type": content_type}, query={}, body=body)


def refusal(what: RawRequest) -> CallbackRefused:
    with pytest.raises(CallbackRefused) as e:
        RECEIVER.read(what, NOW)
    return e.value


def test_a_push_becomes_facts_and_the_whole_trace() -> None:
    callback = RECEIVER.read(request(push()), NOW)
    assert [f.kind for f in callback.facts] == [Kind.COLLECTED, Kind.IN_TRANSIT]
    assert [(p.waybill_no, p.status, p.text) for p in callback.trace] == [
        (NU, "in_transit", "离开 杭州"),
        (NU, "picked_up", "已揽收"),
    ]
    assert callback.kind == "polling"


def test_the_same_picture_again_is_the_same_message_and_another_one_is_not() -> None:
    one, again = (RECEIVER.read(request(push()), NOW) for _ in range(2))
    other = RECEIVER.read(request(push(state="1")), NOW)
    assert one == again
    assert one.event_id != other.event_id
    assert {f.key for f in one.facts} == {f.key for f in other.facts}


@pytest.mark.parametrize("status", ["polling", "shutdown", "abort", "updateall", "something"])
def test_every_status_is_taken_and_told(status: str) -> None:
    assert RECEIVER.read(request(push(status)), NOW).kind == status


@pytest.mark.parametrize("last", [None, {}, {"nu": "", "data": []}, {"nu": NU, "data": None}])
def test_an_abort_without_any_scan_is_taken(last: Any) -> None:
    param = json.dumps({"status": "abort", "message": "3天查询无记录", "lastResult": last})
    callback = RECEIVER.read(request(param), NOW)
    assert (callback.kind, callback.facts, callback.trace) == ("abort", (), ())


def test_forged_pushes_are_refused() -> None:
    param = push()
    for why in (
        refusal(request(param, given_sign=sign(param, "other"))),
        refusal(request(param, given_sign=sign(param).lower())),
        refusal(request(param, given_sign="签")),
        refusal(request(param, given_sign=sign(param, ""))),
        refusal(request(param + " ", given_sign=sign(param))),
    ):
        assert (why.reason, why.status) == ("signature", 401)
        assert SALT not in why.text


@pytest.mark.parametrize("body", [b"", b"param=x", b"sign=x", urlencode({"param": push(), "sign": ""}).encode()])
def test_a_push_without_sign_or_param_is_refused(body: bytes) -> None:
    assert refusal(raw(body)).reason == "headers"


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (request(push(), content_type="application/json"), 415),
        (request(push(), content_type=""), 415),
        (raw(b"param=%FF&sign=x"), 400),
        (raw("param=签&sign=x".encode()), 400),
        (raw(b"&".join(b"a%d=1" % n for n in range(1000))), 400),
        (raw(f"param=a&param={quote(push())}&sign={sign(push())}".encode()), 400),
        (raw(b"param=" + b"x" * 3_000_000), 413),
    ],
    ids=range(7),
)
def test_what_is_not_such_a_form_is_refused(what: RawRequest, status: int) -> None:
    assert refusal(what).status == status


@pytest.mark.parametrize(
    "param",
    [
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"status":"polling","status":"abort"}',
        '{"status":"polling","lastResult":{"nu":1e999,"data":[1]}}',
        '{"status":"polling","lastResult":NaN}',
        '{"status":"a\\r\\nX: y"}',
        '{"status":5}',
        push(nu="x"),
        push(nu="' OR 1=1 --"),
        push(nu="YT0000000001\u202e"),
        push(data=[1]),
        push(data=[{"time": {}}]),
        push(data=[ROWS[0]] * 1001),
        push(com="\ud800").replace("\ud800", "\\ud800"),
        push(state=int("9" * 30)),
        "\ufeff" + push(),
    ],
    ids=range(18),
)
def test_a_well_signed_but_malformed_push_is_a_400(param: str) -> None:
    why = refusal(request(param))
    assert (why.reason, why.status) == ("malformed", 400)


@given(st.binary(max_size=300))
def test_nothing_but_a_refusal_comes_out_of_rubbish(body: bytes) -> None:
    refusal(raw(body))
    refusal(raw(b"sign=x&param=" + body))


@given(st.text(max_size=200))
def test_nothing_but_a_refusal_comes_out_of_well_signed_rubbish(text: str) -> None:
    clean = text.encode(errors="replace").decode()
    assert refusal(request(clean)).reason in ("malformed", "headers")


def test_answers_are_in_kuaidi100s_own_form() -> None:
    what = request(push())
    good = RECEIVER.accepted(what)
    assert (good.status, json.loads(good.body)) == (200, {"result": True, "returnCode": "200", "message": "成功"})
    bad = RECEIVER.refused(what, CallbackRefused("signature", "…"))
    assert bad.status == 401
    assert json.loads(bad.body)["result"] is False


def test_a_receiver_without_a_salt_does_not_start() -> None:
    with pytest.raises(ValueError, match="salt"):
        Kuaidi100Receiver("")
