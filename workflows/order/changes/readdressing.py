"""Another address (R29): it reaches every child that nobody has picked yet.

What the warehouse has is stopped there and sent again, under a new number, with the new address; what is being picked
goes where it was going, and the answer says so.
"""

import asyncio
from collections.abc import Callable

from temporalio.exceptions import ApplicationError

from activities.store import StoreActivities
from domain.fulfilment.merging import BEFORE_PICKING
from domain.fulfilment.readdressing import NewAddress
from domain.fulfilment.reallocation import together
from domain.order import Address
from domain.order_states import NOT_ALL_GONE
from workflows.durable.local_steps import in_store
from workflows.order.changes.halting import halt
from workflows.order.changes.messages import AddressChanged, ChangeAddress
from workflows.order.changes.reallocation import ReallocationGroup
from workflows.order.changes.requests import FulfilmentChanges
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import Claimant
from workflows.order.payment import OrderPayment
from workflows.order.state import OrderState


class Readdressing:
    def __init__(
        self,
        state: OrderState,
        payment: OrderPayment,
        parcels: Parcels,
        changes: FulfilmentChanges,
        changed: Callable[[], None],
    ) -> None:
        """`changed`: called when the new address counts."""
        self._state = state
        self._payment = payment
        self._parcels = parcels
        self._changes = changes
        self._changed = changed

    def check(self) -> None:
        """Raises `ApplicationError`."""
        status = self._state.status
        if status not in NOT_ALL_GONE:
            raise ApplicationError(f"the order is {status.value}: its address cannot be changed", type="NotNow")
        if self._changes.executing:
            raise ApplicationError("its children are being made anew: try again in a moment", type="NotNow")
        if self._parcels.by_number and not (self._early() or self._standing_still()):
            raise ApplicationError("everything is being picked, or has left: too late", type="NotNow")

    def in_force(self, address: Address) -> bool:
        """No other has been given since."""
        return self._state.order.address == address

    async def change(self, message: ChangeAddress) -> AddressChanged:
        self._state.audit(message.by, "order.change_address", remark=message.remark)
        if self._payment.paid and not self._parcels.by_number:
            await self._parcels.exist()
        self.check()
        self._changes.executing = True
        early = [p for p in self._early() if p.claim.take(Claimant.ADDRESS)]
        try:
            return await self._change(message, early)
        finally:
            for parcel in early:
                parcel.claim.release(Claimant.ADDRESS)
            self._changes.executing = False

    async def _change(self, message: ChangeAddress, early: list[Parcel]) -> AddressChanged:
        before = {p.state.child_no: p.state.held for p in early}
        reached = await self._halt(early)
        live = [p for p in self._parcels.by_number.values() if not p.state.cancelled or p.state.set_aside]
        still = [p for p in self._standing_still() if p not in reached]  # they ship under new numbers, to the new one
        kept = tuple(p.state.child_no for p in live if p not in reached and p not in still)
        if self._parcels.by_number and not (reached or still):
            return AddressChanged(changed=(), kept=kept)
        await self._store(message, kept)
        self._state.order = self._state.order.model_copy(update={"address": message.address})
        groups = [
            ReallocationGroup(
                (p,), (before[p.state.child_no],), (together([before[p.state.child_no]], p.state.plan.warehouse),)
            )
            for p in reached
            if p.state.set_aside
        ]
        changed = [p.state.child_no for p in (*reached, *still) if p in still or not p.state.set_aside]
        for parcel in reached:
            parcel.state.address = message.address
        if groups:
            changed += await self._changes.reallocation.insist(groups, "new address", message.remark)
        self._changed()
        return AddressChanged(changed=tuple(changed), kept=kept)

    def _standing_still(self) -> list[Parcel]:
        """For a hold, or for a case."""
        return [p for p in self._parcels.by_number.values() if p.state.set_aside and p.state.cancelled]

    def _early(self) -> list[Parcel]:
        return [p for p in self._parcels.by_number.values() if p.state.status in BEFORE_PICKING]

    async def _halt(self, parcels: list[Parcel]) -> list[Parcel]:
        """Those that nobody has picked now, and that cannot be picked any more where the warehouse had them."""
        while True:
            await asyncio.gather(*(p.between_calls() for p in parcels))
            parcels = [p for p in parcels if p.state.set_aside or p.state.status in BEFORE_PICKING]
            moving = [p for p in parcels if p.at_warehouse and not p.state.set_aside]
            if not moving:
                return parcels
            ships = await halt(moving, Claimant.ADDRESS)
            self._parcels.roll_up()
            parcels = [p for p in parcels if p not in ships]

    async def _store(self, message: ChangeAddress, kept: tuple[str, ...]) -> None:
        await in_store(
            StoreActivities.change_address,
            NewAddress(order_no=self._state.order.order_no, address=message.address, kept=kept),
            summary="change the address",
        )
