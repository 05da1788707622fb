"""Events by a cursor: what webhooks tell, in the order in which it came to be there, none missed and none twice."""

import asyncio
import json
from typing import Any

import pytest

from domain.access.api_tokens import ApiScope
from tests.open_api.programs import Door, Program
from tests.returns.orders import cups, paid

pytestmark = pytest.mark.usefixtures("cancelled_at_once")
PUT = "INSERT INTO outbox (event_id, order_no, type, at, body) VALUES ($1, 'SO1', 'ticket.opened', now(), $2)"


def an_event(n: int) -> tuple[str, str]:
    said = {
        "type": "ticket.opened", "timestamp": "2026-03-02T10:00:00+00:00",
        "data": {"order_no": None, "seq": 0, "ticket_id": "T", "child_no": None, "system": "s", "step": "t"},
    }  # fmt: skip
    return f"evt_{n:032x}", json.dumps(said)


async def all_of(program: Program, after: str | None = None, limit: int = 3) -> tuple[list[str], str]:
    found: list[str] = []
    while True:
        query: dict[str, Any] = {"limit": limit, **({"after": after} if after else {})}
        page = (await program.get("/events", **query)).json()
        found += [event["id"] for event in page["events"]]
        after = page["next"]
        if not page["more"]:
            return found, str(after)


async def test_what_happens_from_the_token_on_is_told_in_order_and_once(door: Door) -> None:
    silent = (await paid(door.house, cups())).order.order_no
    erp = await door.program(ApiScope.EVENTS_READ)
    assert (await erp.get("/events")).json() == {"events": [], "next": "e0", "more": False}
    second = cups().model_copy(update={"order_no": "SO26112002"})
    order = (await paid(door.house, second)).order.order_no
    events = (await erp.get("/events", limit=500)).json()["events"]
    assert {e["data"]["order_no"] for e in events} == {order} and silent != order
    kinds = [e["type"] for e in events]
    assert "payment.received" in kinds and "parcel.status_changed" in kinds
    seqs = [e["data"]["seq"] for e in events if e["type"] == "order.status_changed"]
    assert seqs == sorted(seqs)
    ids, end = await all_of(erp)
    assert ids == [e["id"] for e in events] and len(set(ids)) == len(ids)
    assert (await all_of(erp, end))[0] == []
    only = (await erp.get("/events", type="payment.received")).json()["events"]
    assert [e["type"] for e in only] == ["payment.received"]


async def test_an_event_that_is_committed_late_is_not_missed(door: Door) -> None:
    erp, pool = await door.program(ApiScope.EVENTS_READ), door.house.pool
    async with pool.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await slow.execute(PUT, *an_event(1))
        await pool.execute(PUT, *an_event(2))
        first, end = await all_of(erp)
        await late.commit()
    second, _ = await all_of(erp, end)
    assert (first, second) == ([an_event(2)[0]], [an_event(1)[0]])


async def test_of_many_writers_and_readers_each_reader_has_every_event_once(door: Door) -> None:
    erp, pool = await door.program(ApiScope.EVENTS_READ), door.house.pool

    async def writes(part: int) -> None:
        for n in range(30):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(PUT, *an_event(part * 1000 + n))
                await asyncio.sleep(0)

    async def reads() -> list[str]:
        found: list[str] = []
        after = None
        while len(found) < 90:
            more, after = await all_of(erp, after, limit=7)
            found += more
        return found

    async with asyncio.timeout(60):
        writers = asyncio.gather(*(writes(part) for part in range(3)))
        first, second = await asyncio.gather(reads(), reads())
        await writers
    assert first == second and len(set(first)) == 90


async def test_a_cursor_that_is_too_old_says_so_and_none_that_is_made_up_is_taken(door: Door) -> None:
    erp, pool = await door.program(ApiScope.EVENTS_READ), door.house.pool
    for n in range(1, 6):
        await pool.execute(PUT, *an_event(n))
    _, end = await all_of(erp)
    await pool.execute("DELETE FROM outbox WHERE place <= 3")
    gone = await erp.get("/events", after="e1")
    assert (gone.status_code, gone.json()["code"]) == (410, "CURSOR_TOO_OLD")
    assert (await all_of(erp, "e3"))[0] == [an_event(4)[0], an_event(5)[0]]
    await pool.execute("DELETE FROM outbox")
    assert (await all_of(erp, end))[0] == [] and (await erp.get("/events", after="e4")).status_code == 410
    for cursor in ("", "5", "e-1", "e" + "9" * 30, "e1' --"):
        assert (await erp.get("/events", after=cursor)).status_code == 422, cursor


async def test_a_program_of_one_shop_or_warehouse_hears_of_its_own_only(door: Door) -> None:
    everything = await door.program(ApiScope.EVENTS_READ)
    order = (await paid(door.house, cups())).order
    await door.house.pool.execute(PUT, *an_event(1))
    mine = await door.program(ApiScope.EVENTS_READ, name="api/mine", channels=(order.channel,))
    other = await door.program(ApiScope.EVENTS_READ, name="api/other", channels=("another-shop",))
    far = await door.program(ApiScope.EVENTS_READ, name="api/far", warehouses=("WH-MOON",))
    told = [(await program.get("/events", limit=500)).json()["events"] for program in (everything, mine, other, far)]
    assert {e["data"]["order_no"] for e in told[0]} == {order.order_no, None}
    assert {e["data"]["order_no"] for e in told[1]} == {order.order_no}
    assert told[2] == told[3] == []
    assert (await all_of(other))[1] == (await all_of(everything))[1], "its cursor goes on all the same"


async def test_where_nobody_listens_nothing_is_written(door: Door) -> None:
    await door.program(ApiScope.ORDERS_READ)
    await paid(door.house, cups())
    assert await door.house.pool.fetchval("SELECT count(*) FROM outbox") == 0
