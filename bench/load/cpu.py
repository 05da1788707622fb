"""CPU seconds of a process and all its descendants, from /proc (Linux)."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds(pid: int) -> float:
    """User and system time of `pid` and everything below it, children that have ended included."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
            spent[int(entry.name)] = sum(int(ticks) for ticks in fields[11:15]) / TICKS
    total, family = 0.0, [pid]
    while family:
        one = family.pop()
        total += spent.get(one, 0.0)
        family += parents.get(one, [])
    return total
