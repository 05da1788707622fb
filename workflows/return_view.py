"""What a case answers: to the application, and to the query `view`."""

from datetime import datetime

from workflows.case_book import CaseBook
from workflows.return_admission import Start
from workflows.return_desk import Desk
from workflows.return_messages import Applied, CaseState
from workflows.return_replacement import Replacement
from workflows.return_review import Review


def applied(book: CaseBook) -> Applied:
    case = book.case
    return Applied(
        return_no=book.return_no, order_no=case.order_no, status=book.status, quote=case.quote,
        currency=case.currency, route=case.route,
    )  # fmt: skip


def case_state(
    book: CaseBook, review: Review, desk: Desk, replacement: Replacement, start: Start, now: datetime
) -> CaseState:
    """The case as it stands in its workflow, which may be ahead of the read model by one write."""
    return CaseState(
        return_no=book.return_no,
        order_no=book.order_no,
        type=book.type,
        status=book.status,
        reception=book.reception,
        acceptance=book.acceptance,
        waiting_for=book.waiting_for,
        sla_owner=book.owner,
        due_at=book.due_at,
        amount_minor=book.amount_minor,
        refunded_minor=book.refunded_minor,
        currency=book.case.currency if book.taken else "",
        version=book.version,
        open_approvals=tuple(review.approvals.asked),
        open_tickets=tuple(t.record for t in book.tickets.open_ones.values()),
        parcels=tuple(book.parcels),
        accepted_units=desk.accepted,
        expected_units=desk.expected,
        replacement_no=replacement.child_no or None,
        linked_to=start.reopens,
        as_of=now,
    )
