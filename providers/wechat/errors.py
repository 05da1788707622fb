"""Which of WeChat Pay's codes means what (error tables of the API v3 documents)."""

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

SYSTEM = "wechat"


class RefundFrequencyLimited(UnknownOutcome):
    """A refund was slowed down, which leaves its outcome unknown: query the refund before repeating it."""


_BY_CODE: Mapping[str, type[ProviderError]] = {
    "SYSTEM_ERROR": UnknownOutcome,
    "BANK_ERROR": UnknownOutcome,
    "SERVICE_UNAVAILABLE": UnknownOutcome,
    "ACCEPTED": UnknownOutcome,
    "USERPAYING": DecideByQuery,
    "FREQUENCY_LIMITED": RateLimited,
    "FREQUENCY_LIMIT_EXCEED": RateLimited,
    "RATELIMIT_EXCEEDED": RateLimited,
    "OUT_TRADE_NO_USED": OrderNumberUsed,
    "ORDER_CLOSED": OrderClosed,
    "TRADE_ERROR": DecideByQuery,
    "ORDERPAID": OrderAlreadyPaid,
    "ORDER_PAID": OrderAlreadyPaid,
    "NOT_ENOUGH": NotEnough,
    "ACCOUNT_ERROR": OperatorNeeded,
    "USER_ACCOUNT_ABNORMAL": OperatorNeeded,
    "NO_AUTH": OperatorNeeded,
    "RULE_LIMIT": OperatorNeeded,
    "ORDER_NOT_EXIST": NotFound,
    "RESOURCE_NOT_EXISTS": NotFound,
    "NO_STATEMENT_EXIST": NotFound,
    "STATEMENT_CREATING": UnknownOutcome,
    "OPENID_MISMATCH": Refused,
    "INVALID_TRANSACTIONID": Refused,
}


def error_class(status: int, code: str, *, is_refund: bool) -> type[ProviderError]:
    """The class for an error reply: by `code` where it is known, else by HTTP status. Never by message text."""
    found = _BY_CODE.get(code)
    if found is None and status == 429:
        found = RateLimited
    if found is RateLimited and is_refund:
        return RefundFrequencyLimited
    if found is None:
        # Codes come and go, but a 4xx that names one is final. Without one it came from something in between (a proxy,
        # a wrong address), which knows nothing of the order.
        return Refused if code and 400 <= status < 500 else UnknownOutcome
    return found
