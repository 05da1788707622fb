"""TMS callbacks: verified events become facts and trace; whatever a stranger sends becomes a refusal."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.facts import Kind
from providers.callbacks import CallbackRefused, RawRequest, Receiver
from providers.standard_webhooks import BadWebhookSecret, Webhook
from providers.tms.receiver import TmsReceiver

NOW = datetime(2026, 3, 2, 10, 20, 30, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(os.urandom(24)).decode()
CHILD = "SO2603020001-01"
DATA = {"shipment_id": CHILD, "waybill_no": "YT0000000001", "carrier": "YTO", "place": "杭州", "note": "已揽收"}
RECEIVER: Receiver = TmsReceiver([SECRET])


def event(event_type: str = "shipment.collected", at: str = "2026-03-02T18:20:00+08:00", **data: Any) -> bytes:
    return json.dumps({"type": event_type, "timestamp": at, "data": DATA | data}).encode()


def signed(body: bytes, *, message_id: str = "msg_1", secret: str = SECRET, at: datetime = NOW) -> RawRequest:
    return RawRequest(headers=Webhook([secret]).sign(message_id, at, body), query={}, body=body)


def refusal(request: RawRequest) -> CallbackRefused:
    with pytest.raises(CallbackRefused) as e:
        RECEIVER.read(request, NOW)
    return e.value


@pytest.mark.parametrize(
    ("event_type", "kind", "status"),
    [
        ("shipment.collected", Kind.COLLECTED, "picked_up"),
        ("shipment.in_transit", Kind.IN_TRANSIT, "in_transit"),
        ("shipment.out_for_delivery", Kind.OUT_FOR_DELIVERY, "out_for_delivery"),
        ("shipment.delivered", Kind.SIGNED, "delivered"),
        ("shipment.refused", Kind.DELIVERY_REFUSED, "refused"),
        ("shipment.returned", Kind.RETURNED_TO_SENDER, "returned"),
    ],
)
def test_an_event_becomes_one_fact_and_one_trace_point(event_type: str, kind: Kind, status: str) -> None:
    callback = RECEIVER.read(signed(event(event_type)), NOW)
    (fact,) = callback.facts
    assert (fact.key, fact.kind, fact.source) == (f"tms:{CHILD}:{kind.value}", kind, "tms")
    assert (fact.child_no, fact.waybill_no, fact.carrier) == (CHILD, "YT0000000001", "YTO")
    assert fact.occurred_at == datetime(2026, 3, 2, 10, 20, tzinfo=UTC)
    assert fact.order_no is None
    (point,) = callback.trace
    assert (point.status, point.text, point.place) == (status, "已揽收", "杭州")
    assert (callback.event_id, callback.kind) == ("msg_1", event_type)


def test_two_messages_about_one_happening_carry_the_same_fact_key() -> None:
    one = RECEIVER.read(signed(event(), message_id="a"), NOW)
    two = RECEIVER.read(signed(event(note="again"), message_id="b"), NOW)
    assert one.event_id != two.event_id
    assert one.facts[0].key == two.facts[0].key


def test_each_exception_is_a_happening_of_its_own() -> None:
    keys = {
        RECEIVER.read(signed(event("shipment.exception", at=f"2026-03-0{day}T18:20:00+08:00")), NOW).facts[0].key
        for day in (1, 1, 2)
    }
    assert keys == {
        f"tms:{CHILD}:COURIER_EXCEPTION:20260301T102000Z",
        f"tms:{CHILD}:COURIER_EXCEPTION:20260302T102000Z",
    }


@pytest.mark.parametrize("event_type", ["shipment.booked", "label.created", "label.voided", "weather.changed"])
def test_events_that_move_nothing_are_taken_and_kept(event_type: str) -> None:
    callback = RECEIVER.read(signed(event(event_type)), NOW)
    assert (callback.kind, callback.facts, callback.trace) == (event_type, (), ())


def test_an_event_without_a_waybill_still_tells_the_order() -> None:
    body = json.dumps(
        {"type": "shipment.delivered", "timestamp": "2026-03-02T18:20:00Z", "data": {"shipment_id": CHILD}}
    )
    callback = RECEIVER.read(signed(body.encode()), NOW)
    assert callback.facts[0].kind is Kind.SIGNED
    assert callback.trace == ()


def test_text_is_cut_and_cleaned() -> None:
    callback = RECEIVER.read(signed(event(note="x\r\n\u202e" + "长" * 5000)), NOW)
    assert len(callback.facts[0].note) <= 300
    assert callback.facts[0].note.isprintable()
    assert callback.trace[0].text.isprintable()


def test_forged_stale_and_foreign_messages_are_refused() -> None:
    body = event()
    good = signed(body)
    foreign = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    cases = {
        "headers": RawRequest(headers={}, query={}, body=body),
        "signature": RawRequest(headers=good.headers, query={}, body=body + b" "),
        "timestamp": signed(body, at=NOW - timedelta(minutes=6)),
    }
    for reason, request in cases.items():
        assert (refusal(request).reason, refusal(request).status) == (reason, 401)
    assert refusal(signed(body, at=NOW + timedelta(minutes=6))).reason == "timestamp"
    assert refusal(signed(body, secret=foreign)).reason == "signature"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"type":"a","type":"b"}',
        b'{"type":"shipment.collected","timestamp":NaN}',
        b'{"type":"shipment.collected","timestamp":' + b"9" * 5000 + b"}",
        event(at="2026-03-02T18:20:00"),
        event(at="yesterday"),
        event(shipment_id="x y"),
        event(shipment_id=1),
        event(waybill_no="' OR 1=1"),
        event(waybill_no="YT\u202e000001"),
        event(carrier="yto\r\nX: y"),
        event(note="\ud800"),
        event("shipment.collected\r\nX: y"),
        event("x" * 100),
        event(note="x" * 3_000_000),
    ],
    ids=range(19),
)
def test_a_well_signed_but_malformed_message_is_a_400(body: bytes) -> None:
    why = refusal(signed(body))
    assert (why.reason, why.status) == ("malformed", 400)
    answer = RECEIVER.refused(signed(body), why)
    assert json.loads(answer.body) == {"error": "malformed"}


def test_acceptance_is_an_empty_204() -> None:
    answer = RECEIVER.accepted(signed(event()))
    assert (answer.status, answer.body) == (204, b"")


def test_a_receiver_without_a_secret_does_not_start() -> None:
    with pytest.raises(BadWebhookSecret):
        TmsReceiver([])
