"""One signal to one order workflow, and what its failure means."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from temporalio.api.enums.v1 import ResourceExhaustedCause
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure, ResourceExhaustedFailure
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from domain.facts import Fact
from workflows.messages import FactBatch, order_workflow_id

SIGNAL = "facts"
BUSY_WORKFLOW = ResourceExhaustedCause.RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW
SIGNALS_LIMIT = "limit for signal events"
"""The server refuses the 10,001st signal of a run as a wrong argument; the next run takes it."""


class SignalResult(StrEnum):
    DELIVERED = "delivered"
    NO_WORKFLOW = "no_workflow"
    """Never started, or ended."""
    BUSY = "busy"
    """Its workflow takes nothing at this moment: it moves on to a new run, or has been told very much. Others do."""
    OUTAGE = "outage"
    """Temporal cannot be reached or is overloaded: the same signal will do later."""
    POISON = "poison"
    """The same signal will be refused for ever."""
    UNCLEAR = "unclear"
    """It failed in a way that nobody foresaw: worth a few more tries, not endless ones."""


@dataclass(frozen=True)
class SignalOutcome:
    sent: SignalResult
    note: str = ""


_POISON = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.UNIMPLEMENTED,
}


MOST_EVENTS = 10_000
MOST_BYTES = 9_000_000
"""Of a run that is told more. Temporal terminates one at 51,200 events or 50 MB, and ten thousand signals may be five
events each; one that nothing keeps goes on as a new run at 2,000 events or 3 MB, and one that waits for a parcel's stop
gives that up at 8,000 or 4.5 MB (`workflows/durable/continuing.py`): it has to hear of something to notice."""
LOOK_AFTER = 200
LOOK_AFTER_BYTES = 1_000_000
"""What a relay tells one workflow before it looks how long the run has grown."""
MOST_WATCHED = 20_000
"""Workflows, the latest told."""
BESIDE_TEXT = 200
"""Bytes of a fact beside its texts."""


@dataclass
class _Told:
    """One workflow since it was looked at."""

    signals: int = 0
    size: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """While one looks, the others wait for what it sees."""

    @property
    def much(self) -> bool:
        return self.signals >= LOOK_AFTER or self.size >= LOOK_AFTER_BYTES


class OrderSender:
    """Signals orders by name, so that the relay needs no workflow code. Whatever keeps an order from going on as a new
    run, it is not told more than its run has room for: the rest waits in the inbox."""

    def __init__(self, client: Client, *, rpc_s: float = 5.0) -> None:
        self._client = client
        self._rpc_s = rpc_s
        self._told: OrderedDict[str, _Told] = OrderedDict()

    async def send(self, order_no: str, facts: Sequence[Fact]) -> SignalOutcome:
        """To an order by its number, or a case as `return/{return_no}`. Never raises for a refused or lost signal; the
        verdict says what to do with the rows."""
        handle = self._client.get_workflow_handle(order_no if "/" in order_no else order_workflow_id(order_no))
        batch = FactBatch(facts=tuple(facts))
        told = self._since_looked(handle.id)
        try:
            async with told.turn:
                if told.much:
                    if full := await self._full(handle):
                        return SignalOutcome(SignalResult.BUSY, full)
                    told.signals = told.size = 0
                told.signals += 1
                told.size += sum(
                    BESIDE_TEXT + len(f.key) + 3 * len(f.note) + 90 * len(f.actual or f.actual_items or ())
                    for f in facts
                )
            # The SDK repeats a failed call by itself for up to 10 s; the outer bound keeps a hung server to one wait.
            async with asyncio.timeout(self._rpc_s + 1):
                await handle.signal(SIGNAL, batch, rpc_timeout=timedelta(seconds=self._rpc_s))
        except RPCError as error:
            return verdict_of(error)
        except (TimeoutError, OSError) as error:
            return SignalOutcome(SignalResult.OUTAGE, f"Temporal did not answer: {type(error).__name__}")
        except RuntimeError as error:
            # A lazy client that cannot connect raises a bare RuntimeError with this text.
            if "client connect" not in str(error):
                raise
            return SignalOutcome(SignalResult.OUTAGE, "Temporal cannot be reached")
        return SignalOutcome(SignalResult.DELIVERED)

    def _since_looked(self, workflow_id: str) -> _Told:
        told = self._told.setdefault(workflow_id, _Told())
        self._told.move_to_end(workflow_id)
        if len(self._told) > MOST_WATCHED:
            self._told.popitem(last=False)
        return told

    async def _full(self, handle: WorkflowHandle[Any, Any]) -> str:
        """Why its run is told no more; '': it has room. Raises `RPCError`."""
        run = (await handle.describe(rpc_timeout=timedelta(seconds=self._rpc_s))).raw_description
        events, size = run.workflow_execution_info.history_length, run.workflow_execution_info.history_size_bytes
        if events < MOST_EVENTS and size < MOST_BYTES:
            return ""
        return f"its run has {events} events and {size} bytes: it is told more when it has gone on as a new one"


def verdict_of(error: RPCError) -> SignalOutcome:
    """What a failed signal means. Unclear codes count as an outage: waiting loses nothing, giving up would."""
    note = f"{error.status.name}: {error.message}"[:300]
    if error.status is RPCStatusCode.NOT_FOUND:
        # A missing namespace is the operator's mistake, not the order's end.
        return SignalOutcome(SignalResult.OUTAGE if _namespace_missing(error) else SignalResult.NO_WORKFLOW, note)
    if _workflow_is_busy(error):
        return SignalOutcome(SignalResult.BUSY, note)
    too_large = error.status is RPCStatusCode.RESOURCE_EXHAUSTED and "larger than max" in error.message
    if too_large or error.status in _POISON:
        return SignalOutcome(SignalResult.POISON, note)
    return SignalOutcome(SignalResult.OUTAGE, note)


def _workflow_is_busy(error: RPCError) -> bool:
    failure = ResourceExhaustedFailure()
    causes = [failure.cause for detail in error.grpc_status.details if detail.Unpack(failure)]
    return BUSY_WORKFLOW in causes or SIGNALS_LIMIT in error.message


def _namespace_missing(error: RPCError) -> bool:
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
