"""How an accepted refund ends: by a callback, or by asking at ever longer pauses; after days a person is told (R48)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.messages import RefundCall, RefundState
from activities.payment import PaymentActivities
from domain.facts import Fact
from domain.policy import Policy
from workflows.durable.guarded import ATTEMPT_TIMEOUT, GaveUp, Step, guarded
from workflows.durable.seals import believed
from workflows.durable.tickets import Ticket, Tickets
from workflows.refunds.mismatches import RefundMismatches
from workflows.refunds.progress import Following

LONGEST_PAUSE = timedelta(days=1)


class RefundOutcome:
    """Of one refund. The asking is one activity that is repeated until the refund has ended: it leaves no events."""

    def __init__(
        self,
        tickets: Tickets,
        policy: Policy,
        mismatches: RefundMismatches,
        call: RefundCall,
        *,
        ended: Callable[[], bool],
        heard: Callable[[Fact], None],
        since: Following,
    ) -> None:
        self._tickets = tickets
        self._policy = policy
        self._mismatches = mismatches
        self._call = call
        self._ended = ended
        self._heard = heard
        self._since = since
        self._ticket: Ticket | None = tickets.open_ones.get(since.ticket_id)
        self._pauses = RetryPolicy(
            initial_interval=timedelta(seconds=policy.refund_query_s),
            backoff_coefficient=2.0,
            maximum_interval=LONGEST_PAUSE,
        )
        if since.late_at is None or since.quiet_until is None:
            since.late_at = workflow.now() + timedelta(seconds=policy.refund_ticket_after_s)
            since.quiet_until = workflow.now() + timedelta(seconds=policy.refund_query_s)
        self._step = Step(
            call.channel,
            "query refund",
            RefundState,
            "the refund is not paid by the system; the money stays reserved for a person to pay back",
            settled=self._interrupted,
            about=call.refund_no,
            amount_minor=call.amount_minor,
        )

    async def known(self) -> bool:
        """True: it has ended. False: a person has taken it over."""
        try:
            await self._quiet_until(self._since.quiet_until)
            while not self._ended():
                if self._mismatches.open(self._number):  # the channel is not asked again before a person has answered
                    await workflow.wait_condition(lambda: self._ended() or not self._mismatches.open(self._number))
                elif self._mismatches.given_up(self._number) or self._given_up():
                    return False
                else:
                    await self._ask()
            return True
        except GaveUp:
            return False
        finally:
            self._close_ticket()

    @property
    def _number(self) -> str:
        return self._call.refund_no

    def _interrupted(self) -> bool:
        """Nothing is left to ask, or not for now."""
        return self._ended() or self._mismatches.open(self._number)

    def _given_up(self) -> bool:
        return self._answered() and self._ticket is not None and self._resolved(self._ticket) == "give_up"

    def _answered(self) -> bool:
        return self._ticket is not None and self._ticket.resolution is not None

    @staticmethod
    def _resolved(ticket: Ticket) -> str:
        return ticket.resolution.action if ticket.resolution else ""

    async def _quiet_until(self, at: datetime | None) -> None:
        time = at - workflow.now() if at else timedelta(0)
        if time <= timedelta(0):
            return
        with suppress(TimeoutError):
            await workflow.wait_condition(
                self._interrupted, timeout=time, timeout_summary=f"callback of refund {self._number}"
            )

    async def _ask(self) -> None:
        """Until the channel has said how it ended, or a person wants it asked anew. Raises `GaveUp`."""
        if self._answered():
            self._ticket = None
            self._since.late_at = workflow.now() + timedelta(seconds=self._policy.refund_ticket_after_s)
        answer = await guarded(self._tickets, self._step, self._once)
        if answer is not None and answer.fact is not None and not self._ended():
            self._heard(answer.fact)

    async def _once(self) -> RefundState:
        asking = workflow.start_activity_method(
            PaymentActivities.refund_outcome,
            self._call,
            start_to_close_timeout=ATTEMPT_TIMEOUT,
            retry_policy=self._pauses,
            summary=f"outcome of refund {self._number}",
        )

        def over() -> bool:
            return asking.done() or self._interrupted() or self._answered()

        try:
            if self._ticket is None:
                await self._told_by(over, self._since.late_at or workflow.now())
            await workflow.wait_condition(over)
            if asking.done():
                return believed(await asking)
            return RefundState(state="PROCESSING")
        finally:
            asking.cancel()

    async def _told_by(self, over: Callable[[], bool], late_at: datetime) -> None:
        """After days a person hears of it; it is listened to and asked for all the same."""
        left = max(late_at - workflow.now(), timedelta(0))
        try:
            await workflow.wait_condition(over, timeout=left, timeout_summary=f"end of refund {self._number}")
        except TimeoutError:
            self._ticket = self._tickets.open(
                self._call.channel,
                "refund takes long",
                f"refund {self._number} of {self._call.amount_minor} was accepted days ago and has not ended; "
                "compare with the channel's own books. It is asked for once a day all the same",
                give_up_means="the refund is not followed any more; the money stays reserved for a person to pay back",
                actions=("retry", "give_up"),
                severity="urgent",
            )
            self._since.ticket_id = self._ticket.record.ticket_id

    def _close_ticket(self) -> None:
        if self._ticket is not None and self._ticket.resolution is None:
            self._tickets.close_on_evidence(self._ticket)
