"""Courier tracking: Kuaidi100, and SF for its own parcels. Subscribing twice is as good as once."""

from temporalio import activity

from activities.messages import Call, Facts, ParcelQuery
from activities.provider_errors import outside
from domain.order import Id
from providers.kuaidi100 import client
from providers.sf.client import Sf
from providers.sf.routes import CARRIER


class Follow(Call):
    """One parcel whose scans shall be pushed to us. `phone`: the receiver's, which SF and ZTO demand."""

    waybill_no: str
    carrier: Id
    phone: str


class CourierActivities:
    """`sf`: asked about its own parcels, where this installation has it."""

    def __init__(self, kuaidi100: client.Kuaidi100, sf: Sf | None = None) -> None:
        self._kuaidi100 = kuaidi100
        self._sf = sf

    @activity.defn(name="courier.subscribe")
    async def subscribe(self, call: Follow) -> None:
        async with outside(call):
            await self._kuaidi100.subscribe(client.CourierSubscription(call.waybill_no, call.carrier, call.phone))

    @activity.defn(name="courier.query")
    async def query(self, call: ParcelQuery) -> Facts:
        async with outside(call):
            if self._sf is not None and call.carrier == CARRIER:
                (found,) = await self._sf.query([call.waybill_no], call.phone)
                return Facts(facts=found.facts)
            trace = await self._kuaidi100.query(call.carrier, call.waybill_no, call.phone)
            return Facts(facts=trace.facts)
