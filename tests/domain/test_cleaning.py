"""What comes in from people and spreadsheets: harmless things undone, meaning kept, lost values refused by name.

Kinds: the "Big List of Naughty Strings" (minimaxir/big-list-of-naughty-strings), the guards that Taobao and JD put into
their exports, Excel's 15 digits (learn.microsoft.com, "Excel specifications and limits") and its dates (the renamed
genes, Ziemann et al. 2016)."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.order import SkuTags
from domain.policy import Policy
from domain.reading.cleaning import (
    Spoilt,
    clean_code,
    clean_number,
    clean_phone,
    clean_quantity,
    clean_text,
    exact_code,
    exact_phone,
    exact_sku,
    unguarded,
)

ALL = (clean_text, clean_code, clean_number, clean_quantity, clean_phone, exact_code, exact_phone, exact_sku)
NAUGHTY = (
    "",
    "undefined",
    "NaN",
    "1E+02",
    "0x1.ffp3",
    "＇；＜",
    "Ω≈ç√∫",
    "田中さんに",
    "\u202atest\u202a",
    "\u202etest",
    "\u2066a\u2069",
    "ﬁ",
    "İ",
    "ß",
    "👾 🙇 💁🏽",
    "👨\u200d👩\u200d👧",
    "🏴\U000e0067\U000e0062\U000e007f",
    "1️⃣",
    "Z̮̞̠͙͔ͅ",
    "می\u200cنا",
    "क्\u200dष",
    "<script>",
    "' OR 1=1 --",
    '="="1""',
    "='='1",
    "''''1",
    "`'`'5",
    "\u200d\u200d",
    "a\u200d \u200db",
    "a\u200c\u200db",
    "\ufeff",
    "\u00a0 \u3000",
    "１２３．４５",
    "１，２３４",
    "--1",
    "-¥1,234.0",
)


def visible(text: str) -> str:
    """What a reader sees, told without the module: compatibility forms, no white space, no formatting signs."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc"))


def bare(text: str) -> str:
    return "".join(visible(text).split())


@given(st.text() | st.sampled_from(NAUGHTY) | st.lists(st.sampled_from(NAUGHTY)).map("".join))
@example("a\u200d\u200d ")
@example('="\'1"')
def test_cleaning_refuses_by_name_or_gives_what_it_would_give_again(text: str) -> None:
    for clean in ALL:
        try:
            once = clean(text)
        except Spoilt:
            continue
        assert clean(once) == once


@given(st.text() | st.lists(st.sampled_from(NAUGHTY)).map("".join))
def test_cleaned_text_reads_as_before(text: str) -> None:
    try:
        assert bare(clean_text(text)) == bare(text)
    except Spoilt:
        assert any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("王💸", "王💸"),
        ("𠮷田", "𠮷田"),
        ("王👨\u200d👩\u200d👧", "王👨\u200d👩\u200d👧"),
        ("می\u200cنا", "می\u200cنا"),
        ("🏴\U000e0067\U000e007f", "🏴\U000e0067\U000e007f"),
        ("a\U000e0067", "a"),
        ("文三路\u200b1 号", "文三路1 号"),
        ("文三路 1 号\n3 楼", "文三路 1 号 3 楼"),
        ("文三路\t1 号", "文三路 1 号"),
        ("\ufeff文三路", "文三路"),
        ("文三路\u00a01", "文三路 1"),
        ("ＡＢ１２（３）", "AB12（3）"),
        ("\u202eabc\u202c", "abc"),
        ("'t Hart", "'t Hart"),
        ("路" * 240, "路" * 240),
    ],
)
def test_names_and_streets_keep_what_means_something(typed: str, kept: str) -> None:
    assert clean_text(typed) == kept


@pytest.mark.parametrize("text", ["a\x00b", "a\x07", "a\x1b[31m", "\ud800"])
def test_control_characters_are_refused_by_name(text: str) -> None:
    with pytest.raises(Spoilt, match=r"control character U\+"):
        clean_text(text)


@pytest.mark.parametrize(
    "cell",
    ["\t2022072512345928261", "`2022072512345928261", "'2022072512345928261", '="2022072512345928261"',
     "２０２２０７２５１２３４５９２８２６１", "\ufeff2022072512345928261 "],
)  # fmt: skip
def test_guards_of_spreadsheets_come_off_a_code(cell: str) -> None:
    assert exact_code(cell) == "2022072512345928261"


@pytest.mark.parametrize("code", ["2.02207E+18", "1.38E+10", "2022072512345920000", "20220725123459200"])
def test_a_number_that_a_spreadsheet_rounded_is_refused(code: str) -> None:
    with pytest.raises(Spoilt, match="spreadsheet"):
        exact_code(code)


@pytest.mark.parametrize("code", ["2022072512345900", "2022072512345928260", "12E5", "100000000000000", "杯子-红"])
def test_a_code_that_may_be_right_is_kept(code: str) -> None:
    assert exact_sku(code) == code


@pytest.mark.parametrize("code", ["1-Mar", "Mar-01", "1-Mar-24", "3月1日", "2024年3月1日", "2024/3/1"])
def test_a_date_made_of_a_sku_is_refused(code: str) -> None:
    with pytest.raises(Spoilt, match="date"):
        exact_sku(code)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1,234.50", "1234.50"), ("¥10.00", "10.00"), ("￥10", "10"), ("10.00元", "10.00"), ("１０．５", "10.5"),
     ("'10", "10"), ("12,50", "12,50"), ("$10", "$10"), ("1.234,50", "1.234,50"), ("-1,234", "-1234")],
)  # fmt: skip
def test_amounts_lose_their_marks_and_never_their_value(cell: str, number: str) -> None:
    assert clean_number(cell, "CNY") == number


def test_a_count_may_be_written_as_a_spreadsheet_does() -> None:
    assert [clean_quantity(c) for c in ("1.0", "1,000", "２", "1.5", ".0")] == ["1", "1000", "2", "1.5", ".0"]


def test_cold_goods_have_one_name_on_orders_and_in_policies() -> None:
    named = [SkuTags(warehouse="W", logistics=name) for name in ("cold", "cold_chain", "cold-chain")]
    assert {tags.logistics for tags in named} == {"cold"}
    assert Policy(logistics=("cold_chain",)).logistics == ("cold",)


@pytest.mark.parametrize("name", ["'+8613800000000", '="+8613800000000"', "+8613800000000"])
def test_guards_come_off_a_telephone_number(name: str) -> None:
    assert clean_phone(name) == unguarded(name) == "+8613800000000"
