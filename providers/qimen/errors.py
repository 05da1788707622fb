"""What can go wrong at a Qimen warehouse, in the three ways that matter: refused, not done, unknown.

Qimen leaves reply codes to each warehouse. Those that change what we do are listed here, upper case; any other code
of a complete `flag=failure` reply is a refusal with the warehouse's own words.
"""

from providers.errors import ProviderError, Refused, Unavailable, UnknownOutcome

SYSTEM = "qimen"

DUPLICATE = frozenset({"DUPLICATE", "ORDER_EXISTS"})
NOT_FOUND = frozenset({"NOT_FOUND", "ORDER_NOT_FOUND"})
TOO_LATE = frozenset({"TOO_LATE", "ORDER_SHIPPED"})
PENDING = frozenset({"PENDING", "CANCEL_PENDING"})
THROTTLED = frozenset({"7", "APP CALL LIMITED", "TOO_MANY"})
"""The gateway turned the call away before the warehouse saw it (7 is the open platform's own number)."""


class WmsRefused(Refused):
    """The warehouse read the call and said no: the same call will be refused again."""


class WmsUnavailable(Unavailable):
    """Certainly not done: not connected, or throttled before the warehouse."""


class WmsUnknown(UnknownOutcome):
    """May have been done: time-out, reset, 5xx or no Qimen answer. Query by order code before deciding."""


def failure(code: str, message: str) -> ProviderError:
    """The error a `flag=failure` reply stands for."""
    if code.upper() in THROTTLED:
        return WmsUnavailable(SYSTEM, code, message)
    if code.upper().startswith("ISP."):
        # The open platform's mark for "the far side failed": it may have worked before it did.
        return WmsUnknown(SYSTEM, code, message)
    return WmsRefused(SYSTEM, code, message)
