"""What the query `view` shows of an order."""

from datetime import datetime

from workflows.book import Book
from workflows.family import Family
from workflows.messages import OrderView


def order_view(book: Book, family: Family, now: datetime) -> OrderView:
    """The order as it stands in its workflow, which may be ahead of the read model by one write."""
    return OrderView(
        order_no=book.order.order_no,
        status=book.status,
        payment_status=book.payment_status,
        paid_minor=book.paid_minor,
        refunded_minor=book.refunded_minor,
        currency=book.order.currency,
        waiting_for=book.waiting_for,
        payment_code=book.payment_code,
        children=family.states(False),
        open_tickets=tuple(t.record for t in book.tickets.open_ones.values()),
        as_of=now,
    )
