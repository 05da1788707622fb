"""What weekly meetings have agreed on: actions with owners and due dates, closed by what holds them (R73)."""

from dataclasses import dataclass
from datetime import date, datetime

from domain.insight.improvements import AddAction, CloseAction
from domain.insight.weekly import TopEntry, WeeklyReport
from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.errors import ActionRefused
from store.insight.reports import ReportStore
from store.pool import Connection, Pool, clean

ACTIVE = "SELECT EXISTS (SELECT FROM people WHERE person_id = $1 AND active)"
ADD = """
INSERT INTO insight_actions (week, anomaly_id, order_no, what, text, owner, due, opened_by, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT ON CONSTRAINT insight_actions_once DO NOTHING
RETURNING action_no"""
SAME = "SELECT action_no FROM insight_actions WHERE week = $1 AND anomaly_id = $2 AND text = $3"
LOCK = "SELECT opened_at, held_by, held_version, closed_at FROM insight_actions WHERE action_no = $1 FOR UPDATE"
CLOSE = """
UPDATE insight_actions SET held_by = $2, held_version = $3, closed_by = $4, closed_at = $5 WHERE action_no = $1"""
PUBLISHED = {
    "rules": "SELECT published_at FROM rule_sets WHERE version = $1",
    "policy": "SELECT published_at FROM policies WHERE version = $1",
    "automations": "SELECT published_at FROM business_books WHERE kind = 'automations' AND version = $1",
    "forms": "SELECT published_at FROM business_books WHERE kind = 'forms' AND version = $1",
    "insight": "SELECT put_at FROM insight_parameters WHERE version = $1",
}
# How often a ticket of the same system and step was opened in the four weeks after it was closed.
OF_WEEK = """
SELECT a.action_no, a.week, a.anomaly_id, a.order_no, a.what, a.text, a.owner, a.due, a.held_by, a.held_version,
    a.closed_by, a.closed_at, CASE WHEN a.closed_at IS NOT NULL THEN (SELECT count(*)::integer FROM tickets t
        WHERE t.opened_at > a.closed_at AND t.opened_at <= a.closed_at + interval '28 days'
            AND t.system || ': ' || t.step = a.what) END AS came_back
FROM insight_actions a WHERE a.week = $1 ORDER BY a.action_no"""


@dataclass(frozen=True)
class ActionRow:
    """`what`: system and step of the anomaly's ticket; `came_back`: so many alike in the four weeks after closing;
    None: it is open."""

    action_no: int
    week: str
    anomaly_id: str
    order_no: str
    what: str
    text: str
    owner: str
    due: date
    held_by: str | None
    held_version: int | None
    closed_by: str | None
    closed_at: datetime | None
    came_back: int | None


class ActionStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_week(self, week: str) -> tuple[ActionRow, ...]:
        return tuple(ActionRow(**row) for row in await self._pool.fetch(OF_WEEK, week))

    async def add(self, wanted: AddAction, by: str, at: datetime) -> int:
        """Its number; the same one again is the same action. Raises `ActionRefused`."""
        entry = await self._entry(wanted)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval(ACTIVE, wanted.owner):
                raise ActionRefused(f"no action was opened: {wanted.owner} is nobody who works here")
            text = clean(wanted.text.strip())
            number: int | None = await connection.fetchval(
                ADD, wanted.week, entry.id, entry.order_no, entry.what, text, wanted.owner,
                date.fromisoformat(wanted.due), by, at,
            )  # fmt: skip
            if number is None:
                again: int = await connection.fetchval(SAME, wanted.week, entry.id, text)
                return again
            detail = {"action_no": number, "week": wanted.week, "anomaly": entry.id, "owner": wanted.owner}
            await append_entry(connection, AuditEntry(actor=by, action="insight.action", detail=detail), at)
            return number

    async def close(self, wanted: CloseAction, by: str, at: datetime) -> None:
        """Told again, it is the same. Raises `ActionRefused` where nothing holds it, or something else does."""
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(LOCK, wanted.action_no)
            if row is None:
                raise ActionRefused(f"there is no action {wanted.action_no}")
            if row["closed_at"] is not None:
                if (row["held_by"], row["held_version"]) == (wanted.held_by, wanted.version):
                    return
                held = f"{row['held_by']} {row['held_version']}"
                raise ActionRefused(f"action {wanted.action_no} is closed, and {held} holds it")
            await _insist_published(connection, wanted, row["opened_at"])
            await connection.execute(CLOSE, wanted.action_no, wanted.held_by, wanted.version, by, at)
            detail = {"action_no": wanted.action_no, "held_by": wanted.held_by, "version": wanted.version}
            await append_entry(connection, AuditEntry(actor=by, action="insight.action_closed", detail=detail), at)

    async def _entry(self, wanted: AddAction) -> TopEntry:
        kept = await ReportStore(self._pool).read("weekly", wanted.week)
        report = WeeklyReport.model_validate_json(kept.text) if kept else None
        found = next((e for e in report.top if e.id == wanted.anomaly_id), None) if report else None
        if found is None:
            raise ActionRefused(f"no action was opened: {wanted.anomaly_id} is not among the worst of {wanted.week}")
        return found


async def _insist_published(connection: Connection, wanted: CloseAction, opened_at: datetime) -> None:
    """What was there before the action did not keep the anomaly away."""
    published: datetime | None = await connection.fetchval(PUBLISHED[wanted.held_by], wanted.version)
    named = f"{wanted.held_by} {wanted.version}"
    if published is None:
        raise ActionRefused(f"action {wanted.action_no} stays open: there is no {named}")
    if published <= opened_at:
        raise ActionRefused(
            f"action {wanted.action_no} stays open: {named} was published before it; publish what keeps it from "
            "coming again, then close it with that version"
        )
