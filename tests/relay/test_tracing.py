"""One trace from the callback to the signal, across the time in the inbox."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from relay import tracing


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # A process has one global provider, set once; other tests of the session may have set theirs.
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    return exporter


def callback() -> str:
    with tracing.callback_span("shop"):
        traceparent = tracing.current_traceparent()
    assert traceparent is not None
    return traceparent


def test_a_delivery_continues_the_trace_of_its_first_message_and_links_the_others(spans: InMemorySpanExporter) -> None:
    first, second = callback(), callback()
    with tracing.delivery_span("SO-1", [first, None, second, first]) as span:
        inside = trace.get_current_span().get_span_context()
    assert f"{inside.trace_id:032x}" == first.split("-")[1]
    delivered = spans.get_finished_spans()[-1]
    assert delivered.parent is not None
    assert f"{delivered.parent.span_id:016x}" == first.split("-")[2]
    assert [f"{link.context.trace_id:032x}" for link in delivered.links] == [second.split("-")[1]]
    assert span.get_span_context() == inside


def test_without_a_stored_trace_a_delivery_begins_its_own(spans: InMemorySpanExporter) -> None:
    with tracing.delivery_span("SO-1", [None, "not a traceparent"]):
        pass
    assert spans.get_finished_spans()[-1].parent is None


def test_nothing_traced_is_nothing_stored() -> None:
    assert tracing.current_traceparent() is None
