"""What must hold after every test, whatever was played: money, stock, parcels, messages (docs/requirements.md)."""

from collections import Counter

from domain.states import ChildStatus, OrderStatus, Outcome, PaymentStatus, RefundStatus
from tests.workflows.world.books import Account
from tests.workflows.world.channel import Channel

LEFT = {
    ChildStatus.SHIPPED, ChildStatus.IN_TRANSIT, ChildStatus.OUT_FOR_DELIVERY, ChildStatus.SIGNED,
    ChildStatus.EXCEPTION, ChildStatus.REFUSED,
}  # fmt: skip


def check(account: Account, channel: Channel, told: set[int]) -> list[str]:
    """Everything that is broken, a line each."""
    return [*_money(account, channel), *_stock(account), *_parcels(account), *_messages(account, told)]


def _money(account: Account, channel: Channel) -> list[str]:
    broken = []
    paid = account.payment.amount_minor if account.payment else 0
    numbers = {call.refund_no for call in channel.refund_calls if call.order_no == account.order.order_no}
    at_channel = sum(amount for no, amount in channel.refunds.items() if no in numbers)
    if at_channel > paid:
        broken.append(f"M2: {at_channel} refunded of {paid}")
    if not numbers <= set(account.refunds):
        broken.append(f"M3: asked for {numbers - set(account.refunds)} without a reservation")
    if account.writes and account.last.ended:
        open_ones = (RefundStatus.REQUESTED, RefundStatus.ACCEPTED)
        pending = [no for no, r in account.refunds.items() if r.status in open_ones]
        if pending:
            broken.append(f"M3: ended with refunds {pending} neither paid nor handed to a person")
        late = account.last.payment_status is PaymentStatus.LATE
        if late and account.refunded_minor != paid and not _given_up(account):
            broken.append(f"M5: {paid} paid late, {account.refunded_minor} given back")
    return broken


def _given_up(account: Account) -> bool:
    return any(r.action == "give_up" for r in account.resolutions.values())


def _stock(account: Account) -> list[str]:
    broken: list[str] = []
    if not account.writes:
        return broken
    for plan in account.plans:
        state = next((c for c in account.children if c.child_no == plan.child_no), None)
        out: Counter[str] = Counter()
        for move in account.moves:
            line = move.ref.removeprefix(plan.child_no + "/")
            if line != move.ref and move.kind != "unship":  # what is found missing later had been booked out already
                out[line] += move.qty
        if any(out[line] > qty for line, qty in plan.lines.items()):
            broken.append(f"S1: {plan.child_no} moved {dict(out)} of {plan.lines}")
        waited = plan.status is ChildStatus.BACKORDER
        gone = state is not None and (state.status in LEFT or (state.status is ChildStatus.CANCELLED and not waited))
        if gone and dict(out) != dict(plan.lines):
            broken.append(f"S2: {plan.child_no} is {state and state.status} but moved {dict(out)} of {plan.lines}")
    return broken


def _parcels(account: Account) -> list[str]:
    broken: list[str] = []
    before: dict[str, ChildStatus] = {}
    for write in sorted(account.writes, key=lambda w: w.seq):
        for child in write.children:
            was = before.get(child.child_no)
            if was is ChildStatus.CANCELLED and child.status is not was:
                broken.append(f"P2: {child.child_no} came back from the dead as {child.status}")
            if was in LEFT and child.status not in LEFT:
                broken.append(f"P2: {child.child_no} went from {was} back to {child.status}")
            before[child.child_no] = child.status
    closed_without = account.writes and account.status is OrderStatus.CLOSED and set(before.values()) & LEFT
    if closed_without:
        broken.append("P3: the order is closed, a parcel of it is on its way")
    return broken


def _messages(account: Account, told: set[int]) -> list[str]:
    applied = Counter(e.key for e in account.events if e.outcome is Outcome.APPLIED)
    broken = [f"Q2: applied twice: {key}" for key, n in applied.items() if n > 1]
    if account.writes and account.last.ended:
        if lost := told - {e.inbox_id for e in account.events if e.inbox_id is not None}:
            broken.append(f"Q2: inbox rows {sorted(lost)} have no outcome")
        if blocking := [t.ticket_id for t in account.open_tickets if t.severity != "info"]:
            broken.append(f"W1: ended with open tickets {blocking}")
    return broken
