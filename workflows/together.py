"""Requests to one system that come up in the same activation travel as one activity."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from temporalio.exceptions import ActivityError, ApplicationError

from activities.calls import Failure
from workflows.guarded import StepFailed

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Together(Generic[Item, Outcome]):
    """`await together(item)` from several branches woken by the same event costs one activity, not one each.

    `send` takes the items and answers one outcome an item, in order. `partial` reads outcomes out of the details of a
    batch that failed in part (activities/outside.py `each`), so that what was done stays done. `cause`: whose context
    the activity starts in, so that a trace leads from the message that woke the branches to the call they made.
    """

    def __init__(
        self,
        send: Callable[[tuple[Item, ...]], Awaitable[Sequence[Outcome]]],
        partial: Callable[[object], Outcome],
        cause: Callable[[], Context | None] = lambda: None,
    ) -> None:
        self._send = send
        self._partial = partial
        self._cause = cause
        self._items: list[Item] = []
        self._batch: asyncio.Task[Sequence[Outcome]] | None = None

    async def __call__(self, item: Item) -> Outcome:
        if self._batch is None:
            self._batch = asyncio.create_task(self._send_soon(), context=self._cause())
        batch, index = self._batch, len(self._items)
        self._items.append(item)
        return (await batch)[index]

    async def _send_soon(self) -> Sequence[Outcome]:
        await asyncio.sleep(0)  # the other branches woken by the same event join before this one goes on
        items, self._items, self._batch = tuple(self._items), [], None
        try:
            return await self._send(items)
        except ActivityError as error:
            outcomes = self._read_partial(error)
            if len(outcomes) != len(items):
                raise
            return outcomes

    def _read_partial(self, error: ActivityError) -> list[Outcome]:
        cause = error.cause
        if not (isinstance(cause, ApplicationError) and cause.type == "partial" and cause.details):
            return []
        return [self._partial(raw) for raw in cause.details[0]]


def unwrap(done: Item | None, failed: Failure | None) -> Item:
    """The result of one item of a batch, or `StepFailed`."""
    if done is None:
        raise StepFailed(failed.error, failed.outcome) if failed else StepFailed("no outcome")
    return done
