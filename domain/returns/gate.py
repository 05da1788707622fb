"""The payout gate: never money before approval, receipt and inspection, and never twice (R53)."""

from enum import StrEnum

from domain.returns.enums import GOODS_COME_BACK, ReturnType
from domain.strict import Strict


class GateResult(StrEnum):
    OK = "OK"
    NOT_APPROVED = "NOT_APPROVED"
    GOODS_NOT_RECEIVED = "GOODS_NOT_RECEIVED"
    NOT_INSPECTED = "NOT_INSPECTED"
    FINANCE_REQUIRED = "FINANCE_REQUIRED"
    NOTHING_ACCEPTED = "NOTHING_ACCEPTED"
    DUPLICATE = "DUPLICATE"


class GateState(Strict):
    """What has happened in the case so far."""

    type: ReturnType = ReturnType.RETURN_REFUND
    approved: bool = False
    received: bool = False
    inspected: bool = False
    finance_needed: bool = False
    finance_approved: bool = False
    accepted_units: int | None = None
    """None: not counted yet."""
    paid_out: bool = False
    """Asked for, whatever the channel says about it: a second request is a duplicate."""


def refund_gate(state: GateState) -> GateResult:
    """What a payout request meets, first obstacle first."""
    goods = state.type in GOODS_COME_BACK
    obstacles = (
        (state.paid_out, GateResult.DUPLICATE),
        (not state.approved, GateResult.NOT_APPROVED),
        (goods and not state.received, GateResult.GOODS_NOT_RECEIVED),
        (goods and not state.inspected, GateResult.NOT_INSPECTED),
        (state.accepted_units == 0, GateResult.NOTHING_ACCEPTED),
        (state.finance_needed and not state.finance_approved, GateResult.FINANCE_REQUIRED),
    )
    return next((result for stands, result in obstacles if stands), GateResult.OK)
