"""SF's result codes and scan codes in our words (docs/providers.md; SF open platform, tables of error codes)."""

from providers.tracking import ParcelStatus as S

OK = "A1000"
"""The platform passed the call on; whether SF did it is told by the business code."""
DONE = "S0000"
DUPLICATE = "8016"
NOT_FOUND = "8018"
CANCELLED = frozenset({"8037", "8253"})

LATER = frozenset({"A1005"})
"""Too many calls: certainly not done."""
UNKNOWN = frozenset({"A1007", "A1009", "A1099", "S0003", "4001"})
"""Repeated request id, target not reachable, faults of the system itself: it may have been done."""
HINTS = {
    "A1001": "a required field is missing",
    "A1002": "the request is too old for SF; check this machine's clock and the partner's access",
    "A1003": "SF does not accept calls from this address; have it put on SF's list",
    "A1004": "the partner has no right to this service; ask SF for it",
    "A1006": "the digest does not fit; check OMS_SF_PARTNER_ID and OMS_SF_CHECK_WORD",
    "A1008": "SF could not decrypt the message",
}
"""What to do about a refusal of the platform."""

_STATUS_OF_OP: dict[str, S] = {
    "50": S.PICKED_UP,
    "51": S.PICKED_UP,
    "43": S.PICKED_UP,
    "46": S.PICKED_UP,
    "607": S.PICKED_UP,
    "30": S.IN_TRANSIT,
    "31": S.IN_TRANSIT,
    "44": S.OUT_FOR_DELIVERY,
    "34": S.OUT_FOR_DELIVERY,
    "47": S.OUT_FOR_DELIVERY,
    "630": S.OUT_FOR_DELIVERY,
    "634": S.OUT_FOR_DELIVERY,
    "80": S.DELIVERED,
    "33": S.EXCEPTION,
    "70": S.EXCEPTION,
    "99": S.REFUSED,
    "648": S.REFUSED,
}
_STATUS_OF_FIRST: dict[str, S] = {
    "1": S.PICKED_UP,
    "2": S.IN_TRANSIT,
    "3": S.OUT_FOR_DELIVERY,
    "4": S.DELIVERED,
    "5": S.CANCELLED,
    "6": S.RETURNED,
}
_ENDS = frozenset({"4", "5", "6"})
_TROUBLE = frozenset({S.EXCEPTION, S.REFUSED})


def status_of(op_code: str, first_status: str = "") -> S:
    """SF's own first status decides, for some opCodes (8000) mean different things in different tables.

    It has no word for trouble on the way, so there the opCode does. An opCode that we do not know says nothing: a scan
    that is missed costs less than a wrong one.
    """
    by_op = _STATUS_OF_OP.get(op_code, S.UNKNOWN)
    if by_op in _TROUBLE and first_status not in _ENDS:
        return by_op
    return _STATUS_OF_FIRST.get(first_status, by_op)
