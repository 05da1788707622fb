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
    code: status
    for status, codes in {
        S.PRE_TRANSIT: "138 141 201 205 206 646 647",
        S.PICKED_UP: "41 43 46 50 51 54 127 129 188 214 407 607 633 651 655 656 700 701 843 850 851",
        S.IN_TRANSIT: (
            "10 11 14 30 31 36 64 65 66 75 77 84 86 87 105 106 122 136 137 147 186 187 189 190 202 208 302 304 405 "
            "406 570 571 623 626 627 642 643 649 657 676 830 831 833 844 847 3036"
        ),
        S.CUSTOMS: "15 16 17 604 605 606 612 613 614 619 620",
        S.OUT_FOR_DELIVERY: "34 44 47 123 126 204 211 212 630 632 634 658 664 677",
        S.READY_FOR_PICKUP: "125 130 678",
        S.DELIVERED: "80 128 679",
        S.EXCEPTION: "18 33 70 72 131 611 621",
        S.REFUSED: "99 215 631 648 660",
    }.items()
    for code in codes.split()
}  # fmt: skip
"""Of SF's table of route nodes."""
SAY_NOTHING = frozenset({"135", "140", "151", "152", "153", "154", "8000"})
"""Of the same table, and nothing of a parcel's way: notes, appointments of fitters, pictures of a signature."""
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


def is_known(op_code: str) -> bool:
    """SF has published what it means."""
    return op_code in _STATUS_OF_OP or op_code in SAY_NOTHING


def status_of(op_code: str, first_status: str = "") -> S:
    """SF's own first status decides, for some opCodes (8000) mean different things in different tables.

    It has no word for trouble on the way, so there the opCode does. An opCode that we do not know says nothing: a scan
    that is missed costs less than a wrong one.
    """
    by_op = _STATUS_OF_OP.get(op_code, S.UNKNOWN)
    if by_op in _TROUBLE and first_status not in _ENDS:
        return by_op
    return _STATUS_OF_FIRST.get(first_status, by_op)
