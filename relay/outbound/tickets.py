"""Where a machine cannot go on alone: tickets for missing acknowledgements and for receivers that have gone."""

from domain.outbound.published import SubscriberRole
from domain.records import TicketRecord


def unacknowledged(
    delivery_id: int, subscription_id: str, order_no: str | None, event_id: str, how: str
) -> TicketRecord:
    """Finance has not confirmed a refund (R05)."""
    return TicketRecord(
        ticket_id=f"T-refund-notice-{delivery_id}",
        system="finance",
        step="refund notice",
        error=f"a refund of order {order_no} succeeded, and subscription {subscription_id} has not acknowledged "
        f"event {event_id}: {how}; see `oms subscription deliveries {subscription_id} --event {event_id}`",
        severity="urgent",
        actions=("give_up",),
        give_up_means="finance was told another way; delivery goes on, and an acknowledgement would have closed this",
    )


def stopped(subscription_id: str, role: SubscriberRole, why: str) -> TicketRecord:
    """Without the number of the time: the store adds it."""
    return TicketRecord(
        ticket_id=f"T-subscription-{subscription_id}",
        system="subscription",
        step=f"deliver to {subscription_id}",
        error=f"subscription {subscription_id} was disabled: {why}; its events are kept for 30 days. When the receiver "
        f"works, `oms subscription enable {subscription_id}` sends what has waited and closes this",
        severity="urgent" if role is SubscriberRole.FINANCE else "normal",
        actions=("give_up",),
        give_up_means="it stays disabled",
    )
