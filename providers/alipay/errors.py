"""Alipay's errors: one class per way of acting on them (opendocs common/02km9f and the error tables of each method)."""

from collections.abc import Mapping

from providers.errors import ProviderError, Refused, Unavailable, UnknownOutcome

SYSTEM = "alipay"


class AlipayRefused(Refused):
    """The same call will be refused again: a mistake of ours in the request, the keys or the account."""


class DecideByQuery(AlipayRefused):
    """The trade is not in the state that the call needs: query it, then decide."""


class OrderAlreadyPaid(DecideByQuery):
    """TRADE_HAS_SUCCESS, TRADE_HAS_FINISHED: the buyer was faster. After FINISHED nothing can be refunded any more."""


class OrderClosed(DecideByQuery):
    """TRADE_HAS_CLOSE: nobody can pay this order number any more."""


class OrderNumberUsed(DecideByQuery):
    """CONTEXT_INCONSISTENT: the number exists with other parameters."""


class NotFound(AlipayRefused):
    """TRADE_NOT_EXIST: no such trade, which is also what an order is until its buyer scans the code. Our own
    REFUND_NOT_EXIST: Alipay never received the refund, or it failed; the same call may be repeated."""


class RefundNumberUsed(AlipayRefused):
    """DISCORDANT_REPEAT_REQUEST: the refund number exists with another amount."""


class OperatorNeeded(AlipayRefused):
    """Money or account trouble that only a person can mend, after which the same call may succeed."""


class NotEnough(OperatorNeeded):
    """SELLER_BALANCE_NOT_ENOUGH: the merchant's balance does not cover the refund."""


class AlipayUnavailable(Unavailable):
    """Certainly not done: repeat the same call later."""


class RateLimited(AlipayUnavailable):
    """Code 40005, or HTTP 429: stopped at the gateway, before any work."""


class AlipayUnknownOutcome(UnknownOutcome):
    """May or may not have been done. Payment: query. Refund: repeat with the same number and amount, or query."""


class UnverifiedReply(AlipayUnknownOutcome):
    """A reply that is not provably Alipay's, so nothing in it is believed."""


_BY_CODE: Mapping[str, type[ProviderError]] = {
    "20000": AlipayUnknownOutcome,
    "20001": AlipayRefused,
    "40001": AlipayRefused,
    "40002": AlipayRefused,
    "40003": AlipayRefused,
    "40004": AlipayRefused,
    "40005": RateLimited,
    "40006": OperatorNeeded,
}
_BY_SUB_CODE: Mapping[str, type[ProviderError]] = {
    "SYSTEM_ERROR": AlipayUnknownOutcome,
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
        return _BY_SUB_CODE.get(sub_code.rpartition("ACQ.")[2], AlipayRefused)
    return _BY_CODE.get(code, AlipayUnknownOutcome)
