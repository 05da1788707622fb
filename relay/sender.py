"""One signal to one order workflow, and what its failure means."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.facts import Fact
from workflows.messages import FactBatch, order_workflow_id

SIGNAL = "facts"


class Sent(StrEnum):
    DELIVERED = "delivered"
    NO_WORKFLOW = "no_workflow"
    """Never started, or ended."""
    OUTAGE = "outage"
    """Temporal cannot be reached or is overloaded: the same signal will do later."""
    POISON = "poison"
    """The same signal will be refused for ever."""
    UNCLEAR = "unclear"
    """It failed in a way that nobody foresaw: worth a few more tries, not endless ones."""


@dataclass(frozen=True)
class Verdict:
    sent: Sent
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

    async def send(self, order_no: str, facts: Sequence[Fact]) -> Verdict:
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
            return Verdict(Sent.OUTAGE, f"Temporal did not answer: {type(error).__name__}")
        except RuntimeError as error:
            # A lazy client that cannot connect raises a bare RuntimeError with this text.
            if "client connect" not in str(error):
                raise
            return Verdict(Sent.OUTAGE, "Temporal cannot be reached")
        return Verdict(Sent.DELIVERED)


def verdict_of(error: RPCError) -> Verdict:
    """What a failed signal means. Unclear codes count as an outage: waiting loses nothing, giving up would."""
    note = f"{error.status.name}: {error.message}"[:300]
    if error.status is RPCStatusCode.NOT_FOUND:
        # A missing namespace is the operator's mistake, not the order's end.
        return Verdict(Sent.OUTAGE if _namespace_missing(error) else Sent.NO_WORKFLOW, note)
    too_large = error.status is RPCStatusCode.RESOURCE_EXHAUSTED and "larger than max" in error.message
    if too_large or error.status in _POISON:
        return Verdict(Sent.POISON, note)
    return Verdict(Sent.OUTAGE, note)


def _namespace_missing(error: RPCError) -> bool:
    return any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in error.grpc_status.details)
