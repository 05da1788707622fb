"""The return workflow's own database steps. They run as local activities: one history event each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.return_messages import (
    Apply,
    CancelRoute,
    CloseOrder,
    HasLeft,
    IssueCode,
    OpenReplacement,
    QuoteFor,
    ReplacementPlan,
    ReplacementState,
    ReturnedLine,
    RouteFound,
    Slot,
    SlotFor,
    Taken,
    WhatLeft,
)
from activities.store import refusals
from domain.policy import Policy
from domain.returns.models import Admitted, Quote
from domain.returns.records import CodeIssued, RefundReserved, ReserveRefund, ReturnWrite
from domain.units import UnitRange
from store.errors import OrderRefused
from store.returns import ReturnStore
from store.returns.errors import ReturnRefused
from store.returns.order_context import Surroundings
from store.returns.order_context_store import OrderContextStore
from store.returns.replacements import Goods, ReplacementSent
from store.rules.policies import PolicyStore
from telemetry import tickets_opened

REFUSED = "ReturnRefused"


class ReturnActivities:
    """`cases`: what returns hold of their orders; `desk`: what their workflows need beside it."""

    def __init__(self, cases: ReturnStore, desk: OrderContextStore, policies: PolicyStore) -> None:
        self._cases = cases
        self._desk = desk
        self._policies = policies

    @activity.defn(name="returns.admit")
    async def admit(self, message: Apply) -> Taken:
        """Raises (final) ReturnRefused with every reason as details, ReturnChanged, NoSuchReturn, CannotReopen."""
        policy = await self._policies.current()
        async with _refusals():
            if message.application is not None:
                admitted = await self._cases.admit(message.application, message.run_id, message.now, policy)
            else:
                assert message.reopening is not None
                admitted = await self._reopen(message, policy)
            around = await self._desk.surroundings(admitted)
        return Taken(
            admitted=admitted,
            application=around.application,
            linked_to=around.linked_to,
            policy=policy,
            pay_channel=around.channel,
            address=around.address,
            lines=_lines(admitted, around),
            coupons=around.coupons,
            whole_order=around.whole_order,
        )

    @activity.defn(name="returns.write")
    async def write(self, message: ReturnWrite) -> None:
        async with _refusals():
            await self._cases.write(message)
        for ticket in message.tickets:
            tickets_opened.labels(system=ticket.system, step=ticket.step).inc()

    @activity.defn(name="returns.reserve_refund")
    async def reserve_refund(self, message: ReserveRefund) -> RefundReserved:
        async with _refusals():
            return await self._cases.reserve_refund(message)

    @activity.defn(name="returns.issue_code")
    async def issue_code(self, message: IssueCode) -> CodeIssued:
        async with _refusals():
            return await self._cases.issue_code(message.return_no, message.now)

    @activity.defn(name="returns.quote")
    async def quote(self, message: QuoteFor) -> Quote:
        async with _refusals():
            return await self._desk.quote(message.return_no, message.accepted, await self._policies.current())

    @activity.defn(name="returns.what_left")
    async def what_left(self, message: WhatLeft) -> HasLeft:
        return HasLeft(units=await self._desk.what_left(message.return_no))

    @activity.defn(name="returns.cancel_route")
    async def cancel_route(self, message: CancelRoute) -> RouteFound:
        """Who has to agree before a paid order is cancelled: as to a return of kind `cancel_unshipped`."""
        policy = await self._policies.current()
        return RouteFound(levels=await self._desk.cancel_route(message.order_no, message.amount_minor, policy))

    @activity.defn(name="returns.refund_slot")
    async def refund_slot(self, message: SlotFor) -> Slot:
        at, refused = await self._desk.refund_slot(
            message.order_no, message.refund_no, message.payment_key, message.spacing_s, message.now
        )
        return Slot(at=at, refused=refused)

    @activity.defn(name="returns.open_replacement")
    async def open_replacement(self, message: OpenReplacement) -> ReplacementPlan:
        goods = [Goods(line_id=x.line_id, sku=x.sku, warehouse=x.warehouse, qty=x.qty) for x in message.lines]
        async with _refusals():
            child_no, missing = await self._desk.open_replacement(
                message.return_no, message.order_no, goods, message.at
            )
        return ReplacementPlan(child_no=child_no, missing=missing)

    @activity.defn(name="returns.write_replacement")
    async def write_replacement(self, message: ReplacementState) -> None:
        async with _refusals():
            await self._desk.write_replacement(ReplacementSent(**dict(message)))

    @activity.defn(name="returns.close_order")
    async def close_order(self, message: CloseOrder) -> bool:
        """True: the order is closed now."""
        return await self._desk.close_order(message.order_no, message.return_no, message.now)

    async def _reopen(self, message: Apply, policy: Policy) -> Admitted:
        assert message.reopening is not None
        try:
            return await self._cases.reopen(message.reopening, message.run_id, message.now, policy)
        except OrderRefused as error:
            await self._desk.ask_about_late_goods(message.reopening.reopens, str(error), message.now)
            raise


def _lines(admitted: Admitted, around: Surroundings) -> tuple[ReturnedLine, ...]:
    units: dict[str, list[UnitRange]] = {}
    for run in admitted.units:
        units.setdefault(run.line_id, []).append(run)
    physical = {origin.line_id: origin for origin in reversed(admitted.origins)}
    lines = []
    for line in around.lines:
        line_id, origin = line["line_id"], physical.get(line["line_id"])
        sku = origin.sku if origin else line["sku"]
        lines.append(
            ReturnedLine(
                line_id=line_id,
                sku=sku,
                name=line["name"],
                warehouse=origin.warehouse if origin else line["warehouse"],
                weight_g=line["weight_g"],
                units=tuple(units[line_id]),
                replacement_sku=around.application.replacements.get(line_id, sku),
            )
        )
    return tuple(lines)


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    async with refusals():
        try:
            yield
        except ReturnRefused as error:
            reasons = [r.model_dump(mode="json") for r in error.refusals]
            raise ApplicationError(str(error), *reasons, type=REFUSED, non_retryable=True) from error
