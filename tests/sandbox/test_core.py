"""The shared core of the sandboxes: journal, faults, callbacks."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from providers.errors import Unavailable, UnknownOutcome
from providers.http import Reply, raise_for_outage, send
from sandbox.core import Delivery, Fault, Ledger, Sandbox, Settings, serve
from sandbox.core.settings import utc_now

SCHEDULE = (10.0, 20.0, 40.0)
FAST = 10_000.0


def render(delivery: Delivery) -> tuple[Mapping[str, str], bytes]:
    return {"X-Attempt": str(delivery.attempt)}, json.dumps({"id": delivery.id, "fault": delivery.fault}).encode()


def make_box(data_dir: Path | None = None, schedule: Sequence[float] = SCHEDULE, speed: float = FAST) -> Sandbox:
    settings = Settings(data_dir=data_dir, speed=speed)
    return Sandbox("test", settings, schedule=schedule, render=render, own_faults={"twisted"})


def app_of(box: Sandbox) -> Starlette:
    async def do(request: Request) -> Response:
        def work() -> Response:
            box.ledger.add("done", order_no="O-1")
            return JSONResponse({"ok": True})

        return await box.play("do", {"order_no": "O-1"}, work)

    return box.app([Route("/do", do, methods=["POST"])])


class Sink:
    """A receiver of callbacks that answers as told."""

    def __init__(self, answers: Sequence[int] = ()) -> None:
        self.got: list[dict[str, Any]] = []
        self._answers = list(answers)

    def app(self) -> Starlette:
        async def hook(request: Request) -> Response:
            self.got.append(await request.json())
            return Response(status_code=self._answers.pop(0) if self._answers else 204)

        return Starlette(routes=[Route("/", hook, methods=["POST"])])


async def until(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


def states(box: Sandbox) -> list[str]:
    return [r.data["state"] for r in box.ledger.find(op="callback_end")]


async def call(url: str, deadline_s: float = 5.0) -> Reply:
    async with httpx.AsyncClient() as http:
        return await send(http, "test", "POST", f"{url}/do", content=b"{}", deadline_s=deadline_s)


def test_journal_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    ledger = Ledger(path, utc_now)
    ledger.add("create", key="k", order_no="O-1", amount_minor=5, colour="红")
    ledger.close()
    with path.open("ab") as f:
        f.write(b'{"n": 2, "at": "20')
    again = Ledger(path, utc_now)
    again.add("close", order_no="O-1")
    again.close()
    third = Ledger(path, utc_now)
    assert [(r.n, r.op) for r in third.find(order_no="O-1")] == [(1, "create"), (2, "close")]
    assert third.rows[0].data == {"colour": "红"}
    third.close()


@pytest.mark.parametrize(
    ("fault", "error", "committed"),
    [
        ("error_before", UnknownOutcome, 0),
        ("error_after", UnknownOutcome, 1),
        ("too_many", Unavailable, 0),
        ("hang", UnknownOutcome, 1),
        ("reset", UnknownOutcome, 1),
    ],
)
async def test_http_fault_is_typed_by_the_client(fault: str, error: type[Exception], committed: int) -> None:
    box = make_box()
    async with serve(app_of(box)) as url:
        box.faults.arm(Fault("do", fault))
        with pytest.raises(error):
            raise_for_outage("test", await call(url, deadline_s=0.5 if fault == "hang" else 5.0))
        assert len(box.ledger.find(op="done")) == committed
        assert (await call(url)).body == b'{"ok":true}'


async def test_reset_really_drops_the_connection() -> None:
    box = make_box()
    async with serve(app_of(box)) as url:
        box.faults.arm(Fault("do", "reset"))
        with pytest.raises(UnknownOutcome) as e:
            await call(url)
    assert e.value.code in ("ReadError", "RemoteProtocolError")


async def test_nobody_listening_means_certainly_not_done() -> None:
    async with serve(app_of(make_box())) as url:
        pass
    with pytest.raises(Unavailable):
        await call(url)


async def test_garbage_is_a_200_that_is_not_json() -> None:
    box = make_box()
    async with serve(app_of(box)) as url:
        box.faults.arm(Fault("*", "garbage"))
        assert (await call(url)).body.startswith(b"<html>")


async def test_fault_is_armed_over_http_and_matches_only_its_order() -> None:
    async with serve(app_of(make_box())) as url, httpx.AsyncClient(base_url=url) as http:
        fault = {"operation": "do", "fault": "error_before", "match": {"order_no": "O-2"}, "times": 2}
        assert (await http.post("/_faults", json=fault)).status_code == 200
        assert (await http.post("/do")).status_code == 200
        assert (await http.get("/_faults")).json()[0]["times"] == 2
        assert (await http.delete("/_faults")).json() == []
        assert (await http.post("/_faults", json={"operation": "do", "fault": "no such"})).status_code == 422
        assert (await http.post("/_faults", json=["?"])).status_code == 422
        assert [r["op"] for r in (await http.get("/_ledger?order_no=O-1")).json()] == ["done"]
        assert (await http.get("/_health")).json()["sandbox"] == "test"


async def test_callback_is_repeated_on_the_schedule_until_accepted() -> None:
    box, sink = make_box(), Sink([500, 404])
    async with serve(sink.app()) as target, serve(app_of(box)):
        box.outbox.post("paid", target, {}, order_no="O-1")
        await until(lambda: states(box) == ["delivered"])
    attempts = box.ledger.find(op="callback_attempt")
    assert [(a.data["n"], a.data["wait_s"], a.data["status"]) for a in attempts] == [
        (0, 0.0, 500),
        (1, 10.0, 404),
        (2, 20.0, 204),
    ]
    assert len({g["id"] for g in sink.got}) == 1


async def test_callback_is_abandoned_after_the_last_attempt() -> None:
    box, sink = make_box(), Sink([500] * 9)
    async with serve(sink.app()) as target, serve(app_of(box)):
        box.outbox.post("paid", target, {})
        await until(lambda: states(box) == ["abandoned"])
    assert len(sink.got) == 1 + len(SCHEDULE)


async def test_unfinished_callback_continues_after_a_restart(tmp_path: Path) -> None:
    sink = Sink([500] * 2)
    async with serve(sink.app()) as target:
        first = make_box(tmp_path, schedule=(0.01, 10_000.0, 10_000.0), speed=1.0)
        async with serve(app_of(first)):
            first.outbox.post("paid", target, {}, order_no="O-1")
            await until(lambda: len(sink.got) == 2)
            await until(lambda: len(first.ledger.find(op="callback_attempt")) == 2)
        second = make_box(tmp_path)
        async with serve(app_of(second)):
            await until(lambda: states(second) == ["delivered"])
    assert [r.data["n"] for r in second.ledger.find(op="callback_attempt")] == [0, 1, 2]


@pytest.mark.parametrize(("fault", "times"), [("lost_callback", 0), ("duplicate_callback", 2), ("twisted", 1)])
async def test_callback_fault(fault: str, times: int) -> None:
    box, sink = make_box(), Sink()
    async with serve(sink.app()) as target, serve(app_of(box)):
        box.faults.arm(Fault("callback", fault, match={"kind": "paid"}))
        box.outbox.post("other", target, {})
        box.outbox.post("paid", target, {})
        await until(lambda: len(states(box)) == 2)
    assert len([g for g in sink.got if g["fault"] == fault]) == times
    assert len(sink.got) == times + 1


async def test_reordered_callback_arrives_behind_the_next_of_its_order() -> None:
    box, sink = make_box(), Sink()
    async with serve(sink.app()) as target, serve(app_of(box)):
        box.faults.arm(Fault("callback", "reorder_callback"))
        first = box.outbox.post("paid", target, {}, order_no="O-1")
        second = box.outbox.post("closed", target, {}, order_no="O-1")
        await until(lambda: len(sink.got) == 2)
    assert [g["id"] for g in sink.got] == [second, first]
