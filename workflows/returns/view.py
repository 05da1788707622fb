"""What a case answers: to the application, and to the query `view`."""

from datetime import datetime

from workflows.returns.admission import Start
from workflows.returns.exchange import Exchange
from workflows.returns.inspection import Inspection
from workflows.returns.messages import Applied, CaseState
from workflows.returns.review import Review
from workflows.returns.state import ReturnState


def applied(state: ReturnState) -> Applied:
    case = state.case
    return Applied(
        return_no=state.return_no, order_no=case.order_no, status=state.status, quote=case.quote,
        currency=case.currency, route=case.route,
    )  # fmt: skip


def case_state(
    state: ReturnState, review: Review, inspection: Inspection, exchange: Exchange, start: Start, now: datetime
) -> CaseState:
    """The case as it stands in its workflow, which may be ahead of the read model by one write."""
    return CaseState(
        return_no=state.return_no,
        order_no=state.order_no,
        type=state.type,
        status=state.status,
        reception=state.reception,
        acceptance=state.acceptance,
        waiting_for=state.waiting_for,
        sla_owner=state.owner,
        due_at=state.due_at,
        amount_minor=state.amount_minor,
        refunded_minor=state.refunded_minor,
        currency=state.case.currency if state.taken else "",
        version=state.version,
        open_approvals=tuple(review.approvals.asked),
        open_tickets=tuple(t.record for t in state.tickets.open_ones.values()),
        parcels=tuple(state.parcels),
        accepted_units=inspection.accepted,
        expected_units=inspection.expected,
        replacement_no=exchange.shipment.child_no or None,
        linked_to=start.reopens,
        as_of=now,
    )
