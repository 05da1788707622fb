"""What an approval asks, as a person reads it: every amount and line of its content."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from domain.approvals import ApprovalRequest
from starter.cli.language import called, state
from starter.cli.text import money

AMOUNTS = ("amount_minor", "total_minor")


def kind_words(kind: str) -> str:
    return called("approval", kind)


def amount_of(request: ApprovalRequest) -> str:
    """What it is about in money; empty when it is about none."""
    for name in AMOUNTS:
        if isinstance(value := request.content.get(name), int):
            return money(value, str(request.content.get("currency", "CNY")))
    return ""


def explained(request: ApprovalRequest, apart: Collection[str] = ()) -> list[tuple[str, str]]:
    """`what  value` rows; amounts as money, names in words. What becomes looser, and what is `apart`, is told apart."""
    currency = str(request.content.get("currency", "CNY"))
    shown = {name: value for name, value in request.content.items() if name != "looser" and name not in apart}
    return list(_rows("", shown, currency))


def _rows(where: str, value: Any, currency: str, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            label = called("content", key)
            yield from _rows(f"{where}.{label}" if where else label, inner, currency, str(key))
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list) for inner in value):
        for n, inner in enumerate(value, 1):
            yield from _rows(f"{where} {n}", inner, currency)
    elif isinstance(value, list | tuple):
        yield where, ", ".join(map(str, value))
    elif name.endswith("_minor") and isinstance(value, int):
        yield where, money(value, currency)
    elif value is not None and value != "":
        kind = {"type": "return_type", "fault": "fault", "role": "role", "payee": "payee"}.get(name)
        yield where, state(kind, value) if kind else str(value)
