"""The warehouse sandbox end to end: it works by itself, reports to our receiver, and survives faults and restarts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.facts import Kind
from providers.qimen import CancelResult
from providers.qimen.sign import sign
from sandbox.core import serve
from tests.sandbox.callback_sink import until
from tests.sandbox.qimen_world import (
    APP_KEY,
    CHILD,
    CUSTOMER,
    NEVER,
    SECRET,
    World,
    in_order,
    outbound,
    until_status,
    warehouse,
)

WHOLE_WAY = [Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED]
PICKED = f"0.01,0.01,{NEVER},{NEVER}"
"""Stops after picking."""


async def cancel(world: World) -> CancelResult:
    return await world.wms.cancel(CHILD, warehouse="HZ01", reason="buyer")


def heard(world: World, kind: Kind) -> Callable[[], bool]:
    return lambda: kind in world.ears.kinds()


async def test_an_order_goes_the_whole_way_by_itself() -> None:
    async with warehouse() as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.WAYBILL_RETURNED))
        await until(lambda: len(world.ears.heard) == 4)
        assert sorted(world.ears.kinds()) == sorted(WHOLE_WAY)
        fact = world.ears.fact(Kind.WAYBILL_RETURNED)
        assert (fact.carrier, fact.actual) == ("YTO", {"1": 2, "2": 1})
        (row,) = await world.rows("ship")
        assert (row["data"]["units"], row["data"]["waybill_no"]) == ({"A-1": 2, "B-1": 1}, fact.waybill_no)
        assert not world.ears.refused


async def test_delays_are_divided_by_the_speed() -> None:
    async with warehouse(stages_s="5,600,900,300", speed=20_000) as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.WAYBILL_RETURNED))


@asynccontextmanager
async def label_and_courier() -> AsyncIterator[tuple[str, dict[str, dict[str, str]], list[dict[str, str]], list[int]]]:
    """TMS and courier in one: labels by child number, parcels handed over, statuses to answer a handover with first."""
    labels: dict[str, dict[str, str]] = {}
    parcels: list[dict[str, str]] = []
    failures: list[int] = []

    async def label(request: Request) -> Response:
        found = labels.get(request.path_params["id"])
        return JSONResponse(found) if found else JSONResponse({"error": "no"}, status_code=404)

    async def handover(request: Request) -> Response:
        if failures:
            return Response(status_code=failures.pop())
        parcels.append(await request.json())
        return JSONResponse({})

    routes = [Route("/_world/shipments/{id}", label), Route("/_world/handover", handover, methods=["POST"])]
    async with serve(Starlette(routes=routes)) as url:
        yield url, labels, parcels, failures


async def test_a_packed_box_waits_for_its_label_and_then_goes_to_the_courier() -> None:
    async with (
        label_and_courier() as (url, labels, parcels, failures),
        warehouse(TMS_URL=url, KUAIDI100_URL=url, speed=100, stages_s="1,1,1,1") as world,
    ):
        failures.append(503)
        await world.wms.push(outbound())
        await until(heard(world, Kind.PACKED))
        assert not await world.rows("ship")
        labels[CHILD] = {"waybill_no": "SF1234567890123", "carrier": "SF"}
        await until(heard(world, Kind.WAYBILL_RETURNED))
        fact = world.ears.fact(Kind.WAYBILL_RETURNED)
        assert (fact.waybill_no, fact.carrier) == ("SF1234567890123", "SF")
        await until(lambda: bool(parcels))
        assert parcels == [{"waybill_no": "SF1234567890123", "carrier": "SF", "child_no": CHILD}]


async def test_a_box_cancelled_while_it_waits_for_its_label_never_leaves() -> None:
    async with label_and_courier() as (url, labels, _, _), warehouse(TMS_URL=url, stages_s="0,0,0,0") as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.PACKED))
        assert await cancel(world) is CancelResult.PENDING
        labels[CHILD] = {"waybill_no": "SF1234567890123", "carrier": "SF"}
        await until(heard(world, Kind.INTERCEPTED))
        assert not await world.rows("ship")


async def test_a_box_cancelled_while_its_label_is_being_read_never_leaves() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def label(_request: Request) -> Response:
        asked.set()
        await answer.wait()
        return JSONResponse({"waybill_no": "SF1234567890123", "carrier": "SF"})

    routes = [Route("/_world/shipments/{id}", label)]
    async with (
        serve(Starlette(routes=routes)) as url,
        warehouse(TMS_URL=url, stages_s="0,0,0,0", CANCEL_S="0.2") as world,
    ):
        await world.wms.push(outbound())
        await asked.wait()
        assert await cancel(world) is CancelResult.PENDING
        answer.set()
        await until(heard(world, Kind.INTERCEPTED))
        assert not await world.rows("ship")


async def test_during_the_work_a_cancellation_is_pending_then_done() -> None:
    async with warehouse(stages_s=PICKED) as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.PICKING))
        assert await cancel(world) is CancelResult.PENDING
        await until(heard(world, Kind.INTERCEPTED))
        assert await cancel(world) is CancelResult.CANCELLED
        assert len(await world.rows("cancel")) == 1


async def test_a_pending_cancellation_can_be_overtaken_by_the_parcel() -> None:
    async with warehouse(stages_s="0.05,0.01,0.01,0.01") as world:
        await world.arm("cancel", "cancel_overtaken", match={"child_no": CHILD})
        await world.wms.push(outbound())
        assert await cancel(world) is CancelResult.PENDING
        assert await cancel(world) is not CancelResult.CANCELLED
        await until(heard(world, Kind.INTERCEPT_REFUSED))
        await until(heard(world, Kind.WAYBILL_RETURNED))
        assert await cancel(world) is CancelResult.TOO_LATE
        assert Kind.INTERCEPTED not in world.ears.kinds()


async def test_a_cancellation_can_be_pending_even_before_picking() -> None:
    async with warehouse(stages_s=",".join([NEVER] * 4)) as world:
        await world.arm("cancel", "cancel_pending")
        await world.wms.push(outbound())
        assert await cancel(world) is CancelResult.PENDING
        await until(heard(world, Kind.INTERCEPTED))


async def test_after_shipping_it_is_too_late() -> None:
    async with warehouse() as world:
        await world.wms.push(outbound())
        await until(heard(world, Kind.WAYBILL_RETURNED))
        assert await cancel(world) is CancelResult.TOO_LATE


@pytest.mark.parametrize("at", range(6))
async def test_whenever_it_is_cancelled_a_parcel_is_shipped_or_cancelled_never_both(at: int) -> None:
    async with warehouse(stages_s="0.03,0.03,0.03,0.03", CANCEL_S="0.02") as world:
        await world.wms.push(outbound())
        await until(lambda: len(world.ears.heard) >= min(at, 4))
        result = await cancel(world)
        ends = (Kind.WAYBILL_RETURNED, Kind.INTERCEPTED)
        if result is not CancelResult.CANCELLED:
            await until(lambda: any(kind in world.ears.kinds() for kind in ends))
        state = await world.wms.query(CHILD, warehouse="HZ01")
        shipped = bool(await world.rows("ship"))
        assert shipped is (result is CancelResult.TOO_LATE)
        assert state.status == ("DELIVERED" if shipped else "CANCELED")


async def test_a_rejected_order_is_not_worked_on() -> None:
    async with warehouse() as world:
        await world.arm("push", "reject")
        await world.wms.push(outbound())
        await until(heard(world, Kind.WMS_REJECTED))
        assert (await world.wms.query(CHILD, warehouse="HZ01")).status == "REJECT"


async def test_a_short_pick_is_told_by_line_and_the_rest_leaves() -> None:
    async with warehouse() as world:
        await world.arm("push", "short_pick")
        await world.wms.push(outbound())
        await until(heard(world, Kind.WAYBILL_RETURNED))
        await until(heard(world, Kind.SHORT_PICKED))
        assert world.ears.fact(Kind.SHORT_PICKED).actual == {"1": 1}
        assert world.ears.fact(Kind.WAYBILL_RETURNED).actual == {"1": 1, "2": 1}
        assert (await world.rows("ship"))[0]["data"]["units"] == {"A-1": 1, "B-1": 1}


async def test_a_silent_warehouse_works_on_and_tells_when_asked() -> None:
    async with warehouse() as world:
        await world.arm("push", "silence")
        await world.wms.push(outbound())
        await until_status(world, "DELIVERED")
        assert not world.ears.heard
        state = await world.wms.query(CHILD, warehouse="HZ01")
        assert [fact.kind for fact in state.facts] == [Kind.WAYBILL_RETURNED]


async def test_a_lost_report_is_lost_and_the_others_come() -> None:
    async with warehouse() as world:
        await world.arm("callback", "lost_callback", match={"kind": "PACKAGE"})
        await world.wms.push(outbound())
        await until(heard(world, Kind.WAYBILL_RETURNED))
        await until(lambda: len(world.ears.heard) == 3)
        assert Kind.PACKED not in world.ears.kinds()


async def test_a_duplicated_report_carries_the_same_id_and_key() -> None:
    async with warehouse() as world:
        await world.arm("callback", "duplicate_callback", match={"kind": "DELIVERED"})
        await world.wms.push(outbound())
        await until(lambda: world.ears.kinds().count(Kind.WAYBILL_RETURNED) == 2)
        twice = [c for c in world.ears.heard if c.kind == "deliveryorder.confirm"]
        assert twice[0].event_id == twice[1].event_id
        world.ears.fact(Kind.WAYBILL_RETURNED)  # one key


async def test_a_reordered_report_comes_after_the_next_one() -> None:
    async with warehouse() as world:
        await world.arm("callback", "reorder_callback", match={"kind": "PICK"})
        await world.wms.push(outbound())
        await until(heard(world, Kind.PICKING))
        assert in_order(world.ears.kinds(), [Kind.PACKED, Kind.PICKING])


async def test_a_delayed_report_comes_late() -> None:
    async with warehouse() as world:
        await world.arm("callback", "delay_callback", match={"kind": "ACCEPT"}, delay_s=0.5)
        await world.wms.push(outbound())
        await until(heard(world, Kind.WMS_ACCEPTED))
        assert in_order(world.ears.kinds(), [Kind.WAYBILL_RETURNED, Kind.WMS_ACCEPTED])


async def test_a_refused_or_unheard_report_is_repeated_freshly_signed() -> None:
    async with warehouse(speed=2000, stages_s="20,20,20,20") as world:
        world.ears.down = 2
        await world.arm("callback", "bad_signature", match={"kind": "DELIVERED"})
        await world.wms.push(outbound())
        await until(lambda: len(world.ears.heard) == 4)
        assert world.ears.refused == ["signature"]


async def test_a_call_with_a_wrong_signature_or_an_unknown_method_changes_nothing() -> None:
    async with warehouse() as world, httpx.AsyncClient(trust_env=False) as http:
        params = {
            "method": "taobao.qimen.deliveryorder.create",
            "timestamp": "2026-03-02 12:00:00",
            "format": "xml",
            "app_key": APP_KEY,
            "v": "2.0",
            "sign_method": "md5",
            "customerId": CUSTOMER,
        }
        forged = await http.post(world.url, params=params | {"sign": "A" * 32}, content=b"<request/>")
        assert "SIGN_CHECK_FAILURE" in forged.text
        odd = params | {"method": "taobao.qimen.entryorder.create"}
        reply = await http.post(world.url, params=odd | {"sign": sign(SECRET, odd, b"x")}, content=b"x")
        assert "METHOD_UNKNOWN" in reply.text
        xxe = b'<!DOCTYPE request [<!ENTITY x SYSTEM "file:///etc/hostname">]><request>&x;</request>'
        reply = await http.post(world.url, params=params | {"sign": sign(SECRET, params, xxe)}, content=xxe)
        assert "BODY_WRONG" in reply.text
        assert not await world.rows("push")
