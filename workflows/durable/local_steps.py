"""Steps in our own store: local activities, which ride in the workflow task as one history event each.

A local activity that is repeated for long costs events with every workflow task that it keeps open. After a few
attempts the same step goes on as an ordinary activity, whose retries leave none, however long the database is away.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol, TypeVar, TypeVarTuple, runtime_checkable

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TimedOut

from activities.store import CONTRADICTION
from workflows.durable.continuing import under_way
from workflows.durable.seals import believed
from workflows.durable.stalls import Stalls

STORE_TIMEOUT = timedelta(seconds=10)
LARGE = timedelta(seconds=60)
"""Of a step that does something about every line of an order; its statements have a time-out each."""
STORE_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30), maximum_attempts=3
)
"""Within one workflow task."""
STALLED_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=5),
    non_retryable_error_types=[CONTRADICTION],
)  # fmt: skip
"""After that: our own steps wait for the database without end."""
TICKET_AFTER = timedelta(minutes=3)
STORE_ERRORS = (ApplicationError, ActivityError)
"""What a local activity raises: its own refusal as it is, not wrapped as an activity's would be; a time-out wrapped."""

Messages = TypeVarTuple("Messages")
Answer = TypeVar("Answer")


@runtime_checkable
class KeepsStalls(Protocol):
    """A workflow with tickets."""

    @property
    def stalls(self) -> Stalls: ...


async def in_store(
    activity: Callable[[Any, *Messages], Awaitable[Answer]],
    *messages: *Messages,
    summary: str,
    timeout: timedelta = STORE_TIMEOUT,
) -> Answer:
    """The store's answer, however long the database is away. Raises `STORE_ERRORS` when the store refuses."""
    with under_way():
        return await _in_store(activity, *messages, summary=summary, timeout=timeout)


async def _in_store(
    activity: Callable[[Any, *Messages], Awaitable[Answer]], *messages: *Messages, summary: str, timeout: timedelta
) -> Answer:
    try:
        return await workflow.execute_local_activity_method(
            activity, args=messages, start_to_close_timeout=timeout, retry_policy=STORE_RETRY, summary=summary
        )
    except STORE_ERRORS as error:
        if not _worth_repeating(error):
            raise
        why = str(error.cause if isinstance(error, ActivityError) and error.cause else error)

    def once_more() -> workflow.ActivityHandle[Answer]:
        return workflow.start_activity_method(
            activity, args=messages, start_to_close_timeout=timeout, retry_policy=STALLED_RETRY, summary=summary
        )

    while not (answers := await _stalled(once_more(), summary, why)):
        pass
    return answers[0]


async def until_in_store(
    activity: Callable[[Any, *Messages], Awaitable[Answer]],
    *messages: *Messages,
    summary: str,
    timeout: timedelta = STORE_TIMEOUT,
) -> Answer:
    """The same, for a branch that has nothing else to do when the store refuses: a person is asked, and it waits."""
    while True:
        try:
            return await in_store(activity, *messages, summary=summary, timeout=timeout)
        except STORE_ERRORS as error:
            keeper = workflow.instance()
            if not (isinstance(keeper, KeepsStalls) and workflow.patched("refusals of the books are asked about")):
                raise
            why = str(error.cause if isinstance(error, ActivityError) and error.cause else error)
            await keeper.stalls.refused(summary, why)


async def _stalled(step: workflow.ActivityHandle[Answer], summary: str, why: str) -> tuple[Answer, ...]:
    """The one answer; nothing when a person wants the step tried at once. Raises as `in_store` does."""
    try:
        try:
            await workflow.wait_condition(step.done, timeout=TICKET_AFTER, timeout_summary=f"the store: {summary}")
        except TimeoutError:
            await _ask_a_person(step.done, summary, why)
        return (believed(await step),) if step.done() else ()
    except ActivityError as refused:
        if isinstance(refused.cause, ApplicationError):
            raise refused.cause from None
        raise
    finally:
        step.cancel()


async def _ask_a_person(done: Callable[[], bool], summary: str, why: str) -> None:
    """Returns when the step is done, or is to be tried at once."""
    keeper = workflow.instance()
    if isinstance(keeper, KeepsStalls):
        with keeper.stalls.one(summary, why) as ticket:
            await workflow.wait_condition(lambda: done() or ticket.resolution is not None)
    else:
        await workflow.wait_condition(done)


def _worth_repeating(error: ApplicationError | ActivityError) -> bool:
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.type == CONTRADICTION:
        return not workflow.patched("what the books contradict is asked about")
    return isinstance(cause, TimedOut) or (isinstance(cause, ApplicationError) and not cause.non_retryable)
