"""What an answer means: done, try again, or leave the receiver alone."""

from datetime import datetime, timedelta

from relay.outbound.retry_schedule import RetrySchedule, wait_s
from relay.outbound.safe_post import NoReply, PostAnswer
from store.outbound.deliveries import ACKNOWLEDGED, EXHAUSTED, PENDING, Due, End

GONE = 410
THROTTLES = frozenset({429, 502, 504})
"""The receiver, or what stands before it, is overloaded: all its deliveries wait, not only this one."""


def judge(due: Due, answer: PostAnswer | NoReply, now: datetime, pace: RetrySchedule, chance: float) -> End:
    """`now`: the end of the attempt. `chance`: 0 to 1, for the jitter."""
    if isinstance(answer, NoReply):
        return _failed(due, answer.outcome, now, pace, chance, note=str(answer))
    outcome = _outcome(answer.status)
    if outcome == ACKNOWLEDGED:
        return End(due, now, ACKNOWLEDGED, outcome, answer.status)
    asked_s = min(answer.retry_after_s or 0.0, pace.longest_quiet_s)
    quiet_s = (asked_s or pace.throttled_s / pace.speed) if answer.status in THROTTLES else 0.0
    return _failed(due, outcome, now, pace, chance, status=answer.status, asked_s=asked_s, quiet_s=quiet_s)


def _outcome(status: int) -> str:
    if status // 100 == 2:
        return ACKNOWLEDGED
    if status // 100 == 3:
        return "redirected"
    if status == GONE:
        return "gone"
    if status in THROTTLES:
        return "throttled"
    return "refused" if status // 100 == 4 else "broken"


def _failed(
    due: Due,
    outcome: str,
    now: datetime,
    pace: RetrySchedule,
    chance: float,
    *,
    status: int | None = None,
    note: str = "",
    asked_s: float = 0.0,
    quiet_s: float = 0.0,
) -> End:
    wait = wait_s(due.failures + 1, needs_ack=due.needs_ack, chance=chance)
    return End(
        due=due,
        ended_at=now,
        state=EXHAUSTED if wait is None else PENDING,
        outcome=outcome,
        status=status,
        note=note[:300],
        next_try_at=None if wait is None else now + max(pace.faster(wait), timedelta(seconds=asked_s)),
        quiet_until=now + timedelta(seconds=quiet_s) if quiet_s else None,
    )
