"""Spans of a worker and its callers in this process, as they would go out."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import Client
from temporalio.contrib.opentelemetry import ReplaySafeTracerProvider

import telemetry
from config.settings import TelemetrySettings
from wire.trace_headers import TolerantTracing


class Seen:
    """Every span that has gone out."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.all if span.name == name]

    def in_the_air(self) -> set[str]:
        """Names of spans whose parent nobody has told."""
        told = {_id(span) for span in self.all}
        return {span.name for span in self.all if span.parent is not None and span.parent.span_id not in told}

    def lines(self, name: str) -> set[tuple[str, ...]]:
        """The ancestors of the spans of this name, nearest first."""
        by_id = {_id(span): span for span in self.all}
        return {tuple(_up(span, by_id)) for span in self.named(name)}

    def askers(self, name: str) -> set[str]:
        """Names of the spans that those of this name are linked to."""
        by_id = {_id(span): span.name for span in self.all}
        return {by_id[link.context.span_id] for span in self.named(name) for link in span.links}


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def _up(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> Iterator[str]:
    while span.parent is not None:
        span = by_id[span.parent.span_id]
        yield span.name


@contextmanager
def seen() -> Iterator[Seen]:
    """A process has one provider, set once: whoever comes first."""
    if not isinstance(trace.get_tracer_provider(), ReplaySafeTracerProvider):
        telemetry.set_up_traces("tests", TelemetrySettings(), exporter=InMemorySpanExporter())
    provider, exporter = trace.get_tracer_provider(), InMemorySpanExporter()
    assert isinstance(provider, ReplaySafeTracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Seen(exporter)
    exporter.shutdown()


def traced(client: Client) -> Client:
    """The same, telling and tracing as our processes do."""
    config = client.config()
    config["interceptors"] = [TolerantTracing(add_temporal_spans=True)]
    return Client(**config)
