"""A person is asked when the audit lacks what was anchored."""

from datetime import datetime

from domain.records import TicketRecord
from store.audit.anchor import Anchor
from store.pool import Pool
from store.tickets.tickets import open_ticket

ANSWERED = "SELECT resolved_at IS NOT NULL FROM tickets WHERE ticket_id = $1"


async def ask_about_the_audit(pool: Pool, anchor: Anchor, last: int, at: datetime) -> bool:
    """One ticket an anchor. True: a person has answered it, so the audit goes on from where it is."""
    why = f"its last row is {last}" if last < anchor.seq else "another one stands in its place"
    ticket = TicketRecord(
        ticket_id=f"audit-{anchor.seq}-{anchor.hash[:12]}",
        system="audit",
        step="anchor",
        error=f"row {anchor.seq} of the audit was there at {anchor.at} and is gone: {why}. Keep the anchor's file and "
        "its copies, run `oms audit verify`, and look for who has had the database's owner",
        severity="urgent",
        actions=("give_up",),
        give_up_means="the audit is anchored anew from where it is; `oms audit verify` goes on saying what is gone",
    )
    async with pool.acquire() as connection, connection.transaction():
        await open_ticket(connection, ticket, None, at, outside=True)
        return bool(await connection.fetchval(ANSWERED, ticket.ticket_id))
