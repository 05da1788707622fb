"""The reply's outer object, cut without touching it: Alipay signs the inner object's text exactly as it was sent.

    {"alipay_trade_query_response":{"code":"10000","msg":"Success",…},"sign":"…"}

Reading and writing the inner object again would lose `\\/` escapes, spaces and the order of keys, and the signature
with them (opendocs common/02km9f). So its text is cut out of the bytes, verified, and only then read.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.strict import UnableToRead, load

ERROR = "error_response"
"""The gateway's own errors may come under this name, whatever was asked for."""
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Envelope:
    """`inner`: raw text of the answer; `is_answer` False for `error_response`, which can never tell of a success."""

    inner: bytes
    is_answer: bool
    sign: str


def open_envelope(body: bytes, method: str) -> Envelope:
    """Cut a reply to `method` (`alipay.trade.query`). Raises `UnableToRead`."""
    if not isinstance(load(body), dict):
        raise UnableToRead("the reply is not a JSON object")
    parts = dict(_members(body.decode()))
    answer = method.replace(".", "_") + "_response"
    names = [name for name in (answer, ERROR) if name in parts]
    if len(names) != 1 or not parts[names[0]].startswith("{"):
        raise UnableToRead(f"the reply holds no object {answer}, or more than one answer")
    return Envelope(parts[names[0]].encode(), names[0] == answer, _text(parts.get("sign", '""')))


def _members(text: str) -> Iterator[tuple[str, str]]:
    """Name and raw value of each member of an object that is known to be well formed, without duplicate names."""
    decoder = json.JSONDecoder()
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = decoder.raw_decode(text, start)
        yield name, text[start:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _text(raw: str) -> str:
    value = json.loads(raw)
    if not isinstance(value, str):
        raise UnableToRead("sign is not a text")
    return value
