"""Spans of workflows and activities, whatever a caller's trace header says.

A header comes from whoever sends a signal or starts a workflow. The SDK reads it inside the workflow's task, and what
it cannot read there fails that task again and again: one signal would stop an order for ever.

A workflow lives for weeks and hears many messages, each with a trace of its own. What it does by itself (writes,
refunds, declarations) stands in the workflow's trace, below a span that is told at once and not when the workflow has
ended; and names by links whose messages have made it do so. No span more than the SDK makes.
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor
from temporalio.contrib.opentelemetry._context import attached_context
from temporalio.converter import PayloadConverter
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

TRACE_HEADER = "_tracer-data"
LONGEST_VALUE = 8_192
"""Characters; W3C's limit for baggage, the longest of the three."""
MOST_LINKS = 16
_FORMAT = TraceContextTextMapPropagator()

Headers = Mapping[str, Payload]


class TolerantTracing(OpenTelemetryInterceptor):
    """A header that is no trace is as good as none."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[Any]:
        return type("ReadableTraces", (_ReadableTraces, super().workflow_interceptor_class(input)), {})


class _Senders:
    """Whose messages a workflow has heard since a step of its own named them."""

    def __init__(self) -> None:
        self.home = 0
        """The workflow's own trace."""
        self._since: list[SpanContext] = []

    def heard(self, headers: Headers) -> None:
        sender = trace.get_current_span(_context(headers)).get_span_context()
        if sender.is_valid and sender not in self._since:
            self._since = [*self._since, sender][-MOST_LINKS:]

    def name(self) -> None:
        """By the span of a step that begins. One that a handler begins stands in its sender's trace already."""
        span = trace.get_current_span()
        if not self._since or span.get_span_context().trace_id != self.home:
            return
        since, self._since = self._since, []
        for sender in since:
            if sender.trace_id != self.home:
                span.add_link(sender)


class _NamingSteps(WorkflowOutboundInterceptor):
    """Stands behind the SDK's tracing: the step's span is the current one."""

    def __init__(self, next: WorkflowOutboundInterceptor, senders: _Senders) -> None:
        super().__init__(next)
        self._senders = senders

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._senders.name()
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self._senders.name()
        return super().start_local_activity(input)


class _ReadableTraces(WorkflowInboundInterceptor):
    """Stands before the SDK's own reader of the header."""

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self._senders = _Senders()
        super().init(_NamingSteps(outbound, self._senders))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """In place of the SDK's, whose span nobody sees while the workflow runs: its steps would hang in the air."""
        info = workflow.info()
        span = trace.get_tracer(__name__).start_span(
            f"RunWorkflow:{info.workflow_type}",
            context=_context(readable(input.headers)),
            kind=SpanKind.SERVER,
            attributes={"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id},
        )
        span.end()
        self._senders.home = span.get_span_context().trace_id
        with attached_context(trace.set_span_in_context(span)):
            return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        input.headers = readable(input.headers)
        self._senders.heard(input.headers)
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        input.headers = readable(input.headers)
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        input.headers = readable(input.headers)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        input.headers = readable(input.headers)
        self._senders.heard(input.headers)
        return await super().handle_update_handler(input)


def readable(headers: Headers) -> Headers:
    """The same, without a trace that nobody can read."""
    told = headers.get(TRACE_HEADER)
    if told is None or _is_a_trace(told):
        return headers
    return {name: value for name, value in headers.items() if name != TRACE_HEADER}


def _context(headers: Headers) -> Context:
    """Of a header that can be read; empty without one."""
    told = headers.get(TRACE_HEADER)
    return _FORMAT.extract(PayloadConverter.default.from_payloads([told])[0]) if told else Context()


def _is_a_trace(told: Payload) -> bool:
    """Short words of ASCII by name, as the standard has them."""
    try:
        (carrier,) = PayloadConverter.default.from_payloads([told])
    except Exception:  # of whatever kind: these are a stranger's bytes
        return False
    return isinstance(carrier, dict) and all(
        isinstance(value, str) and value.isascii() and len(value) <= LONGEST_VALUE for value in carrier.values()
    )
