"""English sentences, said in Chinese: found again by their template.

Whoever refuses puts names and numbers into an English sentence and knows no language. Where it is shown, the sentence
is matched against the templates of the catalogue (`there is no order {0}; …`), and its parts go into the Chinese."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

HOLE = re.compile(r"\{(\d+)\}")
FEWEST = 4
"""Letters of a template's own; one with fewer would fit anything."""
DEEPEST = 4
"""Sentences in one another: what a command says, of what a client was told, of what the books refused."""


@dataclass(frozen=True)
class Template:
    """`pieces`: the text between its holes."""

    pieces: tuple[str, ...]
    chinese: str

    def said(self, text: str) -> tuple[str, ...] | None:
        """What stands in the holes; None: it is another sentence."""
        if not all(piece in text for piece in self.pieces):
            return None
        found = self._pattern.fullmatch(text)
        return None if found is None else found.groups()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("(.*?)".join(map(re.escape, self.pieces)), re.DOTALL)

    @property
    def weight(self) -> int:
        return sum(map(len, self.pieces))


class Sentences:
    """`told`: English to Chinese, as a catalogue has it."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._plain = {english.replace("{{", "{").replace("}}", "}"): text for english, text in told.items()}
        made = [Template(_pieces(english), text) for english, text in told.items() if HOLE.search(english)]
        # The most said of its own comes first: `{0}; look with …` before `{0}`.
        self._templates = sorted((t for t in made if _letters(t) >= FEWEST), key=lambda t: -t.weight)

    def say(self, text: str) -> str:
        """A text that nobody has translated stays as it is."""
        return self._say(text, DEEPEST) or text

    def word(self, text: str) -> str:
        """Only a text as a whole, never by a pattern."""
        return self._plain.get(text, text)

    def _say(self, text: str, depth: int) -> str | None:
        said = self._exactly(text, depth)
        if said is None and text.endswith("."):
            said = self._exactly(text.removesuffix("."), depth)
            return said if said is None or said.endswith(("。", "？")) else f"{said}。"
        return said

    def _exactly(self, text: str, depth: int) -> str | None:
        if text in self._plain:
            return self._plain[text]
        if depth == 0 or " " not in text:
            return None
        ended = text.endswith(".")
        for template in self._templates:
            # A hole at the end would take the full stop into it.
            parts = None if ended and not template.pieces[-1] else template.said(text)
            if parts is not None:
                return template.chinese.format(*(self._part(part, depth) for part in parts))
        return self._several(text, depth)

    def _several(self, text: str, depth: int) -> str | None:
        """Of sentences that stand in a row, each: the longest first, for one may have a `; ` of its own."""
        parts = text.split("; ")
        for length in range(len(parts) - 1, 0, -1):
            head, tail = "; ".join(parts[:length]), "; ".join(parts[length:])
            first = self._say(head, depth - 1)
            if first is not None:
                return f"{first}；{self._say(tail, depth - 1) or tail}"
        if len(parts) > 1:
            rest = self._say("; ".join(parts[1:]), depth - 1)
            return None if rest is None else f"{parts[0]}；{rest}"
        return None

    def _part(self, part: str, depth: int) -> str:
        """A sentence in it is said too. A single word is data: an article may be called `order`."""
        return (self._say(part, depth - 1) or part) if " " in part else part


def _pieces(template: str) -> tuple[str, ...]:
    parts = HOLE.split(template)[::2]
    return tuple(part.replace("{{", "{").replace("}}", "}") for part in parts)


def _letters(template: Template) -> int:
    return sum(character.isalpha() for piece in template.pieces for character in piece)
