"""`oms` speaks Chinese to who reads Chinese: help, refusals and tables, at 80 columns. JSON is the same in both."""

import re
from collections.abc import Mapping
from io import StringIO

import pytest
import typer
from rich.cells import cell_len

from starter.cli import language, output
from starter.cli.groups import MADE
from starter.text.catalogue import OMS
from starter.text.marking import N_
from starter.text.po import CHINESE_OF_OMS, read
from starter.text.templates import HOLE, Sentences
from tests.starter.conftest import Oms

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def english_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command has chosen belongs to its process."""
    monkeypatch.setattr(language.Spoken, "code", "en")


def paths() -> list[tuple[str, ...]]:
    """Every command of `oms`, groups too."""
    found: list[tuple[str, ...]] = [()]
    for name, make in MADE.items():
        holder = typer.Typer()
        make(holder)
        found += _below((name,), typer.main.get_group(holder).commands[name])
    return found


def _below(path: tuple[str, ...], command: object) -> list[tuple[str, ...]]:
    below = getattr(command, "commands", {})
    return [path, *(deeper for name, one in below.items() for deeper in _below((*path, name), one))]


def test_every_text_of_oms_has_its_chinese_and_no_chinese_has_lost_its_text() -> None:
    assert OMS.faults() == []
    assert len(OMS.said()) > 1000


def test_the_chinese_of_a_sentence_has_its_holes_and_no_others() -> None:
    for english, chinese in read(CHINESE_OF_OMS).items():
        if "%(" not in english:
            assert set(HOLE.findall(chinese)) <= set(HOLE.findall(english)), english
            if HOLE.search(english):
                chinese.format(*("x" for _ in range(20)))


@pytest.mark.parametrize(
    ("terminal", "code"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "zh:en", "LANG": "C.UTF-8"}, "zh"),
        ({"LANGUAGE": "fr:zh-Hans", "LANG": "fr_FR.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": ""}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminal_says_which_language_its_person_reads(terminal: Mapping[str, str], code: str) -> None:
    assert language.of_environment(terminal) == code


def test_lang_is_heard_wherever_it_stands_and_over_the_terminal(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    assert "用法：oms" in oms("--help").out
    assert "Usage: oms" in oms("--lang", "en", "--help").out
    monkeypatch.setenv("LANGUAGE", "en")
    for words in (("--lang", "zh", "order", "--help"), ("order", "--help", "--lang=zh"), ("order", "--lang", "zh")):
        assert "用法：oms order" in oms(*words).out + oms(*words).err
    assert "Usage: oms order" in oms("order", "--help").out


def test_another_language_is_refused_with_the_two_that_there_are(oms: Oms) -> None:
    said = oms("--lang", "fr", "order", "list")
    assert (said.code, said.err) == (2, "Error: --lang fr is no language of `oms`: write zh or en.\n")


@pytest.mark.parametrize("code", ["zh", "en"])
def test_help_of_every_command_fits_eighty_columns(oms: Oms, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for path in paths():
        said = oms("--lang", code, *path, "--help").out
        assert max(map(cell_len, said.splitlines())) <= 80, path
        assert ("用法：oms" in said, "Usage: oms" in said) == (code == "zh", code == "en"), path


def test_help_is_cut_off_nowhere(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for path in paths():
        said = oms("--lang", "zh", *path, "--help").out
        assert not re.search(r"[\u3000-\u9fff] ?…", said), path


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (("ordr",), "No such command 'ordr'. Did you mean 'order'?", "没有命令 'ordr'。是否想用 'order'？"),
        (("order", "show"), "Missing argument 'NO'", "缺少参数 'NO'。"),
        (("order", "list", "--nope"), "No such option: --nope", "没有选项 --nope。"),
        (("order", "list", "--limit", "0"), "greater than or equal to 1", "'--limit' 的值无效：应大于或等于 1。"),
        (("order", "cancel", "S1", "--reason", "x"), "'S1' is no order number", "'S1' 不是订单号：6 到 26 个字母"),
        (("return", "apply", "no.json"), "no.json cannot be read: No such", "无法读取 no.json：没有此文件或文件夹。"),
        (("event", "replay", "--all", "3"), "event numbers stand alone", "事件编号须单独给出"),
        (("ticket", "resolve", "T-1", "--remark", "x"), "say how: one of", "请说明方式："),
    ],
)
def test_a_refusal_says_the_same_in_both_languages(
    oms: Oms, words: tuple[str, ...], english: str, chinese: str
) -> None:
    first, second = oms("--lang", "en", *words), oms("--lang", "zh", *words)
    assert first.code == second.code == 2
    assert first.err.startswith("Error: ") and english in first.err
    assert second.err.startswith("错误：") and chinese in second.err


def test_what_programs_read_is_the_same_in_both_languages(oms: Oms) -> None:
    said = [oms("--lang", code, "order", "cancel", "S1", "--reason", "x", "--json") for code in ("en", "zh")]
    assert said[0].out == said[1].out
    assert said[0].json["error"]["exit_code"] == 2


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_table_fits_eighty_columns_and_its_data_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(language.Spoken, "code", code)
    monkeypatch.setattr(output, "PIPE_WIDTH", 80)
    screen = StringIO()
    monkeypatch.setattr("sys.stdout", screen)
    columns = ("order", "channel", "placed", "status", "payment", "payable", "attention", "waits for")
    state = language.state("order", "AWAITING_SHIPMENT")
    wait = language.waits("payment until 2026-03-02 12:00; warehouse and carrier")
    output.table(
        "Orders", columns, [("SO2603020101", "仓库", "nothing", state, "nothing yet", "1.00", N_("yes"), wait)]
    )
    said = screen.getvalue()
    assert max(map(cell_len, said.splitlines())) <= 80
    assert "nothing" in said and "仓库" in said
    joined = re.sub(r"\s", "", said)
    assert ("需关注" in joined and "待发货" in joined and "是" in joined) == (code == "zh")
    assert ("AWAIT" in joined and "yes" in joined) == (code == "en")


def test_a_sentence_is_found_by_what_it_says_and_never_by_what_stands_in_it() -> None:
    told = Sentences(
        {
            "there is no order {0}; look with `{1}`.": "没有订单 {0}；请看 `{1}`。",
            "order {0} did not take it ({1}): {2}": "订单 {0} 没有接受（{1}）：{2}",
            "the order is {0}: nothing to confirm": "订单为 {0}：没有可确认的",
            "order": "订单",
            "{0}: {1}": "错",
            "braces {{x}} and {0}": "括号 {{x}} 和 {0}",
        }
    )
    assert told.say("there is no order order; look with `oms`.") == "没有订单 order；请看 `oms`。"
    nested = told.say("order O1 did not take it (NotNow): the order is CLOSED: nothing to confirm")
    assert nested == "订单 O1 没有接受（NotNow）：订单为 CLOSED：没有可确认的"
    assert told.say("somebody: said something else") == "somebody: said something else"
    assert told.say("there is no order A; look with `b`.; unknown words") == "没有订单 A；请看 `b`。；unknown words"
    assert told.say("braces {x} and y") == "括号 {x} 和 y"
    assert told.word("order of") == "order of"


def test_no_sentence_was_left_in_english() -> None:
    """A text of two words or more that has no Chinese character in it was forgotten, but for names of commands."""
    forgotten = [
        english
        for english, chinese in read(CHINESE_OF_OMS).items()
        if not HAN.search(chinese) and re.search(r"[a-z]{3,} [a-z]{3,}", english) and not english.startswith("oms ")
    ]
    assert forgotten == []
