"""`retries`: when each attempt starts, and when success or the work order comes (R09, R10).

Played by an order whose warehouse push, or with a spacing whose refund, fails as the file says. An attempt in flight
stops the skipped clock, so how long it takes is added from the file; every wait is measured between attempts.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from bench.scenarios.cancelling import cancel_with_consent
from bench.scenarios.document import ByRule, Scenario, block, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.environment.providers import no_answer
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from bench.scenarios.plain_yaml import Malformed
from domain.policy import Policy
from domain.retries import Attempt, Schedule, UnableToPlay, schedule
from domain.strict import Strict
from store.tickets.tickets import TicketRow
from workflows.durable.guarded import ATTEMPTS
from workflows.order.messages import CancelOrder

Seconds = Annotated[int, Field(ge=0, le=10**9)]
LONGEST_S = 10 * 365 * 86_400
PUSH, REFUND = "wms.push", "payment.refund"
ORDER = OrderIn(order_no="RETRIES", lines=(LineIn(id="L1", sku="TRIED", qty=1, unit_price=100),))


class ResultIn(Strict):
    ok: bool
    takes_s: Seconds


class RetriesIn(Strict):
    name: str
    start: AwareDatetime
    max_retries: Annotated[int, Field(ge=0, le=1000)]
    backoff_s: tuple[Seconds, ...]
    min_spacing_s: Seconds = 0
    results: tuple[ResultIn, ...]


RETRIES = TypeAdapter(tuple[RetriesIn, ...])


async def play(scenario: Scenario, servers: Servers) -> Any:
    found = [await _played(call, servers) for call in read_as(RETRIES, block(scenario, "retries"), "input.retries")]
    notes = [one.note for one in found if isinstance(one, ByRule)]
    actual = [one.actual if isinstance(one, ByRule) else one for one in found]
    return ByRule(actual, "; ".join(notes)) if notes else actual


async def _played(call: RetriesIn, servers: Servers) -> Any:
    rule = _by_rule(call)
    if why := _why_not(call):
        return ByRule(_told(call, rule), f"{call.name}: {why}")
    policy = Policy(retry_backoff_s=call.backoff_s, refund_spacing_s=call.min_spacing_s or Policy().refund_spacing_s)
    async with servers.house(policy) as house:
        step = REFUND if call.min_spacing_s else PUSH
        house.systems.script(step, *(None if result.ok else no_answer(step) for result in call.results))
        life = await stocked(house, ORDER)
        await life.pay()
        if step == REFUND:
            await cancel_with_consent(house, life.order.order_no, CancelOrder(by="buyer", reason="changed my mind"))
        await house.pass_until(house.now() + timedelta(seconds=_horizon_s(call)))
        return _told(call, await _measured(house, life, call, step))


async def _measured(house: ScenarioEnvironment, life: ScenarioOrder, call: RetriesIn, step: str) -> Schedule:
    attempts = house.systems.of(step)
    if len({attempt.key for attempt in attempts}) != 1:
        raise AssertionError(f"{step} was tried under several numbers: {attempts}")
    starts = [call.start]
    for before, after, result in zip(attempts, attempts[1:], call.results, strict=False):
        starts.append(starts[-1] + timedelta(seconds=result.takes_s) + _whole_s(after.at - before.at))
    ended = starts[-1] + timedelta(seconds=call.results[len(attempts) - 1].takes_s)
    tickets = [t for t in await house.tickets.list(order_no=life.order.order_no) if t.severity != "info"]
    if call.results[len(attempts) - 1].ok:
        if tickets:
            raise AssertionError(f"{step} worked, and yet a person is asked: {tickets[0].error}")
        return Schedule(tuple(starts), ended, None)
    (ticket,) = tickets
    return Schedule(tuple(starts), None, ended + _whole_s(_opened(ticket) - attempts[-1].at))


def _opened(ticket: TicketRow) -> datetime:
    offered = ("retry", "supply", "give_up")
    if ticket.actions != offered or "does not answer" not in ticket.error:
        raise AssertionError(f"ticket {ticket.ticket_id} offers {ticket.actions} and says {ticket.error}")
    return ticket.opened_at


def _whole_s(wait: timedelta) -> timedelta:
    """Without the milliseconds that a scripted attempt really took."""
    return timedelta(seconds=wait // timedelta(seconds=1))


def _why_not(call: RetriesIn) -> str:
    waits = (*call.backoff_s, call.min_spacing_s)
    if call.max_retries != ATTEMPTS - 1:
        return f"production tries once and {ATTEMPTS - 1} times more (R09)"
    if not call.backoff_s or min(call.backoff_s) < 1 or max(waits) > LONGEST_S:
        return "a policy waits at least a second and at most ten years"
    return ""


def _horizon_s(call: RetriesIn) -> int:
    return call.max_retries * max(*call.backoff_s, call.min_spacing_s) + 60


def _by_rule(call: RetriesIn) -> Schedule:
    results = [Attempt(r.ok, r.takes_s) for r in call.results]
    try:
        return schedule(call.start, call.max_retries, call.backoff_s, call.min_spacing_s, results)
    except UnableToPlay as e:
        raise Malformed(f"input.retries: {call.name}: {e}") from None


def _told(call: RetriesIn, found: Schedule) -> dict[str, Any]:
    return {
        "name": call.name,
        "attempts": [at.isoformat() for at in found.attempts],
        "succeeded_at": found.succeeded_at and found.succeeded_at.isoformat(),
        "work_order_at": found.work_order_at and found.work_order_at.isoformat(),
    }
