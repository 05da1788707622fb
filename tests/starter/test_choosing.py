"""A mapping made by choosing columns: what shops call them is found, what was saved beyond them stays."""

from pathlib import Path

import pytest

from starter.importer.choosing import COLUMN, FIELDS, TEXT, chosen, guessed, guessed_format, sources_of
from starter.importer.mapping import MappingRefused, load_mapping
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
