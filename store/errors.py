"""What the store refuses. Each text says what could not be done, with ids, and what to do next."""

from collections.abc import Iterable

from domain.access.authority import ProofCode
from domain.approvals import Decided, RefusalCode


class StoreError(Exception):
    """The store could not do what was asked; nothing was changed."""


class OrderRefused(StoreError):
    """Final: the same message will be refused again. `about`: keys by which the sender knows what is refused."""

    about: tuple[str, ...] = ()


class NoSuchOrder(OrderRefused):
    def __init__(self, order_no: str) -> None:
        super().__init__(f"order {order_no} is not in the books; register it first")


class InvalidOrder(OrderRefused):
    """The order has no price (a freight charge over no lines, amounts out of range)."""


class UnknownSku(OrderRefused):
    """SKUs without tags that the catalogue does not even know: never guessed (R25)."""

    def __init__(self, order_no: str, skus: Iterable[str]) -> None:
        self.skus = tuple(skus)
        super().__init__(
            f"order {order_no}: the catalogue does not know {', '.join(self.skus)}; "
            "add them to the catalogue or give the lines tags, and place the order again"
        )


class NotTaggedYet(OrderRefused):
    def __init__(self, order_no: str, lines: Iterable[str]) -> None:
        super().__init__(f"order {order_no} cannot be split: lines {', '.join(lines)} have no tags yet")


class DuplicateOrder(OrderRefused):
    """The order number, or the channel's own number, is taken by another registration."""

    def __init__(self, order_no: str, taken: str, by: str) -> None:
        self.by = by
        super().__init__(f"order {order_no} cannot be registered: {taken} is taken by order {by}; look at that one")


class PayableMismatch(OrderRefused):
    """The shop showed another amount than our own pricing gives."""


class CurrencyNotAccepted(OrderRefused):
    def __init__(self, order_no: str, currency: str, accepted: Iterable[str]) -> None:
        super().__init__(
            f"order {order_no} is in {currency}; accepted are {', '.join(accepted)}: place it in one of these"
        )


class AlreadySettled(OrderRefused):
    def __init__(self, order_no: str, key: str) -> None:
        super().__init__(f"order {order_no} has been settled by another payment than {key}; give this one back")


class PaymentDoesNotFit(OrderRefused):
    """A payment that does not pay its order to the fen, or pays another one."""


class PaymentNotTheOrders(PaymentDoesNotFit):
    """Money that pays something else: its transaction is booked already, or it went to another merchant."""

    def __init__(self, order_no: str, payment_key: str, why: str) -> None:
        self.about = (payment_key,)
        super().__init__(f"payment {payment_key} is not order {order_no}'s: {why}")


class RefundExceedsPaid(OrderRefused):
    """More would go back than has come in."""

    def __init__(self, order_no: str, refund_no: str, amount_minor: int) -> None:
        super().__init__(
            f"order {order_no}: refund {refund_no} of {amount_minor} would give back more than was paid "
            "(earlier refunds counted); lower the amount"
        )


class RefundDisputed(RefundExceedsPaid):
    """Together with what the buyer's bank takes back, or has taken: the same money must not go out twice."""

    def __init__(self, order_no: str, refund_no: str, why: str) -> None:
        OrderRefused.__init__(self, f"order {order_no}: refund {refund_no} is not sent; {why}")


class RefundExceedsUnits(OrderRefused):
    """A unit would be refunded twice, or does not exist."""

    def __init__(self, order_no: str, refund_no: str, line_id: str) -> None:
        super().__init__(
            f"order {order_no}: refund {refund_no} names more units of line {line_id} than are left to refund"
        )


class RefundChanged(OrderRefused):
    def __init__(self, refund_no: str) -> None:
        super().__init__(f"refund {refund_no} exists with another order, amount or units; take a new number")


class NotEnoughStock(OrderRefused):
    def __init__(self, order_no: str, lacking: Iterable[str]) -> None:
        super().__init__(f"order {order_no}: not enough of {', '.join(lacking)}; nothing was changed")


class UnitsNotThere(OrderRefused):
    def __init__(self, child_no: str) -> None:
        super().__init__(f"child {child_no} does not hold the units that are to go elsewhere; nothing was changed")


class UnitsPaidBack(OrderRefused):
    def __init__(self, child_no: str, line_id: str) -> None:
        super().__init__(f"child {child_no} would ship units of line {line_id} that are paid back; nothing was changed")


