"""Errors of outside systems in the words that Temporal's retries understand, in one place for all activities."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.calls import Call, Failure
from domain.retries import delay_before_retry
from providers.errors import ProviderError, Refused
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

    async def one(item: Item) -> tuple[Outcome, ProviderError | None]:
        try:
            return outcome(item, await do(item), None), None
        except ProviderError as error:
            kind = "refused" if isinstance(error, Refused) else error.outcome
            failure = Failure.model_validate({"outcome": kind, "error": str(error)[:500]})
            return outcome(item, None, failure), error

    results = await asyncio.gather(*(one(item) for item in items))
    outcomes = tuple(o for o, _ in results)
    waiting = [e for _, e in results if e is not None and not isinstance(e, Refused)]
    for _, error in results:
        if error is not None:
            note_failure(error)
    if waiting:
        longest = max((e.retry_after_s or 0.0) for e in waiting)
        raise ApplicationError(
            str(waiting[0]), outcomes, type="partial", next_retry_delay=retry_delay(call, longest)
        ) from waiting[0]
    return outcomes
