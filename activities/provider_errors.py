"""Errors of outside systems in the words that Temporal's retries understand, in one place for all activities."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.batch_progress import BatchProgress, before
from activities.messages import Call, Failure
from domain.call_outcome import CallOutcome
from domain.retries import delay_before_retry
from domain.strict import Strict, of
from providers.errors import ProviderError, Refused, UnknownOutcome
from telemetry import activity_failures

log = structlog.get_logger("oms.outside")

Item = TypeVar("Item")
Done = TypeVar("Done")
Outcome = TypeVar("Outcome", bound=Strict)


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
        return ApplicationError(str(error), error.code, type=CallOutcome.REFUSED, non_retryable=True)
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
    """Do every item side by side. One that fails does not hold the others: when any may succeed later the batch is
    tried again, with what is known so far in the error's details. An item that has ended, done or refused, keeps its
    outcome from attempt to attempt and is not called again; one that may have been done stays so until it is done."""
    info = activity.info()
    known = before(info.heartbeat_details, info.attempt, len(items))
    ended, unclear = dict(known.ended), set(known.unclear)
    running = {place for place in range(len(items)) if str(place) not in ended}

    def tell() -> None:
        """Called after every item: a worker that dies now leaves open only what had no answer yet."""
        now_known = BatchProgress(attempt=info.attempt, unclear=tuple(sorted(unclear | running)), ended=ended)
        activity.heartbeat(now_known.model_dump(mode="json"))

    async def one(place: int, item: Item) -> tuple[Outcome, ProviderError | None]:
        if place not in running:
            # An outcome without contents says of which class those are that an earlier attempt has left.
            return of(type(outcome(item, None, None)), ended[str(place)]), None
        try:
            found, error = outcome(item, await do(item), None), None
            unclear.discard(place)
        except ProviderError as failed:
            if isinstance(failed, UnknownOutcome):
                unclear.add(place)
            found, error = outcome(item, None, _failure(failed, place in unclear)), failed
            note_failure(failed)
        if error is None or isinstance(error, Refused):
            ended[str(place)] = found.model_dump(mode="json")
        running.discard(place)
        if len(ended) < len(items):
            tell()
        return found, error

    results = await asyncio.gather(*(one(place, item) for place, item in enumerate(items)))
    outcomes = tuple(o for o, _ in results)
    waiting = [e for _, e in results if e is not None and not isinstance(e, Refused)]
    if waiting:
        longest = max((e.retry_after_s or 0.0) for e in waiting)
        raise ApplicationError(
            str(waiting[0]), outcomes, type=CallOutcome.PARTIAL, next_retry_delay=retry_delay(call, longest)
        ) from waiting[0]
    return outcomes


def _failure(error: ProviderError, unclear: bool) -> Failure:
    """A refusal says that this attempt was not done. It does not say so of an earlier one without an answer."""
    text = str(error)[:500]
    if not unclear:
        return Failure(outcome=CallOutcome.REFUSED if isinstance(error, Refused) else CallOutcome.RETRY, error=text)
    if isinstance(error, Refused):
        text = f"{text[:400]}; an earlier attempt without an answer may have been done all the same"
    return Failure(outcome=CallOutcome.UNKNOWN, error=text)
