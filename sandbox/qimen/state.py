"""The warehouse's memory of outbound orders. Every change is a journal row first; state is rebuilt from the rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.core import Ledger, Row

NEW, ACCEPT, REJECT, PICK, PACKAGE, EXCEPTION = "NEW", "ACCEPT", "REJECT", "PICK", "PACKAGE", "EXCEPTION"
DELIVERED, CANCELED = "DELIVERED", "CANCELED"
SHELVED = (NEW, ACCEPT)
"""Nobody has touched the goods yet."""


@dataclass
class Line:
    line_no: str
    item: str
    planned: int
    actual: int | None = None
    """None: not picked yet."""


@dataclass
class Order:
    code: str
    number: str
    """The warehouse's own deliveryOrderId."""
    warehouse: str
    content: dict[str, Any]
    lines: list[Line]
    fault: str
    since: datetime
    """When the present stage began."""
    stage: str = NEW
    cancel_since: datetime | None = None
    cancel_wins: bool = True
    on_truck: bool = False
    """Out of reach though not yet confirmed."""
    waybill_no: str = ""
    carrier: str = ""
    handed_over: bool = False
    reported: set[str] = field(default_factory=set)
    """Statuses already on their way to the owner of the goods."""

    def units(self) -> dict[str, int]:
        """Units per item: picked where picked, else planned."""
        total: dict[str, int] = {}
        for line in self.lines:
            total[line.item] = total.get(line.item, 0) + (line.planned if line.actual is None else line.actual)
        return total


def order_of(code: str) -> str:
    return code.rpartition("-")[0] or code


def ids_of(code: str) -> dict[str, str]:
    """What faults may match on."""
    return {"order_no": order_of(code), "child_no": code}


class State:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.orders: dict[str, Order] = {}
        self._rebuild(ledger.rows)

    def push(self, code: str, content: Mapping[str, Any], fault: str) -> Order:
        """`content`: warehouse, receiver and lines as read from the call; the same again is the same order."""
        units: dict[str, int] = {}
        for line in content["lines"]:
            units[line["item"]] = units.get(line["item"], 0) + line["planned"]
        number = f"W{len(self.orders) + 1:08d}"
        return self._write("push", code, number=number, units=units, content=dict(content), fault=fault)

    def move(self, order: Order, stage: str) -> None:
        self._write("stage", order.code, stage=stage)

    def pick(self, order: Order, actual: list[int]) -> None:
        self._write("stage", order.code, stage=PICK, actual=actual)

    def cancel(self, order: Order, result: str, *, wins: bool = True) -> None:
        """`result`: cancelled, pending or too_late, as it was answered. Told once per change, not per repeated call."""
        self._write("cancel", order.code, result=result, wins=wins, units=order.units())

    def ship(self, order: Order, waybill_no: str, carrier: str) -> None:
        self._write("ship", order.code, waybill_no=waybill_no, carrier=carrier, units=order.units())

    def hand_over(self, order: Order) -> None:
        self._write("handover", order.code, waybill_no=order.waybill_no)

    def _write(self, op: str, code: str, **data: Any) -> Order:
        return self._enter(self._ledger.add(op, key=code, order_no=order_of(code), **data))

    def _rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.op in _ENTER:
                self._enter(row)
            elif row.op == "callback":
                code, _, status = row.key.rpartition(":")
                self.orders[code].reported.add(status)

    def _enter(self, row: Row) -> Order:
        at = datetime.fromisoformat(row.at)
        if row.op == "push":
            self.orders[row.key] = _opened(row, at)
        order = self.orders[row.key]
        _ENTER[row.op](order, row.data, at)
        return order


def _opened(row: Row, at: datetime) -> Order:
    content = row.data["content"]
    lines = [Line(**line) for line in content["lines"]]
    return Order(row.key, row.data["number"], content["warehouse"], content, lines, row.data["fault"], since=at)


def _staged(order: Order, data: Mapping[str, Any], at: datetime) -> None:
    order.stage, order.since = data["stage"], at
    for line, actual in zip(order.lines, data.get("actual", ()), strict=False):
        line.actual = actual


def _cancelled(order: Order, data: Mapping[str, Any], at: datetime) -> None:
    if data["result"] == "cancelled":
        order.stage, order.since = CANCELED, at
    elif data["result"] == "pending":
        order.cancel_since, order.cancel_wins = at, data["wins"]
    else:
        order.on_truck = True


def _shipped(order: Order, data: Mapping[str, Any], at: datetime) -> None:
    order.stage, order.since = DELIVERED, at
    order.waybill_no, order.carrier = data["waybill_no"], data["carrier"]


def _handed(order: Order, _data: Mapping[str, Any], _at: datetime) -> None:
    order.handed_over = True


def _nothing_more(_order: Order, _data: Mapping[str, Any], _at: datetime) -> None:
    pass


_ENTER = {"push": _nothing_more, "stage": _staged, "cancel": _cancelled, "ship": _shipped, "handover": _handed}
