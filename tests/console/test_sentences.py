"""What importer, workers and books write in English is said in Chinese, whole; what nobody knows stays as it is."""

import re
from pathlib import Path

import pytest

from domain.refunds.outside import OutsideKind, OutsideMoney, ticket_text
from starter.importer.run import Import
from starter.text.sentences import of_files, of_tickets
from starter.text.sentences import of_rules as rule_sentences
from tests.starter.test_choosing import PAID_ROW, ROW, a_paid_file, paid_mapping
from tests.store.examples import NOW

CHINESE = re.compile(r"[\u4e00-\u9fff]")
BAD = (
    PAID_ROW.replace(",19.90,天猫", ",19.80,天猫"), PAID_ROW.replace(",1900000001,", ",,"),
    PAID_ROW.replace("2026/03/02 10:01", "yesterday"), PAID_ROW.replace("4200000001", "42 0"),
    PAID_ROW.replace(",2,19.90,42", ",two,19.90,42"), PAID_ROW.replace(",2,19.90,42", ",0,19.90,42"),
    PAID_ROW.replace(",2,19.90,42", ",2,much,42"), PAID_ROW.replace("13800000000", "1.38E+10"),
    PAID_ROW.replace("TM2026-01", "TM"), ROW, f"{PAID_ROW}\n{PAID_ROW.replace('TM2026-01', 'TM2026-02')}",
)  # fmt: skip


@pytest.mark.parametrize("row", BAD)
def test_whatever_is_wrong_in_a_file_of_orders_reads_in_chinese(tmp_path: Path, row: str) -> None:
    path = a_paid_file(tmp_path, row)
    job = Import(path, paid_mapping(path), now=NOW)
    list(job)
    assert job.report.refusals
    for one in job.report.refusals:
        assert CHINESE.search(of_files.in_chinese(one.reason)), one.reason


@pytest.mark.parametrize("kind", OutsideKind)
def test_money_from_outside_reads_in_chinese(kind: OutsideKind) -> None:
    money = OutsideMoney(
        kind=kind, source="wechat", number="42", key="k", amount_minor=1050, currency="CNY", occurred_at=NOW, why="x"
    )
    said = of_tickets.in_chinese(ticket_text(7, "SO1001", money))
    assert "订单 SO1001" in said and "10.50 CNY" in said and "微信支付" in said


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("qimen HTTP 503: out of service", "qimen 服务异常，结果未知或未执行"),
        (
            "promised until 2026-03-02 10:00 UTC; 3 to leave, kept by: stock",
            "承诺 2026-03-02 10:00（UTC）前发出；还有 3 件未发，原因：缺货",
        ),
        ("paid 5999, payable 6000 (minor units)", "付款 5999 分，应付 6000 分"),
        ("the machine coughed", "the machine coughed"),
    ],
)  # fmt: skip
def test_a_ticket_tells_in_chinese_what_has_happened(text: str, chinese: str) -> None:
    assert of_tickets.in_chinese(text) == chinese


@pytest.mark.parametrize("table", [of_files._SENTENCES, of_tickets._SENTENCES, rule_sentences._SENTENCES])
def test_each_sentence_names_no_more_parts_than_its_pattern_has(table: tuple[tuple[str, str], ...]) -> None:
    for pattern, words in table:
        groups = re.compile(pattern).groups
        assert max([0, *(int(n) for n in re.findall(r"\{(\d)\}", words))]) <= groups, pattern
