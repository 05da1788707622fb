"""The Kuaidi100 client against the real sandbox server, over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from domain.facts import Kind
from providers.errors import ProviderError
from providers.kuaidi100.client import (
    CourierSubscription,
    Kuaidi100,
    Kuaidi100Config,
    Kuaidi100Refused,
    Kuaidi100Unavailable,
    Kuaidi100Unknown,
    query_sign,
)
from providers.tracking import ParcelStatus
from sandbox.core import Settings, serve
from sandbox.kuaidi100 import create_app

NU = "YT0000000001"
FAULTS = [
    ("error_before", Kuaidi100Unknown),
    ("error_after", Kuaidi100Unknown),
    ("too_many", Kuaidi100Unavailable),
    ("hang", Kuaidi100Unknown),
    ("garbage", Kuaidi100Unknown),
    ("reset", Kuaidi100Unknown),
    ("busy", Kuaidi100Unavailable),
]


def now() -> datetime:
    return datetime.now(UTC)


def config(url: str, **more: str) -> Kuaidi100Config:
    values = {"customer": "CUSTOMER", "key": "key", "salt": "salt", "callback_url": "http://127.0.0.1:1/hook"} | more
    return Kuaidi100Config(url, **values)


@dataclass
class World:
    url: str
    http: httpx.AsyncClient
    kuaidi: Kuaidi100

    async def post(self, path: str, body: dict[str, Any]) -> None:
        reply = await self.http.post(self.url + path, json=body)
        assert reply.status_code == 200, reply.text

    async def rows(self, op: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get(f"{self.url}/_ledger", params={"op": op})).json()
        return rows


@pytest.fixture
async def world() -> AsyncIterator[World]:
    settings = Settings(values={"CUSTOMER": "CUSTOMER", "KEY": "key"})
    async with serve(create_app(settings)) as url, httpx.AsyncClient(trust_env=False) as http:
        yield World(url, http, Kuaidi100(config(url), http, now, deadline_s=1.0))


def test_the_query_sign_of_vector_15() -> None:
    param = '{"com":"yuantong","num":"11111111111"}'
    vector = config("", customer="TESTCUSTOMER", key="testkey")
    assert query_sign(param, vector) == "52C88D5CB8862880E7C3697B566FFFD7"


def test_a_configuration_without_a_salt_is_refused_and_none_shows_its_secrets() -> None:
    with pytest.raises(ValueError, match="salt"):
        config("http://127.0.0.1:1", salt="")
    shown = repr(config("", key="very-secret", salt="very-salty"))
    assert "very" not in shown


async def test_subscribing_twice_is_subscribed(world: World) -> None:
    await world.kuaidi.subscribe(CourierSubscription(NU, "YTO"))
    await world.kuaidi.subscribe(CourierSubscription(NU, "YTO"))
    (row,) = await world.rows("subscribe")
    assert (row["key"], row["data"]["company"], row["data"]["salt"]) == (NU, "yuantong", "salt")
    assert row["data"]["advanced"] is True


@pytest.mark.parametrize(
    ("subscription", "changed", "code"),
    [
        (CourierSubscription(NU, "YTO"), {"key": "stolen"}, "600"),
        (CourierSubscription(NU, "NOPE"), {}, "701"),
        (CourierSubscription("YT1", "YTO"), {}, "702"),
        (CourierSubscription(NU, "YTO"), {"callback_url": ""}, "700"),
    ],
)
async def test_a_subscription_that_cannot_be_is_refused(
    world: World, subscription: CourierSubscription, changed: dict[str, str], code: str
) -> None:
    with pytest.raises(Kuaidi100Refused) as e:
        await Kuaidi100(config(world.url, **changed), world.http, now).subscribe(subscription)
    assert e.value.code == code


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_each_fault_of_subscribe_has_its_class_and_repeating_heals(
    world: World, fault: str, error: type[ProviderError]
) -> None:
    await world.post("/_faults", {"operation": "subscribe", "fault": fault})
    with pytest.raises(error):
        await world.kuaidi.subscribe(CourierSubscription(NU, "YTO"))
    await world.kuaidi.subscribe(CourierSubscription(NU, "YTO"))
    assert len(await world.rows("subscribe")) == 1


@pytest.mark.parametrize(("fault", "error"), FAULTS)
async def test_each_fault_of_query_has_its_class(world: World, fault: str, error: type[ProviderError]) -> None:
    await world.post("/_world/advance", {"waybill_no": NU, "code": "103"})
    await world.post("/_faults", {"operation": "query", "fault": fault})
    with pytest.raises(error):
        await world.kuaidi.query("YTO", NU)
    assert (await world.kuaidi.query("YTO", NU)).status is ParcelStatus.PICKED_UP


async def test_a_query_finds_every_milestone_so_far(world: World) -> None:
    for code in ("103", "1002", "5", "301"):
        await world.post("/_world/advance", {"waybill_no": NU, "code": code})
    trace = await world.kuaidi.query("YTO", NU)
    assert [f.kind for f in trace.facts] == [Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED]
    assert abs((trace.facts[0].occurred_at - now()).total_seconds()) < 60
    assert trace.finished


async def test_a_parcel_that_nobody_scanned_yet_has_an_empty_trace(world: World) -> None:
    trace = await world.kuaidi.query("YTO", NU)
    assert (trace.facts, trace.points, trace.status) == ((), (), ParcelStatus.UNKNOWN)


async def test_a_wrong_key_or_a_missing_phone_is_refused(world: World) -> None:
    with pytest.raises(Kuaidi100Refused) as e:
        await Kuaidi100(config(world.url, key="stolen"), world.http, now).query("YTO", NU)
    assert e.value.code == "503"
    with pytest.raises(Kuaidi100Refused) as e:
        await world.kuaidi.query("SF", NU)
    assert e.value.code == "408"
    await world.kuaidi.query("SF", NU, phone="13800000000")


async def test_nothing_listening_is_certainly_not_done(world: World) -> None:
    with pytest.raises(Kuaidi100Unavailable):
        await Kuaidi100(config("http://127.0.0.1:1"), world.http, now).subscribe(CourierSubscription(NU, "YTO"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '{"result":true}',
        '{"result":false,"returnCode":"６００"}',
        '{"status":"200","nu":"YT0000000009","data":[]}',
        '{"status":"200","nu":"YT0000000001","data":[{"time":{}}]}',
        '{"status":"200","status":"200","nu":"YT0000000001","data":[]}',
        "[" * 100_000,
    ],
)
async def test_an_answer_outside_the_protocol_is_unknown(body: str) -> None:
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: httpx.Response(200, text=body)))
    with pytest.raises(Kuaidi100Unknown) as e:
        await Kuaidi100(config("http://kuaidi.test"), http, now).query("YTO", NU)
    assert str(e.value).isprintable()
