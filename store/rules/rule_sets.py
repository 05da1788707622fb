"""Rule sets: drafts, published versions, and which one an order keeps. Rows are only ever added (R28)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.approvals import Decided
from domain.records import AuditEntry
from domain.rules.changes import same_rules
from domain.rules.check import accept
from domain.rules.engine import RuleEngine
from domain.rules.findings import Finding
from domain.rules.route_checks import looser_findings
from domain.rules.sets import RuleSet, content_hash
from domain.strict import of
from store.audit.audit import append_entry
from store.errors import NoSuchRuleSet, RuleSetOvertaken, RulesMovedOn, RulesUnchanged
from store.pool import Connection, Pool, Row
from store.rules.defaults import BUILT_IN, built_in, complete

DRAFTS = "draft_no, name, document, content_hash, based_on, copies, warnings, drafted_by, drafted_at"
VERSIONS = "version, document, content_hash, draft_no, drafted_by, published_by, published_at, remark, approval_id"

ADD_DRAFT = f"""
INSERT INTO rule_drafts (name, document, content_hash, based_on, copies, warnings, drafted_by, drafted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {DRAFTS}"""  # noqa: S608 - the names are ours

KEPT = f"SELECT {DRAFTS} FROM rule_drafts WHERE drafted_by = $1 AND content_hash = $2 AND drafted_at = $3"  # noqa: S608

DRAFT = f"SELECT {DRAFTS} FROM rule_drafts WHERE draft_no = $1"  # noqa: S608 - the names are ours

# Newest first, with the version that came of it.
LIST_DRAFTS = f"""
SELECT {", ".join("d." + name for name in DRAFTS.split(", "))}, s.version FROM rule_drafts d
LEFT JOIN rule_sets s USING (draft_no) ORDER BY d.draft_no DESC LIMIT $1"""  # noqa: S608 - the names are ours

PUBLISH = """
INSERT INTO rule_sets (version, document, content_hash, draft_no, drafted_by, published_by, published_at, remark,
    approval_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (version) DO NOTHING"""

CURRENT = f"SELECT {VERSIONS} FROM rule_sets ORDER BY version DESC LIMIT 1"  # noqa: S608 - the names are ours
VERSION = f"SELECT {VERSIONS} FROM rule_sets WHERE version = $1"  # noqa: S608 - the names are ours
OF_DRAFT = "SELECT version FROM rule_sets WHERE draft_no = $1"
LIST = f"SELECT {VERSIONS} FROM rule_sets ORDER BY version DESC LIMIT $1"  # noqa: S608 - the names are ours

HASH = "SELECT content_hash FROM rule_sets WHERE version = $1"

# Publishing one after another: version numbers have no gaps. Ends with the transaction.
ONE_PUBLISHER = "SELECT hold('rule sets')"

ADD_SIMULATION = "INSERT INTO rule_simulations (draft_no, summary, by, at) VALUES ($1, $2, $3, $4)"
SIMULATED = "SELECT summary FROM rule_simulations WHERE draft_no = $1 ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Draft:
    """`version`: what it was published as; None: not yet."""

    draft_no: int
    rule_set: RuleSet
    content_hash: str
    based_on: int
    copies: int | None
    warnings: tuple[Finding, ...]
    drafted_by: str
    drafted_at: datetime
    version: int | None = None


@dataclass(frozen=True)
class PublishedRules:
    version: int
    rule_set: RuleSet
    content_hash: str
    draft_no: int | None
    drafted_by: str
    published_by: str
    published_at: datetime
    remark: str
    approval_id: str | None


class RuleSetStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ensure_built_in(self, at: datetime) -> None:
        """The built-in rule set becomes version 0, so that every order from now on can refer to a version."""
        async with self._pool.acquire() as connection:
            if await connection.fetchrow(CURRENT) is None:
                await _built_in(connection, at)

    async def current(self) -> PublishedRules | None:
        """What counts for new orders; None: nothing was ever published, the built-in tables count."""
        row = await self._pool.fetchrow(CURRENT)
        return None if row is None else _published(row)

    async def current_set(self) -> RuleSet:
        current = await self.current()
        return current.rule_set if current else built_in()

    async def version(self, version: int) -> PublishedRules:
        """Raises `NoSuchRuleSet`."""
        row = await self._pool.fetchrow(VERSION, version)
        if row is None:
            raise NoSuchRuleSet(f"rule set version {version} was never published; look with `oms rules list`")
        return _published(row)

    async def history(self, limit: int = 100) -> tuple[PublishedRules, ...]:
        """Newest first."""
        return tuple(_published(row) for row in await self._pool.fetch(LIST, limit))

    async def draft(self, given: RuleSet, by: str, at: datetime, based_on: int | None = None) -> Draft:
        """Keep a draft: the tables given, the others as they count now. `based_on`: the version it was made from.

        Raises `InvalidRuleSet`, `RulesMovedOn`, and keeps nothing.
        """
        current = await self.current_set()
        if based_on is not None and based_on != current.version:
            raise RulesMovedOn(based_on, current.version)
        whole = RuleSet(name=given.name, tables={**complete(current).tables, **given.tables})
        return await self._keep(whole, current, None, by, at)

    async def roll_back(self, version: int, by: str, at: datetime) -> Draft:
        """A draft that brings an old version back. Raises `NoSuchRuleSet`, `InvalidRuleSet`, `RulesUnchanged`."""
        old = (await self.version(version)).rule_set
        current = await self.current_set()
        whole = complete(old).model_copy(update={"version": 0})
        if same_rules(whole, complete(current)):
            raise RulesUnchanged(
                f"version {current.version} counts, and is what version {version} was: nothing was drafted"
            )
        return await self._keep(whole, current, version, by, at)

    async def draft_of(self, draft_no: int) -> Draft:
        """Raises `NoSuchRuleSet`."""
        async with self._pool.acquire() as connection:
            return await read_draft(connection, draft_no)

    async def drafts(self, limit: int = 100) -> tuple[Draft, ...]:
        """Newest first."""
        return tuple(_draft(row, row["version"]) for row in await self._pool.fetch(LIST_DRAFTS, limit))

    async def last_simulation(self, draft_no: int) -> dict[str, Any] | None:
        async with self._pool.acquire() as connection:
            return await last_simulation(connection, draft_no)

    async def keep_simulation(self, draft_no: int, summary: dict[str, Any], by: str, at: datetime) -> None:
        await self._pool.execute(ADD_SIMULATION, draft_no, summary, by, at)

    async def publish(self, draft: Draft, decided: Decided, at: datetime) -> PublishedRules:
        """`publish_draft`, in a transaction of its own."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(VERSION, await publish_draft(connection, draft, decided, at))
            assert row is not None
            return _published(row)

    async def _keep(self, whole: RuleSet, based_on: RuleSet, copies: int | None, by: str, at: datetime) -> Draft:
        warnings = accept(whole) + looser_findings(based_on, whole)
        document = whole.model_dump(mode="json")
        async with self._pool.acquire() as connection, connection.transaction():
            known = await connection.fetchrow(KEPT, by, content_hash(whole), at)
            if known is not None:  # its answer was lost: the same moment is the same draft
                return _draft(known, None)
            args = (
                whole.name,
                document,
                content_hash(whole),
                based_on.version,
                copies,
                [w.model_dump() for w in warnings],
            )
            row = await connection.fetchrow(ADD_DRAFT, *args, by, at)
            assert row is not None
            detail = {"draft": row["draft_no"], "content_hash": row["content_hash"], "copies": copies}
            await append_entry(connection, AuditEntry(actor=by, action="rules.draft", detail=detail), at)
        return _draft(row, None)


async def read_draft(connection: Connection, draft_no: int) -> Draft:
    """Raises `NoSuchRuleSet`."""
    row = await connection.fetchrow(DRAFT, draft_no)
    if row is None:
        raise NoSuchRuleSet(f"there is no rule draft {draft_no}; look with `oms rules list --drafts`")
    return _draft(row, await connection.fetchval(OF_DRAFT, draft_no))


async def what_counts(connection: Connection) -> RuleSet:
    """For new orders."""
    row = await connection.fetchrow(CURRENT)
    return built_in() if row is None else _published(row).rule_set


async def last_simulation(connection: Connection, draft_no: int) -> dict[str, Any] | None:
    """Its summary; None: it was never tried on past orders."""
    found: dict[str, Any] | None = await connection.fetchval(SIMULATED, draft_no)
    return found


async def publish_draft(connection: Connection, draft: Draft, decided: Decided, at: datetime) -> int:
    """Inside a transaction: the next version, as approved by another person; the same draft again gets the same one.

    Raises `RuleSetOvertaken` when another version has come between.
    """
    await connection.execute(ONE_PUBLISHER)
    done: int | None = await connection.fetchval(OF_DRAFT, draft.draft_no)
    return await _publish(connection, draft, decided, at) if done is None else done


async def engine_for(connection: Connection, version: int) -> RuleEngine:
    """The published rule set, compiled; the document is read only when it is not known to this process."""
    found = await connection.fetchval(HASH, version)
    key = (version, str(found))
    if key not in _known:
        row = await connection.fetchrow(VERSION, version)
        assert row is not None  # the column of the order refers to it
        if len(_known) >= _KEPT:
            _known.pop(next(iter(_known)))
        _known[key] = RuleEngine(_published(row).rule_set)
    return _known[key]


_KEPT = 32
_known: dict[tuple[int, str], RuleEngine] = {}


async def _publish(connection: Connection, draft: Draft, decided: Decided, at: datetime) -> int:
    current = await connection.fetchrow(CURRENT)
    counts = current["version"] if current else 0
    if current is None:
        await _built_in(connection, at)
    if counts != draft.based_on:
        raise RuleSetOvertaken(draft.draft_no, draft.based_on, counts)
    version = counts + 1
    document = draft.rule_set.model_copy(update={"version": version}).model_dump(mode="json")
    args = (draft.content_hash, draft.draft_no, draft.drafted_by, decided.person_id, at)
    await connection.execute(PUBLISH, version, document, *args, decided.remark, decided.approval_id)
    detail = {
        "version": version, "draft": draft.draft_no, "content_hash": draft.content_hash, "copies": draft.copies,
        "drafted_by": draft.drafted_by, "approval_id": decided.approval_id, "remark": decided.remark,
    }  # fmt: skip
    await append_entry(connection, AuditEntry(actor=decided.person_id, action="rules.publish", detail=detail), at)
    return version


async def _built_in(connection: Connection, at: datetime) -> None:
    first = built_in()
    args = (first.model_dump(mode="json"), content_hash(first), None, BUILT_IN, "installation", at)
    await connection.execute(PUBLISH, 0, *args, "built-in tables", None)


def _draft(row: Row, version: int | None) -> Draft:
    return Draft(
        row["draft_no"],
        of(RuleSet, row["document"]),
        row["content_hash"],
        row["based_on"],
        row["copies"],
        tuple(Finding(**warning) for warning in row["warnings"]),
        row["drafted_by"],
        row["drafted_at"],
        version,
    )


def _published(row: Row) -> PublishedRules:
    values = {name: row[name] for name in VERSIONS.split(", ") if name != "document"}
    return PublishedRules(rule_set=of(RuleSet, row["document"]), **values)
