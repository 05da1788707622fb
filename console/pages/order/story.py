"""What happened to an order as people tell it: what repeats is one line, what changed nothing is left out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from store.orders.detail import TimelineEntry

SILENT = frozenset({"DUPLICATE", "STALE"})
"""Results of an event that changed nothing."""
BEHIND = frozenset({"command.admitted", "order.write"})
"""Audit rows whose command shows by itself."""


@dataclass(frozen=True)
class StoryLine:
    """`times`: how often in a row; `until`: the last time. `kind`: of words for `title`."""

    at: datetime
    until: datetime
    times: int
    what: str
    title: str
    by: str
    result: str
    child_no: str
    moved: tuple[str, str] | None
    note: str


def told(entries: Iterable[TimelineEntry], *, raw: bool) -> list[StoryLine]:
    """Newest first. `raw`: all of it, each as it came."""
    lines: list[StoryLine] = []
    for entry in entries:
        line = _line(entry)
        if raw:
            lines.append(line)
        elif not _is_silent(entry):
            if lines and _same(lines[-1], line):
                lines[-1] = replace(lines[-1], until=line.at, times=lines[-1].times + 1)
            else:
                lines.append(line)
    return lines[::-1]


def _line(entry: TimelineEntry) -> StoryLine:
    moved = None
    if entry.from_status and entry.to_status and entry.from_status != entry.to_status:
        moved = entry.from_status, entry.to_status
    return StoryLine(
        at=entry.occurred_at if entry.what == "event" else entry.at,
        until=entry.at,
        times=1,
        what=entry.what,
        title=entry.title,
        by=entry.by,
        result=entry.result or "",
        child_no=entry.child_no or "",
        moved=moved,
        note=entry.note,
    )


def _is_silent(entry: TimelineEntry) -> bool:
    return entry.result in SILENT or (entry.what == "audit" and entry.title in BEHIND)


def _same(a: StoryLine, b: StoryLine) -> bool:
    def told_of(line: StoryLine) -> tuple[object, ...]:
        return line.what, line.title, line.by, line.result, line.child_no, line.moved

    return told_of(a) == told_of(b)
