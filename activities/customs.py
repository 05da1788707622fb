"""Customs: what a child owes (own database), and its declaration at the payment channel, keyed by child number."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import AwareDatetime
from temporalio import activity

from activities.messages import Call
from activities.provider_errors import outside
from domain.fulfilment.clearance import Assessment
from domain.order import Id, Minor, PayChannel
from domain.strict import Strict
from providers.errors import Refused
from store.orders.customs import CustomsStore


class Assess(Strict):
    order_no: str
    child_no: str
    at: AwareDatetime


class DeclareCall(Call):
    """`order_fee` is product fee plus transport fee: a part of what the buyer paid under `transaction_id`."""

    channel: PayChannel
    order_no: str
    transaction_id: str
    child_no: str
    product_fee_minor: Minor
    transport_fee_minor: Minor
    tax_minor: Minor = 0

    @property
    def order_fee_minor(self) -> int:
        return self.product_fee_minor + self.transport_fee_minor


class Declared(Strict):
    """`reference`: the channel's own number of the declared part, or of a declaration made by hand."""

    reference: Id


class Noted(Strict):
    child_no: str
    at: AwareDatetime
    reference: str = ""


class CustomsChannel(Protocol):
    async def declare(self, call: DeclareCall) -> str:
        """The channel's number of the declared part. The same child may be declared again. Raises `ProviderError`."""
        ...


class CustomsActivities:
    """`channels`: payment channels that declare at customs here; others are refused, and a person declares by hand."""

    def __init__(self, channels: Mapping[str, CustomsChannel]) -> None:
        self._channels = channels

    @activity.defn(name="customs.declare")
    async def declare(self, call: DeclareCall) -> Declared:
        async with outside(call):
            channel = self._channels.get(call.channel)
            if channel is None:
                text = (
                    f"payments of {call.channel} are not declared at customs here: set OMS_WECHAT_CUSTOMS_PLACE and "
                    "OMS_WECHAT_CUSTOMS_MERCHANT_NO, or declare by hand and supply the reference"
                )
                raise Refused("customs", "NOT_CONFIGURED", text)
            if not call.transaction_id:
                text = f"{call.child_no} was not paid for at {call.channel}: declare by hand and supply the reference"
                raise Refused("customs", "NO_PAYMENT", text)
            return Declared(reference=await channel.declare(call))


class CustomsBooks:
    """Our own books of declarations."""

    def __init__(self, store: CustomsStore) -> None:
        self._store = store

    @activity.defn(name="customs.assess")
    async def assess(self, message: Assess) -> Assessment:
        return await self._store.assess(message.order_no, message.child_no, message.at)

    @activity.defn(name="customs.declared")
    async def declared(self, message: Noted) -> None:
        await self._store.declared(message.child_no, message.reference, message.at)

    @activity.defn(name="customs.withdraw")
    async def withdraw(self, message: Noted) -> None:
        await self._store.withdraw(message.child_no, message.at)
