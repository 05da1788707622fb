"""`oms order label` writes a file once, and says what it needs the second time."""

import base64
from pathlib import Path

import pytest

from domain.order import StartOrder
from domain.records import ChildState, OrderWrite
from domain.states import ChildStatus, OrderStatus, PaymentStatus
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import NOW, Store, paid_order, store

__all__ = ["database_url", "paid_order", "store"]


@pytest.fixture
def child(paid_order: StartOrder, store: Store) -> str:
    """The number of a parcel that has its label."""
    number = f"{paid_order.order_no}-01"
    booked = ChildState(
        child_no=number,
        status=ChildStatus.PACKED,
        waybill_no="W1",
        carrier="SF",
        label_format="PDF",
        label_b64=base64.b64encode(b"%PDF").decode(),
    )
    write = OrderWrite(
        order_no=paid_order.order_no,
        seq=50,
        at=NOW,
        status=OrderStatus.AWAITING_SHIPMENT,
        payment_status=PaymentStatus.PAID,
        waiting_for="carrier",
        needs_attention=False,
        children=(booked,),
    )

    async def book(pool: Pool) -> None:
        await OrderStore(pool).write(write)

    store(book)
    return number


def test_a_second_copy_needs_a_reason_and_a_file_is_never_overwritten(oms: Oms, child: str, tmp_path: Path) -> None:
    out = tmp_path / "label.pdf"
    said = oms("order", "label", child, "--out", str(out), "--by", "anna", "--json")
    assert said.code == 0, said.err
    assert (said.code, said.json["copy"], out.read_bytes()) == (0, 1, b"%PDF")
    again = oms("order", "label", child, "--out", str(out), "--reason", "lost")
    assert (again.code, again.err) == (1, f"Error: {out} exists already; name another file.\n")
    other = tmp_path / "again.pdf"
    silent = oms("order", "label", child, "--out", str(other))
    assert (silent.code, "--reason" in silent.err, other.exists()) == (2, True, False)
    assert oms("order", "label", child, "--out", str(other), "--reason", "lost").code == 0


def test_a_parcel_without_a_label_leaves_no_file(oms: Oms, child: str, tmp_path: Path) -> None:
    out = tmp_path / "none.pdf"
    said = oms("order", "label", child[:-1] + "2", "--out", str(out))
    assert (said.code, "no label" in said.err, out.exists()) == (1, True, False)