class ChildNumberTaken(OrderRefused):
    def __init__(self, child_no: str) -> None:
        super().__init__(f"child number {child_no} is another child's already; ask again with higher numbers")


class StockWouldGoNegative(StoreError):
    """A move takes units that are not there. Worth repeating a few times, since the move that brings them may be on its
    way; after that a person has to look."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"stock moves refused, nothing was moved: {detail}; check the stock ledger of these SKUs")


class ReceiptChanged(StoreError):
    def __init__(self, ref: str, sku: str, warehouse: str, known: int) -> None:
        super().__init__(
            f"goods receipt {ref} of {sku} in {warehouse} was booked with {known} units; take a new number for more"
        )


class TicketNotOpenYet(StoreError):
    """A resolution overtook its ticket. Worth repeating."""

    def __init__(self, ticket_id: str) -> None:
        super().__init__(f"ticket {ticket_id} cannot be resolved: it is not in the books yet; try again")


class NoSuchTicket(StoreError):
    """No open ticket of this number that may be answered here."""


class DecisionRefused(StoreError):
    """A decision, or the use of one, that the rules of approval refuse; nothing but an audit row was written.
    `standing`: the decision that stands instead; `by`: who was proven to have tried it."""

    def __init__(self, code: RefusalCode, why: str, standing: Decided | None = None) -> None:
        self.code, self.why, self.standing = code, why, standing
        self.by: str | None = None
        super().__init__(f"{why} ({code})")


class CommandNotAdmitted(StoreError):
    """A command whose proof does not hold, or whose sender may not give it; nothing but an audit row was written."""

    def __init__(self, code: ProofCode, why: str) -> None:
        self.code, self.why = code, why
        super().__init__(f"{why} ({code})")


class NoSuchPerson(StoreError):
    def __init__(self, person_id: str) -> None:
        super().__init__(f"there is no person {person_id}; add them with `oms people add {person_id}`")


class PersonRefused(StoreError):
    """A change of people that the rules refuse (a role given to oneself, a delegation without an end, …)."""


class ChangeRefused(StoreError):
    """A change of the controls that cannot be asked for, or not be made any more; nothing was changed."""


class ActionRefused(StoreError):
    """An improvement that cannot be agreed on, or not be closed so; nothing was changed."""


class ComplaintRefused(StoreError):
    """A complaint that cannot be, or whose number is another one's."""


class ChangeExpired(ChangeRefused):
    """Approved, and not made in time."""


class PolicyOvertaken(ChangeRefused):
    def __init__(self, based_on: int, counts: int) -> None:
        super().__init__(
            f"the policy was not published: it was made on version {based_on}, and version {counts} has come since; "
            "look with `oms config policy diff`, and ask again"
        )


class AutomationRefused(ChangeRefused):
    """It cannot be kept, or was not tried on past orders."""


class BookOvertaken(ChangeRefused):
    def __init__(self, kind: str, based_on: int, now: int) -> None:
        super().__init__(
            f"the {kind} were changed on version {based_on}, and version {now} counts by now: look at it, and ask again"
        )


class ApprovalChanged(StoreError):
    def __init__(self, approval_id: str) -> None:
        super().__init__(f"approval {approval_id} was asked before with other content; ask under a new number")


class NoSuchRuleSet(StoreError):
    """A version or draft that does not exist."""


class RulesUnchanged(StoreError):
    """A roll-back that would change nothing."""


class RulesMovedOn(StoreError):
    def __init__(self, based_on: int, counts: int) -> None:
        super().__init__(
            f"the draft was not kept: it was made from version {based_on}, and version {counts} has come since; "
            "begin with what counts now"
        )


class RuleSetNotPublished(StoreError):
    def __init__(self, draft_no: int, why: str) -> None:
        super().__init__(f"rule draft {draft_no} was not published: {why}")


class RuleSetOvertaken(RuleSetNotPublished):
    def __init__(self, draft_no: int, based_on: int, counts: int) -> None:
        super().__init__(
            draft_no,
            f"it was drafted when version {based_on} counted, and version {counts} has come since: "
            "export that, make the change again and draft it anew",
        )


class NobodyListens(StoreError):
    """What is to be told reaches nobody: nothing was done."""
