"""Every text of the console, out of its code and templates, and the Chinese that belongs to it.

    python -m console.text.catalogue            # says what is not translated, or no longer there; exit code 1 then
    python -m console.text.catalogue --update   # adds what is new to the catalogue, for you to translate

A text is English in the code, `_("Orders")` in templates, `N_("Orders")` where it is only named. English needs no
catalogue.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import Translations
from jinja2.ext import babel_extract

ROOM = Path(__file__).resolve().parents[1]
CHINESE = ROOM / "locale" / "zh" / "LC_MESSAGES" / "console.po"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
HOW = [("**/*.py", "python"), ("views/**.html", "console.text.catalogue:extract_template")]


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Marks a text that is translated where it is shown."""
    return text


def extract_template(
    fileobj: BinaryIO, keywords: Sequence[str], tags: Sequence[str], options: dict[str, str]
) -> Iterator[object]:
    """Babel calls it by name. A template that cannot be read is an error and not silence."""
    return babel_extract(
        fileobj, keywords, tags, {**options, "silent": "false", "trimmed": "true", "encoding": "utf-8"}
    )


def texts() -> Catalog:
    """Everything that is said, as found in the code and the templates."""
    found = Catalog(locale="zh")
    for name, line, message, comments, context in extract_from_dir(
        str(ROOM),
        method_map=HOW,
        keywords=KEYWORDS,
        comment_tags=("i18n:",),
    ):
        found.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return found


def chinese() -> Catalog:
    with CHINESE.open("rb") as file:
        return read_po(file, locale="zh")


@cache
def translations() -> Translations:
    """Of the Chinese catalogue, made when first asked for."""
    made = io.BytesIO()
    write_mo(made, chinese())
    made.seek(0)
    return Translations(made)


def faults() -> list[str]:
    """A line each: not translated, or no longer said."""
    said, known = texts(), chinese()
    wanted = {(m.id if isinstance(m.id, str) else m.id[0]) for m in said if m.id}
    told = {(m.id if isinstance(m.id, str) else m.id[0]): m for m in known if m.id}
    lines = [
        f"not translated: {text!r}" for text in sorted(wanted) if text not in told or not _whole(told[text].string)
    ]
    lines += [f"no longer said: {text!r}" for text in sorted(told.keys() - wanted)]
    return lines


def _whole(string: object) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def update() -> None:
    known = chinese()
    known.fuzzy = False
    known.update(texts(), no_fuzzy_matching=True)
    known.obsolete.clear()
    with CHINESE.open("wb") as file:
        write_po(file, known, width=120, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)


def main(words: list[str]) -> int:
    if words == ["--update"]:
        update()
    found = faults()
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
