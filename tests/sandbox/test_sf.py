"""The SF sandbox: parcels move by themselves; each scan of one booked here is pushed until it is taken."""

import asyncio
import base64
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Settings, serve
from sandbox.sf import create_app

CHILD = "SO2603020001-01"
STAGES = "1000,1000,1000,1000"
FAST = 100_000.0
CONTACT = {"contact": "张三", "mobile": "13800000000", "country": "CN", "address": "文三路 1 号"}
ORDER = {
    "language": "zh-CN",
    "orderId": CHILD,
    "cargoDetails": [{"name": "商品"}],
    "contactInfoList": [CONTACT | {"contactType": 1}, CONTACT | {"contactType": 2}],
}


class Sink:
    """Takes pushes that come with the key; `refusals`: how many to refuse first."""

    def __init__(self, refusals: int = 0) -> None:
        self.got: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._refusals = refusals

    def app(self) -> Starlette:
        async def hook(request: Request) -> Response:
            self.keys.append(request.query_params.get("key", ""))
            if self._refusals or self.keys[-1] != "k?&":
                self._refusals = max(0, self._refusals - 1)
                return JSONResponse({"return_code": "1000", "return_msg": "again"})
            self.got += (await request.json())["Body"]["WaybillRoute"]
            return JSONResponse({"return_code": "0000", "return_msg": "成功"})

        return Starlette(routes=[Route("/hook", hook, methods=["POST"])])

    @property
    def codes(self) -> list[str]:
        return sorted(route["opCode"] for route in self.got)


@asynccontextmanager
async def sf(
    callback_url: str = "", data_dir: Path | None = None, stages: str = STAGES, speed: float = FAST
) -> AsyncIterator[httpx.AsyncClient]:
    values = {"PARTNER_ID": "P", "CHECK_WORD": "w", "CALLBACK_URL": callback_url, "PUSH_KEYS": "k?&,old"}
    settings = Settings(values=values | {"STAGES_S": stages}, data_dir=data_dir, speed=speed)
    async with serve(create_app(settings)) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield http


@asynccontextmanager
async def world(sink: Sink, **more: Any) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """With one booking; yields its waybill number."""
    async with serve(sink.app()) as url, sf(f"{url}/hook", **more) as http:
        booked = (await call(http, "EXP_RECE_CREATE_ORDER", ORDER))["msgData"]
        yield http, booked["waybillNoInfoList"][0]["waybillNo"]


def form(service: str, message: Any, **more: str) -> dict[str, str]:
    text, timestamp = json.dumps(message), str(int(time.time() * 1000))
    digested = hashlib.md5(quote_plus(f"{text}{timestamp}w", safe="*").encode(), usedforsecurity=False).digest()
    made = {"partnerID": "P", "requestID": uuid.uuid4().hex, "serviceCode": service, "timestamp": timestamp}
    return made | {"msgData": text, "msgDigest": base64.b64encode(digested).decode()} | more


async def ask(http: httpx.AsyncClient, service: str, message: Any, **more: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await http.post("/std/service", data=form(service, message, **more))).json()
    return answer


async def call(http: httpx.AsyncClient, service: str, message: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await ask(http, service, message))["apiResultData"])
    return told


async def rows(http: httpx.AsyncClient, op: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get("/_ledger", params={"op": op})).json()
    return found


