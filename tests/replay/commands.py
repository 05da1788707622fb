"""The fingerprint of workflow commands: `python -m tests.replay.commands [--write "reason"]`.

`commands.json` holds the commands of every function of `workflows/`, as tests/replay/command_sequences.py reads them.
What is compared is each way in (run, signals, updates) with all that it calls put in its place: moving code, giving it
another private name or taking it out into a function of its own changes nothing. Anything else is a change that an
open order may not survive, also on a path that no stored history walks.
"""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import unified_diff
from pathlib import Path

from tests.replay.command_sequences import read
from tests.replay.command_sources import activity_names

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("commands.json")
CALL = re.compile(r"(?P<indent> *)call (?P<functions>.+?)(?: \((?P<given>.*)\))?")
PLACE = re.compile(r"\{(\w+)\}")
ADVICE = """workflow code makes other commands, or in another order, than tests/replay/commands.json says:

{differences}

An order that is open when this is deployed may not survive it. Either let orders that are open go on as they did,
    if workflow.patched("what-is-new"): ...
or, when no open order can come here, say why: python -m tests.replay.commands --write "reason"
(a new patch changes the file as well: its reason is the patch)."""


@dataclass(frozen=True)
class Commands:
    """`functions`: lines by key. `entries`: what the server can call, and the function behind it."""

    functions: Mapping[str, Sequence[str]]
    entries: Mapping[str, str]
    _known: dict[tuple[object, ...], tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    """Of every call that was put in its place: the same helpers are called from everywhere."""
    _below: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def whole(
        self, key: str, given: Mapping[str, str] | None = None, above: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
        """One function with what it calls in place; one that is under way already is `again`."""
        if key in above:
            return ("again",)
        given = given or {}
        # Who else has called it makes no difference to a function that does not lead back to them.
        asked = (key, tuple(sorted(given.items())), above & self._leads_to(key))
        if asked not in self._known:
            lines: list[str] = []
            for line in self.functions.get(key, ()):
                text = PLACE.sub(lambda name: given.get(name[1], name[0]), line)
                call = CALL.fullmatch(text)
                lines += self._called(call, given, key, above) if call else [text]
            self._known[asked] = tuple(lines)
        return self._known[asked]

    def _called(
        self, call: re.Match[str], given: Mapping[str, str], caller: str, above: frozenset[str]
    ) -> Iterator[str]:
        handed = dict(pair.split("=", 1) for pair in (call["given"] or "").split(", ") if pair)
        found = []
        for key in call["functions"].split(" or "):
            within = given if key.startswith(f"{caller}.") else {}
            found.append(self.whole(key, {**within, **handed}, above | {caller}))
        alike = sorted(set(found))
        if len(alike) > 1:
            yield f"{call['indent']}either"
        for number, lines in enumerate(alike):
            if number:
                yield f"{call['indent']}or"
            yield from (f"{call['indent']}{'  ' if len(alike) > 1 else ''}{line}" for line in lines)

    def _leads_to(self, key: str) -> frozenset[str]:
        if key not in self._below:
            self._below[key] = frozenset(self._reached([key]))
        return self._below[key]

    def roots(self) -> dict[str, str]:
        """Entries, and whatever nothing else leads to (a function that is kept in a variable)."""
        roots = dict(self.entries)
        reached = self._reached(roots.values())
        for key in (*self._uncalled(), *self.functions):
            if key not in reached:
                roots[f"({key})"] = key
                reached |= self._reached([key])
        return roots

    def _calls(self, key: str) -> set[str]:
        calls = (CALL.fullmatch(line) for line in self.functions.get(key, ()))
        return {name for call in calls if call for name in call["functions"].split(" or ")}

    def _uncalled(self) -> list[str]:
        called = {name for key in self.functions for name in self._calls(key)}
        return [key for key in self.functions if key not in called]

    def _reached(self, start: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        waiting = list(start)
        while waiting:
            key = waiting.pop()
            if key not in reached:
                reached.add(key)
                waiting += self._calls(key)
        return reached


def of_sources(workflows: Mapping[str, str], activities: Sequence[str] = ()) -> Commands:
    """`workflows`: sources by dotted module name."""
    names = activity_names(ast.parse(source) for source in activities)
    return Commands(*read({module: ast.parse(source) for module, source in workflows.items()}, names))


def of_tree(root: Path = ROOT) -> Commands:
    workflows = {
        ".".join(path.relative_to(root).with_suffix("").parts): path.read_text()
        for path in sorted((root / "workflows").rglob("*.py"))
    }
    return of_sources(workflows, [path.read_text() for path in sorted((root / "activities").rglob("*.py"))])


def of_record(text: str) -> Commands:
    kept = json.loads(text)
    return Commands(kept["functions"], kept["entries"])


def fingerprint(commands: Commands) -> Counter[tuple[str, tuple[str, ...]]]:
    """The ways in: by the server's name, or by nothing but their commands."""
    named = ((name.rpartition(": ")[2] if name in commands.entries else "", key)
             for name, key in commands.roots().items())  # fmt: skip
    return Counter((name, commands.whole(key)) for name, key in named)


def differences(before: Commands, after: Commands) -> str:
    """Empty when every way in makes the same commands; else what changed, function by function."""
    if fingerprint(before) == fingerprint(after):
        return ""
    alike: dict[tuple[str, ...], list[str]] = {}
    for key in after.functions.keys() - before.functions.keys():
        alike.setdefault(after.whole(key), []).append(key)
    gone = [key for key in before.functions if key not in after.functions]
    moved = {key: found[0] for key in gone if len(found := alike.get(before.whole(key), [])) == 1}
    shown: list[str] = []
    for key in sorted({*before.functions, *after.functions} - {*moved} - {*moved.values()}):
        old, new = (list(commands.functions.get(key, ())) for commands in (before, after))
        if before.whole(key) == after.whole(key):
            continue
        shown += unified_diff([_renamed(line, moved) for line in old], new, f"{key}, as recorded", key, lineterm="")
    entries = sorted({*before.entries.items()} ^ {*after.entries.items()})
    return "\n".join(shown) or f"other ways in: {', '.join(name for name, _ in entries)}"


def _renamed(line: str, moved: Mapping[str, str]) -> str:
    return re.sub(r"[\w.:]+", lambda word: moved.get(word[0], word[0]), line)


def record(commands: Commands, reason: str, today: str) -> str:
    kept = {
        "last_change": {"date": today, "reason": reason},
        "entries": dict(sorted(commands.entries.items())),
        "functions": {key: list(commands.functions[key]) for key in sorted(commands.functions)},
    }
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    before, after = of_record(RECORD.read_text()) if RECORD.exists() else Commands({}, {}), of_tree()
    changed = differences(before, after)
    match arguments:
        case []:
            print(ADVICE.format(differences=changed) if changed else "the commands are as recorded")  # noqa: T201
            return 1 if changed else 0
        case ["--write", reason] if reason.strip():
            RECORD.write_text(record(after, reason, datetime.now(UTC).date().isoformat()))
            return 0
    print(__doc__)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
