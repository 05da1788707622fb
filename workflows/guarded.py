"""The one way out: an outside step is tried once and three times more, then a person is asked, and the branch waits.

Retries are Temporal's (`maximum_attempts=4`); the waits come from the order's policy (activities/outside.py). A refusal
is final at once. While a ticket is open the awaited fact may still arrive: then the ticket closes on evidence.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from domain.records import TicketResolution
from domain.strict import Strict, of
from workflows.tickets import Tickets

Result = TypeVar("Result", bound=Strict)

ATTEMPTS = 4
"""One try and three retries (R09)."""
ATTEMPT_TIMEOUT = timedelta(seconds=45)
"""Above two HTTP deadlines (20 s each): a worker that died in the middle of an attempt is noticed after this."""


class StepFailed(Exception):
    """An outside step has failed to the end of its attempts (or was refused)."""

    def __init__(self, text: str, outcome: str = "unknown") -> None:
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


def retries(backoff_s: tuple[int, ...]) -> RetryPolicy:
    """Four attempts. The exact waits ride on each error; these intervals serve when the worker itself is gone."""
    return RetryPolicy(
        initial_interval=timedelta(seconds=backoff_s[0]),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(seconds=max(backoff_s)),
        maximum_attempts=ATTEMPTS,
    )


async def guarded(tickets: Tickets, step: Step[Result], call: Callable[[], Awaitable[Result]]) -> Result | None:
    """The step's result; None when facts settled it meanwhile. Raises `GaveUp` after a person's give-up."""
    maybe_done = False
    while True:
        try:
            return await call()
        except (ActivityError, StepFailed) as error:
            ended = outcome(error)
            # Who refuses the same key has not done it before; who does not answer leaves it open.
            maybe_done = ended == "unknown" or (maybe_done and ended != "refused")
            resolution = await _ask(tickets, step, reason(error))
        if resolution is None:
            return None
        if resolution.action == "give_up":
            raise GaveUp(step.name, maybe_done=maybe_done)
        if resolution.action == "supply":
            return of(step.result, resolution.result)


async def _ask(tickets: Tickets, step: Step[Result], error: str) -> TicketResolution | None:
    ticket = tickets.open(step.system, step.name, error, step.child_no, step.give_up_means, result=step.result)
    await workflow.wait_condition(lambda: ticket.resolution is not None or step.settled())
    if ticket.resolution is None:
        tickets.close_on_evidence(ticket)
        return None
    return ticket.resolution


def reason(error: ActivityError | StepFailed) -> str:
    """The last failure in a line, for the ticket."""
    cause = error.cause if isinstance(error, ActivityError) else error
    text = cause.message if isinstance(cause, ApplicationError) else str(cause)
    return text[:500]


def outcome(error: ActivityError | StepFailed) -> str:
    """`refused` and `retry` were certainly not done; `unknown` may have been, as a worker may that died with it."""
    if isinstance(error, StepFailed):
        return error.outcome
    cause = error.cause
    return cause.type if isinstance(cause, ApplicationError) and cause.type in ("refused", "retry") else "unknown"
