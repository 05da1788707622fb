"""The TMS sandbox as its neighbours see it: world view, signed callbacks, restarts."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from sandbox.core import Settings, serve
from sandbox.tms import create_app
from tests.sandbox.callback_sink import CallbackSink, until

SECRET = "whsec_" + base64.b64encode(os.urandom(24)).decode()
OLD = "whsec_" + base64.b64encode(os.urandom(24)).decode()
CHILD = "SO2603020001-01"
BOOKING = {
    "shipment_id": CHILD,
    "weight_g": 1200,
    "items": 3,
    "receiver": {
        "recipient": "张三",
        "phone": "13800000000",
        "province": "浙江省",
        "city": "杭州市",
        "street": "文三路 1 号",
        "country": "CN",
    },
}
HOUR_S = 3600.0


@asynccontextmanager
async def carrier(callback_url: str = "", data_dir: Path | None = None) -> AsyncIterator[httpx.AsyncClient]:
    values = {"TOKEN": "t", "WEBHOOK_SECRETS": f"{SECRET},{OLD}", "CALLBACK_URL": callback_url}
    settings = Settings(values=values, data_dir=data_dir, speed=10_000.0)
    headers = {"authorization": "Bearer t"}
    async with (
        serve(create_app(settings)) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http,
    ):
        yield http


async def test_the_world_reads_waybill_and_carrier_off_the_label_without_a_token() -> None:
    async with carrier() as http:
        booked = (await http.post("/v1/shipments", json=BOOKING)).json()
        seen = await http.get(f"/_world/shipments/{CHILD}", headers={"authorization": ""})
        assert seen.json() == {"waybill_no": booked["waybill_no"], "carrier": booked["carrier"]}
        assert (await http.get("/_world/shipments/SO-99")).status_code == 404
        await http.post(f"/v1/shipments/{CHILD}/void")
        assert (await http.get(f"/_world/shipments/{CHILD}")).status_code == 404


async def test_booking_and_voiding_are_told_in_messages_that_the_reference_library_believes() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as hook, carrier(f"{hook}/hook") as http:
        await http.post("/v1/shipments", json=BOOKING)
        await http.post("/v1/shipments", json=BOOKING)
        await http.post(f"/v1/shipments/{CHILD}/void")
        await http.post(f"/v1/shipments/{CHILD}/void")
        await until(lambda: len(sink.got) == 2)
    for got in sink.got:
        for secret in (SECRET, OLD):
            standardwebhooks.Webhook(secret).verify(got.body, got.headers)
    assert sorted(json.loads(got.body)["type"] for got in sink.got) == ["label.voided", "shipment.booked"]


async def test_a_callback_is_sent_again_under_the_same_id_until_it_is_taken() -> None:
    sink = CallbackSink()
    sink.answers = [(500, b""), (302, b""), (404, b"")]
    async with serve(sink.app()) as hook, carrier(f"{hook}/hook") as http:
        await http.post("/v1/shipments", json=BOOKING)
        await until(lambda: len(sink.got) == 4)
    assert len({got.headers["webhook-id"] for got in sink.got}) == 1


@pytest.mark.parametrize(
    ("fault", "messages", "ids"),
    [("lost_callback", 0, 0), ("duplicate_callback", 2, 1), ("bad_signature", 1, 1), ("delay_callback", 1, 1)],
)
async def test_callback_faults(fault: str, messages: int, ids: int) -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as hook, carrier(f"{hook}/hook") as http:
        armed = {"operation": "callback", "fault": fault, "match": {"child_no": CHILD}, "delay_s": 0.05}
        assert (await http.post("/_faults", json=armed)).status_code == 200
        await http.post("/v1/shipments", json=BOOKING)
        async with asyncio.timeout(10):
            while not (await http.get("/_ledger", params={"op": "callback_end"})).json():
                await asyncio.sleep(0.01)
    assert len(sink.got) == messages
    assert len({got.headers["webhook-id"] for got in sink.got}) == ids
    if fault == "bad_signature":
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(SECRET).verify(sink.got[0].body, sink.got[0].headers)


async def test_a_tracking_event_moves_the_shipment_and_tells_when_it_happened() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as hook, carrier(f"{hook}/hook") as http:
        await http.post("/v1/shipments", json=BOOKING)
        event = {"shipment_id": CHILD, "type": "shipment.delivered", "place": "杭州"}
        moved = (await http.post("/_world/event", json=event)).json()
        await until(lambda: len(sink.got) == 2)
    assert moved["status"] == "delivered"
    told = next(m for m in (json.loads(got.body) for got in sink.got) if m["type"] == "shipment.delivered")
    assert told["data"]["place"] == "杭州"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told["timestamp"])).total_seconds()) < HOUR_S


async def test_a_silent_event_is_told_to_nobody() -> None:
    async with carrier("http://127.0.0.1:1/hook") as http:
        await http.post("/v1/shipments", json=BOOKING)
        await http.post("/_world/event", json={"shipment_id": CHILD, "type": "shipment.collected", "silent": True})
        told = (await http.get("/_ledger", params={"op": "callback"})).json()
        assert [row["data"]["kind"] for row in told] == ["shipment.booked"]
        assert (await http.post(f"/v1/shipments/{CHILD}/void")).json() == {"result": "too_late"}


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with carrier(data_dir=tmp_path) as http:
        booked = (await http.post("/v1/shipments", json=BOOKING)).json()
        label = (await http.get(f"/v1/shipments/{CHILD}/label")).content
    async with carrier(data_dir=tmp_path) as http:
        again = await http.post("/v1/shipments", json=BOOKING)
        assert (again.status_code, again.json()) == (200, booked)
        assert (await http.get(f"/v1/shipments/{CHILD}/label")).content == label
        await http.post(f"/v1/shipments/{CHILD}/void")
    async with carrier(data_dir=tmp_path) as http:
        assert (await http.post("/v1/shipments", json=BOOKING)).status_code == 409
        assert len((await http.get("/_ledger", params={"op": "label"})).json()) == 1


@pytest.mark.parametrize(
    "broken",
    [b"", b"[]", b"{}", json.dumps(BOOKING | {"items": 0}).encode(), json.dumps(BOOKING | {"weight_g": "1"}).encode()],
)
async def test_a_malformed_booking_is_refused(broken: bytes) -> None:
    async with carrier() as http:
        reply = await http.post("/v1/shipments", content=broken)
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "INVALID")


async def test_every_call_needs_the_token() -> None:
    async with carrier() as http:
        await http.post("/v1/shipments", json=BOOKING)
        for method, path in [
            ("POST", "/v1/shipments"),
            ("GET", f"/v1/shipments/{CHILD}"),
            ("GET", f"/v1/shipments/{CHILD}/label"),
            ("POST", f"/v1/shipments/{CHILD}/void"),
        ]:
            reply = await http.request(method, path, headers={"authorization": "Bearer nope"})
            assert reply.status_code == 401
