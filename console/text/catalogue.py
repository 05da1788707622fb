"""Every text of the console, out of its code and templates, and the Chinese that belongs to it.

    python -m console.text.catalogue            # says what is not translated, or no longer there; exit code 1 then
    python -m console.text.catalogue --update   # adds what is new to the catalogues, for you to translate

A text is English in the code, `_("Orders")` in templates, `N_("Orders")` where it is only named. English needs no
catalogue. What `oms` says as well (words for states, sentences of refusals) stands in the catalogue of `oms`, which is
looked at and brought up to date along with this one (decision 0074).
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
from babel.support import Translations
from jinja2.ext import babel_extract

from starter.text.babel_catalogue import Catalogue, command
from starter.text.marking import N_
from starter.text.po import CHINESE_OF_OMS, read

__all__ = ["N_", "chinese", "extract_template", "faults", "texts", "translations"]

ROOM = Path(__file__).resolve().parents[1]
CHINESE = ROOM / "locale" / "zh" / "LC_MESSAGES" / "console.po"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "npgettext": ((1, "c"), 2, 3)}
HOW = [("**/*.py", "python"), ("views/**.html", "console.text.catalogue:extract_template")]


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


CONSOLE = Catalogue(CHINESE, texts)


def chinese() -> Catalog:
    return CONSOLE.chinese()


@cache
def translations() -> Translations:
    """Of both Chinese catalogues, made when first asked for. Where both know a text, the console's own counts."""
    known = chinese()
    for english, text in read(CHINESE_OF_OMS).items():
        if english not in known:
            known.add(english, text)
    made = io.BytesIO()
    write_mo(made, known)
    made.seek(0)
    return Translations(made)


def faults() -> list[str]:
    """A line each: not translated, or no longer said."""
    return CONSOLE.faults()


if __name__ == "__main__":
    from starter.text.catalogue import OMS

    sys.exit(command(sys.argv[1:], CONSOLE, OMS))
