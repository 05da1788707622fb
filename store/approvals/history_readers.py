"""Who may read what stands encrypted in histories, and whose they have read."""

from collections.abc import Iterable
from datetime import datetime

from domain.access.authority import NotAdmitted, ProofCode, ProvenCaller, may_read
from domain.approvals import Principal
from domain.records import AuditEntry
from store.approvals.people import principal
from store.audit.audit import append_entry
from store.errors import CommandNotAdmitted
from store.pool import Connection, Pool, clean

MOST_KEPT = 50_000


class HistoryReaders:
    """A row a sign-in and workflow: a page of the Web UI asks many times about the same one. After a restart of this
    process it is told again."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._told: set[tuple[str, str]] = set()

    async def admit(self, caller: ProvenCaller, workflow_ids: Iterable[str], at: datetime) -> None:
        """Looks at role and status each time. Raises `CommandNotAdmitted`; without an error the audit has its rows."""
        new = sorted({i for i in workflow_ids if (caller.token_id, i) not in self._told})
        async with self._pool.acquire() as connection, connection.transaction():
            person = await _person(connection, caller, at)
            if person is None:
                why = f"{caller.person_id} is not known here; an administrator adds people with `oms people add`"
                raise CommandNotAdmitted(ProofCode.UNKNOWN_PERSON, why)
            role = may_read(person)
            if isinstance(role, NotAdmitted):
                raise CommandNotAdmitted(role.code, role.why)
            for workflow_id in new:
                detail = {"workflow_id": clean(workflow_id), "role": role, "token_id": caller.token_id}
                entry = AuditEntry(actor=caller.person_id, action="histories.read", detail=detail)
                await append_entry(connection, entry, at, _order_of(workflow_id))
        if len(self._told) + len(new) > MOST_KEPT:
            self._told.clear()
        self._told.update((caller.token_id, i) for i in new)


async def _person(connection: Connection, caller: ProvenCaller, at: datetime) -> Principal | None:
    """Who comes from the identity provider has the roles that it tells, known here or not; who was deactivated here
    stays so. Reading writes nobody down as a person."""
    known = await principal(connection, caller.person_id, at)
    if caller.roles is None:
        return known
    return Principal(caller.person_id, caller.roles, known is None or known.active)


def _order_of(workflow_id: str) -> str | None:
    kind, _, number = workflow_id.partition("/")
    return number if kind == "order" else None
