"""Concurrent branches of one workflow: a branch that breaks is told loudly instead of dying in silence."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow


class Branches:
    """Every branch that was started, and the one way to wait beside them."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._duties = 0
        self._broken: BaseException | None = None
        self.ask_about: Callable[[Exception], None] | None = None
        """Makes a ticket of what has broken a duty. None: nothing to write one into yet."""

    @property
    def busy(self) -> bool:
        """Something that was taken on is not done yet."""
        return self._duties > 0

    def take_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that comes to an end, and that the whole must not end without (a refund, a label to void)."""
        self._duties += 1
        self.start(self._duty(work))

    async def _duty(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            # One duty that breaks (a fact started it, or a refund) takes neither the order along nor its neighbours.
            if self.ask_about is None or not workflow.patched("a duty that breaks is asked about"):
                raise
            workflow.logger.exception("a branch has broken")
            self.ask_about(error)
        finally:
            self._duties -= 1

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that goes on as long as the whole does."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._note_failure)
        self._tasks.append(task)

    async def until(
        self, condition: Callable[[], bool], *, by: timedelta | None = None, name: str | None = None
    ) -> None:
        """Returns when the condition holds, or after `by` (a timer called `name`). Raises what broke a branch."""
        if by is not None and by <= timedelta(0):
            return
        try:
            await workflow.wait_condition(
                lambda: self._broken is not None or condition(), timeout=by, timeout_summary=name
            )
        except TimeoutError:
            return
        if self._broken is not None:
            raise self._broken

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _note_failure(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
