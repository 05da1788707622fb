"""Every callback of a channel is lost for a whole day, and every status is right all the same (R12, R13, R19)."""

import asyncio
from collections import Counter

import pytest
from temporalio.api.enums.v1 import EventType

from bench.checks import order_invariants
from bench.demo.environment import DemoEnvironment, Seen
from bench.demo.orders import provide_stock
from bench.demo.stories import DemoOrder, plain
from bench.load.two_parcels import two_parcel_orders
from domain.order import StartOrder
from store.polling.measures import MeasureStore
from store.tickets.tickets import TicketStore
from tests.pull.conftest import TICK_S
from tests.pull.insiders import as_owner, as_worker
from tests.relay.conftest import until
from workflows.loops.polling import pull_workflow_id
from workflows.loops.reconciliation import DAILY_WORKFLOW_ID, Daily

pytestmark = pytest.mark.slow
ALWAYS = 1_000_000
HOURS = 24


async def placed(stage: DemoEnvironment, count: int) -> list[StartOrder]:
    orders = two_parcel_orders(count)
    await provide_stock(stage.pool, [DemoOrder("pull", order, plain) for order in orders])
    stage.seen |= {order.order_no: Seen() for order in orders}
    await asyncio.gather(*(stage.client.start(order) for order in orders))
    return orders


async def events(stage: DemoEnvironment, connector: str) -> Counter[str]:
    history = await stage.temporal.get_workflow_handle(pull_workflow_id(connector)).fetch_history()
    return Counter(EventType.Name(e.event_type).removeprefix("EVENT_TYPE_") for e in history.events)


async def test_a_day_without_a_single_payment_callback(stage: DemoEnvironment) -> None:
    await stage.fault("wechat", "callback", "lost_callback", times=ALWAYS)
    orders = await placed(stage, HOURS)
    before = await events(stage, "wechat")
    for hour in range(0, HOURS, 4):
        await asyncio.gather(*(stage.pay(order) for order in orders[hour : hour + 4]))
        await asyncio.sleep(TICK_S / 2)
    for order in orders:
        seen = await stage.until(order.order_no, "the payment", lambda s: s.payment_status == "PAID")
        assert seen.paid_minor == order.payable_minor and seen.status != "CLOSED"
    numbers = [order.order_no for order in orders]
    rows = await stage.pool.fetch(
        "SELECT via, state FROM inbox WHERE source = 'wechat' AND order_no = ANY($1)", numbers
    )
    assert Counter((r["via"], r["state"]) for r in rows) == {("query", "applied"): HOURS}, "found, and once each"
    late = await stage.pool.fetch(
        "SELECT extract(epoch FROM booked_at - paid_at)::float AS s FROM payments WHERE order_no = ANY($1)", numbers
    )
    # Times of payment are told in whole seconds; one tick, the delivery, and room for a busy machine.
    assert max(row["s"] for row in late) <= TICK_S + 6
    delays = await stage.pool.fetch("SELECT paid, delayed, delayed_ppm FROM payment_delays WHERE channel = 'wechat'")
    assert sum(row["paid"] for row in delays) >= HOURS and {row["delayed_ppm"] for row in delays} == {0}
    cost = await events(stage, "wechat") - before
    ticks = cost["ACTIVITY_TASK_COMPLETED"]
    assert ticks > 0 and sum(cost.values()) <= 6 * (ticks + 1), cost


async def test_warehouse_and_courier_are_asked_when_they_say_nothing(stage: DemoEnvironment) -> None:
    for sandbox in ("wechat", "qimen", "kuaidi100"):
        await stage.fault(sandbox, "callback", "lost_callback", times=ALWAYS)
    orders = await placed(stage, 3)
    for order in orders:
        await stage.pay(order)
    for order in orders:
        await stage.until(order.order_no, "delivery", lambda s: s.status == "DELIVERED")
    sources = await stage.pool.fetch(
        "SELECT DISTINCT source, via FROM inbox WHERE order_no = ANY($1)", [order.order_no for order in orders]
    )
    assert {(r["source"], r["via"]) for r in sources} == {(s, "query") for s in ("wechat", "qimen", "kuaidi100")}
    scans = await stage.pool.fetchval(
        "SELECT count(*) FROM courier_traces t JOIN child_orders c USING (waybill_no) WHERE c.order_no = ANY($1)",
        [order.order_no for order in orders],
    )
    assert scans >= 6, "the whole trace is kept, not only what moved a state"


