"""What a group lists in its help, known without importing its commands (decision 0066).

python -m starter.cli.groups.listed    # writes commands.json anew, from what the commands say of themselves
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import typer

from starter.cli.groups import MADE
from starter.cli.groups.said import SAID, group
from starter.text.paragraphs import paragraphs

FILE = Path(__file__).with_name("commands.json")
OWN = ""
"""The key of what a group says of itself, beside its commands."""

Listed = dict[str, Any]
"""A sentence for a command, the same again for a group."""


def only_named(words: Sequence[str]) -> tuple[Any, int] | None:
    """The group that the words look at, its commands only named, and how many words call it. None where a command is
    called, or one that stands alone."""
    known: Any = _known()
    depth = 0
    for word in words:
        if word == OWN or word not in known:
            break  # an option, or a slip: the group answers
        depth, known = depth + 1, known[word]
        if not isinstance(known, dict):
            return None
    return (typer.main.get_group(_named(known)), depth) if depth else None


def _named(known: Listed) -> typer.Typer:
    made = group(known[OWN])
    for name, text in known.items():
        if isinstance(text, dict):
            made.add_typer(_named(text), name=name)
        elif name != OWN:
            made.command(name, help=text)(lambda: None)
    return made


@cache
def _known() -> Listed:
    return json.loads(FILE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def as_they_say() -> str:
    """The file as it has to be: imports every command."""
    said: Listed = {}
    for name in SAID:
        holder = typer.Typer()
        MADE[name](holder)
        made = typer.main.get_group(holder).commands[name]
        if hasattr(made, "commands"):
            said[name] = _of(made)
    return json.dumps(said, ensure_ascii=False, indent=2) + "\n"


def _of(made: Any) -> Listed:
    told: Listed = {OWN: made.help or ""}
    for name, one in made.commands.items():
        told[name] = _of(one) if hasattr(one, "commands") else paragraphs(one.short_help or one.help or "")[0]
    return told


if __name__ == "__main__":
    FILE.write_text(as_they_say(), encoding="utf-8")
