"""`timers`: when a deadline falls due, and whether a cancelling event came in time (R13, R43, R52).

Each timer is played as the payment deadline of an order of its own, whatever its name: the one deadline that any
duration can be given to. The cancelling event is the payment, known at the channel from its own moment on and told by a
callback; the order asks the channel at its deadline before it closes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter
from temporalio.api.enums.v1 import EventType

from bench.scenarios.document import ByRule, Scenario, block, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.shift import Shift
from domain.states import OrderStatus
from domain.strict import Strict
from domain.timers import TimerOutcome, due, outcome

Count = Annotated[int, Field(ge=0, le=10**9)]
NOTED_WITHIN = timedelta(seconds=10)
LONGEST = timedelta(days=100 * 365)
"""Temporal keeps durations in nanoseconds, which end at 292 years."""
DEADLINE = b'"payment deadline"'
"""The timer's name in the history. An order has others later: a slow machine may have passed this one unset."""


class TimerIn(Strict):
    name: str
    start: AwareDatetime
    seconds: Count | None = None
    minutes: Count | None = None
    hours: Count | None = None
    days: Count | None = None
    cancel_at: AwareDatetime | None = None


TIMERS = TypeAdapter(tuple[TimerIn, ...])


@dataclass(frozen=True)
class Running:
    """One timer in the environment. `cancelled`: when the buyer pays, in the time of the environment."""

    timer: TimerIn
    life: ScenarioOrder
    shift: Shift
    due: datetime

    @property
    def cancelled(self) -> datetime | None:
        return None if self.timer.cancel_at is None else self.shift.to_house(self.timer.cancel_at)


async def play(scenario: Scenario, servers: Servers) -> Any:
    timers = read_as(TIMERS, block(scenario, "timers"), "input.timers")
    rules = [_by_rule(timer) for timer in timers]
    if any(_longer_than(timer, LONGEST) for timer in timers):
        return ByRule(rules, "a timer of more than 100 years, or an event as far from its start")
    async with servers.house() as house:
        # One for all: what is one moment in the file is one in the environment. In whole seconds, as the file counts.
        here = house.now().replace(microsecond=0)
        running = [await _start(house, timer, n, here) for n, timer in enumerate(timers)]
        await _pass(house, running)
        return [await _found(one) for one in running]


async def _start(house: ScenarioEnvironment, timer: TimerIn, n: int, here: datetime) -> Running:
    deadline = here + _duration(timer)
    order = OrderIn(order_no=f"TIMER-{n:04d}", lines=(LineIn(id="L1", sku="TIMED", qty=1, unit_price=100),))
    life = await stocked(
        house, order, {"L1": 0}, placed_at=here.isoformat(), payment={"deadline": deadline.isoformat()}
    )
    return Running(timer, life, Shift(timer.start, here), deadline)


async def _pass(house: ScenarioEnvironment, running: Sequence[Running]) -> None:
    """Every moment at which something falls due or happens, in turn. The channel knows of each payment from its moment
    on, however late this machine is in telling of it."""
    paid = [
        (one.cancelled, house.systems.pays(one.life.order.order_no, one.life.order.payable_minor, one.cancelled))
        for one in running
        if one.cancelled is not None
    ]
    for moment in sorted({m for one in running for m in (one.due, one.cancelled) if m is not None}):
        await house.pass_until(moment)
        if told := [fact for at, fact in paid if at == moment]:
            await house.deliver(*told)


async def _found(one: Running) -> dict[str, Any]:
    closed = (await one.life.detail()).order.status == OrderStatus.CLOSED
    return {
        "name": one.timer.name,
        "due": one.shift.to_file(await _due(one)),
        "outcome": (TimerOutcome.FIRED if closed else TimerOutcome.CANCELLED).value,
    }


async def _due(one: Running) -> datetime:
    """The deadline that the order keeps in its books, if that is what its timer was set for."""
    kept = (await one.life.detail()).order.pay_deadline
    async for event in one.life.handle.fetch_history_events():
        named = event.user_metadata.summary.data == DEADLINE
        if named and event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            wait = event.timer_started_event_attributes.start_to_fire_timeout
            rings = event.event_time.ToDatetime(one.due.tzinfo) + wait.ToTimedelta()
            # The history notes the timer when the task ends, a moment after the workflow has counted.
            return kept if abs(rings - kept) < NOTED_WITHIN else rings
    return kept  # it had come when the workflow looked


def _by_rule(timer: TimerIn) -> dict[str, Any]:
    try:
        due_at = due(timer.start, _duration(timer))
    except OverflowError:
        raise Malformed(f"input.timers: {timer.name} is due beyond the calendar") from None
    return {"name": timer.name, "due": due_at.isoformat(), "outcome": outcome(due_at, timer.cancel_at).value}


def _longer_than(timer: TimerIn, limit: timedelta) -> bool:
    cancelled_after = (timer.cancel_at or timer.start) - timer.start
    return max(_duration(timer), abs(cancelled_after)) > limit


def _duration(timer: TimerIn) -> timedelta:
    units = timer.model_dump(include={"seconds", "minutes", "hours", "days"}, exclude_none=True)
    if len(units) != 1:
        raise Malformed(f"input.timers: {timer.name} wants exactly one of seconds, minutes, hours, days")
    return timedelta(**units)
