"""Which of the two languages `oms` speaks: `--lang`, else what the terminal says of its person.

Code says everything in English; where it is printed it is said in the person's language (decision 0074). JSON is the
same in both. Imports nothing of the product (decision 0066)."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

from starter.text.marking import N_
from starter.text.po import CHINESE_OF_OMS, read
from starter.text.sentences import of_tickets
from starter.text.templates import Sentences
from starter.text.words.states import STATES, waiting

Code = Literal["zh", "en"]
OPTION = "--lang"
FOR_A_LANGUAGE = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""As gettext asks them: the first that says anything decides; LANGUAGE may name several."""


class Spoken:
    """Of this process, as `machine.DocumentWanted`."""

    code: Code = "en"


class NoSuchLanguage(Exception):
    """Another one than the two is asked for."""


def choose(arguments: Sequence[str]) -> list[str]:
    """Take `--lang` out of a command line, wherever it stands, and speak it. Behind `--` there are no options.

    Without it the environment decides. Raises `NoSuchLanguage`."""
    Spoken.code = of_environment(os.environ)
    rest, wanted = _without_option(arguments)
    if wanted is not None:
        if wanted not in ("zh", "en"):
            raise NoSuchLanguage(N_(f"{OPTION} {wanted} is no language of `oms`: write zh or en"))
        Spoken.code = "zh" if wanted == "zh" else "en"
    return rest


def of_environment(names: Mapping[str, str]) -> Code:
    """zh for any Chinese; en for everything else, and for a terminal that says nothing."""
    said = next((names[name] for name in FOR_A_LANGUAGE if names.get(name)), "")
    for wanted in said.split(":"):
        language = wanted.partition(".")[0].partition("_")[0].partition("-")[0].lower()
        if language in ("zh", "en"):
            return "zh" if language == "zh" else "en"
    return "en"


def is_chinese() -> bool:
    return Spoken.code == "zh"


def say(text: str) -> str:
    """A sentence, whatever numbers and names stand in it."""
    return _chinese().say(text) if is_chinese() else text


def word(text: str) -> str:
    """A name of a column or of a line."""
    return _chinese().word(text) if is_chinese() else text


def state(kind: str, value: object) -> str:
    """What the books call a state, in words for Chinese readers; in English it is as it is given to options."""
    if not is_chinese():
        return str(value)
    text = STATES.get(kind, {}).get(str(value))
    return str(value) if text is None else word(text)


def called(kind: str, value: object) -> str:
    """What people call it, in either language; what has no words stays as it is."""
    text = STATES.get(kind, {}).get(str(value))
    return str(value) if text is None else word(text)


def waits(text: str) -> str:
    """What an order or a case waits for."""
    return waiting(text, word) if is_chinese() else text


def happened(text: str) -> str:
    """What a ticket tells."""
    return of_tickets.in_chinese(text) if is_chinese() else text


@cache
def _chinese() -> Sentences:
    return Sentences(read(CHINESE_OF_OMS))


def _without_option(arguments: Sequence[str]) -> tuple[list[str], str | None]:
    rest: list[str] = []
    wanted: str | None = None
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*rest, word, *waiting], wanted
        if word == OPTION and waiting:
            wanted = waiting.pop(0)
        elif word.startswith(f"{OPTION}="):
            wanted = word.partition("=")[2]
        else:
            rest.append(word)
    return rest, wanted
