"""What a command prints: tables for people, one JSON document for machines."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text

from starter.cli import language, machine
from starter.cli.text import clean, when
from starter.text.marking import OurText

PIPE_WIDTH = 160
"""Columns when the output is no terminal, so that a script or log gets whole values."""


def as_json(value: Any) -> None:
    """Print models, dicts or lists as JSON. Amounts stay in minor units, times carry their offset."""
    text = json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2)
    # JSON itself escapes only below U+0020; `clean` escapes the rest, in a form that JSON reads back as it was.
    print("\n".join(clean(line) for line in text.split("\n")))
    machine.has_its_answer()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "none") -> None:
    """Print a table; the data is escaped and never read as markup. Its title, its columns and what code says in a cell
    (`N_`) are in the person's language."""
    shown = [[_cell(value) for value in row] for row in rows]
    console = _console()
    if not shown:
        console.print(Text(clean(f"{language.say(title)}: {language.say(empty)}")))
        return
    grid = Table(title=Text(clean(language.say(title))), title_justify="left", show_edge=False, pad_edge=False)
    for name in columns:
        grid.add_column(Text(language.word(name)), overflow="fold")
    for row in shown:
        grid.add_row(*row)
    console.print(grid)


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print `name  value` lines; empty values are left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs:
        if value not in (None, ""):
            grid.add_row(Text(language.word(name), style="bold"), _cell(value))
    _console().print(grid)


def line(text: str) -> None:
    """Print one sentence."""
    _console().print(Text(clean(language.say(text))), soft_wrap=True)


def _cell(value: object) -> Text:
    if isinstance(value, datetime):
        return Text(when(value))
    if isinstance(value, OurText):
        return Text(clean(language.say(value)))
    return Text(clean("" if value is None else str(value)))


def _console() -> Console:
    # Built per call: tests and pipes replace sys.stdout.
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, markup=False)
