"""Another address (R29): it reaches every child that nobody has picked yet.

What the warehouse has is stopped there and sent again, under a new number, with the new address; what is being picked
goes where it was going, and the answer says so.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.store import StoreActivities
from domain.merging import BEFORE_PICKING
from domain.readdressing import NewAddress
from domain.replanning import together
from domain.states import OrderStatus
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.cashier import Cashier
from workflows.family import Family
from workflows.interception import stop
from workflows.parcel import Parcel
from workflows.remaking import Group, NotRemade
from workflows.replan_messages import AddressChanged, ChangeAddress
from workflows.replanning import Replanning, held

CHANGEABLE = frozenset({OrderStatus.PENDING_PAYMENT, OrderStatus.AWAITING_SHIPMENT, OrderStatus.PARTIALLY_SHIPPED})


class Readdressing:
    def __init__(self, book: Book, cashier: Cashier, family: Family, replanning: Replanning) -> None:
        self._book = book
        self._cashier = cashier
        self._family = family
        self._replanning = replanning

    def check(self) -> None:
        """Raises `ApplicationError`."""
        status = self._book.status
        if status not in CHANGEABLE:
            raise ApplicationError(f"the order is {status.value}: its address cannot be changed", type="NotNow")
        if self._replanning.executing:
            raise ApplicationError("its children are being made anew: try again in a moment", type="NotNow")
        if self._family.parcels and not self._early():
            raise ApplicationError("everything is being picked, or has left: too late", type="NotNow")

    async def change(self, message: ChangeAddress) -> AddressChanged:
        self._book.audit(message.by, "order.change_address", remark=message.remark)
        if self._cashier.paid and not self._family.parcels:
            await workflow.wait_condition(lambda: bool(self._family.parcels))
        self.check()
        self._replanning.executing = True
        try:
            return await self._change(message)
        finally:
            self._replanning.executing = False

    async def _change(self, message: ChangeAddress) -> AddressChanged:
        early = self._early()
        before = {p.plan.child_no: held(p) for p in early}
        reached = await self._stand_still(early)
        live = [p for p in self._family.parcels.values() if not p.cancelled or p.set_aside]
        kept = tuple(p.plan.child_no for p in live if p not in reached)
        if self._family.parcels and not reached:
            return AddressChanged(changed=(), kept=kept)
        await self._store(message, kept)
        self._book.order = self._book.order.model_copy(update={"address": message.address})
        groups = [
            Group((p,), (before[p.plan.child_no],), (together([before[p.plan.child_no]], p.plan.warehouse),))
            for p in reached
            if p.set_aside
        ]
        changed = [p.plan.child_no for p in reached if not p.set_aside]
        for parcel in reached:
            parcel.address = message.address
        if groups:
            try:
                changed += await self._replanning.remaking.remake(groups, "new address", message.remark, None)
            except NotRemade as error:
                raise RuntimeError(f"children of {self._book.order.order_no} cannot go on: {error}") from error
        return AddressChanged(changed=tuple(changed), kept=kept)

    def _early(self) -> list[Parcel]:
        return [p for p in self._family.parcels.values() if p.axis.status in BEFORE_PICKING]

    async def _stand_still(self, parcels: list[Parcel]) -> list[Parcel]:
        """Those that nobody has picked now, and that cannot be picked any more where the warehouse had them."""
        while True:
            await asyncio.gather(*(p.between_calls() for p in parcels))
            parcels = [p for p in parcels if p.set_aside or p.axis.status in BEFORE_PICKING]
            moving = [p for p in parcels if p.at_warehouse and not p.set_aside]
            if not moving:
                return parcels
            for parcel in moving:
                parcel.set_aside = True
            for parcel, stopped in zip(moving, await asyncio.gather(*(stop(p) for p in moving)), strict=True):
                parcel.set_aside = stopped
            self._family.roll_up()
            parcels = [p for p in parcels if p.set_aside or p not in moving]

    async def _store(self, message: ChangeAddress, kept: tuple[str, ...]) -> None:
        await workflow.execute_local_activity_method(
            StoreActivities.change_address,
            NewAddress(order_no=self._book.order.order_no, address=message.address, kept=kept),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="change the address",
        )
