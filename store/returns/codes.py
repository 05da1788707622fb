"""Return codes: issued once a case, looked up under a limit that guessing cannot get around (R50, abuse case 65)."""

import secrets
from datetime import UTC, datetime, timedelta

from domain.records import AuditEntry
from domain.returns.codes import code_of, read_code
from domain.returns.records import CodeIssued, CodeLookup
from store.audit.audit import append_entry
from store.pool import Connection
from store.returns.errors import NoSuchReturn

SPAN = timedelta(minutes=10)
MISSES_EACH = 10
"""Unknown codes that one name may try in a span …"""
MISSES_ALL = 200
"""… and all names together that are nobody's: guessing under many names is guessing too. Who is in the books of people
answers for their own guesses only, whatever others invent."""
STRANGERS = "*"

ISSUE = """
INSERT INTO return_codes (code, return_no, issued_at)
SELECT $1, return_no, $3 FROM return_cases WHERE return_no = $2 ON CONFLICT DO NOTHING"""

ISSUED = "SELECT code FROM return_codes WHERE return_no = $1"

FIND = "SELECT return_no FROM return_codes WHERE code = $1"

# The case that has taken in what came after its own had closed, with the code that it was given.
LINKED = """
SELECT l.return_no, c.code FROM return_cases r JOIN return_cases l ON l.linked_to = r.return_no
JOIN return_codes c ON c.return_no = l.return_no
WHERE r.return_no = $1 AND r.status = 'CLOSED_NOT_SENT' ORDER BY l.applied_at DESC LIMIT 1"""

# One desk's tries one after another: a burst of them is not counted after the fact.
QUEUE = "SELECT pg_advisory_xact_lock(hashtext('return codes'), hashtext($1))"

PERSON = "SELECT EXISTS (SELECT FROM people WHERE person_id = $1 AND active)"

MISSES = "SELECT who, misses FROM code_misses WHERE who = ANY($1::text[]) AND span = $2"

# One statement: two desks that miss at once are both counted. In one order of names, so that they cannot block.
MISS = """
INSERT INTO code_misses AS m (who, span, misses) SELECT u.who, $2, 1 FROM unnest($1::text[]) AS u (who) ORDER BY u.who
ON CONFLICT (who, span) DO UPDATE SET misses = m.misses + 1"""

FORGET = "DELETE FROM code_misses WHERE span < $1"


async def issue(connection: Connection, return_no: str, at: datetime) -> CodeIssued:
    """Inside a transaction. Raises `NoSuchReturn`."""
    await connection.execute(ISSUE, code_of(secrets.token_bytes(13)), return_no, at)
    code = await connection.fetchval(ISSUED, return_no)
    if code is None:
        raise NoSuchReturn(return_no)
    return CodeIssued(return_no=return_no, code=code)


async def retry_after(connection: Connection, lookup: CodeLookup) -> int | None:
    """Inside a transaction. Seconds to wait when there has been too much guessing; None: look it up."""
    await connection.execute(QUEUE, lookup.who)
    span = _span(lookup.at)
    names = await _counted_for(connection, lookup.who)
    misses = {row["who"]: row["misses"] for row in await connection.fetch(MISSES, names, span)}
    if misses.get(lookup.who, 0) < MISSES_EACH and (STRANGERS not in names or misses.get(STRANGERS, 0) < MISSES_ALL):
        return None
    return max(1, int((span + SPAN - lookup.at).total_seconds()))


async def find(connection: Connection, lookup: CodeLookup) -> str | None:
    code = read_code(lookup.code)
    found: str | None = None if code is None else await connection.fetchval(FIND, code)
    return found


async def count_miss(connection: Connection, lookup: CodeLookup) -> None:
    """To be committed whatever becomes of the caller. The code itself is not written down: it may be a real one of
    somebody's, misread."""
    span = _span(lookup.at)
    await connection.execute(FORGET, span - SPAN)
    await connection.execute(MISS, await _counted_for(connection, lookup.who), span)
    entry = AuditEntry(actor=lookup.who, action="return.code_unknown", detail={})
    await append_entry(connection, entry, lookup.at)


async def _counted_for(connection: Connection, who: str) -> list[str]:
    """In the order in which they are written."""
    return [who] if await connection.fetchval(PERSON, who) else sorted({who, STRANGERS})


def _span(at: datetime) -> datetime:
    length = int(SPAN.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // length * length, UTC)
