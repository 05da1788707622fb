"""Signals of the loops, raw (workflows/durable/signals.py): one that cannot be read is logged, and changes nothing.

A loop serves everybody: it must not stop, nor wait for a person, because of what somebody has sent it.
"""

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue

from domain.strict import UnableToRead
from domain.trust.seals import WORKER
from workflows.durable.seals import signal_holds


class LoopSignals:
    @workflow.signal(dynamic=True)
    def signalled(self, name: str, arguments: Sequence[RawValue]) -> None:
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
