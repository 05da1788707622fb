"""What `oms` says, as its code has it: sentences with their holes, names of columns, help.

Nothing is marked twice: whatever is handed to a printer, raised, or has two words in a row is a text."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
from babel.messages.catalog import Catalog

from starter.cli.groups import MADE
from starter.cli.main import app
from starter.text.paragraphs import is_example, paragraphs

REPO = Path(__file__).resolve().parents[2]
TERMINAL = "starter/cli"
OURS = (TERMINAL, "starter/clients", "starter/importer", "starter/text")
"""Rooms whose sentences have to be translated: of all but the first, what they raise or mark."""
OTHERS = ("workflows", "store", "domain", "config", "providers", "activities")
"""Rooms that refuse in sentences of their own; many of them reach nobody at a terminal."""
PRINTERS = frozenset({"table", "facts", "line", "say", "prompt", "confirm", "_asked", "_number", "_chosen"})
HEADS = frozenset({"columns", "heads"})
NO_TEXT = frozenset(
    {"strftime", "join", "get", "encode", "state", "isoformat", "removeprefix", "removesuffix", "execute", "fetch"}
)
_LETTERS = re.compile(r"[A-Za-z]{2}")
_HOLE = re.compile(r"\{\d+\}")


def texts() -> Catalog:
    """Everything that has to be translated."""
    found = Catalog(locale="zh")
    for text in sorted({*_of_rooms(OURS), *_of_help(), *TOLD_BY_OTHERS}):
        found.add(text)
    return found


@cache
def refusals_of_others() -> frozenset[str]:
    """Sentences that stores and rules may refuse with."""
    return frozenset(_of_rooms(OTHERS))


def _of_rooms(rooms: tuple[str, ...]) -> Iterator[str]:
    for room in rooms:
        for file in sorted((REPO / room).rglob("*.py")):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            yield from _of_code(tree, everything=room == TERMINAL)


def _of_code(tree: ast.Module, *, everything: bool) -> Iterator[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) == "N_":
            yield from _within(node)
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _is_told_by_its_root(node)):
            found += [text for text in _within(node) if " " in text.strip()]
        elif everything and isinstance(node, ast.Call) and _name(node) in PRINTERS:
            found += _within(node)
        elif everything and isinstance(node, ast.Assign) and _are_heads(node):
            found += _within(node.value)
    if everything:
        found += [text for text in _within(tree) if " " in text.strip()]
    yield from filter(_is_text, found)


def _within(top: ast.AST) -> Iterator[str]:
    """Texts in it: no docstrings, keys of a mapping that is asked, or what a function makes something else of."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Subscript):
            waiting.append(node.value)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        elif isinstance(node, ast.Call) and _name(node) in NO_TEXT:
            # What is joined is a text all the same.
            waiting += [a for a in node.args if not isinstance(a, ast.Constant)]
        elif isinstance(node, (ast.Constant, ast.JoinedStr)):
            if (text := template(node)) is not None:
                yield text
            waiting += [v.value for v in getattr(node, "values", ()) if isinstance(v, ast.FormattedValue)]
        else:
            waiting += list(ast.iter_child_nodes(node))


def template(node: ast.AST) -> str | None:
    """`there is no order {0}` of an f-string; a plain text as it is."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    said, holes = "", 0
    for value in node.values:
        if isinstance(value, ast.Constant):
            said += str(value.value).replace("{", "{{").replace("}", "}}")
        else:
            said += f"{{{holes}}}"
            holes += 1
    return said


def _is_text(text: str) -> bool:
    return bool(_LETTERS.search(_HOLE.sub("", text))) and not text.startswith("--") and text != text.upper()


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_told_by_its_root(call: ast.Call) -> bool:
    """`super().__init__(number, f"order {number} was refused …")` of an error."""
    return _name(call) == "__init__" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)


def _are_heads(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id in HEADS for target in node.targets)


def _of_help() -> Iterator[str]:
    """Paragraphs of help: of every command, option and argument."""
    yield from _of_command(typer.main.get_command(app))
    for make in MADE.values():
        holder = typer.Typer()
        make(holder)
        yield from _of_command(typer.main.get_group(holder))


def _of_command(command: Any) -> Iterator[str]:
    for text in (command.help, command.short_help, *(getattr(p, "help", None) for p in command.params)):
        yield from (p for p in paragraphs(text or "") if _is_text(p) and not is_example(p))
    for below in getattr(command, "commands", {}).values():
        yield from _of_command(below)


TOLD_BY_OTHERS = (
    "Arguments", "Options", "Commands", "[default: {0}]", "[env var: {0}]", "[required]",
    "Show this message and exit.", "Missing command", "Missing argument {0}", "Missing option {0}",
    "Missing argument {0}. {1}", "Missing option {0}. {1}", "Choose from:{0}", "No such command {0}",
    "No such command {0}. Did you mean {1}?", "No such option: {0}", "No such option: {0} (Possible options: {1})",
    "No such option: {0} Did you mean {1}?",
    "Got unexpected extra argument(s) ({0})", "Option {0} requires an argument",
    "Invalid value for {0}: {1}", "Invalid value: {0}",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be greater than or equal to {0}", "Input should be less than or equal to {0}",
    "Input should be {0}", "Value error, {0} is not one of {1}", "File {0} does not exist",
    "No such file or directory", "Permission denied", "Is a directory", "File exists", "Not a directory",
)  # fmt: skip
"""What Typer, pydantic and the operating system say for us."""
