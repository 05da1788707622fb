"""What Temporal's Web UI shows of a workflow: a row an axis, with what it waits for and since when it is so.

No event: the details are asked for, not told. They are put together anew after each write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.durable.carrying import Table

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEAD = ("| | state | since | waits for |", "|---|---|---|---|")
ZONE = "Times: Asia/Shanghai."


@dataclass(frozen=True)
class Axis:
    name: str
    state: str
    waits_for: str = ""


class Details:
    """`goes_on`: the workflow has had a run before, which did not hand over since when things are as they are."""

    CARRIED = Table(left={"_since": "only shown; a new run says that it was so before"})

    def __init__(self) -> None:
        self._since: dict[str, tuple[str, str]] = {}

    def table(self, axes: Sequence[Axis], now: datetime, *, goes_on: bool) -> list[str]:
        at = f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
        for axis in axes:
            known = self._since.get(axis.name)
            if known is None and goes_on:
                self._since[axis.name] = (axis.state, f"before {at}")
            elif known is None or known[0] != axis.state:
                self._since[axis.name] = (axis.state, at)
        rows = [(axis.name, axis.state, self._since[axis.name][1], axis.waits_for) for axis in axes]
        return [*HEAD, *("| " + " | ".join(map(_cell, row)) + " |" for row in rows), "", ZONE]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
