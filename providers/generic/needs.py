"""What a fact of each kind must carry to be of use, and what makes a good key. Checked when a mapping is loaded."""

import re
from collections.abc import Iterator, Mapping
from string import Formatter

from domain.facts import BUYER_KINDS, OURS_ALONE, Kind

_PARCEL = ("child_no", "waybill_no")
_CHARGEBACK = (("order_no",), ("chargeback_no",), ("amount_minor",), ("currency",))
_NEEDS: dict[Kind, tuple[tuple[str, ...], ...]] = {
    Kind.PAYMENT_SUCCEEDED: (("order_no",), ("transaction_id",), ("amount_minor",), ("currency",)),
    Kind.PAYMENT_CLOSED: (("order_no",),),
    Kind.REFUND_SUCCEEDED: (("refund_no",),),
    Kind.REFUND_ABNORMAL: (("refund_no",),),
    Kind.REFUND_CLOSED: (("refund_no",),),
    Kind.CHARGEBACK_OPENED: _CHARGEBACK,
    Kind.CHARGEBACK_WON: _CHARGEBACK,
    Kind.CHARGEBACK_LOST: _CHARGEBACK,
    **dict.fromkeys(BUYER_KINDS, (("order_no",),)),
    Kind.STOCK_ARRIVED: (("child_no", "order_no"),),
    Kind.SHORT_PICKED: (_PARCEL, ("actual",)),
    Kind.CUSTOMS_RELEASED: (("child_no",),),
    Kind.CUSTOMS_REFUSED: (("child_no",),),
    Kind.WAYBILL_RETURNED: (("child_no",), ("waybill_no",), ("carrier",)),
}
"""Of each group, one field at least. Kinds that are not listed are about a parcel and name it."""
_IDS = ("order_no", "child_no", "waybill_no", "refund_no", "chargeback_no", "transaction_id")
ALWAYS = ("source", "type", "kind", "occurred_at")
"""Names that any key may use; the others are those of the mapped texts."""
_NO_TEXT = frozenset({"amount_minor", "actual", "note"})
_LITERAL = re.compile(r"[A-Za-z0-9:._/-]*")


def kind_problems(kind: Kind, optional: Mapping[str, bool]) -> Iterator[str]:
    """`optional`: by name of every mapped field."""
    if kind in OURS_ALONE:
        yield f"{kind} is nothing that another system says"
    for group in _NEEDS.get(kind, (_PARCEL,)):
        if not any(optional.get(name) is False for name in group):
            mapped = "; it is mapped, but optional" if any(name in optional for name in group) else ""
            yield f"{kind} needs {' or '.join(group)}{mapped}"


def key_problems(template: str, source: str, kind: Kind, optional: Mapping[str, bool]) -> Iterator[str]:
    """A key names one happening: the source, whose it is, what it is."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as e:
        yield f"the key {template!r} is not a template: {e}"
        return
    names = [name for _, name, _, _ in parts if name is not None]
    if any(spec or conversion for _, _, spec, conversion in parts):
        yield "a key may only hold plain {name} places"
    if not all(_LITERAL.fullmatch(literal) for literal, _, _, _ in parts):
        yield "between its places a key holds letters, digits and : . _ / - only"
    usable = (*ALWAYS, *(name for name in optional if name not in _NO_TEXT))
    for name in names:
        if name not in usable:
            yield f"the key uses {{{name}}}, which is not there; there are {', '.join(usable)}"
        elif optional.get(name):
            yield f"the key uses {{{name}}}, which is optional and may be missing"
    if not template.startswith((f"{source}:", "{source}:")):
        yield "a key begins with {source}: so that no source can speak in another's name"
    if not {"kind", "type"} & set(names):
        yield "a key holds {kind} or {type}, else two happenings would count as one"
    if not set(_IDS) & set(names):
        yield f"a key holds one of {', '.join(_IDS)}, else two orders would share it"
    if kind is Kind.COURIER_EXCEPTION and "occurred_at" not in names:
        yield "COURIER_EXCEPTION can happen several times to one parcel: its key needs {occurred_at}"
    if kind in BUYER_KINDS and "occurred_at" not in names:
        yield f"{kind} can be said several times of one order: its key needs {{occurred_at}}"
