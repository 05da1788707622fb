"""An order from placement to the end of its after-sales window. Workflow `Order`, id `order/{order_no}`."""

from contextvars import copy_context
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.facts import Fact, Kind
    from domain.states import OrderStatus
    from workflows.admission import Refusal, read_start, register, settle
    from workflows.book import Book
    from workflows.branches import Branches
    from workflows.cases import Cases
    from workflows.cashier import Cashier
    from workflows.family import Family
    from workflows.giveback import GiveBack
    from workflows.hearing import Hearing, write_everything
    from workflows.messages import (
        ORDER_WORKFLOW,
        FactBatch,
        OrderView,
    )
    from workflows.order_doors import OrderDoors
    from workflows.parcel import Parcel
    from workflows.readdressing import Readdressing
    from workflows.refresh import Refresher
    from workflows.refunds import Refunds
    from workflows.replanning import Replanning
    from workflows.tagging import Tagging
    from workflows.view import order_view

PAYMENT_KINDS = frozenset({Kind.PAYMENT_SUCCEEDED, Kind.PAYMENT_CLOSED})
REFUND_KINDS = frozenset({Kind.REFUND_SUCCEEDED, Kind.REFUND_ABNORMAL, Kind.REFUND_CLOSED})


@workflow.defn(name=ORDER_WORKFLOW)
class Order(OrderDoors):
    """One order, one workflow. Machines signal `facts`; people update; anybody may query `view`."""

    @workflow.init
    def __init__(self, raw: RawValue) -> None:
        self._refusal: Refusal | None = None
        self._hearing = Hearing(self._hear)
        self._branches = Branches()
        self._cases = Cases(self._branches)
        self._registered = False
        self._receipt_by: str | None = None
        self._cancelling = False
        try:
            self._book = Book(read_start(raw))
        except Refusal as refusal:
            self._refusal = refusal
            return
        self._cashier = Cashier(self._book)
        self._refunds = Refunds(self._book)
        self._tagging = Tagging(self._book)
        self._owed = GiveBack(self._book.order.order_no, self._refunds)
        self._family = Family(self._book, self._branches.take_on, self._give_back)
        self._refresher = Refresher(self._book, self._cashier, self._family, self._hear)
        self._cases.serve(self._book, self._family)
        self.replanning = Replanning(self._book, self._family, self.approvals, self._branches)
        self.readdressing = Readdressing(self._book, self._cashier, self._family, self.replanning)

    @workflow.run
    async def run(self, raw: RawValue) -> str:
        await self._take_in()
        self._offer_payment()
        if await self._cashier.paid_in_time():
            await self._fulfil()
            await self._receipt()
            await self._after_sales_window()
        else:
            await self._give_late_payment_back()
        return await self._end()

    # --- the business process ----------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        """Into the books, or refused with nothing changed."""
        try:
            if self._refusal is not None:
                raise self._refusal
            registered = await register(self._book.order)
        except Refusal as refusal:
            self._refusal = refusal
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise ApplicationError(str(refusal), type=refusal.kind, non_retryable=True) from None
        self._book.priced, self._book.policy = registered.priced, registered.policy
        self._tagging.untagged = registered.untagged
        self._registered = True
        self._book.show()
        self._branches.start(self._book.project())
        self._branches.start(self._hearing.listen())

    def _offer_payment(self) -> None:
        if self._book.order.payable_minor == 0:
            self._cashier.nothing_to_pay()
        else:
            self._branches.start(self._cashier.offer())

    async def _fulfil(self) -> None:
        """Reserve and split, then every parcel for itself until all have left the warehouse or will not."""
        if self._tagging.waits and not await self._tagging.complete():
            self._book.becomes(OrderStatus.CLOSED)
            self._family.open(())
            await self._tagging.give_back(self._owed)
            return
        self._book.now_waits_for("warehouse and carrier")
        self._family.open((await settle(self._book)).children)
        for parcel in self._family.parcels.values():
            self._branches.start(parcel.run())
        self._family.roll_up()
        await self._branches.until(
            lambda: self._family.all_left_or_cancelled and not self._refunds.busy and self._cases.quiet
        )

    async def _receipt(self) -> None:
        """By the buyer, or by itself some days after the last parcel was shipped."""
        if self._family.all_cancelled:
            self._book.becomes(OrderStatus.CLOSED)
            return
        while True:
            self._book.now_waits_for("receipt")
            shipped = max(p.shipped_at or workflow.now() for p in self._family.parcels.values() if p.shipped)
            due = shipped + timedelta(seconds=self._book.policy.receipt_s)
            await self._cases.receipt(due, lambda: self._receipt_by is not None)
            if self._family.all_left_or_cancelled:
                break  # else: missing units are shipped by others after all
            await self._branches.until(lambda: self._family.all_left_or_cancelled)
        if not self._cases.close_if_all_is_back():
            self._book.becomes(OrderStatus.COMPLETED)

    async def _after_sales_window(self) -> None:
        if self._book.status is OrderStatus.CLOSED:
            return
        self._book.now_waits_for("the end of the after-sales window")
        await self._cases.window(timedelta(seconds=self._book.policy.window_s))

    async def _give_late_payment_back(self) -> None:
        """Paid after closing: the order never ships and never reopens; the money goes back once (R13, N1)."""
        self._family.open(())  # there will be no parcels: what was told about some is news for a person
        await self._cashier.give_late_payment_back(self._owed)

    async def _end(self) -> str:
        """Everything heard is written, every handler has answered, then the workflow closes."""
        if self._book.tickets.attention:
            self._book.now_waits_for("answers to its tickets")
        await write_everything(self._book, self._hearing, self._branches)
        self._branches.end()
        return self._book.status.value

    # --- hearing -----------------------------------------------------------------------------------------------------

    @workflow.signal
    def facts(self, batch: FactBatch) -> None:
        """Facts from machines, through the relay. Heard in order, once the order is in the books."""
        if self._refusal is None:
            self._book.cause = copy_context()
        self._hearing.take(batch.facts)

    def _hear(self, fact: Fact) -> None:
        if fact.kind in PAYMENT_KINDS:
            self._cashier.hear(fact)
        elif fact.kind in REFUND_KINDS:
            self._refunds.hear(fact)
        else:
            self._family.hear(fact)

    # --- what it shows and gives -------------------------------------------------------------------------------------

    @workflow.query
    def view(self) -> OrderView:
        if self._refusal is not None:
            raise ApplicationError(str(self._refusal), type=self._refusal.kind)
        return order_view(self._book, self._family, workflow.now())

    async def _give_back(self, parcel: Parcel, units: dict[str, int], reason: str) -> None:
        await self._owed.units(self._family, parcel, units, reason)
