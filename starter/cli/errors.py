"""How a command fails: one line on stderr that says what could not be done and what to do; never a stack trace."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from starter.cli import language, machine
from starter.cli.text import one_line
from starter.clients.errors import CommandRefused, OrderError
from starter.text.marking import N_
from store.errors import StoreError

T = TypeVar("T")

COULD_NOT = 1
BAD_INPUT = 2
FORBIDDEN = 3
CONFLICT = 4
ERROR = N_("Error: ")


class CommandFailed(Exception):
    """The command could not do it (exit code 1)."""

    code = COULD_NOT


class BadInput(CommandFailed):
    """The caller's input is unusable, and nothing was done (exit code 2)."""

    code = BAD_INPUT


class Forbidden(CommandFailed):
    """The person may not do this: wrong role, own request, bad token, … (exit code 3)."""

    code = FORBIDDEN


class Conflict(CommandFailed):
    """Somebody was faster, or it is no longer what was looked at (exit code 4)."""

    code = CONFLICT


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; expected failures end the process with one line and their exit code."""
    try:
        return asyncio.run(work)
    except CommandRefused as e:
        fail(Forbidden(str(e)), e)
    except (CommandFailed, OrderError, StoreError) as e:
        fail(e)


def fail(error: Exception, made_of: Exception | None = None) -> NoReturn:
    """Say it and leave. `made_of`: the refusal behind it, which has a code of its own."""
    code = error.code if isinstance(error, CommandFailed) else COULD_NOT
    complain(str(error))
    machine.tell(made_of or error, code, one_line(str(error)))
    raise typer.Exit(code) from None


def complain(text: str, advice: str = "") -> None:
    """Say on stderr that something could not be done, and what to do."""
    said = " ".join(language.say(part) for part in (text, advice) if part)
    print(one_line(language.word(ERROR) + said), file=sys.stderr)


def say(text: str) -> None:
    """One line to stderr, safe to print, in the person's language."""
    print(one_line(language.say(text)), file=sys.stderr)


def several(faults: str, most: int = 5) -> str:
    """Faults, one per line, as one line: `a; b; … and 3 more`."""
    lines = [line for line in faults.splitlines() if line.strip()]
    more = f"; … and {len(lines) - most} more" if len(lines) > most else ""
    return "; ".join(lines[:most]) + more
