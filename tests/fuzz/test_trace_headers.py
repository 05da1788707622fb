"""A trace header is anybody's word: one that cannot be read is no trace, and stops no workflow."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
)
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import telemetry
from config.settings import TelemetrySettings
from domain.facts import Kind
from tests.fuzz.shapes import headers
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import Play, kinds
from tests.workflows.world import World
from wire.trace_headers import TRACE_HEADER, TolerantTracing, readable
from workflows.order.workflow import Order

HEADERS = headers()


class Liar(Interceptor):
    """A client whose every call carries this header."""

    def __init__(self, header: Payload) -> None:
        super().__init__()
        self.header = header

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Lies(next, {TRACE_HEADER: self.header})


class _Lies(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, headers: Mapping[str, Payload]) -> None:
        super().__init__(next)
        self._headers = headers

    async def start_workflow(self, input: StartWorkflowInput) -> Any:
        input.headers = self._headers
        return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        input.headers = self._headers
        await super().signal_workflow(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        input.headers = self._headers
        return await super().query_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:
        input.headers = self._headers
        return await super().start_workflow_update(input)


@pytest.fixture(scope="session")
def traced() -> None:
    """The SDK demands a provider of its own kind; a process can set one once."""
    telemetry.set_up_traces("tests", TelemetrySettings(), exporter=InMemorySpanExporter())


class TracedPlay(Play):
    """Its worker traces, as ours do; what the play says carries the header that is given."""

    def with_header(self, header: Payload) -> None:
        self.client = Client(**self.env.client.config() | {"interceptors": [Liar(header)]})

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        client = Client(**self.env.client.config() | {"interceptors": [TolerantTracing(add_temporal_spans=True)]})
        async with Worker(
            client, task_queue=self.queue, workflows=[Order], activities=self.world.activities(),
            workflow_runner=UnsandboxedWorkflowRunner(), build_id="tests",
        ):  # fmt: skip
            yield


@pytest.mark.parametrize("what", HEADERS)
async def test_a_header_that_is_no_trace_stops_no_order(skipping: WorkflowEnvironment, traced: None, what: str) -> None:
    play = TracedPlay(skipping, f"test-{uuid.uuid4().hex}", World())
    play.with_header(HEADERS[what])
    async with play.worker():
        order = one_parcel_order()
        await play.client.start_workflow("Order", order, id=f"order/{order.order_no}", task_queue=play.queue)
        play.order, play.handle = order, play.client.get_workflow_handle(f"order/{order.order_no}", result_type=str)
        await play.rest()
        await play.pay()
        await play.ships(1)
        await play.happens(Kind.SIGNED, 1)
        assert await play.statuses() == ("DELIVERED", "SIGNED")
        await play.confirm()
        assert await play.finish() == "COMPLETED"
        assert kinds(await play.history())["WORKFLOW_TASK_FAILED"] == 0
    play.world.check()


@pytest.mark.parametrize("what", HEADERS)
def test_only_what_can_be_read_is_left(what: str) -> None:
    other = Payload(data=b"x")
    assert readable({TRACE_HEADER: HEADERS[what], "other": other}) == {"other": other}


def test_a_trace_is_left_as_it_is() -> None:
    told = Payload(
        metadata={"encoding": b"json/plain"}, data=f'{{"traceparent": "00-{"1" * 32}-{"2" * 16}-01"}}'.encode()
    )
    assert readable({TRACE_HEADER: told}) == {TRACE_HEADER: told}
    assert readable({}) == {}


def test_our_processes_trace_so() -> None:
    (ours,) = telemetry.temporal_tracing().interceptors or ()
    assert isinstance(ours, TolerantTracing) and isinstance(ours, OpenTelemetryInterceptor)
