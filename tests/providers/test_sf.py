"""The SF client against the real sandbox server, over real HTTP."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from domain.facts import Kind
from domain.order import Address
from providers.errors import ProviderError
from providers.sf.client import Sf
from providers.sf.codes import SAY_NOTHING, is_known, status_of
from providers.sf.gateway import SfConfig, SfRefused, SfUnavailable, SfUnknown, digest, java_url_encode
from providers.tms.messages import BookShipment, ShipmentStatus
from providers.tracking import ParcelStatus
from sandbox.core import Settings, serve
from sandbox.sf import create_app

CHILD = "SO2603020001-01"
NU = "SF0000000000001"
TO = Address(
    recipient="张三", phone="13800000000", province="浙江省", city="杭州市", district="西湖区", street="文三路 1 号"
)
FROM = Address(recipient="仓库", phone="0571-88888888", province="上海市", city="上海市", street="1 号库")
FAULTS: list[tuple[str, type[ProviderError]]] = [
    ("error_before", SfUnknown),
    ("error_after", SfUnknown),
    ("too_many", SfUnavailable),
    ("hang", SfUnknown),
    ("garbage", SfUnknown),
    ("reset", SfUnknown),
    ("busy", SfUnavailable),
    ("system_error", SfUnknown),
]


def now() -> datetime:
    return datetime.now(UTC)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"request-{next(numbers)}"


def config(url: str, **more: str) -> SfConfig:
    values = {"partner_id": "PARTNER", "check_word": "w0rd", "monthly_card": "7551234567"} | more
    return SfConfig(url, sender=FROM, **values)  # type: ignore[arg-type]


def shipment(child_no: str = CHILD, **more: Any) -> BookShipment:
    return BookShipment(shipment_id=child_no, receiver=TO, **{"weight_g": 1200, "items": 3} | more)


@dataclass
class World:
    url: str
    http: httpx.AsyncClient
    sf: Sf

    async def post(self, path: str, body: dict[str, Any]) -> None:
        reply = await self.http.post(self.url + path, json=body)
        assert reply.status_code == 200, reply.text

    async def arm(self, operation: str, fault: str) -> None:
        await self.post("/_faults", {"operation": operation, "fault": fault})

    async def rows(self, op: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_ledger", params={"op": op})).json()
        return rows


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = Settings(values={"PARTNER_ID": "PARTNER", "CHECK_WORD": "w0rd"})
    async with serve(create_app(settings)) as url, httpx.AsyncClient(trust_env=False) as http:
        yield World(url, http, Sf(config(url), http, now, ids(), deadline_s=1.0))


def test_the_digest_of_vector_13() -> None:
    text = '{"language":"zh-CN","orderId":"QIAO-20200618-004"}'
    assert digest(text, "12312334453453", "fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci") == "IIKJtuLVzoFTu4kHI8M8vA=="


def test_text_is_encoded_as_java_does() -> None:
    assert java_url_encode("a b~*-._+/=中") == "a+b%7E*-._%2B%2F%3D%E4%B8%AD"


def test_a_configuration_without_a_check_word_is_refused_and_none_shows_it() -> None:
    with pytest.raises(ValueError, match="OMS_SF_CHECK_WORD"):
        config("http://127.0.0.1:1", check_word="")
    assert "very-secret" not in repr(config("", check_word="very-secret"))


async def test_the_same_booking_again_is_the_same_waybill(world: World) -> None:
    first = await world.sf.book(shipment())
    again = await world.sf.book(shipment())
    assert first == again
    assert (first.status, first.carrier, first.tms_ref) == (ShipmentStatus.BOOKED, "SF", CHILD)
    (row,) = await world.rows("book")
    assert row["data"]["waybill_no"] == first.waybill_no


async def test_both_ends_of_the_way_and_the_weight_in_kilograms_are_told(world: World) -> None:
    await world.sf.book(shipment())
    await world.sf.book(shipment("SO2603020001-02", weight_g=0, carrier="SF"))
    asked = [row["data"]["request"] for row in await world.rows("book")]
    assert [(c["contactType"], c["contact"], c.get("county")) for c in asked[0]["contactInfoList"]] == [
        (1, "仓库", None),
        (2, "张三", "西湖区"),
    ]
    assert [request.get("totalWeight") for request in asked] == [1.2, None]


async def test_a_parcel_for_another_carrier_is_not_sent_to_sf(world: World) -> None:
    with pytest.raises(SfRefused) as e:
        await world.sf.book(shipment(carrier="YTO"))
    assert e.value.code == "CARRIER_UNKNOWN"
    assert await world.rows("book") == []


async def test_an_address_that_sf_does_not_serve_is_a_refusal(world: World) -> None:
    await world.arm("book", "address_not_served")
    with pytest.raises(SfRefused) as e:
        await world.sf.book(shipment())
    assert e.value.code == "ADDRESS_NOT_SERVED"


async def test_a_wrong_check_word_is_refused_with_what_to_check(world: World) -> None:
    stranger = Sf(config(world.url, check_word="stolen"), world.http, now, ids())
    with pytest.raises(SfRefused, match="OMS_SF_CHECK_WORD") as e:
        await stranger.book(shipment())
    assert e.value.code == "A1006"
    assert "stolen" not in str(e.value)


async def test_a_wrong_clock_is_refused(world: World) -> None:
    late = Sf(config(world.url), world.http, lambda: now() - timedelta(hours=1), ids())
    with pytest.raises(SfRefused) as e:
        await late.book(shipment())
    assert e.value.code == "A1002"


async def test_a_repeated_request_id_proves_nothing(world: World) -> None:
    sf = Sf(config(world.url), world.http, now, lambda: "always-the-same")
    await sf.book(shipment())
    with pytest.raises(SfUnknown) as e:
        await sf.book(shipment())
    assert e.value.code == "A1007"


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_each_fault_of_booking_has_its_class_and_repeating_books_once(
    world: World, fault: str, error: type[ProviderError]
) -> None:
    await world.arm("book", fault)
    with pytest.raises(error) as e:
        await world.sf.book(shipment())
    done = fault in ("error_after", "hang", "garbage", "reset")
    assert e.value.retry_after_s == (1.0 if fault == "too_many" else None)
    assert (await world.sf.booking(CHILD) is not None) is done
    booked = await world.sf.book(shipment())
    assert await world.sf.booking(CHILD) == booked
    assert len(await world.rows("book")) == 1


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_each_fault_of_voiding_has_its_class_and_repeating_voids_once(
    world: World, fault: str, error: type[ProviderError]
) -> None:
    await world.sf.book(shipment())
    await world.arm("void", fault)
    with pytest.raises(error):
        await world.sf.void(CHILD)
    assert await world.sf.void(CHILD) == "voided"
    assert len(await world.rows("void")) == 1


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_each_fault_of_the_query_has_its_class(world: World, fault: str, error: type[ProviderError]) -> None:
    booked = await world.sf.book(shipment())
    await world.arm("routes", fault)
    with pytest.raises(error):
        await world.sf.query([booked.waybill_no])
    await world.sf.query([booked.waybill_no])


async def test_a_fault_while_looking_a_duplicate_up_is_not_a_booking(world: World) -> None:
    await world.sf.book(shipment())
    await world.arm("search", "reset")
    with pytest.raises(SfUnknown):
        await world.sf.book(shipment())


async def test_voiding_twice_is_voided_and_the_order_number_is_spent(world: World) -> None:
    await world.sf.book(shipment())
    assert [await world.sf.void(CHILD), await world.sf.void(CHILD)] == ["voided", "voided"]
    with pytest.raises(SfRefused) as e:
        await world.sf.book(shipment())
    assert e.value.code == "8037"


async def test_voiding_is_too_late_once_the_courier_has_the_parcel(world: World) -> None:
    booked = await world.sf.book(shipment())
    await world.post("/_world/advance", {"waybill_no": booked.waybill_no, "code": "50"})
    assert await world.sf.void(CHILD) == "too_late"
    assert await world.rows("void") == []


async def test_an_unknown_order_is_none_to_look_up_and_refused_to_void(world: World) -> None:
    assert await world.sf.booking(CHILD) is None
    with pytest.raises(SfRefused) as e:
        await world.sf.void(CHILD)
    assert e.value.code == "8018"


async def test_a_query_finds_every_milestone_of_each_parcel_in_the_order_asked(world: World) -> None:
    one, other = [await world.sf.book(shipment(f"SO2603020001-0{n}")) for n in (1, 2)]
    for code in ("50", "30", "44", "80"):
        await world.post("/_world/advance", {"waybill_no": one.waybill_no, "code": code})
    quiet, delivered = await world.sf.query([other.waybill_no, one.waybill_no])
    assert (quiet.status, quiet.facts, quiet.finished) == (ParcelStatus.UNKNOWN, (), False)
    assert [f.kind for f in delivered.facts] == [Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED]
    assert [f.key for f in delivered.facts] == [f"sf:{one.waybill_no}:{f.kind.value}" for f in delivered.facts]
    assert abs((delivered.facts[0].occurred_at - now()).total_seconds()) < 60
    assert (delivered.status, delivered.finished) == (ParcelStatus.DELIVERED, True)


async def test_a_parcel_booked_elsewhere_is_told_to_who_knows_a_phone_number(world: World) -> None:
    await world.post("/_world/advance", {"waybill_no": NU, "code": "50"})
    (blind,) = await world.sf.query([NU])
    (seen,) = await world.sf.query([NU], phone="13800000000")
    assert (blind.facts, [f.kind for f in seen.facts]) == ((), [Kind.COLLECTED])


@pytest.mark.parametrize("waybills", [[], [NU] * 11])
async def test_a_query_is_about_one_to_ten_parcels(world: World, waybills: list[str]) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        await world.sf.query(waybills)


async def test_nothing_listening_is_certainly_not_done() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(SfUnavailable):
            await Sf(config("http://127.0.0.1:1"), http, now, ids()).book(shipment())


PUBLISHED_OPS = """
50 51 54 30 31 302 304 3036 33 34 36 10 105 106 11 122 123 125 126 127 128 129 130 131 135 136 137 138 14 140 141 147
15 151 152 153 154 16 17 18 186 187 188 189 190 201 202 204 205 206 208 211 212 214 215 405 406 407 41 43 44 46 47 570
571 604 605 606 607 611 612 613 614 619 620 621 623 626 627 630 631 632 633 634 64 642 643 646 647 648 649 65 651 655
656 657 658 66 660 664 676 677 678 679 70 700 701 72 75 77 80 8000 830 831 833 84 843 844 847 850 851 86 87 99
"""
"""SF's open platform, table of operation codes of route nodes."""


def test_every_published_operation_code_has_a_meaning_or_is_known_to_say_nothing() -> None:
    assert [code for code in PUBLISHED_OPS.split() if not is_known(code)] == []
    assert {code for code in PUBLISHED_OPS.split() if status_of(code) is ParcelStatus.UNKNOWN} == SAY_NOTHING
    assert status_of("99999") is ParcelStatus.UNKNOWN and not is_known("99999")
