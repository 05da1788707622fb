"""Single fields of a Qimen document, each read in the one form it may have."""

import re
from datetime import datetime
from xml.etree.ElementTree import Element

from domain.returns.waybills import as_printed
from providers.qimen.sign import moment
from providers.qimen.xml import UnableToReadXml, text_of

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Our child number, a carrier's code, a message id."""
LINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
ITEM = re.compile(r"\S{1,64}")
"""An article's code, which may be Chinese."""
_WAYBILL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,39}")
_SHORT = re.compile(r".{1,100}", re.DOTALL)
_COUNT = re.compile(r"[0-9]{1,9}")
_UNSEEN = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def required(parent: Element, name: str, form: re.Pattern[str]) -> str:
    """Raises `UnableToReadXml` (missing, repeated, field)."""
    text = optional(parent, name, form)
    if text is None:
        raise UnableToReadXml("missing", f"<{parent.tag}> has no <{name}>")
    return text


def optional(parent: Element, name: str, form: re.Pattern[str]) -> str | None:
    """Raises `UnableToReadXml` (repeated, field)."""
    text = text_of(parent, name)
    if text is not None and not form.fullmatch(text):
        raise UnableToReadXml("field", f"<{name}> does not have the form of one")
    return text


def waybill(parent: Element, name: str) -> str:
    """A parcel's number: it has left, however odd it is. Raises `UnableToReadXml` (missing, repeated, field)."""
    told = required(parent, name, _SHORT)
    number = told if _WAYBILL.fullmatch(told) else as_printed(clean(told))
    if not (number and _SHORT.fullmatch(number)):
        raise UnableToReadXml("field", f"<{name}> does not have the form of one")
    return number


def count(parent: Element, name: str) -> int | None:
    """A number of units, 0 to 999,999,999. Raises `UnableToReadXml` (repeated, field)."""
    text = optional(parent, name, _COUNT)
    return None if text is None else int(text)


def time_of(parent: Element, name: str) -> datetime | None:
    """A moment, tz-aware UTC. Raises `UnableToReadXml` (repeated, time)."""
    text = text_of(parent, name)
    try:
        return None if text is None else moment(text)
    except ValueError:
        raise UnableToReadXml("time", f"<{name}> is not a time like 2015-04-26 00:00:07") from None


def clean(text: str) -> str:
    """Without the characters that hide or turn text on a page or in a log."""
    return _UNSEEN.sub(" ", text)