async def wait_rows(http: httpx.AsyncClient, op: str, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(found := await rows(http, op)) < count:
            await asyncio.sleep(0.01)
    return found


async def advance(http: httpx.AsyncClient, waybill_no: str, code: str) -> None:
    assert (await http.post("/_world/advance", json={"waybill_no": waybill_no, "code": code})).status_code == 200


async def test_a_parcel_goes_its_way_and_each_scan_is_pushed_alone() -> None:
    sink = Sink()
    async with world(sink) as (http, waybill_no):
        await http.post("/_world/handover", json={"waybill_no": waybill_no, "carrier": "SF", "child_no": CHILD})
        await wait_rows(http, "callback_end", 4)
    assert sink.codes == ["30", "44", "50", "80"]
    assert {(r["mailno"], r["orderid"]) for r in sink.got} == {(waybill_no, CHILD)}
    assert len({r["id"] for r in sink.got}) == 4


async def test_parcels_that_were_booked_elsewhere_are_not_pushed() -> None:
    async with world(Sink()) as (http, _):
        await advance(http, "SF9999999999999", "50")
        assert len(await rows(http, "scan")) == 1
        assert await rows(http, "callback") == []


async def test_a_push_that_is_not_taken_comes_again_under_the_same_id() -> None:
    sink = Sink(refusals=2)
    async with world(sink) as (http, waybill_no):
        await advance(http, waybill_no, "50")
        (ended,) = await wait_rows(http, "callback_end", 1)
    assert (ended["data"]["state"], len(sink.keys), len(sink.got)) == ("delivered", 3, 1)


@pytest.mark.parametrize(
    ("fault", "pushes"),
    [("lost_callback", 0), ("duplicate_callback", 2), ("delay_callback", 1), ("bad_signature", 1)],
)
async def test_callback_faults(fault: str, pushes: int) -> None:
    sink = Sink()
    async with world(sink) as (http, waybill_no):
        armed = {"operation": "callback", "fault": fault, "match": {"child_no": CHILD}, "delay_s": 0.05}
        assert (await http.post("/_faults", json=armed)).status_code == 200
        await advance(http, waybill_no, "50")
        await wait_rows(http, "callback_end", 1)
    assert len(sink.got) == pushes
    assert sink.keys[:1] == {"lost_callback": [], "bad_signature": ["k?&?"]}.get(fault, ["k?&"])


@pytest.mark.parametrize(
    ("fault", "way"),
    [("exception", ["50", "30", "33", "44", "80"]), ("refused", ["50", "30", "44", "99"])],
)
async def test_a_parcel_in_trouble_takes_another_way(fault: str, way: list[str]) -> None:
    async with world(Sink()) as (http, waybill_no):
        await http.post("/_faults", json={"operation": "handover", "fault": fault, "match": {"child_no": CHILD}})
        await http.post("/_world/handover", json={"waybill_no": waybill_no})
        await wait_rows(http, "scan", len(way))
        parcel = (await http.get(f"/_world/parcels/{waybill_no}")).json()
    assert ([scan["code"] for scan in parcel["scans"]], parcel["finished"]) == (way, True)


async def test_a_restart_forgets_nothing_and_parcels_move_on(tmp_path: Path) -> None:
    sink = Sink()
    async with world(sink, data_dir=tmp_path, stages="1,1,100000000,1") as (http, waybill_no):
        await http.post("/_world/handover", json={"waybill_no": waybill_no})
        await wait_rows(http, "callback_end", 2)
        other = ORDER | {"orderId": "SO2603020001-02"}
        await call(http, "EXP_RECE_CREATE_ORDER", other)
        await call(http, "EXP_RECE_UPDATE_ORDER", {"orderId": other["orderId"], "dealType": 2})
    async with serve(sink.app()) as url, sf(f"{url}/hook", tmp_path) as http:
        again = await call(http, "EXP_RECE_CREATE_ORDER", ORDER)
        found = await call(http, "EXP_RECE_SEARCH_ORDER_RESP", {"orderId": CHILD})
        gone = await call(http, "EXP_RECE_SEARCH_ORDER_RESP", {"orderId": other["orderId"]})
        await wait_rows(http, "scan", 4)
    assert (again["errorCode"], gone["errorCode"]) == ("8016", "8037")
    assert found["msgData"]["waybillNoInfoList"] == [{"waybillType": 1, "waybillNo": waybill_no}]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"msgDigest": "x"}, "A1006"),
        ({"partnerID": "Q"}, "A1006"),
        ({"msgDigest": ""}, "A1001"),
        ({"timestamp": "1"}, "A1002"),
        ({"timestamp": "soon"}, "A1002"),
        ({"serviceCode": "NOPE"}, "A1004"),
    ],
)
async def test_what_is_not_a_call_of_the_partner_is_turned_away(more: dict[str, str], code: str) -> None:
    async with sf() as http:
        assert (await ask(http, "EXP_RECE_CREATE_ORDER", ORDER, **more))["apiResultCode"] == code
        assert await rows(http, "book") == []


@pytest.mark.parametrize(
    "changed",
    [{"orderId": ""}, {"contactInfoList": []}, {"cargoDetails": None}, {"totalWeight": 0}, {"language": ""}],
)
async def test_an_incomplete_order_is_refused(changed: dict[str, Any]) -> None:
    async with sf() as http:
        told = await call(http, "EXP_RECE_CREATE_ORDER", ORDER | changed)
        assert (told["success"], told["errorCode"]) == (False, "S0002")


@pytest.mark.parametrize("path", ["/_world/handover", "/_world/advance"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff"])
async def test_a_malformed_word_from_the_world_is_refused(path: str, body: bytes) -> None:
    async with sf() as http:
        assert (await http.post(path, content=body)).status_code == 422
