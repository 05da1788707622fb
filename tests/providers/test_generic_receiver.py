"""A mapped source end to end: signed bodies in, facts out; and what a body can never do."""

import base64
import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import Kind
from providers.callbacks import Callback, CallbackRefused, RawRequest, Receiver
from providers.generic.loading import load_mapping, read_mapping
from providers.generic.mapping import SourceMapping
from providers.generic.receiver import GenericReceiver
from providers.generic.translating import MappingExplanation, explain
from providers.standard_webhooks import BadWebhookSecret

NOW = datetime(2026, 3, 5, tzinfo=UTC)
SECRET, OLD = ("whsec_" + base64.b64encode(os.urandom(24)).decode() for _ in range(2))
ROOT = Path(__file__).resolve().parents[2]
MAPPING = load_mapping(ROOT / "examples" / "generic-source.yaml")
RECEIVER: Receiver = GenericReceiver(MAPPING, [SECRET, OLD])
CHILD = "SO2603020001-01"
SHIPPED = {
    "event": "outbound.shipped",
    "happened": "2026-03-02 18:20:00",
    "order": {"code": CHILD},
    "parcel": {"courier": "yuantong", "number": "YT0000000001"},
}
MONEY = """\
version: 1
source: erp
secrets: [OMS_ERP]
type: /type
occurred_at: {at: /time, format: epoch_ms}
fields:
  order_no: {at: /order}
  transaction_id: {at: /id}
  amount_minor: {at: /amount, decimals: 2}
  currency: {const: CNY}
key: "{source}:pay:{transaction_id}:{kind}"
events:
  "1": {kind: PAYMENT_SUCCEEDED}
unknown: refuse
"""
PAID = {"type": 1, "time": 1772446800000, "order": "SO2603020001", "id": 42, "amount": "195.80"}
ERP = read_mapping(MONEY.encode(), "erp.yaml")


def signed(
    body: bytes, *, secret: str = SECRET, at: datetime = NOW, changed: dict[str, str] | None = None
) -> RawRequest:
    """Signed by the reference library, as a stranger's system would."""
    text = body.decode("utf-8", "replace")
    made = standardwebhooks.Webhook(secret).sign("msg_1", at, text)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": made}
    return RawRequest(headers=headers | (changed or {}), query={}, body=body)


def read(told: Any, **more: Any) -> Callback:
    return RECEIVER.read(signed(json.dumps(told).encode(), **more), NOW)


def refusal(request: RawRequest, receiver: Receiver = RECEIVER) -> CallbackRefused:
    with pytest.raises(CallbackRefused) as e:
        receiver.read(request, NOW)
    return e.value


def dry(told: Any, mapping: SourceMapping = MAPPING) -> MappingExplanation:
    return explain(mapping, json.dumps(told))


def test_an_event_becomes_the_fact_that_the_mapping_says() -> None:
    callback = read(SHIPPED | {"remark": "门口 \u202e\n自提"})
    (fact,) = callback.facts
    assert (callback.event_id, callback.kind) == ("msg_1", "outbound.shipped")
    assert (fact.kind, fact.key) == (Kind.WAYBILL_RETURNED, f"acme-wms:{CHILD}:WAYBILL_RETURNED")
    assert (fact.source, fact.child_no, fact.waybill_no, fact.carrier) == ("acme-wms", CHILD, "YT0000000001", "YTO")
    assert fact.occurred_at == datetime(2026, 3, 2, 10, 20, tzinfo=UTC)
    assert fact.note.isprintable()


def test_two_messages_about_one_happening_carry_one_key_and_exceptions_each_their_own() -> None:
    trouble = SHIPPED | {"event": "parcel.problem"}
    later = trouble | {"happened": "2026-03-03 09:00:00"}
    assert read(SHIPPED).facts[0].key == read(SHIPPED | {"happened": "2026-03-03 09:00:00"}).facts[0].key
    assert [read(told).facts[0].key for told in (trouble, later)] == [
        f"acme-wms:{CHILD}:COURIER_EXCEPTION:20260302T102000Z",
        f"acme-wms:{CHILD}:COURIER_EXCEPTION:20260303T010000Z",
    ]


