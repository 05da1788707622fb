"""Proofs of refunds whose amount is not what was asked for: nothing moves, a person compares (invariant M3)."""

from domain.facts import Fact
from domain.records import RefundRecord
from workflows.tickets import Ticket, Tickets


class Misfits:
    """One open question a refund, however often the wrong amount is told."""

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


def misfit(fact: Fact, record: RefundRecord, currency: str) -> str:
    """What is wrong with a proof; '' when it fits, or tells no amount."""
    if fact.amount_minor in (None, record.amount_minor) and fact.currency in (None, currency):
        return ""
    told = f"{fact.amount_minor} {fact.currency or currency}"
    return (
        f"{fact.kind.value} of refund {record.refund_no} tells {told}, asked for were {record.amount_minor} "
        f"{currency}; compare with the channel's own books"
    )
