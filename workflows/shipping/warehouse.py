"""The way to warehouse and carrier. A step raises `ActivityError` or `StepFailed`; `guarded` makes a ticket of that."""

from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Protocol, TypeVar

from activities.carrier import CarrierActivities
from activities.messages import (
    BookBatch,
    Booked,
    Booking,
    BookOutcome,
    ChildCall,
    InterceptOutcome,
    Outbound,
    PushBatch,
    Pushed,
    PushOutcome,
    VoidCall,
)
from activities.wms import WmsActivities
from domain.policy import CarrierSystem, Policy
from domain.strict import Strict
from workflows.durable.batching import Batcher, unwrap
from workflows.durable.guarded import attempt
from workflows.durable.seals import nobodys

Told = TypeVar("Told", PushOutcome, BookOutcome)
LABELS_TOGETHER = 3
"""Their bytes travel in one answer: three of the largest (providers/tms/client.py), as base64, fit into a payload."""


class Voided(Strict):
    """A label that will not be used any more; `False`: the carrier already has the parcel."""

    voided: bool


class OnBehalfOf(Protocol):
    """On whose behalf: an order, or a return that sends something else instead."""

    policy: Policy

    @property
    def order_no(self) -> str: ...


class Warehouse:
    """Outside steps of one parcel."""

    def __init__(self, sender: OnBehalfOf) -> None:
        self._sender = sender

    @property
    def carrier_system(self) -> CarrierSystem:
        return self._sender.policy.carrier_system

    async def push(self, item: Outbound) -> Pushed:
        (outcome,) = await self._send_push((item,))
        return unwrap(outcome.done, outcome.failed)

    async def label(self, item: Booking) -> Booked:
        (outcome,) = await self._send_label((item,))
        return unwrap(outcome.done, outcome.failed)

    async def intercept(self, child_no: str, warehouse: str) -> InterceptOutcome:
        outcome = await attempt(
            WmsActivities.cancel,
            ChildCall(
                backoff_s=self._backoff_s, child_no=child_no, order_no=self._sender.order_no, warehouse=warehouse
            ),
            summary=f"intercept {child_no}",
        )
        if outcome.child_no not in ("", child_no):
            raise nobodys("wms.cancel")
        return outcome

    async def void_label(self, child_no: str, warehouse: str) -> Voided:
        voided = await attempt(
            CarrierActivities.void,
            VoidCall(
                backoff_s=self._backoff_s, child_no=child_no, order_no=self._sender.order_no, warehouse=warehouse,
                carrier_system=self.carrier_system,
            ),
            summary=f"void label {child_no}",
        )  # fmt: skip
        return Voided(voided=voided)

    async def _send_push(self, items: tuple[Outbound, ...]) -> Sequence[PushOutcome]:
        outcomes = await attempt(
            WmsActivities.push,
            PushBatch(backoff_s=self._backoff_s, items=items),
            summary=_summary("push", [i.child_no for i in items]),
        )
        return _of_each(outcomes.items, items, "wms.push")

    async def _send_label(self, items: tuple[Booking, ...]) -> Sequence[BookOutcome]:
        outcomes = await attempt(
            CarrierActivities.book,
            BookBatch(backoff_s=self._backoff_s, carrier_system=self.carrier_system, items=items),
            summary=_summary("label", [i.child_no for i in items]),
        )
        return _of_each(outcomes.items, items, "carrier.book")

    @property
    def _backoff_s(self) -> tuple[int, ...]:
        return self._sender.policy.retry_backoff_s


class SharedWarehouse(Warehouse):
    """Steps of several parcels that come up in the same activation share one activity a system."""

    def __init__(self, sender: OnBehalfOf, cause: Callable[[], Context | None]) -> None:
        super().__init__(sender)
        self._pushes: Batcher[Outbound, PushOutcome] = Batcher(
            self._send_push, PushOutcome.model_validate, cause, size=_size
        )
        self._labels: Batcher[Booking, BookOutcome] = Batcher(
            self._send_label, BookOutcome.model_validate, cause, most=LABELS_TOGETHER, size=_size
        )

    async def push(self, item: Outbound) -> Pushed:
        (outcome,) = _of_each([await self._pushes(item)], [item], "wms.push")
        return unwrap(outcome.done, outcome.failed)

    async def label(self, item: Booking) -> Booked:
        (outcome,) = _of_each([await self._labels(item)], [item], "carrier.book")
        return unwrap(outcome.done, outcome.failed)


def _of_each(outcomes: Sequence[Told], items: Sequence[Outbound | Booking], activity: str) -> Sequence[Told]:
    """Raises `ActivityError` for the answer to another batch."""
    if [o.child_no for o in outcomes] != [i.child_no for i in items]:
        raise nobodys(activity)
    return outcomes


def _summary(what: str, child_nos: Sequence[str]) -> str:
    """For the Web UI; a summary is at most 400 bytes long."""
    more = f" and {len(child_nos) - 10} more" if len(child_nos) > 10 else ""
    return f"{what} " + ", ".join(child_nos[:10]) + more


def _size(item: Strict) -> int:
    return len(item.model_dump_json())
