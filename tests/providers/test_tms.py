"""The TMS client against the real sandbox server, over real HTTP."""

import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from domain.order import Address
from providers.errors import ProviderError
from providers.tms.client import TmsClient, TmsConfig, TmsRefused, TmsUnavailable, TmsUnknown
from providers.tms.messages import BookShipment, ShipmentStatus
from sandbox.core import Settings, serve
from sandbox.tms import create_app

CHILD = "SO2603020001-01"
TO = Address(recipient="张三", phone="13800000000", province="浙江省", city="杭州市", street="文三路 1 号")


def shipment(child_no: str = CHILD, **more: Any) -> BookShipment:
    return BookShipment(shipment_id=child_no, receiver=TO, **{"weight_g": 1200, "items": 3} | more)


@dataclass
class World:
    url: str
    http: httpx.AsyncClient
    tms: TmsClient

    async def arm(self, operation: str, fault: str, **more: Any) -> None:
        reply = await self.http.post(f"{self.url}/_faults", json={"operation": operation, "fault": fault, **more})
        assert reply.status_code == 200, reply.text

    async def happen(self, event_type: str) -> None:
        await self.http.post(f"{self.url}/_world/event", json={"shipment_id": CHILD, "type": event_type})

    async def rows(self, op: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_ledger", params={"op": op})).json()
        return rows


@pytest.fixture
async def world() -> AsyncIterator[World]:
    secret = "whsec_" + base64.b64encode(os.urandom(24)).decode()
    settings = Settings(values={"TOKEN": "t0ken", "WEBHOOK_SECRETS": secret})
    async with serve(create_app(settings)) as url, httpx.AsyncClient(trust_env=False) as http:
        config = TmsConfig(url, "t0ken", (secret,))
        yield World(url, http, TmsClient(config, http, deadline_s=2.0))


async def test_the_same_booking_again_is_the_same_waybill(world: World) -> None:
    first = await world.tms.book(shipment())
    again = await world.tms.book(shipment())
    assert first == again
    assert first.status is ShipmentStatus.BOOKED
    assert first.carrier == "YTO"
    assert len(await world.rows("book")) == 1


async def test_other_content_under_a_booked_id_is_refused(world: World) -> None:
    await world.tms.book(shipment())
    with pytest.raises(TmsRefused) as e:
        await world.tms.book(shipment(weight_g=1))
    assert e.value.code == "SHIPMENT_CONFLICT"


async def test_an_asked_for_carrier_is_kept_and_an_unknown_one_refused(world: World) -> None:
    assert (await world.tms.book(shipment(carrier="SF"))).waybill_no.startswith("SF")
    with pytest.raises(TmsRefused) as e:
        await world.tms.book(shipment("SO2603020001-02", carrier="NOPE"))
    assert e.value.code == "CARRIER_UNKNOWN"


@pytest.mark.parametrize(("format", "magic"), [("PDF", b"%PDF-"), ("ZPL", b"^XA")])
async def test_a_label_is_a_real_file_and_always_the_same(world: World, format: Any, magic: bytes) -> None:
    booked = await world.tms.book(shipment())
    label = await world.tms.label(CHILD, format)
    assert label.content.startswith(magic)
    assert (await world.tms.label(CHILD, format)).content == label.content
    if format == "ZPL":
        assert booked.waybill_no.encode() in label.content
    assert len(await world.rows("label")) == 1


async def test_voiding_twice_is_voided_and_the_shipment_cannot_be_booked_again(world: World) -> None:
    await world.tms.book(shipment())
    assert await world.tms.void(CHILD) == "voided"
    assert await world.tms.void(CHILD) == "voided"
    with pytest.raises(TmsRefused) as e:
        await world.tms.book(shipment())
    assert e.value.code == "SHIPMENT_VOIDED"


async def test_voiding_is_too_late_once_the_courier_has_the_parcel(world: World) -> None:
    await world.tms.book(shipment())
    await world.happen("shipment.collected")
    assert await world.tms.void(CHILD) == "too_late"
    found = await world.tms.query(CHILD)
    assert found is not None
    assert found.status is ShipmentStatus.COLLECTED


async def test_an_unknown_shipment_is_none_to_query_and_refused_to_the_others(world: World) -> None:
    assert await world.tms.query("SO2603020001-99") is None
    for call in (world.tms.void("SO2603020001-99"), world.tms.label("SO2603020001-99")):
        with pytest.raises(TmsRefused) as e:
            await call
        assert e.value.code == "SHIPMENT_UNKNOWN"


async def test_a_wrong_token_is_a_refusal(world: World) -> None:
    stranger = TmsClient(TmsConfig(world.url, "wrong", ()), world.http)
    with pytest.raises(TmsRefused) as e:
        await stranger.book(shipment())
    assert e.value.code == "UNAUTHORIZED"
    assert "t0ken" not in repr(stranger._config) + str(e.value)


async def test_an_address_that_no_carrier_serves_is_a_refusal(world: World) -> None:
    await world.arm("book", "address_not_served")
    with pytest.raises(TmsRefused) as e:
        await world.tms.book(shipment())
    assert e.value.code == "ADDRESS_NOT_SERVED"
    assert await world.rows("book") == []


@pytest.mark.parametrize(
    ("fault", "error", "done"),
    [
        ("error_before", TmsUnknown, False),
        ("error_after", TmsUnknown, True),
        ("too_many", TmsUnavailable, False),
        ("hang", TmsUnknown, True),
        ("garbage", TmsUnknown, True),
        ("reset", TmsUnknown, True),
    ],
)
async def test_each_fault_has_its_class_and_repeating_books_once(
    world: World, fault: str, error: type[ProviderError], done: bool
) -> None:
    await world.arm("book", fault)
    with pytest.raises(error) as e:
        await world.tms.book(shipment())
    assert e.value.retry_after_s == (1.0 if fault == "too_many" else None)
    assert (await world.tms.query(CHILD) is not None) is done
    await world.tms.book(shipment())
    assert len(await world.rows("book")) == 1


@pytest.mark.parametrize("operation", ["label", "void", "query"])
@pytest.mark.parametrize(
    ("fault", "error"), [("garbage", TmsUnknown), ("too_many", TmsUnavailable), ("reset", TmsUnknown)]
)
async def test_faults_of_the_other_calls_have_the_same_classes(
    world: World, operation: str, fault: str, error: type[ProviderError]
) -> None:
    await world.tms.book(shipment())
    await world.arm(operation, fault)
    with pytest.raises(error):
        await getattr(world.tms, operation)(CHILD)


async def test_nothing_listening_is_certainly_not_done(world: World) -> None:
    nobody = TmsClient(TmsConfig("http://127.0.0.1:1", "t", ()), world.http)
    with pytest.raises(TmsUnavailable):
        await nobody.book(shipment())
