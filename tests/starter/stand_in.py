"""A small workflow with the names and messages of `Order`, so that the doors are tested without its business."""

import asyncio
import threading
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.order import StartOrder
from domain.states import OrderStatus, PaymentStatus
from workflows.messages import TASK_QUEUE, ResolveTicket
from workflows.order.messages import Cancelled, CancelOrder, ConfirmReceipt, OrderView, Placed, Refresh, Refreshed


@workflow.defn(name="Order")
class StandInOrder:
    @workflow.init
    def __init__(self, order: StartOrder) -> None:
        self.order, self.over, self.refusal = order, False, ""
        if order.lines[0].sku == "NO-SUCH-SKU":
            self.refusal = "line L1: SKU NO-SUCH-SKU is not in the catalogue\nline L1: no tags"

    @workflow.run
    async def run(self, order: StartOrder) -> str:
        await workflow.wait_condition(lambda: self.over or bool(self.refusal))
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self.refusal:
            raise ApplicationError(self.refusal, type="UnknownSku", non_retryable=True)
        return order.order_no

    @workflow.update
    async def place(self) -> Placed:
        if self.refusal:
            raise ApplicationError(self.refusal, type="UnknownSku", non_retryable=True)
        return Placed(
            order_no=self.order.order_no,
            payable_minor=self.order.payable_minor,
            currency=self.order.currency,
            pay_deadline=self.order.deadline(1800),
            payment_code="weixin://wxpay/bizpayurl?pr=abc",
        )

    @workflow.update
    async def cancel(self, message: CancelOrder) -> Cancelled:
        if message.reason == "never answers":
            await workflow.sleep(timedelta(hours=1))
        self.over = True
        return Cancelled(cancelled=(f"{self.order.order_no}-01",), too_late=(), refund_minor=0)

    @workflow.update
    async def confirm_receipt(self, message: ConfirmReceipt) -> None:
        raise AssertionError("the validator refuses first")

    @confirm_receipt.validator
    def _not_yet(self, message: ConfirmReceipt) -> None:
        raise ApplicationError("nothing has been delivered yet", type="NotNow")

    @workflow.update
    async def resolve_ticket(self, message: ResolveTicket) -> None:
        if message.ticket_id != f"T-{self.order.order_no}-1":
            raise ApplicationError(f"there is no open ticket {message.ticket_id}", type="NoSuchTicket")

    @workflow.update
    async def refresh(self, message: Refresh) -> Refreshed:
        return Refreshed(as_of=workflow.now(), changes=(f"asked by: nobody -> {message.by}",))

    @workflow.query
    def view(self) -> OrderView:
        return OrderView(
            order_no=self.order.order_no,
            status=OrderStatus.PENDING_PAYMENT,
            payment_status=PaymentStatus.CREATED,
            paid_minor=0,
            refunded_minor=0,
            currency="CNY",
            waiting_for="payment",
            payment_code=None,
            children=(),
            open_tickets=(),
            as_of=workflow.now(),
        )


class StandInWorker:
    """A worker of the stand-in on a thread and loop of its own, so that synchronous tests can use it."""

    def __init__(self, address: str) -> None:
        self._address, self._ready = address, threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20), "the stand-in worker did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        client = await Client.connect(self._address, data_converter=pydantic_data_converter)
        runner = UnsandboxedWorkflowRunner()
        async with Worker(
            client, task_queue=TASK_QUEUE, workflows=[StandInOrder], workflow_runner=runner, build_id="tests"
        ):
            self._ready.set()
            await self._stop.wait()
