"""Manual refresh: asks every system that knows part of this order, now, and says what was found to differ (R11).

What is found goes into the inbox like everything that is heard (one dedupe, one audit), and is taken at once: its rows
are marked as delivered, so that the answer need not wait for the relay.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from activities.calls import ChildCall, Facts, ParcelQuery, PaymentQuery
from activities.courier import CourierActivities
from activities.payment import PaymentActivities
from activities.pulling import Found, MayAsk, PullActivities
from activities.wms import WmsActivities
from domain.facts import Fact
from domain.states import OrderStatus
from workflows.book import STORE_RETRY, STORE_TIMEOUT, Book
from workflows.cashier import Cashier
from workflows.family import Family
from workflows.guarded import ATTEMPT_TIMEOUT, reason
from workflows.messages import Refreshed
from workflows.parcel import Parcel

SPACING = timedelta(seconds=5)
ONE_TRY = RetryPolicy(maximum_attempts=1)
COURIER = "kuaidi100"


class NotNow(Exception):
    """The system allows no question at the moment."""


class Refresher:
    """One try each: who refreshes looks at the answer and may ask again; nothing waits, no ticket opens."""

    def __init__(self, book: Book, cashier: Cashier, family: Family, hear: Callable[[Fact], None]) -> None:
        self.book = book
        self.cashier = cashier
        self.family = family
        self._hear = hear
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
        await self.book.saved()
        return Refreshed(as_of=workflow.now(), changes=(*changes, *problems))

    async def _ask(self, question: Coroutine[Any, Any, tuple[Fact, ...]]) -> str:
        """Hears the answer; a system that does not answer is a line in the result."""
        try:
            for fact in await self._through_the_inbox(await question):
                if fact.key not in self.book.applied:
                    self._hear(fact)
        except ActivityError as error:
            return f"not answered: {reason(error)}"
        except NotNow as why:
            return f"not asked: {why}"
        return ""

    async def _through_the_inbox(self, told: tuple[Fact, ...]) -> tuple[Fact, ...]:
        news = tuple(fact for fact in told if fact.key not in self.book.applied)
        if not news:
            return ()
        taken: Facts = await workflow.execute_local_activity_method(
            PullActivities.hand_over,
            Found(order_no=self.book.order.order_no, facts=news),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary="into the inbox",
        )
        return taken.facts

    def _questions(self) -> list[Coroutine[Any, Any, tuple[Fact, ...]]]:
        if self.book.status in (OrderStatus.PENDING_PAYMENT, OrderStatus.CLOSED):
            return [] if self.cashier.paid else [self._payment()]
        asked = []
        for parcel in self.family.parcels.values():
            if parcel.cancelled:
                continue
            if not parcel.shipped:
                asked.append(self._warehouse(parcel))
            elif parcel.signed_at is None and parcel.waybill_no and parcel.carrier:
                asked.append(self._courier(parcel))
        return asked

    async def _payment(self) -> tuple[Fact, ...]:
        order = self.book.order
        state = await workflow.execute_activity_method(
            PaymentActivities.query,
            PaymentQuery(backoff_s=self._backoff, channel=order.payment.channel, order_no=order.order_no),
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=ONE_TRY,
            summary="refresh payment",
        )
        return (state.fact,) if state.fact is not None else ()

    async def _warehouse(self, parcel: Parcel) -> tuple[Fact, ...]:
        call = ChildCall(
            backoff_s=self._backoff,
            child_no=parcel.plan.child_no,
            order_no=self.book.order.order_no,
            warehouse=parcel.plan.warehouse,
        )
        found: Facts = await workflow.execute_activity_method(
            WmsActivities.query,
            call,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=ONE_TRY,
            summary=f"refresh {call.child_no}",
        )
        return found.facts

    async def _courier(self, parcel: Parcel) -> tuple[Fact, ...]:
        assert parcel.waybill_no is not None and parcel.carrier is not None
        await self._check_spacing(parcel.waybill_no)
        call = ParcelQuery(
            backoff_s=self._backoff,
            waybill_no=parcel.waybill_no,
            carrier=parcel.carrier,
            phone=parcel.address.phone,
        )
        found: Facts = await workflow.execute_activity_method(
            CourierActivities.query,
            call,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=ONE_TRY,
            summary=f"refresh {call.waybill_no}",
        )
        return found.facts

    async def _check_spacing(self, waybill_no: str) -> None:
        """The courier locks accounts that ask too often about one parcel, whoever wants to know. Raises `NotNow`."""
        why: str = await workflow.execute_local_activity_method(
            PullActivities.may_ask,
            MayAsk(connector=COURIER, kind="parcel", number=waybill_no),
            start_to_close_timeout=STORE_TIMEOUT,
            retry_policy=STORE_RETRY,
            summary=f"may {waybill_no} be asked about",
        )
        if why:
            raise NotNow(why)

    def _picture(self) -> dict[str, str]:
        picture = {"order": self.book.status.value, "payment": self.book.payment_status.value}
        for number, parcel in self.family.parcels.items():
            picture[number] = parcel.axis.status.value
        return picture

    @property
    def _backoff(self) -> tuple[int, ...]:
        return self.book.policy.retry_backoff_s
