"""Qimen on the wire, written for the sandbox alone so that it can disagree with the client: signature, times, XML."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from starlette.responses import Response

CHINA = timezone(timedelta(hours=8))
"""China has had no summer time since 1991."""
XML = "text/xml; charset=utf-8"
NEEDED = ("method", "timestamp", "format", "app_key", "v", "sign_method", "customerId", "sign")


class NotQimen(Exception):
    """A request that is not a readable Qimen call; `code` as it is answered."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def signature(secret: str, parameters: Mapping[str, str], body: bytes) -> str:
    parts = [secret.encode()]
    for name, value in sorted(parameters.items()):
        if name != "sign":
            parts.append(f"{name}{value}".encode())
    return hashlib.md5(b"".join([*parts, body, secret.encode()])).hexdigest().upper()


def check(account: Mapping[str, str], parameters: Mapping[str, str], body: bytes) -> None:
    """Raises `NotQimen` unless the call is signed by the account (`secret`, `app_key`, `customerId`)."""
    absent = [name for name in NEEDED if not parameters.get(name)]
    if absent:
        raise NotQimen("PARAMETER_MISSING", f"missing: {', '.join(absent)}")
    if any(parameters[name] != account[name] for name in ("app_key", "customerId")):
        raise NotQimen("ACCOUNT_UNKNOWN", "no such app_key or customerId")
    right = signature(account["secret"], parameters, body)
    if not hmac.compare_digest(parameters["sign"].encode(), right.encode()):
        raise NotQimen("SIGN_CHECK_FAILURE", "sign check failure")
    try:
        datetime.strptime(parameters["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except ValueError:
        raise NotQimen("PARAMETER_WRONG", "timestamp") from None


def local(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read(body: bytes) -> Element:
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise NotQimen("BODY_WRONG", "the body is not XML") from None
    assert isinstance(root, Element)
    if root.tag != "request":
        raise NotQimen("BODY_WRONG", "the root is not request")
    return root


def document(root: str, content: Mapping[str, Any]) -> bytes:
    """Nested mappings to XML; a list is the same element several times; None is left out."""
    element = Element(root)
    _fill(element, content)
    text: str = tostring(element, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


def success(content: Mapping[str, Any], code: str = "0", message: str = "success") -> Response:
    body = document("response", {"flag": "success", "code": code, "message": message, **content})
    return Response(body, media_type=XML)


def failure(code: str, message: str, *, status: int = 200) -> Response:
    body = document("response", {"flag": "failure", "code": code, "message": message})
    return Response(body, status_code=status, media_type=XML)


def taken(status: int, body: bytes) -> bool:
    """Whether a callback's receiver said success, in Qimen's words."""
    try:
        return status == 200 and fromstring(body).findtext("flag") == "success"
    except (ParseError, DefusedXmlException, ValueError):
        return False


def _fill(parent: Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            if one is None:
                continue
            child = SubElement(parent, name)
            if isinstance(one, Mapping):
                _fill(child, one)
            else:
                child.text = str(one)
