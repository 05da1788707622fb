"""What the query `view` shows of an order."""

from datetime import datetime

from workflows.order.messages import OrderView
from workflows.order.parcels.parcels import Parcels
from workflows.order.state import OrderState


def order_view(state: OrderState, parcels: Parcels, now: datetime) -> OrderView:
    """The order as it stands in its workflow, which may be ahead of the read model by one write."""
    return OrderView(
        order_no=state.order.order_no,
        status=state.status,
        payment_status=state.payment_status,
        paid_minor=state.paid_minor,
        refunded_minor=state.refunded_minor,
        currency=state.order.currency,
        waiting_for=state.waiting_for,
        payment_code=state.payment_code,
        children=parcels.states(False),
        holds=state.holds.all_known,
        open_tickets=tuple(t.record for t in state.tickets.open_ones.values()),
        as_of=now,
    )
