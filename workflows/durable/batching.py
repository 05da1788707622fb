"""Requests to one system that come up in the same activation travel as one activity."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError

from activities.batch_progress import told
from activities.messages import Failure
from domain.call_outcome import CallOutcome
from workflows.durable.guarded import StepFailed
from workflows.durable.seals import forged

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

BOUNDED = "batches have a size"
MOST_BYTES = 1_000_000
"""Of one activity's items, as JSON: half of what Temporal takes as one payload."""


class Batcher(Generic[Item, Outcome]):
    """`await together(item)` from several branches woken by the same event costs one activity, not one each.

    `most`: items that one activity takes at most, and `size` of one in bytes; of more there are several side by side.
    `send` takes the items and answers one outcome an item, in order. `partial` reads outcomes out of the details of a
    batch that failed in part (activities/provider_errors.py `each`), so that what was done stays done. `cause`: whose
    context the activity starts in, so that a trace leads from the message that woke the branches to the call they made.
    """

    def __init__(
        self,
        send: Callable[[tuple[Item, ...]], Awaitable[Sequence[Outcome]]],
        partial: Callable[[object], Outcome],
        cause: Callable[[], Context | None] = lambda: None,
        *,
        most: int = 50,
        size: Callable[[Item], int] = lambda _: 0,
    ) -> None:
        self._most = most
        self._size = size
        self._send = send
        self._partial = partial
        self._cause = cause
        self._items: list[Item] = []
        self._batch: asyncio.Task[Sequence[Outcome | ActivityError]] | None = None

    async def __call__(self, item: Item) -> Outcome:
        if self._batch is None:
            self._batch = asyncio.create_task(self._send_soon(), context=self._cause())
        batch, index = self._batch, len(self._items)
        self._items.append(item)
        answer = (await batch)[index]
        if isinstance(answer, ActivityError):
            raise answer
        return answer

    async def _send_soon(self) -> Sequence[Outcome | ActivityError]:
        await asyncio.sleep(0)  # the other branches woken by the same event join before this one goes on
        items, self._items, self._batch = tuple(self._items), [], None
        parts = self._parts(items)
        if len(parts) == 1 or not workflow.patched(BOUNDED):
            return await self._send_part(items)
        answers = await asyncio.gather(*(self._send_alone(part) for part in parts))
        return [answer for some in answers for answer in some]

    def _parts(self, items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
        parts: list[list[Item]] = [[]]
        size = 0
        for item in items:
            more = self._size(item) if len(items) > 1 else 0
            if parts[-1] and (len(parts[-1]) == self._most or size + more > MOST_BYTES):
                parts.append([])
                size = 0
            parts[-1].append(item)
            size += more
        return [tuple(part) for part in parts]

    async def _send_alone(self, items: tuple[Item, ...]) -> Sequence[Outcome | ActivityError]:
        """One of several: what breaks it is told to its own items only."""
        try:
            return await self._send_part(items)
        except ActivityError as error:
            return [error] * len(items)

    async def _send_part(self, items: tuple[Item, ...]) -> Sequence[Outcome | ActivityError]:
        try:
            return await self._send(items)
        except ActivityError as error:
            answers = self._read_partial(error) or self._read_last_word(error, len(items))
            if len(answers) != len(items):
                raise
            return answers

    def _read_partial(self, error: ActivityError) -> Sequence[Outcome | ActivityError]:
        cause = error.cause
        if not (isinstance(cause, ApplicationError) and cause.type == CallOutcome.PARTIAL and cause.details):
            return []
        if forged(cause):
            return []
        try:
            return [self._partial(raw) for raw in cause.details[0]]
        except (TypeError, ValidationError):  # no worker's details, though its words
            return []

    def _read_last_word(self, error: ActivityError, count: int) -> Sequence[Outcome | ActivityError]:
        """The worker of the last attempt died: what had ended by then has; all else may be done, and nobody knows."""
        cause = error.cause
        ended = told(cause.last_heartbeat_details).ended if isinstance(cause, TimeoutError) else {}
        places = map(str, range(count))
        return [self._partial(ended[place]) if place in ended else error for place in places]


def unwrap(done: Item | None, failed: Failure | None) -> Item:
    """The result of one item of a batch, or `StepFailed`."""
    if done is None:
        raise StepFailed(failed.error, failed.outcome) if failed else StepFailed("no outcome")
    return done
