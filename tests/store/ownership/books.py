"""One paid order to look for owners in, and what is written of it.

3 × A (L1, parcel -01) and 2 × B (L2, parcel -02), 102.00 (`tests/store/examples.py`).
"""

from datetime import timedelta

import pytest

from domain.ownership import OwnerFault, OwnershipViolation
from domain.records import (
    ChildState,
    OrderWrite,
    RefundRecord,
    StockMove,
    TicketRecord,
)
from domain.states import ChildStatus, RefundStatus
from store.orders.orders import OrderStore
from store.ownership.check import OwnershipStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_settled_order, a_write

ORDER = "SO20261120"
FIRST, SECOND = f"{ORDER}-01", f"{ORDER}-02"
MUCH_LATER = NOW + timedelta(days=30)
GOODS = {FIRST: ("L1", "A", "WH-1", 3), SECOND: ("L2", "B", "WH-2", 2)}


@pytest.fixture
async def paid(orders: OrderStore, stock: StockStore) -> str:
    await stock.receive("A", "WH-1", 10, "GR-A")
    await stock.receive("B", "WH-2", 10, "GR-B")
    await a_settled_order(orders)
    return ORDER


async def found(pool: Pool) -> list[OwnershipViolation]:
    return list(await OwnershipStore(pool).violations([ORDER], MUCH_LATER))


async def names(pool: Pool) -> list[tuple[OwnerFault, str, str]]:
    return [(v.found, v.line_id, v.unit) for v in await found(pool) if v.units]


def move(child: str, kind: str, qty: int | None = None, again: str = "") -> StockMove:
    line, sku, warehouse, all_of_it = GOODS[child]
    ref = f"{child}/{line}{again}"
    return StockMove.model_validate(
        {"ref": ref, "kind": kind, "sku": sku, "warehouse": warehouse, "qty": qty or all_of_it}
    )


def is_now(child: str, status: ChildStatus) -> ChildState:
    return ChildState(child_no=child, status=status)


def refund(
    number: str, amount: int, child: str, units: int, status: RefundStatus = RefundStatus.SUCCEEDED
) -> RefundRecord:
    line = GOODS[child][0]
    return RefundRecord(
        refund_no=number, amount_minor=amount, status=status, reason="cancelled", units={line: units}, children=(child,)
    )


def ticket(step: str, child: str | None, **changes: object) -> TicketRecord:
    return TicketRecord.model_validate(
        {"ticket_id": f"T-{ORDER}-1", "system": "qimen", "step": step, "error": "why", "child_no": child, **changes}
    )


CANCELLED = a_write(seq=2, children=(is_now(FIRST, ChildStatus.CANCELLED),), moves=(move(FIRST, "release"),))
SHIPPED = a_write(seq=2, children=(is_now(FIRST, ChildStatus.SHIPPED),), moves=(move(FIRST, "ship"),))
SHORT = a_write(
    seq=2,
    children=(is_now(FIRST, ChildStatus.SHIPPED),),
    moves=(move(FIRST, "ship", 2), move(FIRST, "write_off", 1)),
)


async def write(orders: OrderStore, *writes: OrderWrite) -> None:
    for one in writes:
        await orders.write(one)
