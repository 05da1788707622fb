"""What operators see from outside: one trace through all programs, logs without people and secrets, metrics."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.demo.environment import DemoEnvironment
from tests.e2e.collector import Collector, Seen
from tests.e2e.lives import orders_with_goods, play
from tests.e2e.waiting import until
from workflows.messages import order_workflow_id

PROGRAMS = ("worker", "relay")
RECIPIENT, PHONE, STREET = "Canary Recipient", "13987654321", "77 Canary Street"
CANARY = "SELECT order_no FROM orders WHERE start -> 'address' ->> 'phone' = $1 AND ended_at IS NOT NULL LIMIT 1"


@pytest.fixture
async def canary(stage: DemoEnvironment) -> str:
    """The number of an ended order for a person who stands nowhere else, and whose carrier failed once."""
    known = await stage.pool.fetchval(CANARY, PHONE)
    if known is not None:
        return str(known)
    (order,) = await orders_with_goods(stage, 1)
    address = order.address.model_copy(update={"recipient": RECIPIENT, "phone": PHONE, "street": STREET})
    order = order.model_copy(update={"address": address})
    await stage.fault("tms", "book", "error_before", order_no=order.order_no)
    await play(stage, [order])
    return order.order_no


async def test_one_trace_leads_from_the_callback_through_the_workflow_to_the_providers(
    canary: str, collector: Collector
) -> None:
    async def found() -> list[Seen]:
        return whole_trace(collector.spans(), canary)

    trace: list[Seen] = await until(found)
    by_id = {span.span_id: span for span in trace}
    calls = [span for span in trace if is_call(span)]
    for call in calls:
        (activity, *ancestors) = line_of(call, by_id)
        assert activity.name.startswith("RunActivity:"), "a provider is called by an activity"
        names = [span.name.partition(":")[0] for span in ancestors]
        assert names == ["StartActivity", "HandleSignal", "SignalWorkflow", "relay delivery", "relay callback"]


def whole_trace(spans: list[Seen], order_no: str) -> list[Seen]:
    """A trace of this order in which both programs and a call to a provider took part; empty while there is none."""
    traces: dict[str, list[Seen]] = defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    for trace in traces.values():
        names = {span.name for span in trace}
        calls = any(is_call(span) for span in trace)
        ours = any(span.attributes.get("oms.order_no") == order_no for span in trace)
        activity = any(name.startswith("RunActivity:") for name in names)
        if ours and calls and activity and {span.service for span in trace} == {"oms-relay", "oms-worker"}:
            return trace
    return []


def is_call(span: Seen) -> bool:
    """An HTTP request of the worker to an outside system."""
    return (
        span.service == "oms-worker" and span.kind == Span.SPAN_KIND_CLIENT and "http.request.method" in span.attributes
    )


def line_of(span: Seen, by_id: Mapping[str, Seen]) -> list[Seen]:
    """Its ancestors, nearest first."""
    line = []
    while (parent := by_id.get(span.parent_id)) is not None:
        line.append(parent)
        span = parent
    return line


def entries(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            yield json.loads(line)


async def test_logs_lead_to_orders_and_traces_and_never_to_people_or_secrets(
    stage: DemoEnvironment, city: dict[str, str], canary: str, logs: Path, collector: Collector
) -> None:
    secrets = secret_values(logs.parent, city)
    assert len(secrets) > 10
    for program in PROGRAMS:
        text = (logs / f"{program}.log").read_text(errors="replace")
        about = [entry for entry in entries(logs / f"{program}.log") if canary in json.dumps(entry)]
        assert about, f"{program} never names the order"
        assert any(entry.get("trace_id") for entry in about), f"{program} never names its trace"
        assert any(e["level"] != "debug" for e in about), f"{program} names it only to those who ask for every detail"
        assert [word for word in (RECIPIENT, PHONE, STREET, *secrets) if word in text] == []
    spans = b"".join(collector.received)
    assert [word for word in (RECIPIENT, PHONE, STREET, *secrets) if word.encode() in spans] == []
    history = await stage.temporal.get_workflow_handle(order_workflow_id(canary)).fetch_history()
    assert [word for word in secrets if word in history.to_json()] == [], "the order stands there, but no key"


def secret_values(state: Path, city: Mapping[str, str]) -> list[str]:
    """Everything that opens a door; of keys in PEM form the line in the middle, however it may be folded."""
    kept: dict[str, str] = json.loads((state / "secrets.json").read_text())
    password = urlsplit(city["OMS_DATABASE_URL"]).password
    public = ("merchant_public_key", "platform_public_key", "merchant_serial", "platform_serial")
    values = [value for name, value in kept.items() if name not in public]
    lines = [value.splitlines()[value.count("\n") // 2] if "\n" in value else value for value in values]
    return [*lines, *([password] if password else [])]


async def test_every_program_answers_with_its_metrics(
    stage: DemoEnvironment, city: dict[str, str], canary: str
) -> None:
    port = int(city["OMS_WORKER_METRICS_PORT"])
    sdk = await scrape(stage.http, f"http://127.0.0.1:{port}/metrics")
    own = await scrape(stage.http, f"http://127.0.0.1:{port + 1}/metrics")
    relay = await scrape(stage.http, f"{city['OMS_RELAY_URL']}/metrics")
    assert sdk["temporal_workflow_task_queue_poll_succeed"] > 0
    assert sdk["temporal_activity_execution_latency_count"] > 0
    assert "oms_activity_failures_total" in own
    assert relay["oms_callbacks_received_total"] > 0
    assert relay["oms_relay_ack_seconds_count"] > 0
    assert relay["oms_relay_temporal_up"] == 1


async def scrape(http: httpx.AsyncClient, url: str) -> dict[str, float]:
    """Every metric that is told, with the sum over its labels."""
    reply = await http.get(url)
    assert reply.status_code == 200
    found: dict[str, float] = defaultdict(float)
    for line in reply.text.splitlines():
        if line.startswith("# TYPE "):
            found[line.split()[2]] += 0
        elif line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0]] += float(value)
    return found