async def test_a_channel_that_answers_nothing_is_a_ticket_until_it_answers(stage: DemoEnvironment) -> None:
    tickets = TicketStore(stage.pool)

    async def outages(state: str) -> list[str]:
        return [t.ticket_id for t in await tickets.list(state=state, system="wechat") if t.step == "pull"]

    resolved = await outages("resolved")
    await stage.fault("wechat", "query", "error_before", times=ALWAYS)
    (order,) = await placed(stage, 1)
    (ticket,) = await until(lambda: outages("open"), 30)
    await stage.http.delete(f"{stage.sandboxes['wechat']}/_faults")

    async def closed() -> bool:
        return await outages("resolved") == [ticket, *resolved]

    await until(closed, 30)
    assert await outages("open") == []
    await stage.pay(order)
    await stage.until(order.order_no, "the payment", lambda s: s.payment_status == "PAID")


async def test_the_nightly_comparison_sees_what_differs_and_sees_it_heal(stage: DemoEnvironment) -> None:
    (order,) = await placed(stage, 1)
    await stage.pay(order)
    await stage.until(order.order_no, "parcels", lambda s: s.status in ("SHIPPED", "DELIVERED"))
    number = f"{order.order_no}-01"
    daily = (await as_worker()).get_workflow_handle(DAILY_WORKFLOW_ID)
    await daily.signal("configure", Daily(settle_s=1))
    later = "UPDATE child_orders SET status = 'PICKING', updated_at = updated_at + interval '1 day' WHERE child_no = $1"
    await as_owner(later, number)  # no write of the order's is later
    drifts = "SELECT kind, number, found, healed_at FROM drifts WHERE order_no = $1 AND kind = 'view' ORDER BY id"

    async def night() -> int:
        done = "SELECT count(*) FROM reconciliations WHERE finished_at > $1"
        began = await stage.pool.fetchval("SELECT now()")
        await stage.temporal.get_workflow_handle(DAILY_WORKFLOW_ID).signal("run_now")
        found: int = await until(lambda: stage.pool.fetchval(done, began), 100)
        return found

    await night()
    (drift,) = [dict(row) for row in await stage.pool.fetch(drifts, order.order_no)]
    assert drift == {"kind": "view", "number": number, "found": "PICKING", "healed_at": None}
    (ticket,) = [t for t in await TicketStore(stage.pool).list(order_no=order.order_no) if t.step == "reconcile"]
    view = await stage.client.view(order.order_no)
    (child,) = [c for c in view.children if c.child_no == number]
    await as_owner("UPDATE child_orders SET status = $2 WHERE child_no = $1", number, child.status.value)
    await night()
    (drift,) = [dict(row) for row in await stage.pool.fetch(drifts, order.order_no)]
    assert drift["healed_at"] is not None
    closed = await TicketStore(stage.pool).get(ticket.ticket_id)
    assert closed is not None and closed.action == "evidence"


async def test_every_invariant_holds_after_all_of_it(stage: DemoEnvironment) -> None:
    drained = "SELECT NOT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"
    await until(lambda: stage.pool.fetchval(drained), 30)
    world = await order_invariants.look(stage.pool, stage.sandboxes, stage.temporal)
    assert [f for f in order_invariants.check(world) if not f.holds] == []
    report = [await MeasureStore(stage.pool).day(row["day"]) for row in await stage.pool.fetch(
        "SELECT DISTINCT day FROM sync_accuracy"
    )]  # fmt: skip
    assert {a.source for day in report for a in day.accuracy} >= {"wechat", "qimen", "kuaidi100"}
    assert all(a.accuracy_bp >= 9_950 for day in report for a in day.accuracy if a.source != "kuaidi100")
