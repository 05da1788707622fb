"""What warehouse and carrier are told of one parcel: the outbound order, and the booking of its label."""

from activities.messages import Booking, Outbound, OutboundLine
from domain.records import PricedLine
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.state import OrderState


def outbound(order_state: OrderState, state: ParcelState) -> Outbound:
    order, plan = order_state.order, state.plan
    return Outbound(
        child_no=plan.child_no,
        order_no=order.order_no,
        warehouse=plan.warehouse,
        placed_at=order.placed_at,
        address=state.address,
        lines=tuple(
            OutboundLine(
                line_id=line.line_id,
                sku=line.sku,
                name=order_state.names.get(line.line_id) or line.sku,
                qty=plan.lines[line.line_id],
            )
            for line in _lines(order_state, state)
        ),
        carrier=plan.carrier,
        buyer_identity=_identity(order_state, state),
    )


def booking(order_state: OrderState, state: ParcelState) -> Booking:
    plan = state.plan
    return Booking(
        child_no=plan.child_no,
        address=state.address,
        weight_g=sum(line.weight_g * plan.lines[line.line_id] for line in _lines(order_state, state)),
        pieces=sum(plan.lines.values()),
        carrier=plan.carrier,
        buyer_identity=_identity(order_state, state),
    )


def _lines(order_state: OrderState, state: ParcelState) -> tuple[PricedLine, ...]:
    return order_state.priced_lines(state.plan.lines)


def _identity(order_state: OrderState, state: ParcelState) -> str | None:
    """Order, payment and logistics documents of goods that cross the border name the same buyer (R38)."""
    return order_state.order.buyer.identity if state.plan.customs else None
