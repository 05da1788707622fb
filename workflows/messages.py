"""Messages of the order workflow: signal `facts`; updates `place`, `cancel`, `confirm_receipt`, `resolve_ticket`,
`refresh`; query `view`. Machines signal, people update."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from domain.facts import Fact
from domain.order import Id, Minor, Text
from domain.records import ChildState, TicketRecord
from domain.states import OrderStatus, PaymentStatus
from domain.strict import Strict
from domain.tickets import Remark

TASK_QUEUE = "oms"
ORDER_WORKFLOW = "Order"


def order_workflow_id(order_no: str) -> str:
    return f"order/{order_no}"


class FactBatch(Strict):
    """Facts that arrived together are delivered together."""

    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=200)]


class Placed(Strict):
    """Answer of update `place`: the order is in the books and its payment is waiting (or a ticket is)."""

    order_no: str
    payable_minor: Minor
    currency: str
    pay_deadline: AwareDatetime
    payment_code: str | None = None
    """Native: code_url to show as QR code; JSAPI: prepay_id; None: paid outside, or a ticket is open."""


class CancelOrder(Strict):
    by: Id
    reason: Text


class Cancelled(Strict):
    """What the cancellation came to: children cancelled, children already too late, money on its way back."""

    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    refund_minor: Minor


class ConfirmReceipt(Strict):
    by: Id


class ResolveTicket(Strict):
    ticket_id: str
    action: Literal["retry", "supply", "give_up"]
    remark: Remark
    by: Id
    result: dict[str, Any] | None = None
    """With `supply`: the step's result, as the ticket's step would have returned it."""


class Refresh(Strict):
    by: Id


class Refreshed(Strict):
    as_of: AwareDatetime
    changes: tuple[str, ...]
    """One line per thing that was found to differ, `what: before -> after`; empty when all was up to date."""


class OrderView(Strict):
    order_no: str
    status: OrderStatus
    payment_status: PaymentStatus
    paid_minor: Minor
    refunded_minor: Minor
    currency: str
    waiting_for: str
    payment_code: str | None
    children: tuple[ChildState, ...]
    open_tickets: tuple[TicketRecord, ...]
    as_of: AwareDatetime
