"""The Qimen client against the real sandbox server, over real HTTP: every fault ends in the right kind of error."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from domain.facts import Kind
from providers.errors import ProviderError
from providers.http import send
from providers.qimen import CancelResult, QimenConfig, QimenLine, QimenWms, WmsRefused, WmsUnavailable, WmsUnknown
from sandbox.core import serve
from tests.sandbox.callback_sink import until
from tests.sandbox.qimen_world import CHILD, NEVER, World, account, outbound, warehouse

IDLE = ",".join([NEVER] * 4)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with warehouse(stages_s=IDLE) as world:
        yield world


async def test_a_push_is_accepted_once_and_a_duplicate_ever_after(world: World) -> None:
    first = await world.wms.push(outbound())
    again = await world.wms.push(outbound())
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.delivery_order_id == again.delivery_order_id
    (row,) = await world.rows("push")
    assert (row["key"], row["order_no"], row["data"]["units"]) == (CHILD, "SO2603020001", {"A-1": 2, "B-1": 1})


async def test_the_warehouse_gets_the_address_as_it_was_written(world: World) -> None:
    await world.wms.push(outbound())
    receiver = (await world.rows("push"))[0]["data"]["content"]["receiver"]
    assert (receiver["name"], receiver["detailAddress"]) == ("张三", "文三路 1 号 <3&4>")


async def test_the_same_number_with_other_content_is_refused(world: World) -> None:
    await world.wms.push(outbound())
    with pytest.raises(WmsRefused) as caught:
        await world.wms.push(outbound(lines=(QimenLine(line_id="1", sku="A-1", qty=3),)))
    assert caught.value.code == "CONTENT_CONFLICT"


@pytest.mark.parametrize(
    ("fault", "error", "done"),
    [
        ("error_before", WmsUnknown, 0),
        ("error_after", WmsUnknown, 1),
        ("too_many", WmsUnavailable, 0),
        ("garbage", WmsUnknown, 1),
        ("reset", WmsUnknown, 1),
        ("refuse", WmsRefused, 0),
    ],
)
async def test_a_failed_push_says_whether_it_may_have_been_done(
    world: World, fault: str, error: type[ProviderError], done: int
) -> None:
    await world.arm("push", fault)
    with pytest.raises(ProviderError) as caught:
        await world.wms.push(outbound())
    assert type(caught.value) is error
    assert len(await world.rows("push")) == done
    assert (await world.wms.query(CHILD, warehouse="HZ01")).found is bool(done)
    await world.wms.push(outbound())
    assert len(await world.rows("push")) == 1


async def test_a_push_without_an_answer_in_time_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.qimen.client.send", partial(send, deadline_s=0.3))
    await world.arm("push", "hang", delay_s=1.0)
    with pytest.raises(WmsUnknown):
        await world.wms.push(outbound())
    assert len(await world.rows("push")) == 1


async def test_too_many_calls_says_how_long_to_wait(world: World) -> None:
    await world.arm("push", "too_many", delay_s=7)
    with pytest.raises(WmsUnavailable) as caught:
        await world.wms.push(outbound())
    assert caught.value.retry_after_s == 7


async def test_nobody_listening_is_certainly_not_done() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(WmsUnavailable):
            await QimenWms(account(), http, lambda: datetime.now(UTC)).push(outbound())


async def test_a_wrong_secret_is_refused_and_never_shown(world: World) -> None:
    config = QimenConfig(account(world.url).base_url, "app-1", "shop-1", "wr0ng-secret")
    with pytest.raises(WmsRefused) as caught:
        await QimenWms(config, world.http, lambda: datetime.now(UTC)).push(outbound())
    assert "wr0ng" not in f"{caught.value} {config!r}"


async def test_an_order_that_the_warehouse_does_not_know_is_absent_and_not_cancelled(world: World) -> None:
    state = await world.wms.query(CHILD, warehouse="HZ01")
    assert (state.found, state.facts) == (False, ())
    assert await world.wms.cancel(CHILD, warehouse="HZ01", reason="x") is CancelResult.ABSENT


async def test_before_picking_a_cancellation_is_done_at_once_and_repeats(world: World) -> None:
    await world.wms.push(outbound())
    for _ in range(2):
        assert await world.wms.cancel(CHILD, warehouse="HZ01", reason="buyer & co") is CancelResult.CANCELLED
    (row,) = await world.rows("cancel")
    assert row["data"]["units"] == {"A-1": 2, "B-1": 1}
    state = await world.wms.query(CHILD, warehouse="HZ01")
    assert [fact.kind for fact in state.facts] == [Kind.INTERCEPTED]


async def test_a_cancellation_may_come_too_late_and_stays_so(world: World) -> None:
    await world.wms.push(outbound())
    await world.arm("cancel", "too_late")
    for _ in range(2):
        assert await world.wms.cancel(CHILD, warehouse="HZ01", reason="x") is CancelResult.TOO_LATE


async def test_asking_tells_the_facts_that_the_callbacks_told() -> None:
    async with warehouse() as world:
        await world.arm("push", "short_pick")
        await world.wms.push(outbound())
        await until(lambda: Kind.WAYBILL_RETURNED in world.ears.kinds())
        state = await world.wms.query(CHILD, warehouse="HZ01")
        heard = {fact.key: fact for fact in world.ears.facts}
        assert state.status == "DELIVERED"
        assert [fact.kind for fact in state.facts] == [Kind.SHORT_PICKED, Kind.WAYBILL_RETURNED]
        for fact in state.facts:
            assert (heard[fact.key].waybill_no, heard[fact.key].actual) == (fact.waybill_no, fact.actual)


ANSWERS = {
    "html": (200, b"<html><body>gateway</body></html>", WmsUnknown),
    "no_flag": (200, b"<response><code>0</code></response>", WmsUnknown),
    "flag_twice": (200, b"<response><flag>success</flag><flag>failure</flag></response>", WmsUnknown),
    "laughs": (200, b'<!DOCTYPE response [<!ENTITY a "a">]><response><flag>&a;</flag></response>', WmsUnknown),
    "redirect": (302, b"", WmsUnavailable),
    "not_here": (404, b"", WmsUnavailable),
    "bad_gateway": (502, b"", WmsUnknown),
    "throttled": (200, b"<response><flag>failure</flag><code>7</code></response>", WmsUnavailable),
    "far_side": (200, b"<response><flag>failure</flag><code>isp.timeout</code></response>", WmsUnknown),
    "no": (200, b"<response><flag>failure</flag><code>S001</code></response>", WmsRefused),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_strange_answers_are_sorted_by_what_they_leave_open(name: str) -> None:
    status, body, error = ANSWERS[name]

    async def answer(_request: object) -> Response:
        return Response(body, status)

    async with (
        serve(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        wms = QimenWms(account(url), http, lambda: datetime.now(UTC))
        with pytest.raises(ProviderError) as caught:
            await wms.push(outbound())
        assert type(caught.value) is error


async def test_an_answer_about_another_order_is_not_believed() -> None:
    async def answer(_request: object) -> Response:
        order = b"<deliveryOrder><deliveryOrderCode>OTHER-01</deliveryOrderCode></deliveryOrder>"
        return Response(b"<response><flag>success</flag>" + order + b"</response>")

    async with (
        serve(Starlette(routes=[Route("/", answer, methods=["POST"])])) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        with pytest.raises(WmsUnknown):
            await QimenWms(account(url), http, lambda: datetime.now(UTC)).query(CHILD, warehouse="HZ01")
