"""How a workflow's refusal (an `ApplicationError` with a type) and Temporal's silence become errors of ours."""

from dataclasses import dataclass

from temporalio.exceptions import ApplicationError

from domain.access.authority import ProofCode
from domain.fulfilment.merging import MergeCode
from domain.fulfilment.reallocation import ReplanCode
from starter.clients.calls import short
from starter.clients.errors import (
    CommandRefused,
    DuplicateOrder,
    NoAnswer,
    NotNow,
    OrderError,
    OrderNotFound,
    OrderRefused,
)
from starter.clients.return_errors import NoSuchReturn, ReturnExists, ReturnRefused, StepRefused

REFUSED = frozenset({"InvalidOrder", "UnknownSku", "PayableMismatch", "CurrencyNotAccepted"})
NOT_NOW = frozenset({"NotNow", "NoSuchTicket", "BadResult", "BadMessage", "KeyReused", "TooOften", "Busy"}) | {
    "ON_HOLD",
    *MergeCode,
    *ReplanCode,
}
NOT_ADMITTED = frozenset(
    {"ReturnRefused", "InvalidReturn", "ReturnChanged", "NoSuchReturn", "CannotReopen", "NotEnoughLeft"}
)


@dataclass(frozen=True)
class OrderCallErrors:
    order_no: str

    def exists(self) -> OrderError:
        return DuplicateOrder(self.order_no)

    def refused(self, cause: BaseException | None) -> OrderError:
        if not isinstance(cause, ApplicationError):
            return self.no_answer("the request", short(cause))
        number, message = self.order_no, cause.message or "no reason given"
        if cause.type in set(ProofCode):
            return CommandRefused(number, cause.type or "", message)
        if cause.type == "DuplicateOrder":
            return DuplicateOrder(number, message)
        if cause.type in REFUSED:
            return OrderRefused(number, cause.type or "", _reasons(cause, message))
        if cause.type in NOT_NOW:
            return NotNow(number, cause.type or "", message)
        return OrderError(number, f"order {number} failed the request ({cause.type}): {message[:300]}")

    def not_found(self, ended: bool) -> OrderError:
        if ended:
            return NotNow(self.order_no, "Ended", "the order is over and takes no more changes")
        return OrderNotFound(self.order_no)

    def no_answer(self, what: str, detail: str) -> NoAnswer:
        return NoAnswer(self.order_no, what, detail)


@dataclass(frozen=True)
class ReturnCallErrors:
    return_no: str

    def exists(self) -> OrderError:
        return ReturnExists(self.return_no)

    def refused(self, cause: BaseException | None) -> OrderError:
        if not isinstance(cause, ApplicationError):
            return self.no_answer("the request", short(cause))
        if cause.type in NOT_ADMITTED:
            return ReturnRefused(self.return_no, cause.type or "", cause.message, tuple(cause.details))
        if cause.type in set(ProofCode):
            return CommandRefused(self.return_no, cause.type or "", cause.message, of="return")
        return StepRefused(self.return_no, cause.type or "", cause.message)

    def not_found(self, ended: bool) -> OrderError:
        if ended:
            return StepRefused(self.return_no, "Ended", "the case is over and takes no more changes")
        return NoSuchReturn(self.return_no)

    def no_answer(self, what: str, detail: str) -> NoAnswer:
        return NoAnswer(self.return_no, what, detail, of="return")


def _reasons(cause: ApplicationError, message: str) -> tuple[str, ...]:
    """One line per fault: the error's details when they are texts, else the lines of its message."""
    details = [d for d in cause.details if isinstance(d, str)]
    return tuple(details or message.splitlines())
