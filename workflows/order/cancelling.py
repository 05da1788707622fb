"""Stopping everything of an order that has not left: what is stopped together is one refund, and no stop holds up the
money of the others for long."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from workflows.durable.branches import Branches
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import Claimant
from workflows.order.refunds_owed import RefundsOwed

TOGETHER = timedelta(minutes=2)
"""A stopped parcel's money waits so long for the other stops. Until it is asked for, its units have no other owner, and
after that the books are looked at (store/ownership/check.py, `STILL`)."""


class Cancellation:
    """One, from its request to its answer. `stopped`: for the order itself, and not for a return that waited for it.
    `known`: called when it is known of every parcel whether it ships. `freed_from_holds`: parcels that stood still for
    a hold, once, and are cancelled now as the others."""

    def __init__(
        self,
        parcels: Parcels,
        refunds_owed: RefundsOwed,
        branches: Branches,
        reason: str,
        known: Callable[[], None],
        freed_from_holds: Callable[[], list[Parcel]],
    ) -> None:
        self._parcels = parcels
        self._refunds_owed = refunds_owed
        self._branches = branches
        self._reason = reason
        self._known = known
        self._freed_from_holds = freed_from_holds
        self.asked: list[Parcel] = []
        self.stopped: list[Parcel] = []
        self._unpaid: list[Parcel] = []

    async def run(self) -> None:
        """Returns when it is known of every parcel whether it ships."""
        stopping = asyncio.ensure_future(self._stop_all())
        await workflow.wait_condition(lambda: stopping.done() or bool(self._unpaid))
        while not stopping.done() and workflow.patched("the money of a stopped parcel waits two minutes"):
            with suppress(TimeoutError):
                await workflow.wait_condition(stopping.done, timeout=TOGETHER, timeout_summary="the other stops")
            if not stopping.done():
                self.pay_back()
                await workflow.wait_condition(lambda: stopping.done() or bool(self._unpaid))
        await stopping

    def pay_back(self) -> None:
        """One refund for what has been stopped since the last one."""
        parcels, self._unpaid = sorted(self._unpaid, key=self.asked.index), []
        if parcels:
            self._branches.take_on(self._refunds_owed.parcels(parcels, self._reason))

    async def _stop_all(self) -> None:
        for parcels in self._parcels.as_they_come():
            some = [p for p in parcels if not p.state.cancelled]
            self.asked += some
            await asyncio.gather(*(self._stop(p) for p in some))
        for parcel in self._freed_from_holds():
            self.asked += [] if parcel in self.asked else [parcel]
            self.stopped.append(parcel)
            self._unpaid.append(parcel)
        # By the task that has stopped the last one: who waits for a condition would see an order without parcels and
        # without refunds, and end it.
        self._known()
        self.pay_back()

    async def _stop(self, parcel: Parcel) -> None:
        if await parcel.cancel(Claimant.CANCEL):
            self.stopped.append(parcel)
            self._unpaid.append(parcel)
