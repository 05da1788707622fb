"""Money back: asked for once under one number, accepted is not succeeded, abnormal goes to a person."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from temporalio import workflow

from activities.messages import RefundCall, RefundState
from activities.payment import PaymentActivities
from domain.facts import Fact, Kind
from domain.records import RefundRecord
from domain.refunds.states import ENDS
from domain.states import Outcome, RefundStatus
from workflows.durable.carrying import Own, Table, Through
from workflows.durable.guarded import GaveUp, Step, attempt, guarded
from workflows.durable.tickets import Ticket
from workflows.refunds.disputes import DISPUTED, ON_HOLD, while_disputed
from workflows.refunds.mismatches import RefundMismatches, what_does_not_fit
from workflows.refunds.outcome import RefundOutcome
from workflows.refunds.progress import RefundUnderWay
from workflows.refunds.refund_journal import RefundJournal, refund_call, to_a_person

REFUSED_BY_BOOKS = "refund refused by our books"
OUTSIDE = "money that moved without us is kept in the books"


class Refunds:
    """All refunds of one order. They take turns in asking, since a channel takes one refund of an order a minute; what
    the channel and the bank need after that holds nobody else."""

    CARRIED = Table(
        _ended=dict[str, Fact],
        _known=dict[str, RefundRecord],
        _with_people=Through("_pack_with_people", "_unpack_with_people"),
        _mismatches=Own(),
        _waited_for_before=str,
        _stands=dict[str, RefundUnderWay],
        left={
            "state": "wiring", "_turn": "who waits for it queues anew", "_books": "reserving is a step under way",
            "_waiting": "counted anew", "_at_work": "begun anew",
        },
    )  # fmt: skip

    def __init__(self, state: RefundJournal) -> None:
        self.state = state
        self._ended: dict[str, Fact] = {}
        self._known: dict[str, RefundRecord] = {}
        self._with_people: dict[str, Ticket | None] = {}
        """Refunds that ended without success, and the question a person has about each."""
        self._mismatches = RefundMismatches(state.tickets)
        self._turn = asyncio.Lock()
        self._books = asyncio.Lock()
        """Reserving rides in a write of its own: one at a time."""
        self._waiting = 0
        self._waited_for_before = ""
        self._stands: dict[str, RefundUnderWay] = {}
        self._at_work: set[str] = set()

    @property
    def busy(self) -> bool:
        return self._waiting > 0

    @property
    def may_go_on_later(self) -> bool:
        """Where each stands is known, also to the next run."""
        return self._waiting == len(self._stands)

    def asked(self, number: str) -> bool:
        return number in self._known

    def paid_out(self, number: str) -> bool:
        """The channel has said that the money reached the buyer."""
        return number in self._ended and self._ended[number].kind is Kind.REFUND_SUCCEEDED

    def given_up(self, number: str) -> bool:
        """It ended without success, and a person has taken it over."""
        ticket = self._with_people.get(number)
        return number in self._with_people and (ticket is None or ticket.resolution is not None)

    def apply(self, fact: Fact) -> None:
        """A refund fact. Success counts once, whoever tells it."""
        before = self.state.status.value
        number = fact.refund_no or ""
        if number in self._known and self._is_mismatch(fact, before):
            return
        if fact.key in self.state.applied:
            self.state.record(fact, Outcome.DUPLICATE, before, before, None)
        elif number not in self._known:
            problem = f"refund {number} was not asked for by this order"
            if fact.kind is Kind.REFUND_SUCCEEDED and workflow.patched(OUTSIDE):
                self.state.outside(fact, problem)
                return
            self.state.record(fact, Outcome.MISMATCH, before, before, None, problem)
            self.state.tickets.note(fact.source, "unknown refund", problem)
        elif number in self._ended and self._ended[number].kind is Kind.REFUND_SUCCEEDED:
            self.state.record(fact, Outcome.STALE, before, before, None, f"refund {number} has succeeded")
        else:
            self._ended[number] = fact
            self.state.record(fact, Outcome.APPLIED, before, before, None)
            self._mismatches.settled(number)
            self._succeeded_after_all(number, fact)

    def _is_mismatch(self, fact: Fact, before: str) -> bool:
        record = self._known[fact.refund_no or ""]
        problem = what_does_not_fit(fact, record, self.state.currency, self.state.paid_by(record.refund_no)[0])
        if not problem:
            return False
        self.state.record(fact, Outcome.MISMATCH, before, before, None, problem)
        self._mismatches.ask(fact, record, problem)
        return True

    async def give_back(
        self,
        refund_no: str,
        amount_minor: int,
        reason: str,
        units: dict[str, int],
        children: tuple[str, ...] = (),
        *,
        has_slot: bool = False,
        payment_key: str | None = None,
    ) -> None:
        """Returns when the refund has come to an end or a person has taken it over. `has_slot`: its turn at the channel
        has come already. `payment_key`: the payment that bears it, where that is not the oldest."""
        if amount_minor == 0:
            return
        if refund_no in self._known and workflow.info().continued_run_id is not None:
            # By a run before: it goes on by itself, or has come to an end.
            await workflow.wait_condition(lambda: refund_no not in self._stands)
            return
        self._waiting += 1
        record = RefundRecord(
            refund_no=refund_no,
            amount_minor=amount_minor,
            status=RefundStatus.REQUESTED,
            reason=reason,
            units=units,
            children=children,
            payment_key=payment_key,
        )
        try:
            if workflow.patched("refunds hold nobody up"):
                await self._pay(record, has_slot)
                return
            while refused := await self._in_turn(record):
                if not await self._try_again(record, refused):
                    return
        finally:
            self._waiting -= 1

    def go_on(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """With those that were under way in the run before, each from where it stood."""
        for number, stand in self._stands.items():
            if number in self._at_work:
                continue
            channel, _ = self.state.paid_by(number)
            if stand.asked and self.state.tickets.left_open(channel, "refund", about=number) is None:
                stand.asked -= 1  # it waited for its turn, and was not sent
            self._waiting += 1
            spawn(self._go_on(self._known[number], stand))

    async def _go_on(self, record: RefundRecord, stand: RefundUnderWay) -> None:
        try:
            await self._pay_from(record, stand)
        finally:
            self._waiting -= 1

    async def _pay(self, record: RefundRecord, has_slot: bool) -> None:
        number = record.refund_no
        self._known[number] = record
        if not self._stands:
            self._waited_for_before = self.state.waiting_for
        self._stands[number] = stand = RefundUnderWay(has_slot=has_slot)
        self.state.now_waits_for(f"refund {number}")
        await self._pay_from(record, stand)

    async def _pay_from(self, record: RefundRecord, stand: RefundUnderWay) -> None:
        number = record.refund_no
        self._at_work.add(number)
        try:
            if not stand.reserved:
                if self._left_open(record) and not await self._try_again(record, ""):
                    return
                while refused := await self._reserved(record):
                    if not await self._try_again(record, refused):
                        return
                stand.reserved = True
            if not stand.accepted:
                if not await self._ask(record, "refund", first=True, takes_turn=True, stand=stand):
                    return
                if number not in self._ended:
                    self._note(record, RefundStatus.ACCEPTED)
                stand.accepted = True
            if number not in self._ended:
                outcome = RefundOutcome(
                    self.state.tickets, self.state.policy, self._mismatches, refund_call(self.state, record),
                    ended=lambda: number in self._ended, heard=self.apply, since=stand.following,
                )  # fmt: skip
                if not await outcome.known():
                    self._taken_over(record)
            self._finish(record)
        finally:
            self._shown_no_more(number)

    def _left_open(self, record: RefundRecord) -> bool:
        """A person was asked by the run before, or a bank, whether it may go out."""
        channel, _ = self.state.paid_by(record.refund_no)
        tickets = self.state.tickets
        return bool(
            tickets.left_open(channel, ON_HOLD, about=_named(record))
            or tickets.left_open(channel, REFUSED_BY_BOOKS, about=record.refund_no)
        )

    async def _reserved(self, record: RefundRecord) -> str:
        async with self._books:
            return await self.state.reserve(record)

    def _shown_no_more(self, number: str) -> None:
        """What was waited for before is told again, unless something else has been told meanwhile."""
        del self._stands[number]
        if self.state.waiting_for == f"refund {number}":
            now = f"refund {[*self._stands][-1]}" if self._stands else self._waited_for_before
            self.state.now_waits_for(now)

    async def _asked_in_turn(self, record: RefundRecord, call: RefundCall, stand: RefundUnderWay) -> RefundState:
        """Nobody else's refund of the order is asked for within a minute; nobody waits longer than that for this one.
        Raises `GaveUp` when a person takes over what may not be sent."""
        again, has_slot = stand.asked > 1, stand.has_slot and stand.asked == 1
        if self._left_open(record) and not await self._try_again(record, ""):
            raise GaveUp("refund refused by our books", maybe_done=again)
        while True:
            async with self._turn:
                slot = None if has_slot or stand.turn_at else await self.state.slot(record)
                if slot is None or not slot.refused:
                    stand.turn_at = stand.turn_at or (slot.at if slot else workflow.now())
                    if (wait := stand.turn_at - workflow.now()) > timedelta(0):
                        await workflow.sleep(wait, summary=f"spacing before {record.refund_no}")
                    stand.turn_at = None
                    return await attempt(PaymentActivities.refund, call, summary=f"refund {record.refund_no}")
            if not await self._try_again(record, slot.refused, perhaps_disputed=True):
                raise GaveUp("refund refused by our books", maybe_done=again)

    async def _in_turn(self, record: RefundRecord) -> str:
        """Why our books refuse it; '' when it has come to an end."""
        # A lock and not a condition: all who wait for a condition go on at once.
        async with self._turn:
            before = self.state.waiting_for
            refused = await self._run(record)
            self.state.now_waits_for(before)
            return refused

    async def _run(self, record: RefundRecord) -> str:
        number = record.refund_no
        self._known[number] = record
        self.state.now_waits_for(f"refund {number}")
        if refused := await self.state.reserve(record):
            if workflow.patched("refused refunds wait"):
                return refused
            to_a_person(self.state, number, "refund refused by our books", f"refund {number}: {refused}")
            return ""
        if not await self._ask(record, "refund", first=True):
            return ""
        if number not in self._ended:
            self._note(record, RefundStatus.ACCEPTED)
            await self._wait_or_ask(record)
        self._finish(record)
        return ""

    async def _wait_or_ask(self, record: RefundRecord) -> None:
        number, wait = record.refund_no, timedelta(seconds=self.state.policy.refund_query_s)
        while number not in self._ended:
            try:
                if self._mismatches.open(number):  # the channel is not asked again before a person has answered
                    await workflow.wait_condition(lambda: number in self._ended or not self._mismatches.open(number))
                if self._mismatches.given_up(number):
                    self._taken_over(record)
                    return
                await workflow.wait_condition(
                    lambda: number in self._ended or self._mismatches.open(number),
                    timeout=wait,
                    timeout_summary=f"callback of refund {number}",
                )
            except TimeoutError:
                if not await self._ask(record, "query refund", first=False):
                    return

    async def _ask(
        self,
        record: RefundRecord,
        name: str,
        *,
        first: bool,
        takes_turn: bool = False,
        stand: RefundUnderWay | None = None,
    ) -> bool:
        """False: a person took the refund over."""
        call = refund_call(self.state, record)
        step = Step(
            call.channel,
            name,
            RefundState,
            "the refund is not paid by the system; the money stays reserved for a person to pay back",
            settled=lambda: record.refund_no in self._ended,
            about=record.refund_no,
            amount_minor=record.amount_minor,
        )
        stand = stand or RefundUnderWay()

        async def once_more() -> RefundState:
            """After a person's retry the channel is asked first: days later its memory of keys may be gone (N4), and a
            bank may have taken the money meanwhile."""
            stand.asked += 1
            asked = stand.asked
            if first and asked > 1 and workflow.patched("retried refunds wait for the bank"):
                await self._insist_that_it_may_go_out(record)
            once = call.model_copy(update={"ask_first": asked > 1})
            if takes_turn:
                return await self._asked_in_turn(record, once, stand)
            activity = PaymentActivities.refund if first else PaymentActivities.query_refund
            return await attempt(activity, once, summary=f"{name} {record.refund_no}")

        try:
            answer = await guarded(self.state.tickets, step, once_more)
        except GaveUp:
            self._taken_over(record)
            return False
        if answer is not None and answer.fact is not None:
            self.apply(answer.fact)
        return True

    async def _try_again(self, record: RefundRecord, refused: str, *, perhaps_disputed: bool = False) -> bool:
        """Our books refuse it: the bank's decision is waited for, or a person's."""
        state, (channel, _) = self.state, self.state.paid_by(record.refund_no)
        name = _named(record)
        on_hold = state.tickets.left_open(channel, ON_HOLD, about=name) is not None
        if refused.startswith(DISPUTED) or perhaps_disputed or on_hold:
            again = await while_disputed(state.tickets, channel, state.order_no, name, workflow.wait_condition)
            if again is not None or not perhaps_disputed:
                return again is not False
        resolution = await state.tickets.ask(
            channel, REFUSED_BY_BOOKS, f"refund {record.refund_no}: {refused}", about=record.refund_no,
            give_up_means="nothing is sent; pay by other means only what the books show as not given back yet",
            actions=("retry", "give_up"), severity="urgent",
        )  # fmt: skip
        return resolution is not None and resolution.action == "retry"

    async def _insist_that_it_may_go_out(self, record: RefundRecord) -> None:
        """Raises `GaveUp` when a person takes over what our books do not let out any more."""
        while refused := await self._why_not(record):
            if not await self._try_again(record, refused):
                raise GaveUp("refund refused by our books", maybe_done=True)

    async def _why_not(self, record: RefundRecord) -> str:
        async with self._books:
            return await self.state.why_not(record)

    def _taken_over(self, record: RefundRecord) -> None:
        self._note(record, RefundStatus.CLOSED)
        self._with_people[record.refund_no] = None

    def _finish(self, record: RefundRecord) -> None:
        if record.refund_no not in self._ended:
            return
        status = ENDS[self._ended[record.refund_no].kind]
        self._note(record, status)
        if status is RefundStatus.SUCCEEDED:
            self.state.refunded_minor += record.amount_minor
        else:
            ended = f"refund {record.refund_no} of {record.amount_minor} ended {status.value} at the channel"
            self._with_people[record.refund_no] = to_a_person(
                self.state, record.refund_no, "refund not paid out", ended
            )

    def _succeeded_after_all(self, number: str, fact: Fact) -> None:
        """A refund that a person has in hand may still be paid out by the channel."""
        if fact.kind is not Kind.REFUND_SUCCEEDED or number not in self._with_people:
            return
        ticket = self._with_people.pop(number)
        if ticket is not None and ticket.resolution is None:
            self.state.tickets.close_on_evidence(ticket)
        self._finish(self._known[number])

    def _note(self, record: RefundRecord, status: RefundStatus) -> None:
        self.state.refund(record.model_copy(update={"status": status}))

    # --- from one run to the next ------------------------------------------------------------------------------------

    def _pack_with_people(self) -> dict[str, Any]:
        tickets = self.state.tickets
        return {no: tickets.pack(ticket) if ticket else None for no, ticket in self._with_people.items()}

    def _unpack_with_people(self, data: dict[str, Any]) -> None:
        tickets = self.state.tickets
        self._with_people = {no: tickets.unpack(ticket) if ticket else None for no, ticket in data.items()}


def _named(record: RefundRecord) -> str:
    return f"refund {record.refund_no} of {record.amount_minor}"
