"""The worker: configuration → clients → registered workflows and activities. The only wiring, no business."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

import telemetry
from activities.carrier import CarrierActivities
from activities.courier import CourierActivities
from activities.payment import PaymentActivities
from activities.store import StoreActivities
from activities.tracking import TrackingActivities
from activities.wms import WmsActivities
from config import Settings, UnableToConfigure
from providers.kuaidi100.client import Kuaidi100, Kuaidi100Config
from providers.qimen import QimenConfig, QimenWms
from providers.tms.client import TmsClient, TmsConfig
from providers.wechat import WechatConfig, WechatPay
from store.orders import OrderStore
from store.pool import open_pool
from store.tracking import TrackingStore
from workflows.messages import TASK_QUEUE
from workflows.order import Order
from workflows.reconcile import COURIER_WORKFLOW_ID, FollowParcels, FollowParcelsWorkflow

WORKFLOWS: Sequence[type] = (Order, FollowParcelsWorkflow)
SEARCH_ATTRIBUTES = {
    "OmsStatus": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OmsChannel": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "OmsNeedsAttention": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}
log = structlog.get_logger("oms.worker")


def now() -> datetime:
    return datetime.now(UTC)


async def connect(settings: Settings) -> Client:
    return await Client.connect(
        **settings.temporal.connect_arguments(),
        data_converter=pydantic_data_converter,
        runtime=telemetry.temporal_runtime(settings.worker.worker_metrics_port),
        plugins=[telemetry.temporal_tracing()],
    )


async def activities(settings: Settings, resources: AsyncExitStack) -> list[Any]:
    """One object an outside system, holding its client; returns their activity methods."""
    pool = await open_pool(settings.database.url.get_secret_value(), max_size=settings.database.pool_max)
    resources.push_async_callback(pool.close)

    async def http(system: str) -> httpx.AsyncClient:
        return await resources.enter_async_context(telemetry.http_client(system))

    wechat = settings.wechat
    payment = PaymentActivities(
        WechatPay(
            WechatConfig(
                base_url=wechat.base_url,
                mchid=wechat.mchid,
                appid=wechat.appid,
                serial_no=wechat.serial_no,
                private_key=wechat.private_key.get_secret_value(),
                apiv3_key=wechat.apiv3_key.get_secret_value(),
                platform_keys=wechat.platform_keys,
                notify_url=wechat.notify_url,
            ),
            await http("wechat"),
            now,
            lambda: secrets.token_hex(16),
        ),
        wechat.mchid,
        now,
    )
    qimen = settings.qimen
    wms = WmsActivities(
        QimenWms(
            QimenConfig(
                base_url=qimen.base_url,
                app_key=qimen.app_key,
                customer_id=qimen.customer_id,
                secret=qimen.secret.get_secret_value(),
            ),
            await http("qimen"),
            now,
        )
    )
    tms = settings.tms
    carrier = CarrierActivities(
        TmsClient(
            TmsConfig(
                base_url=tms.base_url,
                token=tms.token.get_secret_value(),
                webhook_secrets=tuple(s.get_secret_value() for s in tms.webhook_secrets),
            ),
            await http("tms"),
        )
    )
    kuaidi100 = settings.kuaidi100
    courier = CourierActivities(
        Kuaidi100(
            Kuaidi100Config(
                base_url=kuaidi100.base_url,
                customer=kuaidi100.customer,
                key=kuaidi100.key.get_secret_value(),
                salt=kuaidi100.salt.get_secret_value(),
                callback_url=kuaidi100.callback_url,
            ),
            await http("kuaidi100"),
            now,
        )
    )
    books = StoreActivities(OrderStore(pool))
    tracking = TrackingActivities(TrackingStore(pool))
    return [
        books.register, books.settle, books.write, books.allocate_backorder,
        payment.create, payment.query, payment.close, payment.refund, payment.query_refund,
        wms.push, wms.cancel, wms.query,
        carrier.book, carrier.void,
        courier.subscribe, courier.query,
        tracking.next_waybills, tracking.followed,
    ]  # fmt: skip


def make_worker(client: Client, activity_methods: Sequence[Any], settings: Settings) -> Worker:
    sandboxed = settings.worker.workflow_sandbox
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=WORKFLOWS,
        activities=activity_methods,
        workflow_runner=SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner(),
        max_cached_workflows=settings.worker.worker_cached_workflows,
        max_concurrent_activities=settings.worker.worker_activities,
        graceful_shutdown_timeout=timedelta(seconds=10),
    )


async def ensure_search_attributes(client: Client) -> None:
    """An unregistered attribute would fail every workflow task that sets it, for ever."""
    operator = client.operator_service
    known = await operator.list_search_attributes(ListSearchAttributesRequest(namespace=client.namespace))
    missing = {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in known.custom_attributes}
    if missing:
        await operator.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )


async def ensure_connectors(client: Client) -> None:
    """The connector loops run for ever; the first worker of an installation starts them."""
    try:
        await client.start_workflow(
            FollowParcelsWorkflow.run,
            FollowParcels(),
            id=COURIER_WORKFLOW_ID,
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        return


async def run() -> None:
    settings = Settings()
    telemetry.set_up_logs(settings.telemetry)
    telemetry.set_up_traces("worker", settings.telemetry)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as resources:
        client = await connect(settings)
        await ensure_search_attributes(client)
        methods = await activities(settings, resources)
        async with make_worker(client, methods, settings):
            await ensure_connectors(client)
            log.info("worker ready", task_queue=TASK_QUEUE, sandboxed=settings.worker.workflow_sandbox)
            await stop.wait()
            log.info("worker stops")


def main() -> int:
    try:
        asyncio.run(run())
    except UnableToConfigure as error:
        sys.stderr.write(f"the worker cannot start: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    # The SDK may abort at interpreter exit after a clean shutdown (docs/performance.md), so leave without that.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
