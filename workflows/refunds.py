"""Money back: asked for once under one number, accepted is not succeeded, abnormal goes to a person."""

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from temporalio import workflow

from activities.calls import RefundCall, RefundState
from activities.payment import PaymentActivities
from domain.facts import Fact, Kind
from domain.order import PayChannel
from domain.policy import Policy
from domain.records import RefundRecord
from domain.states import Outcome, RefundStatus
from workflows.guarded import ATTEMPT_TIMEOUT, GaveUp, Step, guarded, retries
from workflows.refund_misfits import Misfits, misfit
from workflows.tickets import Ticket, Tickets

ENDS = {
    Kind.REFUND_SUCCEEDED: RefundStatus.SUCCEEDED,
    Kind.REFUND_ABNORMAL: RefundStatus.ABNORMAL,
    Kind.REFUND_CLOSED: RefundStatus.CLOSED,
}


class RefundBook(Protocol):
    """What refunds need of the book that they are written in: an order's, or an after-sales case's."""

    applied: set[str]
    tickets: Tickets
    refunded_minor: int

    @property
    def status(self) -> StrEnum: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def waiting_for(self) -> str: ...
    @property
    def paid_minor(self) -> int: ...
    @property
    def order_no(self) -> str: ...
    @property
    def pay_channel(self) -> PayChannel: ...
    @property
    def currency(self) -> str: ...

    def now_waits_for(self, what: str) -> None: ...
    def record(
        self, fact: Fact, outcome: Outcome, before: str, after: str, child_no: str | None, note: str = ""
    ) -> None: ...
    def refund(self, refund: RefundRecord) -> None: ...
    async def reserve(self, refund: RefundRecord) -> str: ...


