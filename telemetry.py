"""Logs, traces and metrics of every process. Nothing personal goes into any of them: order numbers, codes, times.

Set up once at the start of a process: `set_up_logs`, `set_up_traces`, and for a worker `temporal_runtime`.
"""

import logging
import sys
from collections.abc import MutableMapping, Sequence
from typing import Any

import httpx
import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, Status, StatusCode
from prometheus_client import REGISTRY, Counter, start_http_server
from temporalio import activity, workflow
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from config.settings import TelemetrySettings
from wire.trace_headers import TolerantTracing

LOOPBACK = "127.0.0.1"
ERROR_KIND = "exception.type"
HTTP_TIMEOUT = httpx.Timeout(connect=3.0, read=10.0, write=10.0, pool=3.0)

callbacks_received = Counter("oms_callbacks_received", "Verified callbacks stored in the inbox", ["source"])
callbacks_refused = Counter("oms_callbacks_refused", "Callbacks that were not believed", ["source", "reason"])
deliveries = Counter("oms_deliveries", "Attempts to hand facts to an order, by outcome", ["outcome"])
tickets_opened = Counter("oms_tickets_opened", "Tickets opened for a person", ["system", "step"])
activity_failures = Counter("oms_activity_failures", "Failed calls of outside systems", ["system", "outcome"])


def set_up_logs(settings: TelemetrySettings) -> None:
    """One line an event on standard output, for structlog and the standard library alike; repeatable."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        _drop_colours,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(settings.oms_log_format))
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(settings.oms_log_level)
    for chatty in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # At DEBUG the SDK prints whole payloads: addresses and phone numbers.
    logging.getLogger("temporalio.worker").setLevel(max(logging.INFO, logging.root.level))
    # The SDK glues a dictionary to every message unless told otherwise; the same facts come as fields.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def set_up_traces(process: str, settings: TelemetrySettings, *, exporter: SpanExporter | None = None) -> None:
    """Give this process a tracer provider that is safe in replay. Can be done once in a process.

    Spans leave the process only when OTEL_EXPORTER_OTLP_ENDPOINT is set, or to `exporter` (tests).
    """
    # Without a place to go spans are not recorded, which is a tenth of a process's work; their ids still go on every
    # line and to the next process.
    leaves = exporter is not None or settings.otel_exporter_otlp_endpoint
    resource = Resource.create({"service.name": f"oms-{process}"})
    provider = create_tracer_provider(sampler=None if leaves else ALWAYS_OFF, resource=resource)
    if exporter is not None:
        provider.add_span_processor(SimpleSpanProcessor(_WithoutWords(exporter)))
    elif settings.otel_exporter_otlp_endpoint:
        target = f"{settings.otel_exporter_otlp_endpoint}/v1/traces"
        provider.add_span_processor(BatchSpanProcessor(_WithoutWords(OTLPSpanExporter(endpoint=target, timeout=5))))
    trace.set_tracer_provider(provider)


class _WithoutWords(SpanExporter):
    """What an error says may name a person (a refused order repeats what was wrong); that there was one, and of which
    kind, goes out."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_wordless(span) for span in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _wordless(span: ReadableSpan) -> ReadableSpan:
    if not span.events and not span.status.description:
        return span
    kinds = [
        Event(e.name, {n: v for n, v in (e.attributes or {}).items() if n == ERROR_KIND}, e.timestamp)
        for e in span.events
    ]
    return ReadableSpan(
        name=span.name, context=span.context, parent=span.parent, resource=span.resource, attributes=span.attributes,
        events=kinds, links=span.links, kind=span.kind, status=Status(span.status.status_code),
        start_time=span.start_time, end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip


def temporal_tracing() -> OpenTelemetryPlugin:
    """Plugin for `Client.connect(plugins=[…])`; workers made of that client inherit it."""
    plugin = OpenTelemetryPlugin(add_temporal_spans=True)
    plugin.interceptors = [TolerantTracing(add_temporal_spans=True)]
    return plugin


def temporal_runtime(metrics_port: int) -> Runtime:
    """The SDK's runtime; with a port, its own metrics on 127.0.0.1:port and ours on the next port."""
    if metrics_port == 0:
        return Runtime(telemetry=TelemetryConfig())
    start_http_server(metrics_port + 1, addr=LOOPBACK, registry=REGISTRY)
    address = f"{LOOPBACK}:{metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address, durations_as_seconds=True)))


def http_client(system: str, *, timeout: httpx.Timeout = HTTP_TIMEOUT, at_once: int = 50) -> httpx.AsyncClient:
    """A client for one outside system: finite time-outs, a span a request, no redirects, no proxy.

    `at_once`: requests that may be under way, at least as many as the process ever makes: one that waits for a
    connection of ours would count as a try of theirs.
    """
    inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=20))
    return httpx.AsyncClient(transport=_Traced(system, inner), timeout=timeout, follow_redirects=False, trust_env=False)


class _Traced(httpx.AsyncBaseTransport):
    """A client span around each request. Paths and bodies stay out of it: they may name people."""

    def __init__(self, system: str, inner: httpx.AsyncBaseTransport) -> None:
        self._system = system
        self._inner = inner
        self._tracer = trace.get_tracer("oms.http")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        span_name = f"{self._system} {request.method}"
        with self._tracer.start_as_current_span(span_name, kind=SpanKind.CLIENT) as span:
            span.set_attribute("http.request.method", request.method)
            span.set_attribute("server.address", request.url.host)
            response = await self._inner.handle_async_request(request)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= httpx.codes.BAD_REQUEST:
                span.set_status(StatusCode.ERROR)
            return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _rendering(form: str) -> list[structlog.typing.Processor]:
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "console":
        return [remove, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    return [
        remove,
        # Without local variables: they hold addresses and keys.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _add_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the current span's ids on the line, so that logs and traces find each other."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event


def _drop_colours(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """uvicorn sends each message a second time with terminal colours."""
    event.pop("color_message", None)
    return event
