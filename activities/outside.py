"""Errors of outside systems in the words that Temporal's retries understand, in one place for all activities."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal, TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.calls import Call, Failure
from domain.retries import delay_before_retry
from providers.errors import ProviderError, Refused, UnknownOutcome
from telemetry import activity_failures

log = structlog.get_logger("oms.outside")

Item = TypeVar("Item")
Done = TypeVar("Done")
Outcome = TypeVar("Outcome")


def retry_delay(call: Call, asked_s: float | None = None) -> timedelta:
    """Wait before the next attempt: the policy's, or what the provider asked for (Retry-After) when that is longer."""
    attempt = activity.info().attempt
    wait = delay_before_retry(attempt, call.backoff_s, call.min_spacing_s)
    return timedelta(seconds=max(wait, asked_s or 0.0))


def note_failure(error: ProviderError) -> None:
    """Counted, and one line in the activity's trace. The error's text stays out of the log: it may quote people."""
    activity_failures.labels(system=error.system, outcome=error.outcome).inc()
    info = activity.info()
    log.warning(
        "outside call failed",
        system=error.system,
        outcome=error.outcome,
        code=error.code,
        attempt=info.attempt,
        workflow_id=info.workflow_id,
        activity=info.activity_type,
    )


def as_application_error(call: Call, error: ProviderError) -> ApplicationError:
    note_failure(error)
    if isinstance(error, Refused):
        return ApplicationError(str(error), error.code, type="refused", non_retryable=True)
    return ApplicationError(
        str(error), error.code, type=error.outcome, next_retry_delay=retry_delay(call, error.retry_after_s)
    )


@asynccontextmanager
async def outside(call: Call) -> AsyncIterator[None]:
    """`async with outside(call): …` around one provider call."""
    try:
        yield
    except ProviderError as error:
        raise as_application_error(call, error) from error


async def each(
    call: Call,
    items: Sequence[Item],
    do: Callable[[Item], Awaitable[Done]],
    outcome: Callable[[Item, Done | None, Failure | None], Outcome],
) -> tuple[Outcome, ...]:
    """Do every item side by side. One that fails does not hold the others: when any may succeed later the whole batch
    is tried again (every item is keyed, so repeating is harmless), with what is done so far in the error's details."""

    unclear = _unclear_before(len(items))

    async def one(place: int, item: Item) -> tuple[Outcome, ProviderError | None]:
        try:
            return outcome(item, await do(item), None), None
        except ProviderError as error:
            if isinstance(error, UnknownOutcome):
                unclear.add(place)
            failure = Failure(outcome=_kind(error, place in unclear), error=str(error)[:500])
            return outcome(item, None, failure), error

    results = await asyncio.gather(*(one(place, item) for place, item in enumerate(items)))
    outcomes = tuple(o for o, _ in results)
    waiting = [e for _, e in results if e is not None and not isinstance(e, Refused)]
    for _, error in results:
        if error is not None:
            note_failure(error)
    if waiting:
        # The next attempt reads it: what one of them may have done stays open until somebody answers.
        activity.heartbeat({"attempt": activity.info().attempt, "unclear": sorted(unclear)})
        longest = max((e.retry_after_s or 0.0) for e in waiting)
        raise ApplicationError(
            str(waiting[0]), outcomes, type="partial", next_retry_delay=retry_delay(call, longest)
        ) from waiting[0]
    return outcomes


def _kind(error: ProviderError, unclear: bool) -> Literal["refused", "retry", "unknown"]:
    if isinstance(error, Refused):
        return "refused"
    return "unknown" if unclear else "retry"


def _unclear_before(count: int) -> set[int]:
    """Places of items that an earlier attempt may have done; all, when an attempt ended without a word."""
    info = activity.info()
    if info.attempt == 1:
        return set()
    last = info.heartbeat_details[0] if info.heartbeat_details else {}
    return set(last["unclear"]) if last.get("attempt") == info.attempt - 1 else set(range(count))
