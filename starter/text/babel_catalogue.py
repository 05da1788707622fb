"""A catalogue of Chinese beside the code whose texts it has: what is missing, what is over, bring it up to date."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po


@dataclass(frozen=True)
class Catalogue:
    """`said`: everything that is said, as found in the code. `may`: what may be translated without having to be."""

    file: Path
    said: Callable[[], Catalog]
    may: Callable[[], frozenset[str]] = frozenset

    def chinese(self) -> Catalog:
        with self.file.open("rb") as file:
            return read_po(file, locale="zh")

    def faults(self) -> list[str]:
        """A line each: not translated, or no longer said."""
        said, known = self.said(), self.chinese()
        wanted = {_id(m.id) for m in said if m.id}
        told = {_id(m.id): m for m in known if m.id}
        missing = [text for text in sorted(wanted) if text not in told or not _whole(told[text].string)]
        over = sorted(told.keys() - wanted - self.may())
        name = self.file.name
        return [f"{name}: not translated: {t!r}" for t in missing] + [f"{name}: no longer said: {t!r}" for t in over]

    def update(self) -> None:
        """Write what is new into the file, without Chinese; what is no longer said leaves it."""
        known, found, may = self.chinese(), self.said(), self.may()
        known.fuzzy = False
        for message in known:
            if message.id and _id(message.id) in may:
                found.add(message.id)
        known.update(found, no_fuzzy_matching=True)
        known.obsolete.clear()
        with self.file.open("wb") as file:
            write_po(file, known, width=120, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)


def command(words: list[str], *catalogues: Catalogue) -> int:
    """Look, or `--update`; the exit code."""
    found = []
    for catalogue in catalogues:
        if words == ["--update"]:
            catalogue.update()
        found += catalogue.faults()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def _id(found: object) -> str:
    return found if isinstance(found, str) else found[0]  # type: ignore[index]


def _whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)
