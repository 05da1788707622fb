"""How an order's refusal (an `ApplicationError` with a type) becomes one of our errors."""

from temporalio.exceptions import ApplicationError

from domain.merging import MergeCode
from domain.replanning import ReplanCode
from starter.errors import DuplicateOrder, NoAnswer, NotNow, OrderError, OrderRefused

REFUSED = frozenset({"InvalidOrder", "UnknownSku", "PayableMismatch", "CurrencyNotAccepted"})
NOT_NOW = frozenset({"NotNow", "NoSuchTicket", "BadResult", "TooOften"}) | {"ON_HOLD", *MergeCode, *ReplanCode}


def refused(order_no: str, cause: BaseException | None) -> OrderError:
    """The error to raise for a failed or rejected update."""
    if not isinstance(cause, ApplicationError):
        return NoAnswer(order_no, "the request", " ".join(str(cause).split())[:200])
    message = cause.message or "no reason given"
    if cause.type == "DuplicateOrder":
        return DuplicateOrder(order_no, message)
    if cause.type in REFUSED:
        return OrderRefused(order_no, cause.type or "", _reasons(cause, message))
    if cause.type in NOT_NOW:
        return NotNow(order_no, cause.type or "", message)
    return OrderError(order_no, f"order {order_no} failed the request ({cause.type}): {message[:300]}")


def _reasons(cause: ApplicationError, message: str) -> tuple[str, ...]:
    """One line per fault: the error's details when they are texts, else the lines of its message."""
    details = [d for d in cause.details if isinstance(d, str)]
    return tuple(details or message.splitlines())
