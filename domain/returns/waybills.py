"""What a carrier's waybill numbers look like: a slip of the finger is found where a person types one.

What people type is judged before it counts. What a warehouse says has happened: it counts as it is, and a person is
told of what is odd about it. Carriers make new kinds of numbers, so whoever says that one is right is believed."""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple


class WaybillShape(NamedTuple):
    """`like`: for who reads why a number was not taken."""

    pattern: re.Pattern[str]
    like: str


def _shape(pattern: str, like: str) -> WaybillShape:
    return WaybillShape(re.compile(pattern, re.ASCII), like)


SHAPES: Mapping[str, WaybillShape] = {
    "SF": _shape(r"SF[A-Z0-9]\d{12}|\d{12}|\d{15}", "SF1234567890123"),
    "YTO": _shape(r"YT\d{13}|[A-Z0-9]{10,12}|88[A-Z0-9]{16}", "YT1234567890123"),
    "ZTO": _shape(r"ZT\d{12,13}|\d{12,14}", "78123456789012"),
    "STO": _shape(r"\d{12,17}", "773123456789012"),
    "YUNDA": _shape(r"YD\d{13}|\d{13}|\d{15}", "463123456789012"),
    "JD": _shape(r"JD[A-Z0-9]{2}\d{11}|JD[A-Z]{0,3}\d{10,13}|\d{11,15}", "JDVA12345678901"),
    "JTSD": _shape(r"JT\d{13}|\d{12,15}", "JT1234567890123"),
    "EMS": _shape(r"[A-Z]{2}\d{9}[A-Z]{2}|\d{13}|P[A-Z]\d{11}", "EA123456789CN"),
    "POSTB": _shape(r"[A-Z]{2}\d{9}[A-Z]{2}|\d{13}|P[A-Z]\d{11}", "9812345678901"),
    "DBKD": _shape(r"DPK\d{12}|\d{8,12}", "DPK123456789012"),
}
"""By our code of a carrier (docs/providers.md); of any other one no number is odd."""


def as_printed(text: str) -> str:
    """A number as a label shows it: what a person copies brings spaces, small letters or wide ones."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()


ANY = re.compile(r"[A-Z0-9][A-Z0-9-]{3,39}", re.ASCII)
"""What can be a number of some carrier."""


def odd_number(carrier: str, waybill_no: str) -> str:
    """An example of a number of this carrier's, if this one looks like none of them; else empty."""
    shape = SHAPES.get(carrier.upper())
    return "" if shape is None or shape.pattern.fullmatch(as_printed(waybill_no)) else shape.like


def doubt(carrier: str, waybill_no: str) -> str:
    """What a person should know of a number that was told; empty when nothing is odd."""
    if like := odd_number(carrier, waybill_no):
        return f"waybill {waybill_no} looks like none of {carrier}, which are like {like}"
    return "" if ANY.fullmatch(as_printed(waybill_no)) else f"waybill {waybill_no} looks like none of any carrier"
