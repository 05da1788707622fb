"""What refunds need of the state that they are written in: an order's, or a return's."""

from enum import StrEnum
from typing import Protocol

from activities.messages import RefundCall
from activities.return_messages import Slot
from domain.facts import Fact
from domain.order import PayChannel
from domain.policy import Policy
from domain.records import RefundRecord
from domain.states import Outcome
from workflows.durable.carrying import LatestKeys
from workflows.durable.tickets import Ticket, Tickets


class RefundJournal(Protocol):
    """What refunds need of the state that they are written in: an order's, or a return's."""

    applied: LatestKeys
    tickets: Tickets
    refunded_minor: int

    @property
    def status(self) -> StrEnum: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def waiting_for(self) -> str: ...
    @property
    def order_no(self) -> str: ...
    @property
    def currency(self) -> str: ...

    def paid_by(self, refund_no: str) -> tuple[PayChannel, int]:
        """The channel that took the payment of this refund, and how much it took."""
        ...

    def transaction_of(self, refund_no: str) -> str | None:
        """The channel's own number of the payment, where it is not the one offered under the order's number."""
        ...

    def now_waits_for(self, what: str) -> None: ...
    def record(
        self, fact: Fact, outcome: Outcome, before: str, after: str, child_no: str | None, note: str = ""
    ) -> None: ...
    def outside(self, fact: Fact, why: str) -> None:
        """Money that moved without us."""
        ...

    def refund(self, refund: RefundRecord) -> None: ...
    async def reserve(self, refund: RefundRecord) -> str: ...
    async def why_not(self, refund: RefundRecord) -> str:
        """Of one that was reserved: why it may not be sent now; '' when it may."""
        ...

    async def slot(self, refund: RefundRecord) -> Slot:
        """When the channel may be asked for it, among all refunds of the order and of its returns (R48)."""
        ...


def refund_call(state: RefundJournal, record: RefundRecord) -> RefundCall:
    """How the channel is asked for it, and about it."""
    policy = state.policy
    channel, paid_minor = state.paid_by(record.refund_no)
    return RefundCall(
        backoff_s=policy.retry_backoff_s,
        min_spacing_s=policy.refund_spacing_s,
        channel=channel,
        order_no=state.order_no,
        refund_no=record.refund_no,
        amount_minor=record.amount_minor,
        paid_minor=paid_minor,
        currency=state.currency,
        reason=record.reason,
        transaction_id=state.transaction_of(record.refund_no),
    )


def to_a_person(state: RefundJournal, number: str, step: str, text: str) -> Ticket:
    """It was not paid out."""
    channel, _ = state.paid_by(number)
    return state.tickets.open(
        channel,
        step,
        text,
        give_up_means="a person has paid the buyer by other means, or will",
        actions=("give_up",),
        severity="urgent",
    )
