"""XML in and out: built with every value escaped, read as elements and text only, bounded in every direction."""

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MAX_BYTES = 2_000_000
MAX_DEPTH = 20
MAX_ELEMENTS = 100_000
"""An order of 10,000 lines, confirmed with all its fields, has about 80,000."""

_UNWRITABLE = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot write, escaped or not: lone surrogates, most controls, two non-characters."""

Tree: TypeAlias = "str | int | Sequence[tuple[str, Tree]] | None"
"""A value, or children in order as (name, tree). None leaves the element out."""


class UnableToReadXml(ValueError):
    """The bytes are not the XML expected. `reason` is one word for counting; the text never holds a value."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def build(root: str, children: Tree) -> bytes:
    """The document as UTF-8 bytes, to be signed and sent as they are."""
    return ('<?xml version="1.0" encoding="utf-8"?>' + _element(root, children)).encode()


def parse(raw: bytes, root: str) -> Element:
    """The element named `root`. Raises `UnableToReadXml`: too_large, encoding, dtd, too_deep, too_many, xml or root."""
    if len(raw) > MAX_BYTES:
        raise UnableToReadXml("too_large", f"the document has {len(raw)} bytes; at most {MAX_BYTES} are read")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as e:
        raise UnableToReadXml("encoding", f"the document is not UTF-8 (byte {e.start})") from None
    if text.startswith("\ufeff"):
        raise UnableToReadXml("encoding", "the document starts with a byte order mark")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(text)
        found = parser.close()
    except DefusedXmlException:
        raise UnableToReadXml("dtd", "the document declares a DTD or entities") from None
    except (ParseError, LookupError, ValueError) as e:
        if isinstance(e, UnableToReadXml):
            raise
        raise UnableToReadXml("xml", "the document is not well-formed XML") from None
    if not isinstance(found, Element) or found.tag != root:
        raise UnableToReadXml("root", f"the document's root is not <{root}>")
    return found


def one(parent: Element, name: str) -> Element:
    """The only child of that name. Raises `UnableToReadXml` (missing, repeated)."""
    found = parent.findall(name)
    if len(found) != 1:
        reason = "repeated" if found else "missing"
        raise UnableToReadXml(reason, f"<{parent.tag}> has {len(found)} elements <{name}>; exactly one is expected")
    return found[0]


def text_of(parent: Element, name: str, *, longest: int = 200) -> str | None:
    """The only child's text, trimmed; None when absent or empty. Raises `UnableToReadXml` (repeated, field)."""
    if parent.find(name) is None:
        return None
    child = one(parent, name)
    text = (child.text or "").strip()
    if len(child) or len(text) > longest:
        raise UnableToReadXml("field", f"<{name}> is not a text of at most {longest} characters")
    return text or None


def each(parent: Element, group: str, name: str) -> Iterator[Element]:
    """The elements `name` inside the only `group`; none when the group is absent."""
    if parent.find(group) is not None:
        yield from one(parent, group).findall(name)


def _element(name: str, tree: Tree) -> str:
    if tree is None:
        return ""
    if isinstance(tree, str | int):
        return f"<{name}>{escape(_legal(str(tree)))}</{name}>"
    return f"<{name}>{''.join(_element(*child) for child in tree)}</{name}>"


def _legal(text: str) -> str:
    return _UNWRITABLE.sub("", text)


class _Bounded(TreeBuilder):
    """Stops reading at the limit, so that a hostile document costs no more than an honest one."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH:
            raise UnableToReadXml("too_deep", f"the document nests deeper than {MAX_DEPTH}")
        if self._count > MAX_ELEMENTS:
            raise UnableToReadXml("too_many", f"the document has more than {MAX_ELEMENTS} elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)
