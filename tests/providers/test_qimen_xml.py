"""Our XML: what goes out comes back, and hostile documents cost nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.qimen.xml import MAX_BYTES, MAX_DEPTH, UnableToReadXml, build, each, one, parse, text_of

LAUGHS = """<?xml version="1.0"?><!DOCTYPE request [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><request><x>&c;</x></request>"""
XXE = '<!DOCTYPE request [<!ENTITY x SYSTEM "file:///etc/passwd">]><request><x>&x;</x></request>'
HOSTILE = {
    "billion_laughs": (LAUGHS.encode(), "dtd"),
    "xxe": (XXE.encode(), "dtd"),
    "outer_dtd": (b'<!DOCTYPE request SYSTEM "http://127.0.0.1:1/x.dtd"><request/>', "dtd"),
    "deep": (b"<request>" + b"<a>" * 100_000, "too_deep"),
    "deep_and_closed": (b"<request>" + b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH + b"</request>", "too_deep"),
    "many": (b"<request>" + b"<a/>" * 150_000 + b"</request>", "too_many"),
    "long": (b"<request>" + b" " * MAX_BYTES + b"</request>", "too_large"),
    "not_utf8": ("<request><x>张</x></request>".encode("gbk"), "encoding"),
    "utf16": ("<request/>".encode("utf-16"), "encoding"),
    "bom": (b"\xef\xbb\xbf<request/>", "encoding"),
    "empty": (b"", "xml"),
    "nul": (b"<request>\x00</request>", "xml"),
    "cut": (b"<request><x>1</x>", "xml"),
    "two_roots": (b"<request/><request/>", "xml"),
    "unknown_entity": (b"<request>&nope;</request>", "xml"),
    "json": (b'{"request": 1}', "xml"),
    "other_root": (b"<response/>", "root"),
    "namespace": (b'<request xmlns="urn:x"/>', "root"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_by_name(name: str) -> None:
    raw, reason = HOSTILE[name]
    with pytest.raises(UnableToReadXml) as caught:
        parse(raw, "request")
    assert caught.value.reason == reason


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_back_but_for_what_xml_cannot_write(text: str) -> None:
    root = parse(build("request", [("x", text), ("y", [("z", 7), ("left_out", None)])]), "request")
    writable = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    assert (text_of(root, "x") or "") == writable.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert text_of(one(root, "y"), "z") == "7"
    assert text_of(one(root, "y"), "left_out") is None


def test_markup_in_a_value_stays_a_value() -> None:
    raw = build("request", [("name", "</name><sku>X</sku>&amp;]]>")])
    assert text_of(parse(raw, "request"), "name") == "</name><sku>X</sku>&amp;]]>"
    assert text_of(parse(raw, "request"), "sku") is None


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    with pytest.raises(UnableToReadXml):
        parse(raw, "request")


def test_an_element_that_should_stand_once_may_not_stand_twice() -> None:
    root = parse(b"<request><a>1</a><a>2</a><g><i/></g><g><i/></g></request>", "request")
    for read in (lambda: one(root, "a"), lambda: text_of(root, "a"), lambda: list(each(root, "g", "i"))):
        with pytest.raises(UnableToReadXml) as caught:
            read()
        assert caught.value.reason == "repeated"
