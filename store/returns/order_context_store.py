"""What return workflows need of the books beside their case: surroundings, quotes, slots for refunds, replacements."""

from collections.abc import Sequence
from datetime import datetime

from domain.policy import Policy
from domain.records import AuditEntry, TicketRecord
from domain.returns.approval_route import route_input
from domain.returns.enums import Level, ReturnType
from domain.returns.models import Admitted, Quote
from domain.units import UnitRange
from store.audit.audit import append_entry
from store.pool import Pool
from store.returns import limits, replacements
from store.returns.order_context import CLOSE, Surroundings, quote_for_units, surroundings
from store.returns.routing import limits_of, route_by_rules
from store.returns.stock_location import what_left
from store.tickets.tickets import open_ticket

ORDER_OF = "SELECT order_no FROM return_cases WHERE return_no = $1"


# What cases hold of it and what has been asked back: added up where the policy says so.
PRIOR = "SELECT returning_minor + refund_reserved_minor FROM orders WHERE order_no = $1"


class OrderContextStore:
    """Every method is one transaction, and may be repeated."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def surroundings(self, admitted: Admitted) -> Surroundings:
        async with self._pool.acquire() as connection:
            return await surroundings(connection, admitted)

    async def quote(self, return_no: str, accepted: Sequence[UnitRange], policy: Policy) -> Quote:
        async with self._pool.acquire() as connection:
            return await quote_for_units(connection, return_no, accepted, policy)

    async def what_left(self, return_no: str) -> tuple[UnitRange, ...]:
        async with self._pool.acquire() as connection:
            return await what_left(connection, return_no)

    async def cancel_route(self, order_no: str, amount_minor: int, policy: Policy) -> tuple[Level, ...]:
        """Who has to agree before so much of an order goes back unshipped."""
        async with self._pool.acquire() as connection:
            rules = await limits_of(connection, order_no, policy)
            prior_minor = await connection.fetchval(PRIOR, order_no)
            kind = ReturnType.CANCEL_UNSHIPPED
            compared = route_input(rules, kind, amount_minor, prior_minor=prior_minor or 0)
            return await route_by_rules(connection, compared, order_no)

    async def refund_slot(
        self, order_no: str, refund_no: str, payment_key: str, spacing_s: int, now: datetime
    ) -> tuple[datetime, str]:
        async with self._pool.acquire() as connection, connection.transaction():
            return await limits.refund_slot(connection, order_no, refund_no, payment_key, spacing_s, now)

    async def open_replacement(
        self, return_no: str, order_no: str, lines: Sequence[replacements.Goods], at: datetime
    ) -> tuple[str, tuple[str, ...]]:
        async with self._pool.acquire() as connection, connection.transaction():
            return await replacements.open_replacement(connection, return_no, order_no, lines, at)

    async def write_replacement(self, sent: replacements.ReplacementSent) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await replacements.write_replacement(connection, sent)

    async def close_order(self, order_no: str, return_no: str, at: datetime) -> bool:
        """After a payout: an order that has ended is closed when nothing of it is left. True: it is closed now."""
        async with self._pool.acquire() as connection, connection.transaction():
            closed = await connection.fetchval(CLOSE, order_no, at) is not None
            if closed:
                detail = {"return_no": return_no, "why": "every unit has been paid back"}
                await append_entry(
                    connection, AuditEntry(actor="system", action="order.close", detail=detail), at, order_no
                )
            return closed

    async def ask_about_late_goods(self, return_no: str, why: str, at: datetime) -> None:
        """Goods came for a closed case that cannot be reopened: a person has to look at the parcel (N6)."""
        ticket = TicketRecord(
            ticket_id=f"T-{return_no}-late", system="return desk", step="late parcel", error=why[:500],
            severity="urgent", actions=("give_up",), give_up_means="a person has settled it with the buyer",
        )  # fmt: skip
        async with self._pool.acquire() as connection:
            order_no = await connection.fetchval(ORDER_OF, return_no)
            await open_ticket(connection, ticket, order_no, at, outside=True)
