"""One look: what has happened is judged by the version that counted then, claimed, done and written down, each in one
transaction. Whoever dies leaves it as it was; whoever comes second finds the claim."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from domain.automation.conditions import UnableToJudge, holds, read_of
from domain.automation.model import TIMED, Automation, AutomationBook, Trigger
from domain.strict import of
from store.automation.acting import act, answered, tell_team
from store.automation.books import PublishedBook, book_at, newest_book
from store.automation.happenings import Happening, facts_of, happened
from store.pool import Connection, Pool

AT_ONCE = 200
LOOKS_BACK = timedelta(days=7)
"""For what nobody tells: a worker that was away so long has missed it."""
ATTEMPTS = 5
AGAIN = timedelta(seconds=30)

RUNNING = "SELECT running FROM automation_switch FOR SHARE"
NEXT = """
SELECT id, trigger, order_no, child_no, ref, detail, at, attempts FROM automation_events WHERE next_try_at <= $1
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""
DONE_WITH = "DELETE FROM automation_events WHERE id = $1"
LATER = "UPDATE automation_events SET attempts = attempts + 1, next_try_at = $2 WHERE id = $1 RETURNING attempts"
CLAIM = """
INSERT INTO automation_runs (automation_id, order_no, version, trigger, child_no, ref, happened_at, condition, facts,
    action, state, said, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'asked', '', $11) ON CONFLICT DO NOTHING RETURNING true"""
FINISH = """
UPDATE automation_runs SET state = $3, said = $4, finished_at = $5 WHERE automation_id = $1 AND order_no = $2"""
CLAIMED = "SELECT order_no FROM automation_runs WHERE automation_id = $1 AND order_no = ANY ($2::text[])"
# Those of which somebody has decided.
DECIDED = """
SELECT r.automation_id, r.order_no, r.version, a.state, a.decided_by, a.remark FROM automation_runs r
JOIN approvals a ON a.approval_id = r.said
WHERE r.state = 'asked' AND a.state <> 'open' ORDER BY r.at LIMIT 1 FOR UPDATE OF r SKIP LOCKED"""


class AutomationRunner:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self, now: datetime, *, timed: bool = True) -> int:
        """How many runs there were. `timed`: also for what nobody tells."""
        done = 0
        for _ in range(AT_ONCE):
            ran = await self._one_event(now)
            if ran is None:
                break
            done += ran
        while await self._one_answer(now):
            done += 1
        return done + (await self._timed(now) if timed else 0)

    async def _one_event(self, now: datetime) -> int | None:
        """None: there is none."""
        event: Any = None
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                running = await connection.fetchval(RUNNING)
                event = await connection.fetchrow(NEXT, now)
                if event is None:
                    return None
                ran = 0
                if running:
                    told = {name: event[name] for name in ("order_no", "child_no", "ref", "detail", "at")}
                    what = Happening(Trigger(event["trigger"]), **told)
                    ran = await self._judge(connection, await _then(connection, what), [what], now)
                await connection.execute(DONE_WITH, event["id"])
                return ran
        except Exception as failure:
            if event is None:
                raise
            await self._failed(event, failure, now)
            return 0

    async def _failed(self, event: Any, failure: Exception, now: datetime) -> None:
        """Tried again a few times; then it is a person's. No other event waits for it."""
        async with self._pool.acquire() as connection, connection.transaction():
            attempts = await connection.fetchval(LATER, event["id"], now + AGAIN)
            if attempts is not None and attempts >= ATTEMPTS:
                number, why = f"T-auto-event-{event['id']}", f"{event['trigger']}: {str(failure)[:300]}"
                await tell_team(connection, number, BROKEN, event["order_no"], event["child_no"], why, now, urgent=True)
                await connection.execute(DONE_WITH, event["id"])

    async def _timed(self, now: datetime) -> int:
        done = 0
        async with self._pool.acquire() as connection:
            book = await newest_book(connection, "automations")
        for one, since in _counting(book):
            if one.on.trigger not in TIMED:
                continue
            async with self._pool.acquire() as connection:
                some = await happened(connection, one.on, max(since, now - LOOKS_BACK), now, 5_000)
                known = {r["order_no"] for r in await connection.fetch(CLAIMED, one.id, [h.order_no for h in some])}
            fresh = [what for what in some if what.order_no not in known]
            for first in range(0, len(fresh), AT_ONCE):
                async with self._pool.acquire() as connection, connection.transaction():
                    if not await connection.fetchval(RUNNING):
                        return done
                    assert book is not None
                    done += await self._judge(connection, (book.version, (one,)), fresh[first : first + AT_ONCE], now)
        return done

    async def _judge(
        self, connection: Connection, book: tuple[int, tuple[Automation, ...]], some: list[Happening], now: datetime
    ) -> int:
        version, automations = book
        if not some or not automations:
            return 0
        done = 0
        for what, facts in zip(some, await facts_of(connection, some[0].trigger, some), strict=True):
            for one in automations if facts is not None else ():
                try:
                    fits = holds(one, facts or {})
                except UnableToJudge as error:
                    number = f"T-auto-{one.id}-v{version}"
                    await tell_team(connection, number, one, None, None, str(error), now, urgent=True)
                    continue
                done += fits and await _run(connection, version, one, what, facts or {}, now)
        return done

    async def _one_answer(self, now: datetime) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(DECIDED)
            if row is None:
                return False
            book = await connection.fetchval(
                "SELECT content FROM business_books WHERE kind = 'automations' AND version = $1", row["version"]
            )
            one = of(AutomationBook, book).find(row["automation_id"])
            assert one is not None, "a version keeps what has run by it"
            said = f"{row['decided_by'] or 'nobody'}: {row['remark'] or 'withdrawn'}"
            agreed = row["state"] == "approved"
            outcome = await answered(connection, one, row["order_no"], agreed=agreed, said=said, at=now)
            state = "done" if agreed else "not_done"
            await connection.execute(FINISH, one.id, row["order_no"], state, outcome[:500], now)
            return True


async def _run(
    connection: Connection, version: int, one: Automation, what: Happening, facts: dict[str, Any], now: datetime
) -> bool:
    claimed = await connection.fetchval(
        CLAIM, one.id, what.order_no, version, what.trigger.value, what.child_no, what.ref, what.at, one.condition,
        read_of(one, facts), one.do.model_dump(mode="json"), now,
    )  # fmt: skip
    if claimed is None:
        return False
    state, said = await act(connection, one, what, now)
    await connection.execute(FINISH, one.id, what.order_no, state, said[:500], None if state == "asked" else now)
    return True


async def _then(connection: Connection, what: Happening) -> tuple[int, tuple[Automation, ...]]:
    """What counted when it happened; what was taken away or switched off since does nothing any more."""
    then, now = await book_at(connection, "automations", what.at), await newest_book(connection, "automations")
    still = {one.id for one, _ in _counting(now)}
    mine = tuple(one for one, _ in _counting(then) if one.on.trigger is what.trigger and one.id in still)
    return (then.version if then else 0), mine


def _counting(book: PublishedBook | None) -> Iterable[tuple[Automation, datetime]]:
    """Those that are on, and since when."""
    if book is None:
        return ()
    automations = book.read(AutomationBook).automations
    return [(one, datetime.fromisoformat(book.since[one.id])) for one in automations if one.enabled]


BROKEN = of(Automation, {
    "id": "event", "name": "event", "on": {"trigger": "ticket_opened"}, "do": {"act": "note", "text": "event"},
})  # fmt: skip
"""In whose name a ticket tells of an event that cannot be judged."""
