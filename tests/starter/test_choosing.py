"""A mapping made by choosing columns: what shops call them is found, what was saved beyond them stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.order import PaymentTerms
from starter.importer.choosing import (
    COLUMN,
    DATE_FORMATS,
    FIELDS,
    TEXT,
    chosen,
    guessed,
    guessed_format,
    guessed_payment,
    sources_of,
)
from starter.importer.mapping import ImportMapping, MappingRefused, load_mapping
from starter.importer.preview import look
from starter.importer.run import Import
from starter.importer.table import UnableToImport
from tests.starter.conftest import EXAMPLES

HEADER = (
    "订单编号", "下单时间", "买家ID", "收货人", "手机", "省份", "城市", "区县", "详细地址", "商家编码", "商品名称",
    "数量", "实付金额",
)  # fmt: skip
ROW = "TM2026-01,2026-03-02 10:00:00,b1,张三,13800000000,浙江省,杭州市,西湖区,文三路 1 号,CUP,杯子,2,19.90"
KNOWN = load_mapping(EXAMPLES / "superstore.mapping.yaml")


def a_file(folder: Path, delimiter: str = ",", encoding: str = "gb18030", rows: tuple[str, ...] = (ROW,)) -> Path:
    path = folder / "orders.csv"
    text = "\n".join([",".join(HEADER), *rows]).replace(",", delimiter)
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_what_a_shop_exports_needs_only_its_channel_named(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = a_file(tmp_path, delimiter, encoding)
    seen = look(path)
    assert (seen.encoding, seen.delimiter, seen.header) == (encoding, delimiter, HEADER)
    sources = guessed(seen.header)
    lacking = [field.name for field in FIELDS if field.needed and not sources[field.name]]
    assert lacking == ["order.channel"]
    form = guessed_format(seen.values("下单时间"))
    mapping = chosen(sources | {"order.channel": f"{TEXT}tmall"}, date_format=form, delimiter=delimiter)
    (ready,) = list(Import(path, mapping))
    order = ready.order
    assert (order.order_no, order.channel, order.payable_minor, order.address.city) == (
        "TM2026-01", "tmall", 1990, "杭州市",
    )  # fmt: skip


def test_what_lacks_a_column_is_named_and_nothing_is_guessed() -> None:
    with pytest.raises(MappingRefused, match=r"order.address.phone: has no column") as told:
        chosen({}, date_format="%Y-%m-%d")
    assert "order.address.district" not in str(told.value)


def test_a_saved_mapping_keeps_its_translations_as_long_as_their_source_is_the_same() -> None:
    sources = sources_of(KNOWN)
    assert chosen(sources, date_format="%Y-%m-%d", base=KNOWN) == KNOWN
    moved = chosen(sources | {"order.address.city": f"{COLUMN}State"}, date_format="%Y-%m-%d", base=KNOWN)
    assert moved.order.address.country == KNOWN.order.address.country and moved.line.tags == KNOWN.line.tags
    other = chosen(sources | {"line.tags.warehouse": f"{COLUMN}City"}, date_format="%Y-%m-%d", base=KNOWN)
    assert other.line.tags and other.line.tags.warehouse.map is None


def test_a_text_may_hold_columns_and_reach_into_nothing_else() -> None:
    sources = sources_of(KNOWN) | {"order.order_no": f"{TEXT}TM-{{Order ID}}"}
    assert chosen(sources, date_format="%Y-%m-%d", base=KNOWN).order.order_no.template == "TM-{Order ID}"
    with pytest.raises(MappingRefused):
        chosen(sources | {"order.order_no": f"{TEXT}{{a!r}}"}, date_format="%Y-%m-%d", base=KNOWN)


@pytest.mark.parametrize(
    ("values", "form"),
    [(["2026/3/2 9:05", "2026/03/02 10:00"], "%Y/%m/%d %H:%M"), (["2026-03-02", ""], "%Y-%m-%d")],
)
def test_how_dates_are_written_is_read_off_all_of_them(values: list[str], form: str) -> None:
    assert guessed_format(values) == form


def test_a_file_that_no_delimiter_reads_says_why(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(UnableToImport, match="is empty"):
        look(tmp_path / "empty.csv")


PAID_HEADER = (*HEADER, "支付单号", "商户号", "付款时间", "付款金额", "付款凭证")
OF_A_PAYMENT = "4200000001,1900000001,2026/03/02 10:01,19.90,天猫账单第 7 行"
PAID_ROW = f"{ROW},{OF_A_PAYMENT}"


def a_paid_file(folder: Path, *rows: str) -> Path:
    path = folder / "paid.csv"
    path.write_text("\n".join([",".join(PAID_HEADER), *rows]), encoding="utf-8")
    return path


def paid_mapping(path: Path) -> ImportMapping:
    seen = look(path)
    sources = guessed(seen.header) | {"order.channel": f"{TEXT}tmall"} | guessed_payment(seen.header)
    return chosen(sources, date_format=DATE_FORMATS[0], paid_format=guessed_format(seen.values("付款时间")))


def test_what_is_paid_already_brings_its_payment_and_waits_for_finance_and_a_row_without_one_does_not(
    tmp_path: Path,
) -> None:
    unpaid = f"{ROW.replace('TM2026-01', 'TM2026-02')},,1900000001,2026/03/02 10:01,,"
    path = a_paid_file(tmp_path, PAID_ROW, unpaid)
    now = datetime(2026, 3, 3, tzinfo=UTC)
    job = Import(path, paid_mapping(path), now=now)
    first, second = list(job)
    assert first.paid is not None and job.report.paid == 1
    said = first.paid
    assert (said.order_no, said.channel, said.merchant_id, said.transaction_id, said.amount_minor, said.evidence) == (
        "TM2026-01", "wechat", "1900000001", "4200000001", 1990, "天猫账单第 7 行",
    )  # fmt: skip
    assert said.paid_at.isoformat() == "2026-03-02T10:01:00+08:00"
    assert first.order.payment == PaymentTerms(method="external", deadline=now + timedelta(days=7))
    assert second.paid is None and second.order.payment == PaymentTerms()
    assert all(ready.paid is None for ready in Import(path, chosen_without(path))), "only who says so means it"


def chosen_without(path: Path) -> ImportMapping:
    return chosen(guessed(look(path).header) | {"order.channel": f"{TEXT}tmall"}, date_format=DATE_FORMATS[0])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (PAID_ROW.replace(",19.90,天猫", ",19.80,天猫"), "19.8 was paid, order TM2026-01 costs 19.9"),
        (PAID_ROW.replace(",1900000001,", ",,"), "column '商户号' is empty"),
        (PAID_ROW.replace("2026/03/02 10:01", "yesterday"), "is not a date like"),
        (PAID_ROW.replace("4200000001", "42 0"), "transaction_id"),
        (PAID_ROW.replace("天猫账单第 7 行", ""), "column '付款凭证' is empty"),
        (
            f"{PAID_ROW}\n{PAID_ROW.replace('TM2026-01', 'TM2026-02')}",
            "transaction 4200000001 pays order TM2026-01 of this file",
        ),
    ],
)
def test_a_payment_that_says_too_little_or_pays_twice_refuses_its_order(tmp_path: Path, row: str, why: str) -> None:
    path = a_paid_file(tmp_path, row)
    job = Import(path, paid_mapping(path))
    assert len(list(job)) == row.count("\n") and why in job.report.refusals[0].reason


def test_a_payment_is_told_whole_or_not_at_all() -> None:
    sources = guessed(PAID_HEADER) | {"order.channel": f"{TEXT}tmall", "paid.transaction_id": f"{COLUMN}支付单号"}
    with pytest.raises(MappingRefused, match=r"paid\.merchant_id: has no column"):
        chosen(sources, date_format=DATE_FORMATS[0])
