"""What a courier's problem means: it is for people. A refused parcel holds the order open until one has settled it."""

from domain.child_axis import Applied
from domain.facts import Fact
from domain.states import ChildStatus
from workflows.book import Book


def tell_of_trouble(book: Book, child_no: str, fact: Fact, applied: Applied) -> None:
    if applied.after == ChildStatus.EXCEPTION:
        book.tickets.note(fact.source, "courier exception", fact.note or "no reason given", child_no)
    elif applied.after == ChildStatus.REFUSED:
        means = "a person settles it with the buyer; the system refunds nothing by itself"
        text = fact.note or "the parcel was refused or sent back"
        book.tickets.open(fact.source, "delivery refused", text, child_no, means, actions=("give_up",))
