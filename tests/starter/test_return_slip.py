"""The slip in the parcel: one page that fetches nothing, names nobody and can be scanned (R50)."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import segno

from domain.returns.codes import code_of
from starter.return_slip import Slip, SlipLine, as_html, as_text

CODE = code_of(bytes(range(13)))


def a_slip(**changes: object) -> Slip:
    fields = {
        "return_no": "RT20261120",
        "code": CODE,
        "lines": (SlipLine(sku="MUG-RED", qty=2, name="红色马克杯"),),
        "send_by": datetime(2026, 5, 8, 2, 0, tzinfo=UTC),
        "send_to": "退货仓 A 区",
    }
    return Slip.model_validate({**fields, **changes})


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]


def tags(page: str) -> Tags:
    read = Tags()
    read.feed(page)
    return read


def test_it_says_what_is_in_the_parcel_in_both_languages() -> None:
    page = as_html(a_slip())
    for words in (
        "RT20261120",
        CODE,
        "MUG-RED",
        "红色马克杯",
        "Return slip",
        "退货单",
        "2026-05-08 10:00",
        "退货仓 A 区",
    ):
        assert words in page


def test_it_is_whole_in_itself() -> None:
    read = tags(as_html(a_slip()))
    assert read.addresses == []
    assert not {"script", "img", "link", "iframe"} & set(read.names)
    assert read.names.count("svg") == 1


def test_the_picture_is_the_code() -> None:
    wanted = segno.make(CODE, error="q", micro=False).svg_inline(scale=6, border=4, svgclass=None, lineclass=None)
    found = re.search(r"<svg.*</svg>", as_html(a_slip()), re.DOTALL)
    assert found is not None
    assert found[0] == wanted


def test_names_of_articles_cannot_bring_markup_in() -> None:
    nasty = '<img src=x onerror="alert(1)">&{code}'
    page = as_html(a_slip(lines=(SlipLine(sku="A", qty=1, name=nasty),), send_to=nasty))
    assert tags(page).names == tags(as_html(a_slip())).names
    assert "&amp;{code}" in page


def test_a_terminal_shows_it_too() -> None:
    *picture, code, send_to, send_by = as_text(a_slip()).splitlines()
    assert code == CODE
    assert len({len(line) for line in picture}) == 1
    assert send_to == "寄至 / Send to: 退货仓 A 区" and send_by.endswith("2026-05-08 10:00")
