"""One real Temporal server with skipped time for all workflow tests; each test has its own world and task queue."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from deploy.local.temporal import server_arguments, temporal_binary
from domain.facts import Fact, Kind
from domain.order import StartOrder
from tests.workflows.world import World
from workflows.messages import ORDER_WORKFLOW, FactBatch, order_workflow_id
from workflows.order import Order

PLACED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """The time-skipping API is experimental: this fixture is the only place that knows it."""
    env = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(temporal_binary()),
        dev_server_extra_args=server_arguments(time_skipping=True),
        data_converter=pydantic_data_converter,
    )
    async with env:
        yield env


class Play:
    """One order, started on skipped time against its world."""

    def __init__(self, client: Client, queue: str, world: World) -> None:
        self.client = client
        self.queue = queue
        self.world = world
        self.handle: WorkflowHandle[Any, Any]
        self.order: StartOrder

    async def start(self, order: StartOrder) -> WorkflowHandle[Any, Any]:
        self.order = order
        self.handle = await self.client.start_workflow(
            ORDER_WORKFLOW, order, id=order_workflow_id(order.order_no), task_queue=self.queue, result_type=str
        )
        return self.handle

    async def tell(self, *facts: Fact) -> None:
        await self.handle.signal("facts", FactBatch(facts=facts))

    async def pay(self) -> Fact:
        fact = self.world.pay(self.order.order_no, self.order.payable_minor, datetime.now(UTC))
        await self.tell(fact)
        return fact


@pytest.fixture
async def plays(skipping: WorkflowEnvironment) -> AsyncIterator[Callable[[World], Any]]:
    """`async with plays(world) as play:` a worker for one test."""

    @asynccontextmanager
    async def open_play(world: World) -> AsyncIterator[Play]:
        queue = f"test-{uuid.uuid4().hex}"
        async with Worker(skipping.client, task_queue=queue, workflows=[Order], activities=world.activities()):
            yield Play(skipping.client, queue, world)

    yield open_play


def fact(kind: Kind, child_no: str, at: datetime, **more: Any) -> Fact:
    source = "kuaidi100" if kind in (Kind.COLLECTED, Kind.IN_TRANSIT, Kind.OUT_FOR_DELIVERY, Kind.SIGNED) else "qimen"
    return Fact(key=f"{source}:{child_no}:{kind}", kind=kind, source=source, occurred_at=at, child_no=child_no, **more)


def two_parcel_order(order_no: str | None = None, **more: Any) -> StartOrder:
    """Two warehouses, so two parcels; 10,000 + 600 fen."""
    number = order_no or f"T{uuid.uuid4().hex[:12].upper()}"
    message = {
        "order_no": number,
        "channel": "mini_program",
        "channel_order_no": number,
        "placed_at": datetime.now(UTC).isoformat(),
        "buyer": {"buyer_id": "b-1"},
        "address": {
            "recipient": "Li Lei", "phone": "13800000000", "province": "浙江省", "city": "杭州市", "street": "1 Road",
        },
        "lines": [
            {"line_id": "L1", "sku": "CUP", "qty": 2, "unit_price_minor": 3000, "tags": {"warehouse": "WH-HZ"}},
            {"line_id": "L2", "sku": "TEA", "qty": 1, "unit_price_minor": 4000, "tags": {"warehouse": "WH-GZ"}},
        ],
        "freight": [{"amount_minor": 600}],
        "payable_minor": 10_600,
        **more,
    }  # fmt: skip
    from domain.strict import of

    return of(StartOrder, message)


MINUTE = timedelta(minutes=1)