class Refunds:
    """All refunds of one order, one after another: a channel takes one refund of an order a minute."""

    def __init__(self, book: RefundBook) -> None:
        self.book = book
        self._ended: dict[str, Fact] = {}
        self._known: dict[str, RefundRecord] = {}
        self._with_people: dict[str, Ticket | None] = {}
        """Refunds that ended without success, and the question a person has about each."""
        self._misfits = Misfits(book.tickets)
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def busy(self) -> bool:
        return self._waiting > 0

    def asked(self, number: str) -> bool:
        return number in self._known

    def paid_out(self, number: str) -> bool:
        """The channel has said that the money reached the buyer."""
        return number in self._ended and self._ended[number].kind is Kind.REFUND_SUCCEEDED

    def given_up(self, number: str) -> bool:
        """It ended without success, and a person has taken it over."""
        ticket = self._with_people.get(number)
        return number in self._with_people and (ticket is None or ticket.resolution is not None)

    def hear(self, fact: Fact) -> None:
        """A refund fact. Success counts once, whoever tells it."""
        before = self.book.status.value
        number = fact.refund_no or ""
        if number in self._known and self._is_misfit(fact, before):
            return
        if fact.key in self.book.applied:
            self.book.record(fact, Outcome.DUPLICATE, before, before, None)
        elif number not in self._known:
            problem = f"refund {number} was not asked for by this order"
            self.book.record(fact, Outcome.MISMATCH, before, before, None, problem)
            self.book.tickets.note(fact.source, "unknown refund", problem)
        elif number in self._ended and self._ended[number].kind is Kind.REFUND_SUCCEEDED:
            self.book.record(fact, Outcome.STALE, before, before, None, f"refund {number} has succeeded")
        else:
            self._ended[number] = fact
            self.book.record(fact, Outcome.APPLIED, before, before, None)
            self._misfits.settled(number)
            self._succeeded_after_all(number, fact)

    def _is_misfit(self, fact: Fact, before: str) -> bool:
        record = self._known[fact.refund_no or ""]
        problem = misfit(fact, record, self.book.currency)
        if not problem or not workflow.patched("refund amounts"):
            return False
        self.book.record(fact, Outcome.MISMATCH, before, before, None, problem)
        self._misfits.ask(fact, record, problem)
        return True

    async def give_back(
        self, refund_no: str, amount_minor: int, reason: str, units: dict[str, int], children: tuple[str, ...] = ()
    ) -> None:
        """Returns when the refund has come to an end or a person has taken it over."""
        if amount_minor == 0:
            return
        self._waiting += 1
        record = RefundRecord(
            refund_no=refund_no,
            amount_minor=amount_minor,
            status=RefundStatus.REQUESTED,
            reason=reason,
            units=units,
            children=children,
        )
        try:
            # A lock and not a condition: all who wait for a condition go on at once.
            async with self._turn:
                before = self.book.waiting_for
                await self._run(record)
                self.book.now_waits_for(before)
        finally:
            self._waiting -= 1

    async def _run(self, record: RefundRecord) -> None:
        number = record.refund_no
        self._known[number] = record
        self.book.now_waits_for(f"refund {number}")
        if refused := await self.book.reserve(record):
            self._to_a_person("refund refused by our books", f"refund {number}: {refused}")
            return
        if not await self._ask(record, "refund", first=True):
            return
        if number not in self._ended:
            self._note(record, RefundStatus.ACCEPTED)
            await self._wait_or_ask(record)
        self._finish(record)

    async def _wait_or_ask(self, record: RefundRecord) -> None:
        number, wait = record.refund_no, timedelta(seconds=self.book.policy.refund_query_s)
        while number not in self._ended:
            try:
                if self._misfits.open(number):  # the channel is not asked again before a person has answered
                    await workflow.wait_condition(lambda: number in self._ended or not self._misfits.open(number))
                if self._misfits.given_up(number):
                    self._taken_over(record)
                    return
                await workflow.wait_condition(
                    lambda: number in self._ended or self._misfits.open(number),
                    timeout=wait,
                    timeout_summary=f"callback of refund {number}",
                )
            except TimeoutError:
                if not await self._ask(record, "query refund", first=False):
                    return

    async def _ask(self, record: RefundRecord, name: str, *, first: bool) -> bool:
        """False: a person took the refund over."""
        book, policy = self.book, self.book.policy
        call = RefundCall(
            backoff_s=policy.retry_backoff_s,
            min_spacing_s=policy.refund_spacing_s,
            channel=book.pay_channel,
            order_no=book.order_no,
            refund_no=record.refund_no,
            amount_minor=record.amount_minor,
            paid_minor=book.paid_minor,
            currency=book.currency,
            reason=record.reason,
        )
        step = Step(
            book.pay_channel,
            name,
            RefundState,
            "the refund is not paid by the system; the money stays reserved for a person to pay back",
            settled=lambda: record.refund_no in self._ended,
        )
        activity = PaymentActivities.refund if first else PaymentActivities.query_refund
        asked = 0

        def once_more() -> RefundCall:
            """After a person's retry the channel is asked first: days later its memory of keys may be gone (N4)."""
            nonlocal asked
            asked += 1
            return call.model_copy(update={"ask_first": asked > 1})

        try:
            state = await guarded(
                book.tickets,
                step,
                lambda: workflow.execute_activity_method(
                    activity,
                    once_more(),
                    start_to_close_timeout=ATTEMPT_TIMEOUT,
                    retry_policy=retries(call.backoff_s),
                    summary=f"{name} {record.refund_no}",
                ),
            )
        except GaveUp:
            self._taken_over(record)
            return False
        if state is not None and state.fact is not None:
            self.hear(state.fact)
        return True

    def _taken_over(self, record: RefundRecord) -> None:
        self._note(record, RefundStatus.CLOSED)
        self._with_people[record.refund_no] = None

    def _finish(self, record: RefundRecord) -> None:
        if record.refund_no not in self._ended:
            return
        status = ENDS[self._ended[record.refund_no].kind]
        self._note(record, status)
        if status is RefundStatus.SUCCEEDED:
            self.book.refunded_minor += record.amount_minor
        else:
            ended = f"refund {record.refund_no} of {record.amount_minor} ended {status.value} at the channel"
            self._with_people[record.refund_no] = self._to_a_person("refund not paid out", ended)

    def _succeeded_after_all(self, number: str, fact: Fact) -> None:
        """A refund that a person has in hand may still be paid out by the channel."""
        if fact.kind is not Kind.REFUND_SUCCEEDED or number not in self._with_people:
            return
        ticket = self._with_people.pop(number)
        if ticket is not None and ticket.resolution is None:
            self.book.tickets.close_on_evidence(ticket)
        self._finish(self._known[number])

    def _to_a_person(self, step: str, text: str) -> Ticket:
        return self.book.tickets.open(
            self.book.pay_channel,
            step,
            text,
            give_up_means="a person has paid the buyer by other means, or will",
            actions=("give_up",),
            severity="urgent",
        )

    def _note(self, record: RefundRecord, status: RefundStatus) -> None:
        self.book.refund(record.model_copy(update={"status": status}))
