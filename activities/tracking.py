"""New waybills out of the store, for the courier's connector loop."""

from collections.abc import Collection

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.strict import Strict
from store.polling.tracking import TrackingStore

BATCH = 20


class NewWaybill(Strict):
    """A parcel that nobody follows yet. `phone`: the receiver's, which some couriers demand."""

    child_no: str
    order_no: str
    waybill_no: str
    carrier: str
    phone: str


class Followed(Strict):
    """`error` empty: scans are pushed to us from now on. Else: why not, for a ticket. `down`: the courier is silent
    altogether, which is no word about this parcel."""

    child_no: str
    order_no: str
    error: str = ""
    down: bool = False
    waybill_no: str | None = None
    """Which of its packages. None: all."""


class TrackingActivities:
    """`followed_elsewhere`: carriers whose parcels are pushed to us and asked about without Kuaidi100."""

    def __init__(self, store: TrackingStore, followed_elsewhere: Collection[str] = ()) -> None:
        self._store = store
        self._followed_elsewhere = frozenset(followed_elsewhere)

    @activity.defn(name="tracking.next_waybills")
    async def next_waybills(self, tick_s: int = 0) -> list[NewWaybill]:
        """Fails until there is one: the retry policy of the caller does the waiting, `tick_s` long. (Said here, too,
        since a call that says nothing cannot be sealed.)"""
        waybills = await self._store.to_subscribe(BATCH)
        others = [w.child_no for w in waybills if w.carrier in self._followed_elsewhere]
        if others:
            await self._store.subscribed(others)
        found = [w for w in waybills if w.carrier not in self._followed_elsewhere]
        if not found:
            # Benign: a tick without work is no failure, and an idle worker writes no warnings.
            raise ApplicationError("no new waybill", type="nothing_yet", category=ApplicationErrorCategory.BENIGN)
        return [
            NewWaybill(
                child_no=w.child_no, order_no=w.order_no, waybill_no=w.waybill_no, carrier=w.carrier, phone=w.phone
            )
            for w in found
        ]

    @activity.defn(name="tracking.followed")
    async def followed(self, result: Followed) -> None:
        if result.down:
            await self._store.unreachable(result.child_no, result.error)
        elif result.error:
            await self._store.not_subscribed(result.child_no, result.order_no, result.error)
        else:
            await self._store.subscribed([result.child_no], result.waybill_no)
