"""What a case's workflow needs to know of its order: read once at the start, and what certain units are worth."""

from collections.abc import Sequence
from typing import Any

from domain.order import Address
from domain.policy import Policy
from domain.returns.enums import ReturnType
from domain.returns.models import Admitted, ApplyReturn, Quote
from domain.returns.refunding import payout
from domain.shares import UnitShare
from domain.strict import of
from domain.units import UnitRange
from store.pool import Connection
from store.returns.errors import NoSuchReturn
from store.returns.terms import terms_of

# The case's own words, and its order's.
CASE = """
SELECT c.order_no, c.application, c.admitted, c.linked_to, c.policy_version, o.start FROM return_cases c
JOIN orders o USING (order_no) WHERE c.return_no = $1"""

LINES = """
SELECT line_id, sku, name, coalesce(warehouse, 'PENDING-TAGS') AS warehouse, weight_g, qty FROM order_lines
WHERE order_no = $1 ORDER BY pos"""

SHARES = """
SELECT line_id, first_unit, units, net_minor, freight_minor FROM unit_shares WHERE order_no = $1
ORDER BY line_id, first_unit"""

# An order that has ended as completed is closed once every unit has been paid back.
CLOSE = """
UPDATE orders o SET status = 'CLOSED', closed_at = coalesce(closed_at, $2), updated_at = $2
WHERE order_no = $1 AND ended_at IS NOT NULL AND status = 'COMPLETED'
    AND NOT EXISTS (SELECT FROM order_lines l WHERE l.order_no = o.order_no AND l.refunded_units < l.qty)
RETURNING order_no"""


class Surroundings:
    """Of one case: `lines` are rows with the units of the case, `start` the order's start message."""

    def __init__(self, application: ApplyReturn, linked_to: str | None, start: dict[str, Any]) -> None:
        self.application = application
        self.linked_to = linked_to
        self.address = of(Address, start["address"])
        self.channel: Any = start.get("payment", {}).get("channel", "wechat")
        self.coupons = tuple(coupon["coupon_id"] for coupon in start.get("coupons", ()))
        self.lines: list[dict[str, Any]] = []
        self.whole_order = False


async def surroundings(connection: Connection, admitted: Admitted) -> Surroundings:
    """Raises `NoSuchReturn`."""
    row = await connection.fetchrow(CASE, admitted.return_no)
    if row is None:
        raise NoSuchReturn(admitted.return_no)
    found = Surroundings(of(ApplyReturn, row["application"]), row["linked_to"], row["start"])
    lines = [dict(line) for line in await connection.fetch(LINES, admitted.order_no)]
    taken: dict[str, int] = {}
    for r in admitted.units:
        taken[r.line_id] = taken.get(r.line_id, 0) + r.units
    found.whole_order = all(taken.get(line["line_id"], 0) == line["qty"] for line in lines)
    found.lines = [line for line in lines if line["line_id"] in taken]
    return found


async def quote_for_units(
    connection: Connection, return_no: str, accepted: Sequence[UnitRange], policy: Policy
) -> Quote:
    """What these units of the case are worth; an amount that staff had lowered at the start stays a ceiling."""
    row = await connection.fetchrow(CASE, return_no)
    if row is None:
        raise NoSuchReturn(return_no)
    application = of(ApplyReturn, row["application"])
    shares = [of(UnitShare, dict(share)) for share in await connection.fetch(SHARES, row["order_no"])]
    return payout(
        ReturnType(application.type),
        shares,
        accepted,
        fault=application.fault,
        freight_policy=(await terms_of(connection, application, policy)).freight_back,
        lowered_minor=application.lowered_amount_minor,
    )
