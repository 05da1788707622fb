"""WeChat Pay's errors: one class per way of acting on them (error tables of the API v3 documents)."""

from collections.abc import Mapping

from providers.errors import ProviderError, Refused, Unavailable, UnknownOutcome

SYSTEM = "wechat"


class WechatRefused(Refused):
    """The same call will be refused again: a mistake of ours in the request, the keys or the account."""


class DecideByQuery(WechatRefused):
    """The trade is not in the state that the call needs: query it, then decide."""


class OrderAlreadyPaid(DecideByQuery):
    """ORDERPAID: the buyer was faster."""


class OrderClosed(DecideByQuery):
    """ORDER_CLOSED: nobody can pay this order number any more."""


class OrderNumberUsed(DecideByQuery):
    """OUT_TRADE_NO_USED: the number exists with other parameters."""


class NotFound(WechatRefused):
    """ORDER_NOT_EXIST, RESOURCE_NOT_EXISTS: WeChat Pay does not know the order or refund."""


class OperatorNeeded(WechatRefused):
    """Money or account trouble that only a person can mend, after which the same call may succeed."""


class NotEnough(OperatorNeeded):
    """NOT_ENOUGH: the merchant's balance does not cover the refund."""


class WechatUnavailable(Unavailable):
    """Certainly not done: repeat the same call later."""


class FrequencyLimited(WechatUnavailable):
    """FREQUENCY_LIMITED, RATELIMIT_EXCEEDED, or any 429."""


class WechatUnknownOutcome(UnknownOutcome):
    """May or may not have been done: query, or repeat with the same numbers and parameters."""


class RefundFrequencyLimited(WechatUnknownOutcome):
    """A refund was slowed down, which leaves its outcome unknown: query the refund before repeating it."""


class UnverifiedReply(WechatUnknownOutcome):
    """A reply that is not provably WeChat Pay's, so nothing in it is believed."""


_BY_CODE: Mapping[str, type[ProviderError]] = {
    "SYSTEM_ERROR": WechatUnknownOutcome,
    "BANK_ERROR": WechatUnknownOutcome,
    "SERVICE_UNAVAILABLE": WechatUnknownOutcome,
    "ACCEPTED": WechatUnknownOutcome,
    "USERPAYING": DecideByQuery,
    "FREQUENCY_LIMITED": FrequencyLimited,
    "FREQUENCY_LIMIT_EXCEED": FrequencyLimited,
    "RATELIMIT_EXCEEDED": FrequencyLimited,
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
    "OPENID_MISMATCH": WechatRefused,
    "INVALID_TRANSACTIONID": WechatRefused,
}


def error_class(status: int, code: str, *, is_refund: bool) -> type[ProviderError]:
    """The class for an error reply: by `code` where it is known, else by HTTP status. Never by message text."""
    found = _BY_CODE.get(code)
    if found is None and status == 429:
        found = FrequencyLimited
    if found is FrequencyLimited and is_refund:
        return RefundFrequencyLimited
    if found is None:
        # Codes come and go, but a 4xx that names one is final. Without one it came from something in between (a proxy,
        # a wrong address), which knows nothing of the order.
        return WechatRefused if code and 400 <= status < 500 else WechatUnknownOutcome
    return found
