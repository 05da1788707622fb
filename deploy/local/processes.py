"""Process identity that survives the reuse of process ids, and endings that never hit a stranger."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A process: its id plus a birth mark, since ids are reused (after a reboot from the lowest on)."""

    pid: int
    born: str


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none (a zombie counts as gone)."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The command name may hold spaces and brackets: fields count from the last bracket.
        fields = stat[stat.rindex(")") + 2 :].split()
        if fields[0] in ("Z", "X"):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return Identity(pid, f"{boot}:{fields[19]}")
    shown = _ps("lstart=", pid)
    return Identity(pid, shown) if shown else None


def is_running(who: Identity) -> bool:
    return identify(who.pid) == who


def older_than_this_boot(path: Path) -> bool:
    """True when `path` was last written before this machine (or container) started. False where that is unknown."""
    if sys.platform != "linux" or not path.exists():
        return False
    first = Path("/proc/1/stat").read_text()
    ticks = int(first[first.rindex(")") + 2 :].split()[19])
    booted = next(int(line.split()[1]) for line in Path("/proc/stat").read_text().splitlines() if "btime" in line)
    return path.stat().st_mtime < booted + ticks / os.sysconf("SC_CLK_TCK") - 1


def command_line(pid: int) -> str:
    """The command line of a running process, words joined by spaces; empty when it is gone."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError):
            return ""
    return _ps("command=", pid)


def _ps(column: str, pid: int) -> str:
    command = ["ps", "-o", column, "-p", str(pid)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=10).stdout.strip()


def send(who: Identity, number: signal.Signals) -> None:
    """Signal exactly this process; nothing happens when it is gone or its id now belongs to another."""
    if is_running(who):
        with contextlib.suppress(ProcessLookupError):
            os.kill(who.pid, number)


def gone_within(who: Identity, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_running(who):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end(who: Identity, polite: signal.Signals, timeout_s: float) -> None:
    """Ask with `polite`, wait, then SIGKILL. Returns when the process is gone."""
    send(who, polite)
    if not gone_within(who, timeout_s):
        send(who, signal.SIGKILL)
        gone_within(who, 10)


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that makes the kernel send `number` when the parent dies; None where there is no such call."""
    if sys.platform != "linux":
        return None
    set_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
    libc = ctypes.CDLL(None, use_errno=True)

    def arm() -> None:
        libc.prctl(set_death_signal, number)

    return arm
