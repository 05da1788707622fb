"""Manual refresh: asks every system that knows part of this order, now, and says what was found to differ (R11).

What is found goes into the inbox like everything that is heard (one dedupe, one audit), and is taken at once: its rows
are marked as delivered, so that the answer need not wait for the relay.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.courier import CourierActivities
from activities.messages import ChildCall, ParcelQuery, PaymentQuery
from activities.payment import PaymentActivities
from activities.polling import Found, MayAsk, PullActivities
from activities.wms import WmsActivities
from domain.facts import Fact
from domain.states import OrderStatus
from workflows.durable.carrying import Table
from workflows.durable.guarded import ONE_TRY, attempt, reason
from workflows.durable.local_steps import in_store
from workflows.order.messages import Refreshed
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.parcels.parcels import Parcels
from workflows.order.payment import OrderPayment
from workflows.order.state import OrderState

SPACING = timedelta(seconds=5)
COURIER = "kuaidi100"


class NotAskedNow(Exception):
    """The system allows no question at the moment."""


class Refresher:
    """One try each: who refreshes looks at the answer and may ask again; nothing waits, no ticket opens."""

    CARRIED = Table(
        _last=datetime | None, left={"state": "wiring", "payment": "wiring", "parcels": "wiring", "_apply": "wiring"}
    )

    def __init__(
        self, state: OrderState, payment: OrderPayment, parcels: Parcels, apply: Callable[[Fact], None]
    ) -> None:
        self.state = state
        self.payment = payment
        self.parcels = parcels
        self._apply = apply
        self._last: datetime | None = None

    @property
    def allowed(self) -> bool:
        return self._last is None or workflow.now() - self._last >= SPACING

    async def refresh(self) -> Refreshed:
        self._last = workflow.now()
        before = self._picture()
        problems = [p for question in self._questions() if (p := await self._ask(question))]
        changes = [f"{what}: {before.get(what, '-')} -> {now}" for what, now in self._picture().items()
                   if before.get(what) != now]  # fmt: skip
        await self.state.flushed()
        return Refreshed(as_of=workflow.now(), changes=(*changes, *problems))

    async def _ask(self, question: Coroutine[Any, Any, tuple[Fact, ...]]) -> str:
        """Hears the answer; a system that does not answer is a line in the result."""
        try:
            for fact in await self._through_the_inbox(await question):
                if fact.key not in self.state.applied:
                    self._apply(fact)
        except ActivityError as error:
            return f"not answered: {reason(error)}"
        except NotAskedNow as why:
            return f"not asked: {why}"
        return ""

    async def _through_the_inbox(self, told: tuple[Fact, ...]) -> tuple[Fact, ...]:
        news = tuple(fact for fact in told if fact.key not in self.state.applied)
        if not news:
            return ()
        taken = await in_store(
            PullActivities.hand_over, Found(order_no=self.state.order.order_no, facts=news), summary="into the inbox"
        )
        return taken.facts

    def _questions(self) -> list[Coroutine[Any, Any, tuple[Fact, ...]]]:
        if self.state.status in (OrderStatus.PENDING_PAYMENT, OrderStatus.CLOSED):
            return [] if self.payment.paid else [self._payment()]
        asked = []
        for parcel in self.parcels.by_number.values():
            state = parcel.state
            if state.cancelled:
                continue
            if not state.shipped:
                asked.append(self._warehouse(state))
            elif state.signed_at is None:
                asked += [self._courier(state, number, carrier) for number, carrier in state.open_numbers]
        return asked

    async def _payment(self) -> tuple[Fact, ...]:
        order = self.state.order
        state = await attempt(
            PaymentActivities.query,
            PaymentQuery(backoff_s=self._backoff, channel=order.payment.channel, order_no=order.order_no),
            summary="refresh payment",
            retry_policy=ONE_TRY,
        )
        return (state.fact,) if state.fact is not None else ()

    async def _warehouse(self, state: ParcelState) -> tuple[Fact, ...]:
        call = ChildCall(
            backoff_s=self._backoff,
            child_no=state.child_no,
            order_no=self.state.order.order_no,
            warehouse=state.plan.warehouse,
        )
        found = await attempt(WmsActivities.query, call, summary=f"refresh {call.child_no}", retry_policy=ONE_TRY)
        return found.facts

    async def _courier(self, state: ParcelState, waybill_no: str, carrier: str) -> tuple[Fact, ...]:
        await self._check_spacing(waybill_no)
        call = ParcelQuery(
            backoff_s=self._backoff,
            waybill_no=waybill_no,
            carrier=carrier,
            phone=state.address.phone,
        )
        found = await attempt(CourierActivities.query, call, summary=f"refresh {call.waybill_no}", retry_policy=ONE_TRY)
        return found.facts

    async def _check_spacing(self, waybill_no: str) -> None:
        """The courier locks accounts that ask too often about one parcel, whoever wants to know. Raises
        `NotAskedNow`."""
        why = await in_store(
            PullActivities.may_ask,
            MayAsk(connector=COURIER, kind="parcel", number=waybill_no),
            summary=f"may {waybill_no} be asked about",
        )
        if why:
            raise NotAskedNow(why)

    def _picture(self) -> dict[str, str]:
        picture = {"order": self.state.status.value, "payment": self.state.payment_status.value}
        for number, parcel in self.parcels.by_number.items():
            picture[number] = parcel.state.status.value
        return picture

    @property
    def _backoff(self) -> tuple[int, ...]:
        return self.state.policy.retry_backoff_s
