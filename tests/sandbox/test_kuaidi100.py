"""The Kuaidi100 sandbox: parcels move by themselves and every change is pushed as a whole, signed picture."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from sandbox.core import Settings, serve
from sandbox.kuaidi100 import create_app
from tests.sandbox.callback_sink import CallbackSink, Got, until

NU = "YT0000000001"
OK = (200, b'{"result":true,"returnCode":"200","message":"ok"}')
STAGES = "1000,1000,1000,1000"
FAST = 100_000.0


@asynccontextmanager
async def kuaidi(
    data_dir: Path | None = None, stages: str = STAGES, speed: float = FAST
) -> AsyncIterator[httpx.AsyncClient]:
    values = {"CUSTOMER": "C", "KEY": "k", "STAGES_S": stages}
    settings = Settings(values=values, data_dir=data_dir, speed=speed)
    async with serve(create_app(settings)) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield http


@asynccontextmanager
async def sink_at(*answers: tuple[int, bytes]) -> AsyncIterator[tuple[CallbackSink, str]]:
    sink = CallbackSink(usual=OK)
    sink.answers = list(answers)
    async with serve(sink.app()) as url:
        yield sink, f"{url}/hook"


async def subscribe(http: httpx.AsyncClient, url: str, *, number: str = NU, resultv2: str = "4") -> dict[str, Any]:
    parameters = {"callbackurl": url, "salt": "s", "resultv2": resultv2}
    param = {"company": "yuantong", "number": number, "key": "k", "parameters": parameters}
    answer: dict[str, Any] = (await http.post("/poll", data={"schema": "json", "param": json.dumps(param)})).json()
    return answer


async def hand_over(http: httpx.AsyncClient, waybill_no: str = NU) -> None:
    body = {"waybill_no": waybill_no, "carrier": "YTO", "child_no": "SO2603020001-01"}
    assert (await http.post("/_world/handover", json=body)).status_code == 200


async def rows(http: httpx.AsyncClient, op: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/_ledger", params={"op": op})).json()
    return found


async def wait_rows(http: httpx.AsyncClient, op: str, count: int = 1) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := await rows(http, op)) < count:
            await asyncio.sleep(0.01)
    return found


async def wait_finished(http: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            parcel: dict[str, Any] = (await http.get(f"/_world/parcels/{NU}")).json()
            if parcel["finished"]:
                return parcel
            await asyncio.sleep(0.01)


def read(got: Got) -> dict[str, Any]:
    form = parse_qs(got.body.decode())
    (param,), (sign,) = form["param"], form["sign"]
    assert sign == hashlib.md5(f"{param}s".encode(), usedforsecurity=False).hexdigest().upper()
    value: dict[str, Any] = json.loads(param)
    return value


def codes(got: Got) -> list[str]:
    return [row["statusCode"] for row in read(got)["lastResult"]["data"]]


def states(sink: CallbackSink) -> list[tuple[str, int]]:
    """Status and number of scans of each push, shortest picture first (deliveries run side by side)."""
    return sorted(((p["status"], len(p["lastResult"]["data"])) for p in map(read, sink.got)), key=lambda s: s[1])


async def test_a_parcel_goes_its_way_and_each_change_pushes_the_whole_picture() -> None:
    async with sink_at() as (sink, url), kuaidi() as http:
        assert (await subscribe(http, url))["returnCode"] == "200"
        await hand_over(http)
        await until(lambda: len(sink.got) == 4)
    assert states(sink) == [("polling", 1), ("polling", 2), ("polling", 3), ("shutdown", 4)]
    longest = max(sink.got, key=lambda got: len(codes(got)))
    assert codes(longest) == ["301", "5", "1002", "103"]
    assert read(longest)["lastResult"]["ischeck"] == "1"


async def test_a_late_subscriber_gets_the_picture_at_once() -> None:
    async with sink_at() as (sink, url), kuaidi() as http:
        await hand_over(http)
        await wait_finished(http)
        await subscribe(http, url)
        await until(lambda: len(sink.got) == 1)
    assert codes(sink.got[0]) == ["301", "5", "1002", "103"]


async def test_a_second_subscription_is_501_and_pushes_nothing_more() -> None:
    async with sink_at() as (sink, url), kuaidi(speed=1.0) as http:
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "103"})
        await subscribe(http, url)
        assert (await subscribe(http, url))["returnCode"] == "501"
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "5"})
        await until(lambda: len(sink.got) == 2)


async def test_a_push_that_is_not_taken_comes_three_times_more_and_then_never() -> None:
    answers = [(200, b'{"result":false,"returnCode":"500"}'), (200, b"success"), (500, OK[1]), (204, b"")]
    async with sink_at(*answers) as (sink, url), kuaidi() as http:
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "103"})
        await subscribe(http, url)
        ended = await wait_rows(http, "callback_end")
        attempts = await rows(http, "callback_attempt")
    assert len(sink.got) == 4
    assert ended[0]["data"]["state"] == "abandoned"
    assert [row["data"]["wait_s"] for row in attempts] == [0.0, 2100, 2100, 2100]


@pytest.mark.parametrize(
    ("fault", "way"),
    [
        ("exception", ["103", "1002", "204", "5", "301"]),
        ("refused", ["103", "1002", "5", "203", "4"]),
    ],
)
async def test_a_parcel_in_trouble_takes_another_way(fault: str, way: list[str]) -> None:
    async with kuaidi() as http:
        match = {"order_no": "SO2603020001"}
        await http.post("/_faults", json={"operation": "handover", "fault": fault, "match": match})
        await hand_over(http)
        parcel = await wait_finished(http)
    assert [scan["code"] for scan in parcel["scans"]] == way


async def test_a_lost_parcel_is_silent_until_somebody_moves_it() -> None:
    async with kuaidi() as http:
        await http.post("/_faults", json={"operation": "handover", "fault": "lost_parcel"})
        await hand_over(http)
        await wait_rows(http, "scan", 2)
        assert (await http.post("/_world/advance", json={"waybill_no": NU})).status_code == 409
        moved = await http.post("/_world/advance", json={"waybill_no": NU, "code": "301"})
        assert moved.json()["finished"] is True


async def test_handing_over_twice_is_one_parcel() -> None:
    async with kuaidi(speed=1.0) as http:
        await hand_over(http)
        await hand_over(http)
        assert len(await rows(http, "handover")) == 1


async def test_a_parcel_moved_by_hand_is_not_scanned_twice_for_one_stage() -> None:
    async with kuaidi(stages="5000,10000,10000,10000") as http:
        await hand_over(http)
        await http.post("/_world/advance", json={"waybill_no": NU})
        parcel = await wait_finished(http)
    assert [scan["code"] for scan in parcel["scans"]] == ["103", "1002", "5", "301"]


@pytest.mark.parametrize(("fault", "pushes"), [("lost_callback", 0), ("duplicate_callback", 2), ("delay_callback", 1)])
async def test_callback_faults(fault: str, pushes: int) -> None:
    async with sink_at() as (sink, url), kuaidi(speed=1.0) as http:
        await subscribe(http, url)
        armed = {"operation": "callback", "fault": fault, "match": {"waybill_no": NU}, "delay_s": 0.05}
        await http.post("/_faults", json=armed)
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "103"})
        await wait_rows(http, "callback_end")
    assert len(sink.got) == pushes


async def test_reordered_pushes_arrive_newest_first() -> None:
    async with sink_at() as (sink, url), kuaidi(speed=1.0) as http:
        await subscribe(http, url)
        await http.post("/_faults", json={"operation": "callback", "fault": "reorder_callback"})
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "103"})
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "301"})
        await until(lambda: len(sink.got) == 2)
    assert [codes(got) for got in sink.got] == [["301", "103"], ["103"]]


async def test_a_badly_signed_push_is_followed_by_a_good_one() -> None:
    refusal = (401, b'{"result":false}')
    async with sink_at(refusal) as (sink, url), kuaidi() as http:
        await subscribe(http, url)
        await http.post("/_faults", json={"operation": "callback", "fault": "bad_signature"})
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "301"})
        await until(lambda: len(sink.got) == 2)
    with pytest.raises(AssertionError):
        read(sink.got[0])
    assert codes(sink.got[1]) == ["301"]


async def test_a_subscriber_without_advanced_codes_gets_only_the_overall_state() -> None:
    async with sink_at() as (sink, url), kuaidi(speed=1.0) as http:
        await subscribe(http, url, resultv2="0")
        await http.post("/_world/advance", json={"waybill_no": NU, "code": "203"})
        await until(lambda: len(sink.got) == 1)
    last = read(sink.got[0])["lastResult"]
    assert last["state"] == "14"
    assert "statusCode" not in last["data"][0]


async def test_after_a_restart_parcels_move_on_and_unfinished_pushes_continue(tmp_path: Path) -> None:
    failing = [(500, b"")] * 50
    async with sink_at(*failing) as (sink, url):
        async with kuaidi(tmp_path, stages="1,1,100000000,1") as http:
            await subscribe(http, url)
            await hand_over(http)
            await wait_rows(http, "scan", 2)
        sink.answers = []
        async with kuaidi(tmp_path) as http:
            assert (await subscribe(http, url))["returnCode"] == "501"
            parcel = await wait_finished(http)
            await wait_rows(http, "callback_end", 4)
    assert [scan["code"] for scan in parcel["scans"]] == ["103", "1002", "5", "301"]
    assert max(len(codes(got)) for got in sink.got) == 4


@pytest.mark.parametrize("body", [b"", b"[]", b'{"waybill_no":"X"}', b"\xff"])
async def test_a_malformed_handover_is_refused(body: bytes) -> None:
    async with kuaidi() as http:
        assert (await http.post("/_world/handover", content=body)).status_code == 422
