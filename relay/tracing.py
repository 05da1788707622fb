"""One trace from the callback to the workflow: the inbox row carries the `traceparent` across the gap in between."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_FORMAT = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("oms.relay")


@contextmanager
def callback_span(source: str) -> Iterator[Span]:
    """Around one request. A trace that a stranger's header names is not continued: it would be theirs to choose."""
    with _TRACER.start_as_current_span("relay callback", kind=SpanKind.SERVER, attributes={"oms.source": source}) as s:
        yield s


def current_traceparent() -> str | None:
    """The current span in W3C form, to be stored beside the row; None when nothing is traced."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@contextmanager
def delivery_span(order_no: str, traceparents: Iterable[str | None]) -> Iterator[Span]:
    """Around one signal: child of the first row's trace, linked to those of the other rows in it."""
    known = list(dict.fromkeys(t for t in traceparents if t))
    contexts = [_FORMAT.extract({"traceparent": t}) for t in known]
    links = [Link(trace.get_current_span(c).get_span_context()) for c in contexts[1:]]
    with _TRACER.start_as_current_span(
        "relay delivery",
        context=contexts[0] if contexts else None,
        kind=SpanKind.PRODUCER,
        links=links,
        attributes={"oms.order_no": order_no},
    ) as span:
        yield span
