"""Warehouse, carrier and courier, each with its own ledger."""

from typing import Any

from temporalio import activity

from activities.messages import (  # fmt: skip
    BookBatch,
    Booked,
    Booking,
    BookOutcome,
    BookOutcomes,
    ChildCall,
    Facts,
    Failure,
    InterceptOutcome,
    Outbound,
    ParcelQuery,
    PushBatch,
    Pushed,
    PushOutcome,
    PushOutcomes,
    VoidCall,
)
from activities.provider_errors import each, outside
from bench.waybills import waybill
from domain.facts import Fact
from tests.workflows.world.faults import Faults


class Goods:
    """`pushed`, `booked`, `intercepted`, `voided`: child numbers, every effect that happened, in turn."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.pushed: list[str] = []
        self.push_batches: list[tuple[str, ...]] = []
        self.booked: list[str] = []
        self.identities: dict[str, str | None] = {}
        """The buyer's reference on the outbound order, by child number."""
        self.intercepted: list[str] = []
        self.voided: list[str] = []
        self.intercept: dict[str, str] = {}
        """What an interception answers, by child number; then `cancelled`."""
        self.found: list[Fact] = []
        """What a query finds: events whose messages were lost."""

    def activities(self) -> list[Any]:
        return [self.push, self.cancel, self.wms_query, self.book, self.void, self.courier_query]

    @activity.defn(name="wms.push")
    async def push(self, call: PushBatch) -> PushOutcomes:
        async with outside(call):
            self._faults.attempt("push")
        self.push_batches.append(tuple(item.child_no for item in call.items))

        async def one(item: Outbound) -> Pushed:
            self._faults.item("push", item.child_no)
            self.identities[item.child_no] = item.buyer_identity
            if item.child_no not in self.pushed:
                self.pushed.append(item.child_no)
            return Pushed(wms_ref=f"W{item.child_no}")

        def outcome(item: Outbound, done: Pushed | None, failed: Failure | None) -> PushOutcome:
            return PushOutcome(child_no=item.child_no, done=done, failed=failed)

        return PushOutcomes(items=await each(call, call.items, one, outcome))

    @activity.defn(name="wms.cancel")
    async def cancel(self, call: ChildCall) -> InterceptOutcome:
        async with outside(call):
            self._faults.attempt("cancel")
        self.intercepted.append(call.child_no)
        return InterceptOutcome.model_validate(
            {"result": self.intercept.get(call.child_no, "cancelled"), "child_no": call.child_no}
        )

    @activity.defn(name="wms.query")
    async def wms_query(self, call: ChildCall) -> Facts:
        async with outside(call):
            self._faults.attempt("wms query")
        return Facts(facts=tuple(f for f in self.found if f.child_no == call.child_no))

    @activity.defn(name="carrier.book")
    async def book(self, call: BookBatch) -> BookOutcomes:
        async with outside(call):
            self._faults.attempt("book")

        async def one(item: Booking) -> Booked:
            self._faults.item("book", item.child_no)
            if item.child_no not in self.booked:
                self.booked.append(item.child_no)
            return Booked(
                waybill_no=waybill(item.child_no), carrier="YTO", tms_ref=f"T{item.child_no}", label_format="ZPL",
                label_b64="XlhBXlha",
            )  # fmt: skip

        def outcome(item: Booking, done: Booked | None, failed: Failure | None) -> BookOutcome:
            return BookOutcome(child_no=item.child_no, done=done, failed=failed)

        return BookOutcomes(items=await each(call, call.items, one, outcome))

    @activity.defn(name="carrier.void")
    async def void(self, call: VoidCall) -> bool:
        async with outside(call):
            self._faults.attempt("void")
        self.voided.append(call.child_no)
        return True

    @activity.defn(name="courier.query")
    async def courier_query(self, call: ParcelQuery) -> Facts:
        async with outside(call):
            self._faults.attempt("courier query")
        return Facts(facts=tuple(f for f in self.found if f.waybill_no == call.waybill_no))
