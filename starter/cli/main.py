"""The `oms` command: its groups, and the last line of defence against a stack trace.

Nothing of the product is imported before a command is called: help has to be there at once (decision 0066)."""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

from starter.cli import help as helping
from starter.cli import language, machine
from starter.cli.groups import MADE, listed
from starter.cli.groups.said import SAID

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
COULD_NOT, BAD_INPUT = 1, 2
"""As in `starter.cli.errors`, which knows the clients and the store."""


class LazyGroup(TyperGroup):
    """Knows the names of its commands and what they are for; one is put together when it is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: _only_named(name, text) for name, text in SAID.items()}
        helping.speak(self)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and (make := MADE.get(args[0])):
            holder = typer.Typer()
            make(holder)
            made = typer.main.get_group(holder).commands[args[0]]
            helping.speak(made)
            self.commands[args[0]] = made
        return super().resolve_command(ctx, args)


def _only_named(name: str, text: str) -> Any:
    """For the list of commands."""
    one = typer.Typer(add_completion=False)
    one.command(name, help=text)(lambda: None)
    return typer.main.get_command(one)


app = typer.Typer(
    name="oms",
    help="Orders, tickets, events, stock, catalogue and policy of the order orchestrator. "
    "Times are Asia/Shanghai. Exit codes: 0 done, 1 could not be done, 2 bad input, "
    "3 not allowed to this person, 4 decided or changed meanwhile.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    cls=LazyGroup,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"oms {tomllib.loads(PROJECT.read_text(encoding='utf-8'))['project']['version']}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and leave.", is_eager=True, callback=_tell_version)
    ] = False,
    _lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="zh|en", help="Speak Chinese or English. [default: as LANG and LC_ALL say]"),
    ] = None,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `oms`; whatever happens, the user sees one line and an exit code, never a stack trace."""
    sys.exit(_code(arguments))


def process() -> NoReturn:
    """`oms` as a process of its own. Temporal's SDK may abort at interpreter exit, so leave without that."""
    code = _code(None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _code(arguments: Sequence[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else list(arguments)
    machine.is_asked_by(words)
    try:
        words = language.choose(words)
        if looked_at := listed.only_named(words):
            group, depth = looked_at
            helping.speak(group)
            called = " ".join(["oms", *words[:depth]])
            return group(args=words[depth:], prog_name=called, standalone_mode=False) or 0
        return app(args=words, prog_name="oms", standalone_mode=False) or 0
    except language.NoSuchLanguage as e:
        _say(e, BAD_INPUT, f"{e}.")
        return BAD_INPUT
    except UsageError as e:
        return _usage(e)
    except Exception as e:
        return _failed(e)


def _usage(error: UsageError) -> int:
    if isinstance(error, NoArgsIsHelpError):
        error.show()
    else:
        asked = error.ctx.command_path if error.ctx else "oms"
        message = error.format_message().rstrip(".")
        _say(error, BAD_INPUT, message if message.endswith("?") else f"{message}.", f"See `{asked} --help`.")
    return BAD_INPUT


def _failed(error: Exception) -> int:
    from starter.cli.errors import CommandFailed

    if isinstance(error, CommandFailed):
        _say(error, error.code, str(error))
        return error.code
    if isinstance(error, typer.Abort):
        _say(error, COULD_NOT, "stopped.")
    else:
        detail = f"{type(error).__name__}: {str(error)[:300]}"
        _say(error, COULD_NOT, f"the command failed unexpectedly ({detail}). This is a defect; report it.")
    return COULD_NOT


def _say(error: Exception, code: int, text: str, advice: str = "") -> None:
    from starter.cli.errors import complain
    from starter.cli.text import one_line

    complain(text, advice)
    machine.tell(error, code, one_line(f"{text} {advice}".rstrip()))
