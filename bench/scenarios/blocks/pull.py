"""`pull`: a payment whose callback is lost is found by asking; nothing paid is cancelled (R12, R13, R19).

An order with its deadline and the channel's own loop run side by side, each on its own clock, moved together from one
moment of the file to the next. What the loop finds goes through the inbox and the relay to the order.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from activities.polling import Pull
from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.shift import Shift
from domain.polling.polling import Synced, late, next_tick, synced
from domain.states import OrderStatus
from domain.strict import Strict
from workflows.loops.polling import PULL_WORKFLOW, pull_workflow_id
from workflows.messages import TASK_QUEUE

Seconds = Annotated[int, Field(ge=1, le=10**9)]
ORDER = OrderIn(order_no="PULLED", lines=(LineIn(id="L1", sku="PAID", qty=1, unit_price=100),))
BEFORE = timedelta(seconds=10)
LEAD = 1
"""Ticks without news before the one that may find something. More of them would bring the loop out of step with the
file: it waits from the end of one tick to the next, and on a busy machine each takes part of a second."""
LONGEST = timedelta(days=1)
DRIFT_S = 5


class PullIn(Strict):
    """`callback`: what became of the channel's own message: `delivered` in the moment of payment, or lost, and why."""

    interval_s: Seconds
    first_tick: AwareDatetime
    paid_at: AwareDatetime
    callback: Annotated[str, Field(pattern="^(delivered|(lost|dropped)(_[a-z_]+)?)$")]
    timeout_at: AwareDatetime
    delay_threshold_s: Annotated[int, Field(ge=0, le=10**9)]

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.interval_s)


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(PullIn, block(scenario, "pull"), "input.pull")
    found_by = next_tick(given.first_tick, given.interval, given.paid_at)
    if given.interval > LONGEST or found_by - max(given.paid_at, given.timeout_at) > LONGEST:
        return ByRule(_by_rule(given), "a loop asks at least once a day, and a closed order listens for a day")
    async with servers.house() as house:
        began = min(given.paid_at, given.timeout_at, _first_of_lead(given)) - BEFORE
        shift = Shift(began, house.now())
        payment = {"deadline": shift.to_house(given.timeout_at).isoformat()}
        life = await stocked(house, ORDER, payment=payment)
        at = await _play(house, life, given, shift)
        return await _told(life, given, at)


async def _play(house: ScenarioEnvironment, life: ScenarioOrder, given: PullIn, shift: Shift) -> datetime:
    """From moment to moment until the order knows of its payment: that moment. What this machine takes for it does not
    count: between two moments of the file no time passes."""
    paid = house.systems.pays(life.order.order_no, life.order.payable_minor, shift.to_house(given.paid_at))
    for moment in _moments(given):
        await house.pass_until(shift.to_house(moment))
        if moment == _first_of_lead(given):
            await house.temporal.start_workflow(
                PULL_WORKFLOW,
                Pull(connector="wechat", tick_s=given.interval_s),
                id=pull_workflow_id("wechat"),
                task_queue=TASK_QUEUE,
            )
        if moment == given.paid_at and given.callback == "delivered":
            await house.deliver(paid)
        if await _paid(house, life):
            return moment
    for _ in range(DRIFT_S):  # the loop waits from the end of one tick to the next, and a busy machine takes its time
        await house.pass_until(house.now() + timedelta(seconds=1))
        if await _paid(house, life):
            return moment
    raise AssertionError("the payment was not found by the last tick")


async def _paid(house: ScenarioEnvironment, life: ScenarioOrder) -> bool:
    await house.rest()
    await house.delivered()
    await house.rest()
    return bool((await life.detail()).payments)


def _moments(given: PullIn) -> Iterator[datetime]:
    """Ticks, the payment and the deadline, in turn, up to the tick that must find it."""
    tick, last = _first_of_lead(given), next_tick(given.first_tick, given.interval, given.paid_at)
    moments = {given.paid_at, given.timeout_at}
    while tick <= last:
        moments.add(tick)
        tick += given.interval
    return iter(sorted(moments))


def _first_of_lead(given: PullIn) -> datetime:
    """The tick from which on the loop is played: a few before the one after the payment."""
    last = next_tick(given.first_tick, given.interval, given.paid_at)
    return max(given.first_tick, last - LEAD * given.interval)


async def _told(life: ScenarioOrder, given: PullIn, at: datetime) -> dict[str, Any]:
    closed = (await life.detail()).order.status == OrderStatus.CLOSED
    threshold = timedelta(seconds=given.delay_threshold_s)
    latency_s = (at - given.paid_at) // timedelta(seconds=1)
    return _shape(Synced(at, latency_s, late(given.paid_at, at, threshold), closed))


def _by_rule(given: PullIn) -> dict[str, Any]:
    return _shape(
        synced(
            given.paid_at,
            heard_at=given.paid_at if given.callback == "delivered" else None,
            first_tick=given.first_tick,
            interval=given.interval,
            timeout_at=given.timeout_at,
            threshold=timedelta(seconds=given.delay_threshold_s),
        )
    )


def _shape(found: Synced) -> dict[str, Any]:
    return {
        "synced_at": found.synced_at.isoformat(),
        "latency_s": found.latency_s,
        "counts_as_delayed": found.counts_as_delayed,
        "auto_cancelled": found.auto_cancelled,
    }
