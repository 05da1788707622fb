"""Spans of workflows and activities, whatever a caller's trace header says.

A header comes from whoever sends a signal or starts a workflow. The SDK reads it inside the workflow's task, and what
it cannot read there fails that task again and again: one signal would stop an order for ever.
"""

from collections.abc import Mapping
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

TRACE_HEADER = "_tracer-data"
LONGEST_VALUE = 8_192
"""Characters; W3C's limit for baggage, the longest of the three."""

Headers = Mapping[str, Payload]


class TolerantTracing(OpenTelemetryInterceptor):
    """A header that is no trace is as good as none."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[Any]:
        return type("ReadableTraces", (_ReadableTraces, super().workflow_interceptor_class(input)), {})


class _ReadableTraces(WorkflowInboundInterceptor):
    """Stands before the SDK's own reader of the header."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        input.headers = readable(input.headers)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        input.headers = readable(input.headers)
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        input.headers = readable(input.headers)
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        input.headers = readable(input.headers)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        input.headers = readable(input.headers)
        return await super().handle_update_handler(input)


def readable(headers: Headers) -> Headers:
    """The same, without a trace that nobody can read."""
    told = headers.get(TRACE_HEADER)
    if told is None or _is_a_trace(told):
        return headers
    return {name: value for name, value in headers.items() if name != TRACE_HEADER}


def _is_a_trace(told: Payload) -> bool:
    """Short words of ASCII by name, as the standard has them."""
    try:
        (carrier,) = PayloadConverter.default.from_payloads([told])
    except Exception:  # of whatever kind: these are a stranger's bytes
        return False
    return isinstance(carrier, dict) and all(
        isinstance(value, str) and value.isascii() and len(value) <= LONGEST_VALUE for value in carrier.values()
    )
