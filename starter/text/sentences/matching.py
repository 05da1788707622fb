"""Sentences that others write in English, said in Chinese: each by its pattern; one without stays as it is."""

import re
from collections.abc import Callable, Mapping, Sequence

Table = Sequence[tuple[str, str]]
"""A pattern for the whole sentence, and the Chinese of it with its groups as `{1}`, `{2}` …"""


def said(text: str, table: Table, part: Callable[[str], str] = str) -> str | None:
    """`part`: of a group, as it stands in the sentence. None: no pattern is of this sentence."""
    for pattern, words in table:
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found:
            return words.format("", *(part(group or "") for group in found.groups()))
    return None


def known_as(words: Mapping[str, str]) -> Callable[[str], str]:
    """Parts that have a word of their own."""
    return lambda part: words.get(part, part)