def test_the_messages_of_the_document_are_what_it_says() -> None:
    text = (ROOT / "docs/contract/generic-source.md").read_text()
    told = [explain(MAPPING, block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert [fact.kind for t in told for fact in t.facts] == [Kind.WAYBILL_RETURNED, Kind.SHORT_PICKED]
    assert told[1].facts[0].actual == {"L1": 2, "L2": 0}
    assert told[0].facts[0].key in text


def test_units_really_picked_are_summed_by_line() -> None:
    lines = [{"line_no": "L1", "picked": 1}, {"line_no": "L2", "picked": "0"}, {"line_no": "L1", "picked": 2}]
    (fact,) = read(SHIPPED | {"event": "outbound.short", "lines": lines}).facts
    assert (fact.kind, fact.actual) == (Kind.SHORT_PICKED, {"L1": 3, "L2": 0})


def test_a_parcels_way_is_kept_as_trace() -> None:
    text = MONEY.replace("order_no: {at: /order}", "waybill_no: {at: /order}").replace("PAYMENT_SUCCEEDED", "SIGNED")
    receiver = GenericReceiver(read_mapping(text.encode(), "erp.yaml"), [SECRET])
    callback = receiver.read(signed(json.dumps(PAID | {"order": "YT0000000001"}).encode()), NOW)
    assert [(p.waybill_no, p.key, p.status) for p in callback.trace] == [("YT0000000001", "erp:msg_1", "delivered")]


@pytest.mark.parametrize("event", ["heartbeat", "stock.changed", "never.heard.of", 17, "x" * 500, "a\u202eb", "\u202e"])
def test_ignored_and_unknown_types_are_stored_without_facts(event: str | int) -> None:
    callback = read({"event": event})
    assert (callback.facts, callback.trace) == ((), ())
    assert 0 < len(callback.kind) <= 60
    assert callback.kind.isprintable()


def test_a_mapping_may_refuse_types_that_it_does_not_know() -> None:
    why = refusal(signed(b'{"type":2}'), GenericReceiver(ERP, [SECRET]))
    assert (why.reason, why.status) == ("malformed", 400)
    assert "neither among the events nor ignored" in why.text


@pytest.mark.parametrize(
    "request_",
    [
        signed(json.dumps(SHIPPED).encode(), secret="whsec_" + base64.b64encode(b"x" * 24).decode()),
        signed(json.dumps(SHIPPED).encode(), at=NOW - timedelta(minutes=6)),
        signed(json.dumps(SHIPPED).encode(), at=NOW + timedelta(minutes=6)),
        signed(json.dumps(SHIPPED).encode(), changed={"webhook-id": "msg_2"}),
        signed(json.dumps(SHIPPED).encode(), changed={"webhook-signature": ""}),
        signed(json.dumps(SHIPPED).encode(), changed={"webhook-signature": "v1,AAAA"}),
        RawRequest(headers={}, query={}, body=json.dumps(SHIPPED).encode()),
    ],
    ids=range(7),
)
def test_a_message_that_is_not_signed_by_the_source_is_refused(request_: RawRequest) -> None:
    assert refusal(request_).status == 401


def test_a_changed_body_is_refused_and_the_old_secret_still_opens() -> None:
    good = signed(json.dumps(SHIPPED).encode())
    assert refusal(RawRequest(good.headers, {}, good.body + b" ")).reason == "signature"
    assert read(SHIPPED, secret=OLD) == read(SHIPPED)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"event": None}, "type: there is no text at /event"),
        ({"event": True}, "type: there is no text at /event"),
        ({"event": ["outbound.shipped"]}, "type: there is no text at /event"),
        ({"order": None}, "child_no: nothing stands at /order/code"),
        ({"order": {"code": " "}}, "child_no: nothing stands at /order/code"),
        ({"order": {"code": {}}}, "child_no: what stands at /order/code is neither"),
        ({"order": {"code": True}}, "child_no: what stands at /order/code is neither"),
        ({"order": {"code": 1.5}}, "child_no: what stands at /order/code is neither"),
        ({"order": {"code": "a b"}}, "child_no: what stands at /order/code is not a child_no"),
        ({"order": {"code": "x" * 65}}, "child_no: what stands at /order/code is not a child_no"),
        ({"order": {"code": f"{CHILD}\n"}}, "child_no: what stands at /order/code is not a child_no"),
        ({"order": {"code": "\ud800"}}, "child_no: what stands at /order/code is not a child_no"),
        ({"parcel": {"courier": "fedex", "number": "YT0000000001"}}, "carrier: what stands at /parcel/courier is not"),
        ({"parcel": {"courier": "yuantong", "number": "x"}}, "waybill_no: what stands at /parcel/number is not a"),
        ({"happened": None}, "occurred_at: there is no time at /happened"),
        ({"happened": "2026-03-02"}, "occurred_at: the time at /happened is not in the form %Y-%m-%d %H:%M:%S"),
        ({"happened": "2026-02-30 00:00:00"}, "occurred_at: the time at /happened is not in the form"),
        ({"happened": "1999-01-01 00:00:00"}, "occurred_at: the time at /happened has no offset, or is not of this"),
        ({"event": "outbound.short"}, "actual: there is no list of 1 to 10000 lines at /lines"),
        ({"event": "outbound.short", "lines": {}}, "actual: there is no list"),
        ({"event": "outbound.short", "lines": [{}]}, "actual: /lines/0 lacks a line id or a whole number of units"),
        ({"event": "outbound.short", "lines": [{"line_no": "1", "picked": 1.0}]}, "actual: /lines/0 lacks"),
        ({"event": "outbound.short", "lines": [{"line_no": "1", "picked": -1}]}, "actual: /lines/0 lacks"),
        ({"event": "outbound.short", "lines": [{"line_no": "1", "picked": 10**7}]}, "actual: /lines/0 has more than"),
        ({"event": "outbound.short", "lines": [{"line_no": "1", "picked": 1}, 5]}, "actual: /lines/1 lacks"),
    ],
)
def test_a_value_that_cannot_be_read_refuses_the_message_with_its_field(changed: dict[str, Any], told: str) -> None:
    assert told in "\n".join(dry(SHIPPED | changed).errors)
    why = refusal(signed(json.dumps(SHIPPED | changed).encode()))
    assert (why.reason, why.status) == ("malformed", 400)


