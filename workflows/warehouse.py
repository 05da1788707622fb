"""The order's way to warehouse and carrier: requests of several parcels to one system share one activity."""

from collections.abc import Sequence

from temporalio import workflow

from activities.calls import (
    BookBatch,
    Booked,
    Booking,
    BookOutcome,
    ChildCall,
    InterceptOutcome,
    Outbound,
    OutboundLine,
    PushBatch,
    Pushed,
    PushOutcome,
    VoidCall,
)
from activities.carrier import CarrierActivities
from activities.wms import WmsActivities
from domain.order import Address
from domain.policy import CarrierSystem
from domain.records import ChildPlan, PricedLine
from domain.strict import Strict
from workflows.book import Book
from workflows.guarded import ATTEMPT_TIMEOUT, retries
from workflows.together import Together, unwrap

WMS = "qimen"


class Voided(Strict):
    """A label that will not be used any more; `False`: the carrier already has the parcel."""

    voided: bool


class Warehouse:
    """Outside steps of parcels. Each raises `ActivityError` or `StepFailed`; `guarded` turns that into a ticket."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._push: Together[Outbound, PushOutcome] = Together(
            self._send_push, PushOutcome.model_validate, lambda: book.cause
        )
        self._label: Together[Booking, BookOutcome] = Together(
            self._send_book, BookOutcome.model_validate, lambda: book.cause
        )

    @property
    def carrier_system(self) -> CarrierSystem:
        return self.book.policy.carrier_system

    async def push(self, plan: ChildPlan, address: Address) -> Pushed:
        outcome = await self._push(self._outbound(plan, address))
        return unwrap(outcome.done, outcome.failed)

    async def label(self, plan: ChildPlan, address: Address) -> Booked:
        lines = self._lines(plan)
        outcome = await self._label(
            Booking(
                child_no=plan.child_no,
                address=address,
                weight_g=sum(line.weight_g * plan.lines[line.line_id] for line in lines),
                pieces=sum(plan.lines.values()),
                carrier=plan.carrier,
                buyer_identity=self._identity(plan),
            )
        )
        return unwrap(outcome.done, outcome.failed)

    async def intercept(self, plan: ChildPlan) -> InterceptOutcome:
        return await workflow.execute_activity_method(
            WmsActivities.cancel,
            self._child_call(plan),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=retries(self.book.policy.retry_backoff_s),
            summary=f"intercept {plan.child_no}",
        )

    async def void_label(self, plan: ChildPlan) -> Voided:
        voided = await workflow.execute_activity_method(
            CarrierActivities.void,
            VoidCall(**dict(self._child_call(plan)), carrier_system=self.carrier_system),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=retries(self.book.policy.retry_backoff_s),
            summary=f"void label {plan.child_no}",
        )
        return Voided(voided=voided)

    def _child_call(self, plan: ChildPlan) -> ChildCall:
        return ChildCall(
            backoff_s=self.book.policy.retry_backoff_s,
            child_no=plan.child_no,
            order_no=self.book.order.order_no,
            warehouse=plan.warehouse,
        )

    async def _send_push(self, items: tuple[Outbound, ...]) -> Sequence[PushOutcome]:
        outcomes = await workflow.execute_activity_method(
            WmsActivities.push,
            PushBatch(backoff_s=self.book.policy.retry_backoff_s, items=items),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=retries(self.book.policy.retry_backoff_s),
            summary="push " + ", ".join(i.child_no for i in items),
        )
        return outcomes.items

    async def _send_book(self, items: tuple[Booking, ...]) -> Sequence[BookOutcome]:
        outcomes = await workflow.execute_activity_method(
            CarrierActivities.book,
            BookBatch(backoff_s=self.book.policy.retry_backoff_s, carrier_system=self.carrier_system, items=items),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=retries(self.book.policy.retry_backoff_s),
            summary="label " + ", ".join(i.child_no for i in items),
        )
        return outcomes.items

    def _lines(self, plan: ChildPlan) -> tuple[PricedLine, ...]:
        assert self.book.priced is not None
        return tuple(line for line in self.book.priced.lines if line.line_id in plan.lines)

    def _outbound(self, plan: ChildPlan, address: Address) -> Outbound:
        order = self.book.order
        names = {line.line_id: line.name for line in order.lines}
        return Outbound(
            child_no=plan.child_no,
            order_no=order.order_no,
            warehouse=plan.warehouse,
            placed_at=order.placed_at,
            address=address,
            lines=tuple(
                OutboundLine(
                    line_id=line.line_id,
                    sku=line.sku,
                    name=names[line.line_id] or line.sku,
                    qty=plan.lines[line.line_id],
                )
                for line in self._lines(plan)
            ),
            carrier=plan.carrier,
            buyer_identity=self._identity(plan),
        )

    def _identity(self, plan: ChildPlan) -> str | None:
        """Order, payment and logistics documents of goods that cross the border name the same buyer (R38)."""
        return self.book.order.buyer.identity if plan.customs else None
