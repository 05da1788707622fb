"""What somebody wants made of an order's children, whichever door it came through."""

from dataclasses import dataclass

from domain.approvals import Kind
from domain.fulfilment.reallocation import Because, Part
from workflows.order.changes.messages import RequestMerge, RequestResplit


@dataclass(frozen=True)
class ChangeRequest:
    """What somebody wants made of which children."""

    kind: Kind
    because: Because
    children: tuple[str, ...]
    into: tuple[Part, ...]
    """Empty: all of them together, as they are then."""
    remark: str
    by: str
    warehouse: str | None = None
    approver: str | None = None


def merge_request(m: RequestMerge) -> ChangeRequest:
    return ChangeRequest("merge_shipment", "merged", m.children, (), m.remark, m.by, m.warehouse, m.approver)


def resplit_request(m: RequestResplit) -> ChangeRequest:
    return ChangeRequest("manual_resplit", "resplit", m.children, m.into, m.remark, m.by)
