"""What a validator may ask before a message is written into a history: whether anybody of ours has signed it.

A validator runs once, when the message comes, and is not replayed; what it refuses leaves nothing. The answer comes out
of what the worker has at hand, without a call.
"""

from collections.abc import Callable

from temporalio.worker import Interceptor, WorkflowInterceptorClassInput

SIGNER = "oms_signer"
Signer = Callable[[str], str | None]
"""Whom a token names. Empty: nobody has signed it, or it is over; None: that cannot be said without asking."""


class Doorkeeper(Interceptor):
    """Of a worker: gives its workflows the function `SIGNER`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> None:
        input.unsafe_extern_functions[SIGNER] = self._signer
