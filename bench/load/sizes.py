"""`make sizes`, or `python -m bench.load.sizes --shape N`: the largest orders and the largest return that doors take.

Played to the end on skipped time: real engine, real store; the outside systems answer from a script. The limits are in
`domain/order.py` and `domain/returns/models.py`; what is found here is why they are not higher. Fails when a workflow
task has failed, or when a unit or a fen has no owner at the end.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers, environment, time_skipping
from bench.scenarios.environment.return_case import DESK, case_of
from domain.facts import Kind
from domain.order import MOST_PARCELS, StartOrder, order_too_large
from domain.returns.enums import Grade, ReturnType
from domain.returns.models import MOST_RETURNED_UNITS
from domain.strict import of
from relay.delivery.loop import DeliverySettings
from starter.clients.return_errors import StepRefused
from workflows.returns.messages import ScanUnit

PATIENCE_S = 900.0
LINGERS = DeliverySettings(linger_s=0.15, poll_s=0.02, claim_interval_s=0.0)
"""As in production: facts that come together are one message."""
MILLION = 1_000_000
MOST_LINES = 10_000
Shape = Callable[[int], dict[str, Any]]


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.sizes", description=__doc__)
    parser.add_argument("--shape", type=int, choices=range(1, len(SHAPES) + 1), help="only this one (default all)")
    parser.add_argument("--lines", type=int, default=MOST_LINES, help="at most so many")
    parser.add_argument("--returned", type=int, default=MOST_RETURNED_UNITS, help="units that come back, at most")
    options = parser.parse_args(words)
    time_skipping.REAL_S = PATIENCE_S
    vars(environment).update(REAL_S=PATIENCE_S, QUICK=LINGERS)
    for name, shape, returned in SHAPES if options.shape is None else SHAPES[options.shape - 1 : options.shape]:
        asyncio.run(_play(name, shape, min(returned, options.returned), options.lines))
    return 0


def _short_lines(n: int) -> dict[str, Any]:
    return {"qty": 1, "tags": {"warehouse": "W1"}}


def _parcels(n: int) -> dict[str, Any]:
    return {"qty": 1, "tags": {"warehouse": f"W{n % MOST_PARCELS}"}}


def _many_units(n: int) -> dict[str, Any]:
    return {"qty": MILLION, "unit_price_minor": 101, "discount_minor": 37, "tags": {"warehouse": "W1"}}


SHAPES: tuple[tuple[str, Shape, int], ...] = (
    ("as many lines as fit, one parcel", _short_lines, 0),
    ("as many lines as fit, in as many parcels as may be", _parcels, 0),
    ("as many lines as fit, a million units each; the largest return", _many_units, MOST_RETURNED_UNITS),
)


def largest(number: str, at: str, shape: Shape, most: int = MOST_LINES) -> StartOrder:
    """The largest order of this shape that the doors take."""
    fits, too_many = 1, most + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if order_too_large(_order(number, at, shape, middle)):
            too_many = middle
        else:
            fits = middle
    return _order(number, at, shape, fits)


def _order(number: str, at: str, shape: Shape, count: int) -> StartOrder:
    lines = [{"line_id": f"L{n}", "sku": f"S{n}", "unit_price_minor": 100 + n, **shape(n)} for n in range(count)]
    payable = sum(x["qty"] * x["unit_price_minor"] - x.get("discount_minor", 0) for x in lines)
    long = "字" * 200
    message = {
        "order_no": number, "channel": "scenario", "channel_order_no": number, "placed_at": at,
        "buyer": {"buyer_id": "buyer"}, "lines": lines, "payable_minor": payable,
        "address": {
            "recipient": long, "phone": "13800000000", "province": long, "city": long, "district": long, "street": long,
        },
    }  # fmt: skip
    return of(StartOrder, message)


async def _play(name: str, shape: Shape, returned: int, most: int) -> None:
    print(f"== {name}", flush=True)
    async with Servers() as servers, servers.house() as house:
        order = largest("SIZES00001", house.now().isoformat(), shape, most)
        await asyncio.gather(
            *(house.receive(x.sku, x.tags.warehouse, x.qty) for x in order.lines if x.tags is not None)
        )
        print(f"{len(order.lines)} lines, {sum(x.qty for x in order.lines)} units", flush=True)
        life = await _timed("placed", ScenarioOrder.place(house, order))
        await _timed("paid, split, pushed", life.pay())
        numbers = [int(c.child_no.rpartition("-")[2]) for c in (await life.view()).children]
        for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.SIGNED):
            what = house.deliver(*(life.fact(kind, n) for n in numbers))
            await _timed(f"{kind.value} of {len(numbers)}", what)
        await _timed("read back", life.view())
        if returned:
            await _return(house, life, returned)
        await _whole(life.handle)


async def _return(house: ScenarioEnvironment, life: ScenarioOrder, units: int) -> None:
    case = await case_of(life, ReturnType.RETURN_REFUND, {life.order.lines[0].line_id: units})
    await _timed(f"return of {units} units", case.apply())
    await case.decide()
    await case.enter_waybill()
    await case.receive()
    code = await case.code()

    async def scan() -> None:
        for n in range(units):
            await case.client.scan(case.return_no, ScanUnit(scan_id=f"s-{n}", by=DESK, code=code, grade=Grade.GOOD))
        await house.rest()

    await _timed("scanned", scan())
    try:
        await case.decide()
        await house.pass_until(house.now() + timedelta(seconds=61))
        await case.view()
    except StepRefused:  # it is over
        pass
    assert list(house.systems.refunds) == [f"R{case.return_no}"], house.systems.refunds
    await _whole(case.handle)


async def _whole(handle: WorkflowHandle[Any, Any]) -> None:
    events = (await handle.fetch_history()).events
    failed = [e for e in events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED]
    largest_event = max(e.ByteSize() for e in events)
    print(f"{handle.id}: {len(events)} events, {sum(e.ByteSize() for e in events)} bytes, largest {largest_event}")
    assert not failed, failed[0]


async def _timed(what: str, work: Awaitable[Any]) -> Any:
    began = time.perf_counter()
    done = await work
    print(f"  {what:32} {time.perf_counter() - began:7.1f} s", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
