"""Reads the Chinese of a catalogue without Babel: a command has to answer at once (decision 0066)."""

import json
from collections.abc import Iterator
from pathlib import Path

CHINESE_OF_OMS = Path(__file__).resolve().parents[1] / "locale" / "zh" / "LC_MESSAGES" / "oms.po"
_KEYS = ("msgid ", "msgstr ")


def read(path: Path) -> dict[str, str]:
    """English to Chinese, of a file as `starter.text.catalogue` writes it: no plurals, no contexts. What has no
    Chinese is left out. Raises `OSError`, and `ValueError` for a file that is none."""
    told = {}
    wanted = ""
    for key, text in _entries(path.read_text(encoding="utf-8").splitlines()):
        if key == "msgid ":
            wanted = text
        elif wanted and text:
            told[wanted] = text
    return told


def _entries(lines: list[str]) -> Iterator[tuple[str, str]]:
    key, parts = "", list[str]()
    for line in lines:
        if line.startswith('"'):
            parts.append(json.loads(line))
            continue
        if key:
            yield key, "".join(parts)
        key, parts = "", []
        for begins in _KEYS:
            if line.startswith(begins):
                key, parts = begins, [json.loads(line.removeprefix(begins))]
    if key:
        yield key, "".join(parts)
