"""The one way out: an outside step is tried once and three times more, then a person is asked, and the branch waits.

Retries are Temporal's (`maximum_attempts=4`); the waits come from the order's policy (activities/provider_errors.py). A
refusal is final at once. While a ticket is open the awaited fact may still arrive: then the ticket closes on evidence.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities.messages import FULL, Call
from domain.call_outcome import CallOutcome
from domain.strict import Strict, of
from workflows.durable.continuing import under_way
from workflows.durable.seals import believed, forged
from workflows.durable.tickets import Tickets

Result = TypeVar("Result", bound=Strict)
Outside = TypeVar("Outside", bound=Call)
Answer = TypeVar("Answer")

ATTEMPTS = 4
"""One try and three retries (R09)."""
ONE_TRY = RetryPolicy(maximum_attempts=1)
"""For a question that nobody waits for."""
AT_ONCE = timedelta(seconds=5)
"""Of a try in the workflow task: while it lasts the workflow hears nothing else."""
ATTEMPT_TIMEOUT = timedelta(seconds=45)
"""Above two HTTP deadlines (20 s each): a worker that died in the middle of an attempt is noticed after this."""


class StepFailed(Exception):
    """An outside step has failed to the end of its attempts (or was refused)."""

    def __init__(self, text: str, outcome: CallOutcome = CallOutcome.UNKNOWN) -> None:
        super().__init__(text)
        self.outcome = outcome


class GaveUp(Exception):
    """A person decided to stop trying: the caller goes on with the step's defined fallback.

    `maybe_done`: nobody knows whether one of the attempts was done after all.
    """

    def __init__(self, step: str, *, maybe_done: bool = False) -> None:
        super().__init__(step)
        self.maybe_done = maybe_done


@dataclass(frozen=True)
class Step(Generic[Result]):
    """One outside step, as a ticket will name it. `result`: what `supply` must look like."""

    system: str
    name: str
    result: type[Result]
    give_up_means: str
    child_no: str | None = None
    settled: Callable[[], bool] = lambda: False
    """True once facts show that the step has been done after all."""
    about: str = ""
    """What tells it from others of the same name and child: a refund's number."""
    amount_minor: int | None = None
    """Of money: how much it is about."""


def retries(backoff_s: tuple[int, ...], attempts: int = ATTEMPTS) -> RetryPolicy:
    """The exact waits ride on each error; these intervals serve when the worker itself is gone."""
    return RetryPolicy(
        initial_interval=timedelta(seconds=backoff_s[0]),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=max(backoff_s)),
        maximum_attempts=attempts,
    )


async def attempt(
    activity: Callable[[Any, Outside], Awaitable[Answer]],
    call: Outside,
    *,
    summary: str,
    retry_policy: RetryPolicy | None = None,
    timeout: timedelta = ATTEMPT_TIMEOUT,
) -> Answer:
    """The outside system's answer, after four attempts at the latest. Raises `ActivityError`."""
    with under_way():
        return believed(
            await workflow.execute_activity_method(
                activity,
                call,
                start_to_close_timeout=timeout,
                retry_policy=retry_policy or retries(call.backoff_s),
                summary=summary,
            )
        )


async def attempt_at_once(
    activity: Callable[[Any, Outside], Awaitable[Answer]],
    call: Outside,
    *,
    summary: str,
    riding: AbstractContextManager[None],
) -> Answer:
    """As `attempt`; its first try rides in the workflow task, `riding`, as one event instead of six. Only for what may
    be asked for twice without a trace: a try whose worker died with it is made again, and nobody knows of the first.
    Raises `ActivityError` and `StepFailed`."""
    with under_way():
        try:
            with riding:
                return await workflow.execute_local_activity_method(
                    activity, call, start_to_close_timeout=AT_ONCE, retry_policy=ONE_TRY, summary=summary
                )
        except (ApplicationError, ActivityError) as error:  # a local activity's own error comes as it is
            cause = error.cause if isinstance(error, ActivityError) else error
            told = cause if isinstance(cause, ApplicationError) else None
        if told is not None and told.type == CallOutcome.REFUSED:
            raise StepFailed(told.message[:500], CallOutcome.REFUSED)
        if told is not None and told.type == FULL:
            return await attempt(activity, call, summary=summary)
        first, *more = call.backoff_s
        wait = told.next_retry_delay if told else None
        await workflow.sleep(wait or timedelta(seconds=first), summary=f"before {summary} again")
        left = tuple(more) or (first,)
        return await attempt(
            activity, call.model_copy(update={"backoff_s": left}), summary=summary,
            retry_policy=retries(left, ATTEMPTS - 1),
        )  # fmt: skip


async def guarded(tickets: Tickets, step: Step[Result], call: Callable[[], Awaitable[Result | None]]) -> Result | None:
    """The step's result; None when facts settled it meanwhile, as `call` may say, too. Raises `GaveUp` after a person's
    give-up. Where a person was asked by the run before, the answer is waited for first."""
    asked = tickets.left_open(step.system, step.name, step.child_no, step.about)
    maybe_done: bool = asked.maybe_done if asked else False
    why: str | None = asked.record.error if asked else None
    while True:
        if why is None:
            try:
                return await call()
            except (ActivityError, StepFailed) as error:
                ended, why = outcome(error), reason(error)
                if maybe_done and ended == CallOutcome.REFUSED:
                    # Who refuses says nothing of the attempt before that never got an answer.
                    maybe_done = workflow.patched("refused after unknown")
                maybe_done = maybe_done or ended == CallOutcome.UNKNOWN
        resolution = await tickets.ask(
            step.system, step.name, why, step.child_no, step.give_up_means, settled=step.settled, result=step.result,
            about=step.about, maybe_done=maybe_done, amount_minor=step.amount_minor,
        )  # fmt: skip
        why = None
        if resolution is None:
            return None
        if resolution.action == "give_up":
            raise GaveUp(step.name, maybe_done=maybe_done)
        if resolution.action == "supply":
            return of(step.result, resolution.result)


def reason(error: ActivityError | StepFailed) -> str:
    """The last failure in a line, for the ticket."""
    cause = error.cause if isinstance(error, ActivityError) else error
    text = cause.message if isinstance(cause, ApplicationError) else str(cause)
    return text[:500]


def outcome(error: ActivityError | StepFailed) -> CallOutcome:
    """`REFUSED` and `RETRY` were certainly not done; `UNKNOWN` may have been, as a worker may that died with it."""
    if isinstance(error, StepFailed):
        return error.outcome
    cause = error.cause
    if forged(cause):
        return CallOutcome.UNKNOWN
    if isinstance(cause, ApplicationError) and cause.type in (CallOutcome.REFUSED, CallOutcome.RETRY):
        return CallOutcome(cause.type)
    return CallOutcome.UNKNOWN
