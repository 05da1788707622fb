"""Nothing is shown that is not translated, and what is vendored is what the manifest says."""

import re
from collections.abc import Iterable
from pathlib import Path

from bench import vendored
from console.pages.rendering import ICONS
from console.text.catalogue import ROOM, chinese, faults, texts
from console.text.language import LANGUAGES
from domain.approvals import Role
from domain.returns.enums import CaseStatus
from domain.states import ChildStatus, OrderStatus, PaymentStatus, RefundStatus
from starter.text.words.states import STATES
from tests.console.office import Desk

MARKUP = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<script.*?</script>|<[^>]*>", re.DOTALL)
NAMES = {"English", "中文", "SKU"}
ATTRIBUTES = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"{]+)"')


def test_every_text_has_its_chinese_and_no_chinese_has_lost_its_text() -> None:
    assert faults() == []
    assert len(texts()) > 100


def test_the_chinese_of_a_text_has_its_parts_and_no_others() -> None:
    for message in chinese():
        if isinstance(message.id, str) and message.id and "%(" in message.id:
            parts = dict.fromkeys(re.findall(r"%\((\w+)\)s", message.id), "~")
            assert (message.id % parts).count("~") == (str(message.string) % parts).count("~"), message.id


def test_templates_hold_no_words_outside_of_the_catalogue() -> None:
    bare = {}
    for path in sorted((ROOM / "views").glob("**/*.html")):
        text = path.read_text()
        words = set(re.findall(r"[^\W\d_]{2,}", MARKUP.sub(" ", text))) - NAMES
        words |= set(ATTRIBUTES.findall(text))
        if words:
            bare[path.name] = words
    assert bare == {}


def test_every_state_has_words() -> None:
    kinds: dict[str, Iterable[str]] = {
        "order": OrderStatus, "payment": PaymentStatus, "child": ChildStatus, "refund": RefundStatus,
        "case": CaseStatus, "role": [role for role in Role if role is not Role.SERVICE],
    }  # fmt: skip
    for kind, states in kinds.items():
        assert {str(state) for state in states} <= set(STATES[kind]), kind


def test_amounts_times_and_waits_read_as_people_write_them() -> None:
    chinese, english = LANGUAGES["zh"], LANGUAGES["en"]
    assert (chinese.money(123_456), english.money(123_456)) == ("¥1,234.56", "CN¥1,234.56")
    assert chinese.money(1_500, "JPY") == "JP¥1,500"
    assert chinese.waits("payment until 2026-03-02 12:00") == "付款，截止 2026-03-02 12:00"
    assert chinese.word("order", "SOMETHING_NEW") == "SOMETHING_NEW"


async def test_a_page_is_chinese_until_somebody_wants_english(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    assert "<title>今日" in (await browser.get("/")).text
    answer = await browser.get("/language/en?next=/orders%3Fq%3D1")
    assert answer.headers["location"] == "/orders?q=1"
    page = (await browser.get("/orders")).text
    assert "<title>Orders" in page and '<html lang="en">' in page


def test_what_is_vendored_is_what_the_manifest_says() -> None:
    assert vendored.faults() == []
    for package in vendored.manifest():
        assert package["licence"] and re.fullmatch(r"\d+\.\d+\.\d+", package["version"])


def test_pages_name_icons_that_are_there() -> None:
    named = set()
    for path in (p for p in Path(ROOM).rglob("*") if p.suffix in (".html", ".py")):
        named |= set(re.findall(r"""icon\(["']([a-z0-9-]+)["']""", path.read_text()))
    assert named and named <= set(ICONS)
