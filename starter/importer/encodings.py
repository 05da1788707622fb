"""In which encoding a text file is, and what stands between its columns: found, or said what to give."""

import codecs
import csv
from collections.abc import Sequence
from pathlib import Path

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LOCAL = ("gb18030", "big5")
"""What is no UTF-8 and has no mark. GB18030 takes almost every byte, so that what it makes of them has to be judged."""
_SAMPLE = 1 << 16
_SURELY, _SURELY_NOT = 0.93, 0.8
"""Of the two-byte characters that are of GB 2312: names hold few others; of a text in Big5 it is about half."""
DELIMITERS = (",", "\t", ";", "|")


class UnableToDecode(ValueError):
    """It is in no encoding that is read, or in one of two. The text goes on after the file's name."""


def encoding_of(path: Path, needed: Sequence[str], wanted: str | None = None) -> str:
    """The encoding that decodes the whole file. `needed`: columns that its first line has to name; they decide between
    encodings that would both do. Raises `UnableToDecode` and `OSError`."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    if wanted is not None:
        # A mark would stick to the first column's name.
        return _whole(path, ("utf-8-sig" if wanted == "utf-8" else wanted,))
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    if told := marked or _utf16(sample):
        return _whole(path, (told,))
    return _unmarked(path, needed, sample)


def _unmarked(path: Path, needed: Sequence[str], sample: bytes) -> str:
    if _undecodable(path, "utf-8-sig") is None:
        return "utf-8-sig"
    fitting = [name for name in _LOCAL if _undecodable(path, name) is None]
    if not fitting:
        return _whole(path, ("utf-8-sig", *_LOCAL))
    named = [name for name in fitting if needed and _names(path, name, needed)]
    if len(named or fitting) == 1:
        return (named or fitting)[0]
    return _likelier(sample)


def delimiter_of(path: Path, encoding: str, needed: Sequence[str]) -> str:
    """What stands between the columns: what makes the first line name all that are needed, else most columns."""
    headers = {sign: _header(path, encoding, sign) for sign in DELIMITERS}
    wanted = set(needed)
    # max() keeps the first of equals: a comma.
    return max(DELIMITERS, key=lambda sign: (len(wanted & set(headers[sign])), len(headers[sign])))


def _whole(path: Path, candidates: Sequence[str]) -> str:
    at: int | None = None
    for encoding in candidates:
        at = _undecodable(path, encoding)
        if at is None:
            return encoding
    raise UnableToDecode(
        f"is not {' or '.join(candidates)} (line {at}); save it as UTF-8, or say its `encoding` in the mapping, and "
        "import again."
    )


def _undecodable(path: Path, encoding: str) -> int | None:
    """The line that cannot be decoded."""
    line = 1
    try:
        with path.open(encoding=encoding, newline="") as file:
            while chunk := file.read(_SAMPLE):
                line += chunk.count("\n")
    except UnicodeError:
        return line
    return None


def _utf16(sample: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of its digits and commas is zero."""
    pairs = len(sample) // 2
    if pairs and sample[1::2].count(0) > pairs / 5:
        return "utf-16-le"
    return "utf-16-be" if pairs and sample[0::2].count(0) > pairs / 5 else None


def _names(path: Path, encoding: str, needed: Sequence[str]) -> bool:
    return any(set(needed) <= set(_header(path, encoding, sign)) for sign in DELIMITERS)


def _header(path: Path, encoding: str, delimiter: str) -> list[str]:
    with path.open(encoding=encoding, newline="") as file:
        try:
            return [name.strip() for name in next(csv.reader(file, delimiter=delimiter), [])]
        except csv.Error:
            return []


def _likelier(sample: bytes) -> str:
    share = _share_of_gb2312(sample)
    if _SURELY_NOT < share < _SURELY:
        raise UnableToDecode(
            f"is {' or '.join(_LOCAL)}, and both can be read; say which as `encoding` in the mapping, or save it as "
            "UTF-8."
        )
    return "gb18030" if share >= _SURELY else "big5"


def _share_of_gb2312(sample: bytes) -> float:
    """Of its two-byte characters. Big5 takes second bytes from 0x40 on, GB 2312 only those from 0xA1."""
    pairs: list[bool] = []
    at = 0
    while at < len(sample) - 1:
        if sample[at] > 0x80:
            pairs.append((0xA1 <= sample[at] <= 0xA9 or 0xB0 <= sample[at] <= 0xF7) and sample[at + 1] >= 0xA1)
            at += 1
        at += 1
    return sum(pairs) / len(pairs) if pairs else 1.0
