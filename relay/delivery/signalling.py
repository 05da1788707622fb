"""One signal to one order workflow, and what its failure means."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from temporalio.api.enums.v1 import ResourceExhaustedCause
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure, ResourceExhaustedFailure
from temporalio.client import Client
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


class OrderSender:
    """Signals orders by name, so that the relay needs no workflow code."""

    def __init__(self, client: Client, *, rpc_s: float = 5.0) -> None:
        self._client = client
        self._rpc_s = rpc_s

    async def send(self, order_no: str, facts: Sequence[Fact]) -> SignalOutcome:
        """To an order by its number, or a case as `return/{return_no}`. Never raises for a refused or lost signal; the
        verdict says what to do with the rows."""
        handle = self._client.get_workflow_handle(order_no if "/" in order_no else order_workflow_id(order_no))
        batch = FactBatch(facts=tuple(facts))
        try:
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
