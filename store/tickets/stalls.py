"""A workflow's ticket about its own steps in the store: written beside its writes, which are what stalls."""

from datetime import datetime

from domain.records import TicketRecord
from store.pool import Connection
from store.tickets.tickets import open_ticket

ORDER = "UPDATE orders SET needs_attention = true WHERE order_no = $1"
CASE = "UPDATE return_cases SET needs_attention = true WHERE return_no = $1"


async def tell_stalled(
    connection: Connection, order_no: str, return_no: str | None, ticket: TicketRecord, at: datetime
) -> None:
    """Inside a transaction. The workflow's next write brings the ticket once more, which does nothing."""
    await open_ticket(connection, ticket, order_no, at, outside=False)
    await connection.execute(*((CASE, return_no) if return_no else (ORDER, order_no)))
