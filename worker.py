"""The worker: configuration → clients → registered workflows and activities. The only wiring, no business."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import structlog
from temporalio.client import Client
from temporalio.worker import Worker

import telemetry
import temporal_connection
from activities.access.assembly import deciding_people
from activities.access.door import Doorkeeper
from activities.access.erasure import ErasureActivities
from activities.access.starts import StartDoor
from activities.approvals import DECIDE_IN_PLACE
from activities.carrier import CarrierActivities
from activities.connectors import Connector
from activities.courier import CourierActivities
from activities.customs import CustomsActivities, CustomsBooks
from activities.insight.offers import OfferActivities
from activities.insight.reports import InsightActivities
from activities.insight.risk_model import RiskActivities
from activities.money.bills import BillActivities, ReadBill
from activities.money.outside_money import OutsideMoneyActivities
from activities.order_views import OrderViews
from activities.payment import PaymentActivities
from activities.payment_channels import WechatCustoms
from activities.polling import Pull, PullActivities
from activities.reconciling import ReconcileActivities
from activities.returns import ReturnActivities
from activities.store import StoreActivities
from activities.tracking import TrackingActivities
from activities.watching.automation import AutomationActivities
from activities.watching.ended_workflows import EndedWorkflows
from activities.wms import WmsActivities
from config import startup_check, walls
from config.processes import Process
from config.settings import PullSettings, Settings, UnableToConfigure
from domain.access.controls import CHANGE_CONTROLS
from domain.access.desk import DESK_WORK
from domain.clock import Clock
from provider_clients import connectors, evidence_vault, make_partners, payment_channels, token_verifier, trade_bills
from providers.sf.routes import CARRIER as SF_CARRIER
from providers.tokens.verify import TokenVerifier
from store.approvals.command_proofs import CommandProofStore
from store.erasure import ErasureStore
from store.orders.customs import CustomsStore
from store.orders.orders import OrderStore
from store.outside_money.booking import OutsideMoneyStore
from store.outside_money.found import MoneyAfterEnd
from store.outside_money.trade_bills import TradeBillStore
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore
from store.polling.reconciling import ReconcileStore
from store.polling.tracking import TrackingStore
from store.pool import Pool, open_pool
from store.reserved_refunds import ReservedRefunds
from store.returns import ReturnStore
from store.returns.order_context_store import OrderContextStore
from store.rules.policies import PolicyStore
from store.rules.rule_sets import RuleSetStore
from wire.asked_activities import OnlyForOurWorkflows
from wire.calls import workflow_runner
from wire.converter import data_converter
from wire.search_attributes import ensure_search_attributes
from workflows.approvals.controls import ChangeControls
from workflows.approvals.in_place import DecideInPlace
from workflows.desk.workflow import DeskWork
from workflows.loops.automation import AUTOMATION_WORKFLOW, AUTOMATION_WORKFLOW_ID, Automate, AutomationWorkflow
from workflows.loops.courier_subscription import (
    COURIER_WORKFLOW,
    COURIER_WORKFLOW_ID,
    FollowParcels,
    FollowParcelsWorkflow,
)
from workflows.loops.insight import INSIGHT_WORKFLOW, INSIGHT_WORKFLOW_ID, Insight, InsightWorkflow
from workflows.loops.offers import OFFERS_WORKFLOW, OFFERS_WORKFLOW_ID, Offers, OffersWorkflow
from workflows.loops.polling import PULL_WORKFLOW, PullWorkflow, pull_workflow_id
from workflows.loops.reconciliation import DAILY_WORKFLOW, DAILY_WORKFLOW_ID, Daily, DailyWorkflow
from workflows.loops.start import PerpetualWorkflow, ensure_running, restart_ended
from workflows.messages import ORDER_WORKFLOW, TASK_QUEUE, order_workflow_id
from workflows.order.workflow import Order
from workflows.order_return_signals import RETURN_WORKFLOW
from workflows.returns.workflow import Return

WORKFLOWS: Sequence[type] = (
    Order, Return, DecideInPlace, ChangeControls, DeskWork, FollowParcelsWorkflow, PullWorkflow, DailyWorkflow,
    InsightWorkflow, AutomationWorkflow, OffersWorkflow,
)  # fmt: skip
WORKFLOW_TYPES = (
    ORDER_WORKFLOW, RETURN_WORKFLOW, DECIDE_IN_PLACE, CHANGE_CONTROLS, DESK_WORK, COURIER_WORKFLOW, PULL_WORKFLOW,
    DAILY_WORKFLOW, INSIGHT_WORKFLOW, AUTOMATION_WORKFLOW, OFFERS_WORKFLOW,
)  # fmt: skip
OPTIONAL = ("alipay", "sf")
log = structlog.get_logger("oms.worker")

WORKFLOW_POLLS = 10
"""Four of five ask for orders that are cached here. The SDK's 5 took 44 tasks a second off a busy server, which is less
than 100 events a second bring; with 20 a rush of payments goes through less together (docs/performance.md, Storm and
burst)."""
GC_THRESHOLD = 20_000
"""New objects between two looks of the garbage collector; Python looks after 700."""


def now() -> datetime:
    return datetime.now(UTC)


async def connect(settings: Settings, resources: AsyncExitStack) -> Client:
    return await temporal_connection.connect(
        resources, settings.temporal, data_converter=data_converter(settings.seals, settings.payload_keys),
        runtime=telemetry.temporal_runtime(settings.worker.worker_metrics_port), plugins=[telemetry.temporal_tracing()],
    )  # fmt: skip


async def books(settings: Settings, resources: AsyncExitStack) -> Pool:
    pool = await open_pool(settings.database.url.get_secret_value(), max_size=settings.database.pool_max)
    resources.push_async_callback(pool.close)
    return pool


async def activities(
    settings: Settings, resources: AsyncExitStack, client: Client, pool: Pool
) -> tuple[list[Any], TokenVerifier]:
    """One object an outside system, holding its client; returns their activity methods, and who knows signatures."""
    await RuleSetStore(pool).ensure_built_in(now())

    async def http(system: str) -> httpx.AsyncClient:
        at_once = settings.worker.worker_activities + 50  # a round of questions is one activity
        return await resources.enter_async_context(telemetry.http_client(system, at_once=at_once))

    outside = await make_partners(settings, http, now)
    payment = PaymentActivities(payment_channels(settings, outside, now), ReservedRefunds(pool))
    wms = WmsActivities(outside.qimen)
    carrier = CarrierActivities(outside.tms, outside.sf)
    courier = CourierActivities(outside.kuaidi100, outside.sf)
    customs = CustomsActivities({"wechat": WechatCustoms(outside.wechat)} if settings.wechat.customs_place else {})
    merchants = {"wechat": settings.wechat.mchid} | ({"alipay": settings.alipay.seller_id} if settings.alipay else {})
    elsewhere, bills = (SF_CARRIER,) if outside.sf else (), trade_bills(outside)
    proofs = settings.proofs
    door = StartDoor(CommandProofStore(pool), now) if proofs.starts_demanded else None
    own = inside(
        pool, client, connectors(settings, outside, now), elsewhere, merchants=merchants, bills=bills, door=door
    )
    verifier = await token_verifier(settings, http, now, pool)
    vault = evidence_vault(settings.evidence) if settings.evidence else None
    erasing = ErasureActivities(ErasureStore(pool), vault, client, now)
    deciding = deciding_people(
        pool, verifier, now, proofs=proofs.demanded, channels=proofs.channels, merchants=merchants
    )
    methods = [
        *own, *deciding, erasing.erase,
        payment.create, payment.query, payment.close, payment.refund, payment.query_refund, payment.refund_outcome,
        wms.push, wms.cancel, wms.query,
        carrier.book, carrier.void,
        courier.subscribe, courier.query,
        customs.declare,
    ]  # fmt: skip
    return methods, verifier


def inside(
    pool: Pool,
    client: Client,
    connectors: Mapping[str, Connector],
    followed_elsewhere: Collection[str] = (),
    clock: Clock = now,
    merchants: Mapping[str, str] | None = None,
    bills: Mapping[str, ReadBill] | None = None,
    door: StartDoor | None = None,
) -> list[Any]:
    """Activities that need nothing but our own database and Temporal. The scenarios play with these very ones.
    `merchants`: who we are at each payment channel; `bills`: how the channel's own bill of a day is read; `door`:
    where orders are started by proven services only."""
    books, border = StoreActivities(OrderStore(pool, merchants), door), CustomsBooks(CustomsStore(pool))
    tracking = TrackingActivities(TrackingStore(pool), followed_elsewhere)
    returns = ReturnActivities(ReturnStore(pool), OrderContextStore(pool), PolicyStore(pool))
    return [
        books.register, books.settle, books.write, books.retag, books.replan, books.resource,
        books.change_address, books.allocate_backorder, books.stalled, books.refund_hold, books.refund_hold_over,
        returns.admit, returns.write, returns.reserve_refund, returns.issue_code, returns.quote, returns.cancel_route,
        returns.refund_slot,
        returns.open_replacement, returns.write_replacement, returns.close_order, returns.what_left,
        border.assess, border.declared, border.withdraw,
        tracking.next_waybills, tracking.followed,
        OutsideMoneyActivities(OutsideMoneyStore(pool)).book_payment, *InsightActivities(pool, clock).methods,
        *RiskActivities(pool, clock).methods, OfferActivities(pool, clock).make, AutomationActivities(pool, clock).look,
        *_asking_activities(pool, client, connectors, bills or {}, clock),
    ]  # fmt: skip


def _asking_activities(
    pool: Pool, client: Client, connectors: Mapping[str, Connector], bills: Mapping[str, ReadBill], clock: Clock
) -> list[Any]:
    """Those that ask the systems by themselves, all through the same connectors."""
    pulls, findings, views = PullStore(pool), FindingStore(pool), OrderViews(client, order_workflow_id)
    pull = PullActivities(pulls, findings, connectors, clock)
    reconcile = ReconcileActivities(
        ReconcileStore(pool), pulls, findings, MoneyAfterEnd(pool), connectors, views, clock
    )
    bill = BillActivities(TradeBillStore(pool), findings, bills, clock)
    return [pull.tick, pull.may_ask, pull.hand_over, reconcile.page, reconcile.day_done, *bill.methods]


def make_worker(client: Client, activity_methods: Sequence[Any], settings: Settings, verifier: TokenVerifier) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=WORKFLOWS,
        activities=activity_methods,
        interceptors=[OnlyForOurWorkflows(WORKFLOW_TYPES, settings.seals), Doorkeeper(verifier.signer)],
        workflow_runner=workflow_runner(sandboxed=settings.worker.workflow_sandbox),
        max_cached_workflows=settings.worker.worker_cached_workflows,
        max_concurrent_activities=settings.worker.worker_activities,
        max_concurrent_workflow_task_polls=WORKFLOW_POLLS,
        graceful_shutdown_timeout=timedelta(seconds=10),
    )


def loops(settings: PullSettings, optional: Collection[str] = ()) -> list[PerpetualWorkflow]:
    """Everything that runs for ever beside the orders. `optional`: which of Alipay and SF this installation has."""
    ticks = {
        "wechat": settings.payment_tick_s,
        "alipay": settings.payment_tick_s,
        "qimen": settings.warehouse_tick_s,
        "kuaidi100": settings.courier_tick_s,
        "sf": settings.courier_tick_s,
    }
    ticks = {name: tick for name, tick in ticks.items() if name in optional or name not in OPTIONAL}
    pace = settings.model_dump(include={"rate_per_s", "at_once"})
    how = settings.model_dump(include={"batch", "backoff_s", "ticket_after"}) | pace
    daily = Daily(hour=settings.daily_hour, minute=settings.daily_minute, **pace)
    return [
        PerpetualWorkflow(COURIER_WORKFLOW, COURIER_WORKFLOW_ID, FollowParcels(), adjustable=False),
        *(
            PerpetualWorkflow(PULL_WORKFLOW, pull_workflow_id(c), Pull(connector=c, tick_s=s, **how))
            for c, s in ticks.items()
        ),
        PerpetualWorkflow(DAILY_WORKFLOW, DAILY_WORKFLOW_ID, daily),
        PerpetualWorkflow(INSIGHT_WORKFLOW, INSIGHT_WORKFLOW_ID, Insight()),
        PerpetualWorkflow(AUTOMATION_WORKFLOW, AUTOMATION_WORKFLOW_ID, Automate(), adjustable=False),
        PerpetualWorkflow(OFFERS_WORKFLOW, OFFERS_WORKFLOW_ID, Offers()),
    ]


async def run() -> None:
    settings = Settings()
    telemetry.set_up_logs(settings.telemetry)
    telemetry.set_up_traces("worker", settings.telemetry)
    walls.tell(Process.WORKER)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as resources:
        client = await connect(settings, resources)
        await ensure_search_attributes(client)
        pool = await books(settings, resources)
        methods, verifier = await activities(settings, resources, client, pool)
        async with make_worker(client, methods, settings, verifier):
            own_loops = loops(settings.pull, [name for name in OPTIONAL if getattr(settings, name)])
            await ensure_running(client, own_loops)
            ended = EndedWorkflows(client, pool, partial(restart_ended, client, own_loops), now)
            looking = asyncio.create_task(ended.keep_looking(), name="ended workflows")
            # What was loaded so far stays, and thousands of cached workflows are no garbage either: looked through less
            # often, they leave the cores to the orders.
            gc.collect()
            gc.freeze()
            gc.set_threshold(GC_THRESHOLD)
            log.info("worker ready", task_queue=TASK_QUEUE, proofs_demanded=settings.proofs.demanded)
            await stop.wait()
            looking.cancel()
            log.info("worker stops")


def main() -> int:
    try:
        startup_check.insist(Process.WORKER)
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
