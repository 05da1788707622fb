"""One program of the stack: how it is started, how one sees that it works, how it is ended."""

import asyncio
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Check = Callable[[int], Awaitable[bool]]
"""Given the process id, whether the program does its work."""


class DidNotStart(RuntimeError):
    """A program ended, or did not work, at its first start. One line; names the log."""


async def always(_pid: int) -> bool:
    return True


def nothing() -> None:
    return


@dataclass(frozen=True)
class Service:
    """`needs`: names that have to work first. `once`: a step that ends by itself, such as the migrations.

    `prepare` runs before every start and raises a `RuntimeError` of one line. `alive`, asked every few seconds while
    the program runs, is for programs that can live without working.
    """

    name: str
    command: Callable[[], list[str]]
    working: Check = always
    alive: Check | None = None
    needs: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    launch: Callable[[], dict[str, Any]] = dict
    prepare: Callable[[], None] = nothing
    ports: tuple[tuple[int, str], ...] = ()
    polite: signal.Signals = signal.SIGTERM
    start_s: float = 90
    stop_s: float = 15
    address: str = ""
    once: bool = False


async def launch(service: Service, log: Path) -> asyncio.subprocess.Process:
    """Start the program in a session of its own, so that Ctrl-C reaches the supervisor alone."""
    arguments: dict[str, Any] = {"env": dict(service.variables), **service.launch()}
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *service.command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **arguments,
        )


async def finish(process: asyncio.subprocess.Process, polite: signal.Signals, stop_s: float) -> None:
    """Ask, wait, then SIGKILL. Returns when the process is gone."""
    if process.returncode is not None:
        return
    process.send_signal(polite)
    try:
        await asyncio.wait_for(process.wait(), stop_s)
    except TimeoutError:
        process.kill()
        await process.wait()


def last_line(log: Path) -> str:
    """The last thing a program said, for an error of one line."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] if log.exists() else []
    return lines[-1][:300] if lines else "it said nothing"
