"""Proofs of refunds that are not what was asked for, or not of whom: nothing moves, a person compares (M3)."""

from typing import Any

from temporalio import workflow

from domain.facts import Fact
from domain.records import RefundRecord
from workflows.durable.carrying import Table, Through
from workflows.durable.tickets import Ticket, Tickets


class RefundMismatches:
    """One open question a refund, however often the wrong amount is told."""

    CARRIED = Table(_questions=Through("_pack", "_unpack"), left={"_tickets": "wiring"})

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._questions: dict[str, Ticket] = {}

    def ask(self, fact: Fact, record: RefundRecord, problem: str) -> None:
        number = record.refund_no
        if self.open(number):
            return
        self._questions[number] = self._tickets.open(
            fact.source,
            "refund does not fit",
            problem,
            give_up_means="a person has settled this refund with the channel and the buyer; the money stays reserved",
            actions=("retry", "give_up"),
            severity="urgent",
        )

    def open(self, refund_no: str) -> bool:
        """Is somebody asked and has not answered?"""
        ticket = self._questions.get(refund_no)
        return ticket is not None and ticket.resolution is None

    def given_up(self, refund_no: str) -> bool:
        ticket = self._questions.get(refund_no)
        return ticket is not None and ticket.resolution is not None and ticket.resolution.action == "give_up"

    def settled(self, refund_no: str) -> None:
        """The right amount was told after all."""
        if self.open(refund_no):
            self._tickets.close_on_evidence(self._questions[refund_no])

    def _pack(self) -> dict[str, Any]:
        return {number: self._tickets.pack(ticket) for number, ticket in self._questions.items()}

    def _unpack(self, data: dict[str, Any]) -> None:
        self._questions = {number: self._tickets.unpack(ticket) for number, ticket in data.items()}


def what_does_not_fit(fact: Fact, record: RefundRecord, currency: str, channel: str) -> str:
    """Of a proof that `channel`, which was asked for the refund, may have told; '' when it fits."""
    if (problem := _mismatch(fact, record, currency)) and workflow.patched("refund amounts"):
        return problem
    if (problem := _stranger(fact, record, channel)) and workflow.patched("who pays a refund out says so"):
        return problem
    return ""


def _mismatch(fact: Fact, record: RefundRecord, currency: str) -> str:
    """What is wrong with a proof; '' when it fits, or tells no amount."""
    if fact.amount_minor in (None, record.amount_minor) and fact.currency in (None, currency):
        return ""
    told = f"{fact.amount_minor} {fact.currency or currency}"
    return (
        f"{fact.kind.value} of refund {record.refund_no} tells {told}, asked for were {record.amount_minor} "
        f"{currency}; compare with the channel's own books"
    )


def _stranger(fact: Fact, record: RefundRecord, channel: str) -> str:
    """Who pays a refund out says what became of it, and nobody else; '' when it is them."""
    if fact.source == channel:
        return ""
    return (
        f"{fact.source} tells {fact.kind.value} of refund {record.refund_no}, which {channel} was asked for; compare "
        f"with the books of {channel}"
    )
