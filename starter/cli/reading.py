"""Who looks at a name, an address or a message as it came, leaves a row before anything is shown."""

from datetime import UTC, datetime

from domain.records import AuditEntry
from store.audit.audit import AuditStore
from store.pool import Pool


async def personal_data_is_read(pool: Pool, who: str, what: str, number: str, order_no: str | None) -> None:
    """`number`: of what is shown."""
    entry = AuditEntry(actor=who, action="personal.read", detail={"what": what, "number": number})
    await AuditStore(pool).append(entry, datetime.now(UTC), order_no)
