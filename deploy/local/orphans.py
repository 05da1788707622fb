"""Server processes that a killed postmaster leaves behind: for a moment they hold its shared memory, and a new one
that starts meanwhile gives up."""

import time
from collections.abc import Sequence
from pathlib import Path

SEGMENTS = Path("/proc/sysvipc/shm")
"""Where Linux lists shared memory; elsewhere nothing is known and nothing is waited for."""
SEGMENT_LINE = 6
"""In PostgreSQL's lock file: key and id of its shared memory."""


def wait_until_gone(lock: Sequence[str], within_s: float = 15) -> bool:
    """`lock`: the lines of a postmaster.pid whose postmaster does not run. True: nobody holds its memory any more.
    False: somebody does, or it cannot be known here."""
    words = lock[SEGMENT_LINE].split() if len(lock) > SEGMENT_LINE else []
    if len(words) < 2 or not words[1].isdigit() or not SEGMENTS.exists():
        return False
    deadline = time.monotonic() + within_s
    while attached(int(words[1])):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def attached(segment: int) -> int:
    """How many processes hold a shared memory segment."""
    try:
        rows = [line.split() for line in SEGMENTS.read_text().splitlines()[1:]]
    except OSError:
        return 0
    return next((int(row[6]) for row in rows if int(row[1]) == segment), 0)
