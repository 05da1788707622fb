"""Stock of a returned unit: frozen on approval, out of it only by inspection or by closing the case (R49)."""

from enum import StrEnum

from domain.order import Id, Sku
from domain.records import StockMove
from domain.returns.enums import Grade
from domain.strict import Strict


class Op(StrEnum):
    APPROVE_RETURN = "approve_return"
    GRADE_GOOD = "grade_good"
    GRADE_MINOR = "grade_minor"
    GRADE_SCRAP = "grade_scrap"
    CLOSE_RETURN = "close_return"
    RESERVE = "reserve"
    SHIP = "ship"


class Balance(Strict):
    """What is counted of one SKU. Goods that are with buyers (`shipped` in the store) are not in it."""

    available: int = 0
    frozen: int = 0
    second_hand: int = 0
    scrapped: int = 0
    reserved: int = 0


class WouldGoNegative(ValueError):
    """There are not so many units to move."""


CHANGES: dict[Op, dict[str, int]] = {
    Op.APPROVE_RETURN: {"frozen": 1},
    Op.GRADE_GOOD: {"frozen": -1, "available": 1},
    Op.GRADE_MINOR: {"frozen": -1, "second_hand": 1},
    Op.GRADE_SCRAP: {"frozen": -1, "scrapped": 1},
    Op.CLOSE_RETURN: {"frozen": -1},
    Op.RESERVE: {"available": -1, "reserved": 1},
    Op.SHIP: {"reserved": -1},
}


def apply(balance: Balance, op: Op, qty: int) -> Balance:
    """Raises `WouldGoNegative`; the balance is then as before."""
    after = {name: getattr(balance, name) + qty * CHANGES[op].get(name, 0) for name in Balance.model_fields}
    short = sorted(name for name, value in after.items() if value < 0)
    if short:
        raise WouldGoNegative(f"{op} of {qty} needs more {', '.join(short)} than there is: {balance}")
    return Balance(**after)


# --- the same moves for the store -------------------------------------------------------------------------------------


def freeze(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """On approval: units on their way back. `{return_no}/{line_id}` is the ref of what later becomes of them."""
    return StockMove(ref=f"{return_no}/{line_id}", kind="freeze", sku=sku, warehouse=warehouse, qty=qty)


def close(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """They stay with the buyer after all."""
    return StockMove(ref=f"{return_no}/{line_id}", kind="unfreeze", sku=sku, warehouse=warehouse, qty=qty)


def grade(return_no: str, line_id: Id, unit: int, sku: Sku, warehouse: str, given: Grade) -> StockMove:
    """One inspected unit; `unit` is its number in the line, so a unit is graded once."""
    kinds = {Grade.GOOD: "grade_good", Grade.MINOR: "grade_minor", Grade.SCRAP: "grade_scrap"}
    return StockMove.model_validate(
        {"ref": f"{return_no}/{line_id}/{unit}", "kind": kinds[given], "sku": sku, "warehouse": warehouse, "qty": 1}
    )


def reserve(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """The replacement is held. Its ref is not the returned goods' one."""
    return StockMove(ref=f"{return_no}/X/{line_id}", kind="reserve", sku=sku, warehouse=warehouse, qty=qty)


def ship(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """The replacement has left."""
    return StockMove(ref=f"{return_no}/X/{line_id}", kind="ship", sku=sku, warehouse=warehouse, qty=qty)


def write_off(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """Of the replacement, what the warehouse did not find."""
    return StockMove(ref=f"{return_no}/X/{line_id}", kind="write_off", sku=sku, warehouse=warehouse, qty=qty)


def release(return_no: str, line_id: Id, sku: Sku, warehouse: str, qty: int) -> StockMove:
    """The replacement is not sent after all."""
    return StockMove(ref=f"{return_no}/X/{line_id}", kind="release", sku=sku, warehouse=warehouse, qty=qty)
