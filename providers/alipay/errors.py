"""Which of Alipay's codes means what (opendocs common/02km9f and the error tables of each method)."""

from collections.abc import Mapping

from providers.errors import ProviderError, Refused, UnknownOutcome
from providers.payment_errors import (
    DecideByQuery,
    NotEnough,
    NotFound,
    OperatorNeeded,
    OrderAlreadyPaid,
    OrderClosed,
    OrderNumberUsed,
    RateLimited,
)

SYSTEM = "alipay"


class RefundNumberUsed(Refused):
    """DISCORDANT_REPEAT_REQUEST: the refund number exists with another amount."""


_BY_CODE: Mapping[str, type[ProviderError]] = {
    "20000": UnknownOutcome,
    "20001": Refused,
    "40001": Refused,
    "40002": Refused,
    "40003": Refused,
    "40004": Refused,
    "40005": RateLimited,
    "40006": OperatorNeeded,
}
# TRADE_NOT_EXIST: no such trade, which is also what an order is until its buyer scans the code. Our own
# REFUND_NOT_EXIST: Alipay never received the refund, or it failed; the same call may be repeated. After
# TRADE_HAS_FINISHED nothing can be refunded any more.
_BY_SUB_CODE: Mapping[str, type[ProviderError]] = {
    "SYSTEM_ERROR": UnknownOutcome,
    "isp.bill_not_exist": NotFound,
    "TRADE_NOT_EXIST": NotFound,
    "TRADE_HAS_SUCCESS": OrderAlreadyPaid,
    "TRADE_HAS_FINISHED": OrderAlreadyPaid,
    "TRADE_HAS_CLOSE": OrderClosed,
    "REASON_TRADE_STATUS_INVALID": DecideByQuery,
    "REASON_ILLEGAL_STATUS": DecideByQuery,
    "TRADE_STATUS_ERROR": DecideByQuery,
    "CONTEXT_INCONSISTENT": OrderNumberUsed,
    "DISCORDANT_REPEAT_REQUEST": RefundNumberUsed,
    "SELLER_BALANCE_NOT_ENOUGH": NotEnough,
    "ACCESS_FORBIDDEN": OperatorNeeded,
}


def error_class(code: str, sub_code: str) -> type[ProviderError]:
    """The class for an error reply, by its codes and never by its text. A code that we do not know leaves the outcome
    unknown; an unknown `sub_code` of a business error (40004) is a refusal."""
    if code == "40004":
        # `ACQ.X` is also met as `aop.ACQ.X`: the last word is the meaning.
        return _BY_SUB_CODE.get(sub_code.rpartition("ACQ.")[2], Refused)
    return _BY_CODE.get(code, UnknownOutcome)
