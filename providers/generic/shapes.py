"""What the values of a fact's fields look like."""

import re

from providers.tracking import WAYBILL

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
WHOLE = re.compile(r"[0-9]{1,15}")
AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
WRITTEN_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}[0-9:.,+\-Zz]{0,25}")
_ANY = re.compile(r".*", re.DOTALL)
_OWN = {
    "waybill_no": re.compile(WAYBILL),
    "currency": re.compile(r"[A-Z]{3}"),
    "note": _ANY,
}


def shape_of(field: str) -> re.Pattern[str]:
    """For `fullmatch`. Fields without a shape of their own are ids."""
    return _OWN.get(field, ID)
