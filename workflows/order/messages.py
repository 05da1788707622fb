"""Messages of the order workflow: updates `place`, `cancel`, `confirm_receipt`, `refresh`, `book_money`; query
`view`."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from domain.dispatch.holds import Hold
from domain.order import Id, Minor, Text
from domain.records import ChildState, TicketRecord
from domain.states import OrderStatus, PaymentStatus
from domain.strict import Strict
from workflows.messages import SignedCommand


class Placed(Strict):
    """Answer of update `place`: the order is in the books and its payment is waiting (or a ticket is)."""

    order_no: str
    payable_minor: Minor
    currency: str
    pay_deadline: AwareDatetime
    payment_code: str | None = None
    """Native: code_url to show as QR code; JSAPI: prepay_id; None: paid outside, or a ticket is open."""


class CancelOrder(SignedCommand):
    reason: Text


class Cancelled(Strict):
    """What the cancellation came to: children cancelled, children already too late, money on its way back.
    `approval_id`: nothing of it yet, for somebody has to agree first."""

    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    refund_minor: Minor
    approval_id: str | None = None


class ConfirmReceipt(SignedCommand):
    """The buyer, or somebody for them, has the goods."""


class Refresh(Strict):
    by: Id


class Refreshed(Strict):
    as_of: AwareDatetime
    changes: tuple[str, ...]
    """One line per thing that was found to differ, `what: before -> after`; empty when all was up to date."""


class BookMoney(SignedCommand):
    """A payment from outside of which finance has approved what it counts as (`oms money book`)."""

    money_no: Annotated[int, Field(ge=1)]


class MoneyBooked(Strict):
    """`refund_no`: the refund that gives it back; none: it is the order's payment."""

    money_no: int
    refund_no: str | None = None


class OrderView(Strict):
    order_no: str
    status: OrderStatus
    payment_status: PaymentStatus
    paid_minor: Minor
    refunded_minor: Minor
    """By refunds of the order itself. What its returns have paid back, each of them shows; the books (`orders`) have
    both."""
    currency: str
    waiting_for: str
    payment_code: str | None
    children: tuple[ChildState, ...]
    holds: tuple[Hold, ...] = ()
    """Open ones, and the latest of those that have ended."""
    open_tickets: tuple[TicketRecord, ...]
    as_of: AwareDatetime
