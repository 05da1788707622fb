"""What the loops are told, raw (workflows/durable/signals.py): a signal that cannot be read is logged, and changes
nothing; a start that cannot be read, or that no worker has sealed, is refused.

A loop serves everybody: it must not stop, nor wait for a person, because of what somebody has sent it. And whoever
could start one of his own would have our partners asked at the pace that he likes.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn, TypeVar

from temporalio import workflow
from temporalio.common import RawValue

from domain.strict import Strict, UnableToRead
from domain.trust.seals import WORKER
from workflows.durable.cancellation import refuses
from workflows.durable.raw_messages import StartedWithOneMessage, StartRefused, read
from workflows.durable.seals import Seals, signal_holds

M = TypeVar("M", bound=Strict)


def start_settings(model: type[M], raw: RawValue) -> M:
    """Of the loop's start message. Raises `StartRefused`."""
    if not Seals.of(raw).hold([raw], WORKER):
        raise StartRefused(
            "NotOurs", f"{workflow.info().workflow_type} is started by a worker, and none has sealed this"
        )
    try:
        return read(model, raw, "start")
    except UnableToRead as error:
        raise StartRefused("InvalidSettings", str(error)) from None


async def until_told_otherwise(process: Coroutine[Any, Any, None], go_on: Callable[[], NoReturn]) -> None:
    """A loop that somebody has requested in Temporal to cancel begins again (`go_on` raises): it serves everybody."""
    try:
        await process
    except BaseException as error:
        if not refuses(error):
            raise
        workflow.logger.warning("a loop is not cancelled by Temporal's button: it goes on as a new run")
        go_on()


class LoopSignals(StartedWithOneMessage):
    _refused: StartRefused | None = None
    """Why this run ends before it does anything."""

    @workflow.signal(dynamic=True)
    def signalled(self, name: str, arguments: Sequence[RawValue]) -> None:
        if self._refused is not None:
            return
        try:
            if not signal_holds(arguments, WORKER):
                raise UnableToRead("no worker has sealed it")
            self._hear(name, arguments)
        except UnableToRead as error:
            why = " ".join(str(error).split())[:200]
            workflow.logger.warning("a signal cannot be read", extra={"signal": name[:60], "why": why})

    def _hear(self, name: str, arguments: Sequence[RawValue]) -> None:
        """Raises `UnableToRead`."""
        raise UnableToRead("this loop takes no signals")
