import asyncio
import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import telemetry
from config.settings import TelemetrySettings


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The process-wide provider can be set only once, so each test hands out its own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(telemetry._WithoutWords(exporter)))
    monkeypatch.setattr(trace, "get_tracer", lambda name, *_: provider.get_tracer(name))
    return exporter


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(autouse=True)
def keep_logging() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def test_a_log_line_carries_the_span_it_was_written_in(
    capsys: pytest.CaptureFixture[str], spans: InMemorySpanExporter
) -> None:
    telemetry.set_up_logs(TelemetrySettings())
    with trace.get_tracer("t").start_as_current_span("s") as span:
        structlog.get_logger("oms").info("paid", order_no="A1")
        logging.getLogger("library").warning("retry %s", 2)
    first, second = lines(capsys)
    assert first["order_no"] == "A1"
    assert first["trace_id"] == second["trace_id"] == format(span.get_span_context().trace_id, "032x")
    assert second["event"] == "retry 2"


def test_spans_that_go_nowhere_are_not_recorded_and_still_have_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    providers: list[trace.TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    telemetry.set_up_traces("t", TelemetrySettings())
    telemetry.set_up_traces("t", TelemetrySettings(), exporter=InMemorySpanExporter())
    nowhere, somewhere = (provider.get_tracer("t").start_span("s") for provider in providers)
    assert (nowhere.is_recording(), somewhere.is_recording()) == (False, True)
    assert nowhere.get_span_context().is_valid


def test_an_exception_is_logged_without_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.set_up_logs(TelemetrySettings())
    secret = "".join(["Zhang", "San"])
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger("oms").exception("could not")
    text = capsys.readouterr().out
    assert "ValueError" in text
    assert secret not in text


async def test_a_request_is_a_client_span_without_path_or_query(spans: InMemorySpanExporter) -> None:
    inner = httpx.MockTransport(lambda request: httpx.Response(503))
    async with httpx.AsyncClient(transport=telemetry._Traced("wechat", inner)) as http:
        await http.get("http://pay.example/v3/name-of-a-person?phone=1")
    (span,) = spans.get_finished_spans()
    assert span.name == "wechat GET"
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 503
    assert not span.status.is_ok
    assert "person" not in span.to_json()


async def test_every_client_has_finite_time_outs_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with telemetry.http_client("tms") as http:
        assert all(seconds and seconds <= 10 for seconds in http.timeout.as_dict().values())
        assert not http.follow_redirects
        assert not http.trust_env


async def test_a_slow_system_is_asked_by_as_many_as_want_to_and_nobody_waits_for_a_connection_of_ours() -> None:
    """With fewer connections than activities, a warehouse that took its time cost four tries and a ticket an order."""
    many, everybody = 150, asyncio.Event()
    waiting = 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal waiting
        await reader.readuntil(b"\r\n\r\n")
        waiting += 1
        if waiting == many:
            everybody.set()
        await everybody.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0, backlog=many)
    host, port = server.sockets[0].getsockname()
    async with server, telemetry.http_client("tms", at_once=many) as http:
        answers = await asyncio.gather(*(http.get(f"http://{host}:{port}/") for _ in range(many)))
    assert {answer.status_code for answer in answers} == {204}


def test_a_span_goes_out_without_the_words_of_an_error(spans: InMemorySpanExporter) -> None:
    """Temporal's own tracing puts them there, and they repeat what was refused."""
    with pytest.raises(ValueError), trace.get_tracer("t").start_as_current_span("RunActivity") as span:
        span.set_attribute("oms.order_no", "SO1")
        raise ValueError("Zhang San, 13912345678")
    (found,) = spans.get_finished_spans()
    assert "Zhang" not in found.to_json()
    assert (found.status.is_ok, dict(found.attributes or {})) == (False, {"oms.order_no": "SO1"})
    assert [dict(event.attributes or {}) for event in found.events] == [{"exception.type": "ValueError"}]


def test_no_word_of_a_stranger_begins_a_line_or_paints_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.set_up_logs(TelemetrySettings())
    said = 'x\n{"event": "paid", "level": "info"}\r\x1b[2J\x1b[31m\u202e\x00'
    structlog.get_logger("oms").warning(said, order_no=said)
    logging.getLogger("library").error("refused %s", said, extra={"source": said})
    text = capsys.readouterr().out
    assert "\x1b" not in text and "\r" not in text and "\x00" not in text
    (ours, theirs) = (json.loads(line) for line in text.splitlines())
    assert (ours["event"], ours["order_no"], theirs["source"]) == (said, said, said)
