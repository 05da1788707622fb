"""Where a value is in a JSON body: JSON pointers (RFC 6901), and nothing that could run."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator

MAX_LENGTH = 200
MAX_SEGMENTS = 20
_BAD_ESCAPE = re.compile(r"~(?![01])")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")


def _well_formed(pointer: str) -> str:
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer[:40]!r} is not a place in JSON: it begins with a slash, as in /data/order_no")
    if len(pointer) > MAX_LENGTH or pointer.count("/") > MAX_SEGMENTS:
        raise ValueError(f"a place has at most {MAX_LENGTH} characters and {MAX_SEGMENTS} steps")
    if not pointer.isprintable() or "" in pointer[1:].split("/"):
        raise ValueError(f"{pointer[:40]!r} has an empty step or a character that cannot be printed")
    if _BAD_ESCAPE.search(pointer):
        raise ValueError(f"{pointer[:40]!r} holds a lone ~; write ~0 for a tilde and ~1 for a slash in a name")
    return pointer


Pointer = Annotated[str, AfterValidator(_well_formed)]


def find(body: Any, pointer: str) -> Any:
    """The value at `pointer`; None when the way there does not exist or ends at null."""
    for step in pointer[1:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(body, dict):
            body = body.get(name)
        elif isinstance(body, list) and _INDEX.fullmatch(name) and int(name) < len(body):
            body = body[int(name)]
        else:
            return None
    return body
