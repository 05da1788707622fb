"""Orders that left, and applications about them, to test with."""

from datetime import datetime, timedelta
from typing import Any

from domain.policy import Policy
from domain.records import ChildState, StockMove
from domain.returns.enums import Acceptance, CaseStatus, Reason, Reception, ReturnType
from domain.returns.models import Actor, Admitted, ApplyReturn
from domain.returns.records import ReturnWrite
from domain.states import ChildStatus
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.evidence import EvidenceStore, NewEvidence
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_settled_order, a_write

LATER = NOW + timedelta(days=3)
POLICY = Policy()


async def an_arrived_order(
    orders: OrderStore, stock: StockStore, order_no: str = "SO20261120", signed_at: datetime = NOW
) -> str:
    """3 × A (L1) and 2 × B (L2), 34.00 a piece of A … in two parcels, both signed for."""
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await stock.receive(sku, warehouse, 10, f"GR-{order_no}-{sku}")
    settled = await a_settled_order(orders, order_no)
    await orders.write(
        a_write(
            order_no,
            seq=2,
            children=tuple(
                ChildState(child_no=c.child_no, status=ChildStatus.SIGNED, signed_at=signed_at)
                for c in settled.children
            ),
            moves=tuple(_left(c.child_no, line, qty) for c in settled.children for line, qty in c.lines.items()),
        )
    )
    return order_no


def _left(child_no: str, line_id: str, qty: int) -> StockMove:
    sku, warehouse = {"L1": ("A", "WH-1"), "L2": ("B", "WH-2")}[line_id]
    return StockMove(ref=f"{child_no}/{line_id}", kind="ship", sku=sku, warehouse=warehouse, qty=qty)


def an_application(return_no: str = "RT20261120", order_no: str = "SO20261120", **changes: Any) -> ApplyReturn:
    fields: dict[str, Any] = {
        "return_no": return_no,
        "order_no": order_no,
        "type": ReturnType.RETURN_REFUND,
        "channel": "app",
        "actor": Actor(kind="buyer", id="b-1"),
        "lines": {"L1": 1},
        "reason": Reason.NO_REASON,
        "evidence": (f"evidence-{return_no}",),
    }
    return ApplyReturn(**{**fields, **changes})


def a_case_write(return_no: str = "RT20261120", seq: int = 1, **changes: Any) -> ReturnWrite:
    fields: dict[str, Any] = {
        "return_no": return_no,
        "seq": seq,
        "at": LATER + timedelta(minutes=seq),
        "status": CaseStatus.WAITING_RETURN,
        "reception": Reception.AWAITED,
        "acceptance": Acceptance.PENDING,
        "waiting_for": f"what comes after {seq}",
        "needs_attention": False,
    }
    return ReturnWrite(**{**fields, **changes})


async def an_upload(pool: Pool, application: ApplyReturn) -> None:
    """The pictures that an application names, as if somebody had uploaded them."""
    store = EvidenceStore(pool)
    for evidence_id in application.evidence:
        await store.add(
            NewEvidence(
                evidence_id=evidence_id,
                return_no=application.return_no,
                order_no=application.order_no,
                purpose="application",
                content_type="image/jpeg",
                size=1_000,
                width=10,
                height=10,
                sha256=bytes(32),
                uploaded_by="b-1",
                uploaded_at=LATER,
            )
        )


async def a_case(returns: ReturnStore, pool: Pool, return_no: str = "RT20261120", **changes: Any) -> Admitted:
    """Uploaded, applied, admitted."""
    application = an_application(return_no, **changes)
    await an_upload(pool, application)
    return await returns.admit(application, "run-1", LATER, POLICY)