def test_a_dry_run_tells_all_faults_at_once_and_none_of_the_values() -> None:
    told = dry(SHIPPED | {"happened": "soon", "order": {"code": "张三 private"}})
    assert (told.outcome, [line.split(":")[0] for line in told.errors]) == ("refused", ["occurred_at", "child_no"])
    assert "private" not in "".join(told.errors)


def test_a_dry_run_tells_what_becomes_of_a_message() -> None:
    assert dry(SHIPPED).facts == read(SHIPPED).facts
    assert [dry({"event": name}).outcome for name in ("heartbeat", "never.heard.of")] == ["ignored", "unknown"]
    assert dry([]).outcome == explain(MAPPING, b"\xff").outcome == explain(MAPPING, "\ud800").outcome == "refused"


def test_an_optional_value_may_be_missing_but_not_wrong() -> None:
    assert dry(SHIPPED | {"remark": None}).facts[0].note == ""
    assert dry(SHIPPED | {"remark": {}}).outcome == "refused"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NEAR = st.fixed_dictionaries(
    {"event": st.sampled_from([*MAPPING.events, *MAPPING.ignore]) | JSON},
    optional=dict.fromkeys(("happened", "order", "parcel", "lines", "remark"), JSON),
)


@given(JSON | NEAR)
def test_no_json_body_raises_anything_but_a_refusal(told: Any) -> None:
    for body in (told, SHIPPED | told if isinstance(told, dict) else told):
        try:
            read(body)
        except CallbackRefused as why:
            assert (why.reason, why.status) == ("malformed", 400)


@given(st.binary(max_size=300))
def test_nothing_but_a_refusal_comes_out_of_rubbish(body: bytes) -> None:
    refusal(RawRequest(headers={}, query={}, body=body))
    assert explain(MAPPING, body).facts == ()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff", b"[" * 100_000, b"x" * 3_000_000, b'{"a":1,"a":2}'])
def test_a_well_signed_body_that_is_not_one_json_message_is_refused(body: bytes) -> None:
    assert explain(MAPPING, body).outcome == "refused"


def test_answers_say_no_more_than_they_must() -> None:
    what = signed(b"{}")
    good, bad = RECEIVER.accepted(what), RECEIVER.refused(what, CallbackRefused("signature", "…"))
    assert (good.status, good.body) == (204, b"")
    assert (bad.status, json.loads(bad.body)) == (401, {"error": "signature"})


def test_who_has_signed_is_told_which_field_cannot_be_read() -> None:
    """Standard Webhooks asks nothing of the body of an answer; a sender without one can only guess."""
    what = signed(json.dumps(SHIPPED | {"happened": "yesterday", "parcel": {}}).encode())
    answer = RECEIVER.refused(what, refusal(what))
    told = json.loads(answer.body)
    assert (answer.status, told["error"]) == (400, "malformed")
    assert "occurred_at" in told["detail"] and "waybill_no" in told["detail"]


@pytest.mark.parametrize("secrets", [[], [""], ["secret"], ["whsec_AAAA"]])
def test_a_receiver_without_good_secrets_does_not_start(secrets: list[str]) -> None:
    with pytest.raises(BadWebhookSecret):
        GenericReceiver(MAPPING, secrets)
