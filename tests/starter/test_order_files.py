"""Order files as shops export them: any encoding and guard gives the right order, what is lost is refused."""

from datetime import datetime
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook

from domain.order import StartOrder
from starter.importer.mapping import ImportMapping
from starter.importer.report import Report
from starter.importer.run import Import
from starter.importer.table import UnableToImport

HEAD = ("订单号", "平台单号", "下单时间", "收件人", "电话", "地址", "编码", "数量", "金额")
MAPPING = """
version: 1
order:
  group_by: 订单号
  order_no: {column: 订单号}
  channel: {const: taobao}
  channel_order_no: {column: 平台单号}
  placed_at: {column: 下单时间, format: "%Y-%m-%d %H:%M:%S"}
  buyer_id: {const: B-1}
  address:
    recipient: {column: 收件人}
    phone: {column: 电话}
    province: {const: 浙江省}
    city: {const: 杭州市}
    street: {column: 地址}
line:
  sku: {column: 编码}
  qty: {column: 数量}
  total: {column: 金额}
  tags: {warehouse: {const: WH-EAST}}
"""
ROW = {
    "订单号": "TB112821203864", "平台单号": "2022072512345928261", "下单时间": "2026-11-29 05:20:38",
    "收件人": "王小明", "电话": "13800000000", "地址": "文三路1号", "编码": "杯子-红", "数量": "1", "金额": "10.00",
}  # fmt: skip


def mapping(**changed: str) -> ImportMapping:
    return ImportMapping.model_validate(yaml.safe_load(MAPPING) | changed)


def read(path: Path, by: ImportMapping | None = None) -> tuple[list[StartOrder], Report]:
    job = Import(path, by or mapping())
    return [ready.order for ready in job], job.report


def csv_file(tmp_path: Path, *changed: dict[str, str], encoding: str = "utf-8", sign: str = ",") -> Path:
    path = tmp_path / "orders.csv"
    lines = [sign.join((ROW | c)[name] for name in HEAD) for c in changed or ({},)]
    path.write_bytes("\r\n".join((sign.join(HEAD), *lines, "")).encode(encoding))
    return path


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("sign", [",", "\t", ";"])
def test_encoding_and_delimiter_are_found(tmp_path: Path, encoding: str, sign: str) -> None:
    if encoding == "big5":  # it lacks the simplified characters
        changed = {"收件人": "王小明", "地址": "文三路1", "编码": "MUG-RED"}
        head = [name for name in HEAD if not _in(name, "big5")]
        text = csv_file(tmp_path, changed, sign=sign).read_text(encoding="utf-8")
        for name, other in zip(head, ("單號", "平台", "時間", "電話", "編碼", "數量", "金額"), strict=False):
            text = text.replace(name, other)
        (tmp_path / "orders.csv").write_bytes(text.encode("big5"))
        by = MAPPING
        for name, other in zip(head, ("單號", "平台", "時間", "電話", "編碼", "數量", "金額"), strict=False):
            by = by.replace(name, other)
        (order,), report = read(tmp_path / "orders.csv", ImportMapping.model_validate(yaml.safe_load(by)))
    else:
        (order,), report = read(csv_file(tmp_path, encoding=encoding, sign=sign))
    assert order.address.recipient == "王小明"
    assert (order.payable_minor, report.refusals, report.cleaned) == (1000, [], [])


def _in(text: str, encoding: str) -> bool:
    try:
        return bool(text.encode(encoding))
    except UnicodeEncodeError:
        return False


@pytest.mark.parametrize("guard", ["\t{}", "`{}", "'{}", '="{}"', "{}\u200b", "\ufeff{}"])
def test_guards_come_off_and_are_told(tmp_path: Path, guard: str) -> None:
    guarded = {name: guard.format(ROW[name]) for name in ("订单号", "平台单号", "电话", "编码", "数量", "金额")}
    if guard == '="{}"':  # as a file with quotes has it
        guarded = {name: f'"=""{ROW[name]}"""' for name in guarded}
    (order,), report = read(csv_file(tmp_path, guarded))
    assert (order.order_no, order.channel_order_no) == (ROW["订单号"], ROW["平台单号"])
    assert (order.address.phone, order.lines[0].sku, order.payable_minor) == (ROW["电话"], "杯子-红", 1000)
    # A tab beside a value is the file's white space, which nobody needs to hear of.
    assert {c.column for c in report.cleaned} == (set() if guard == "\t{}" else set(guarded))


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("平台单号", "2.02207E+18", "what a spreadsheet left of a long number"),
        ("平台单号", "2022072512345920000", "only zeros after 15 digits"),
        ("电话", "1.38E+10", "what a spreadsheet left of a long number"),
        ("编码", "1-Mar", "a date that a spreadsheet has made of a code"),
        ("金额", "€10", "no plain decimal number"), ("金额", "\"1.234,5\"", "no plain decimal number"),
        ("数量", "1.5", "not a whole number"), ("收件人", "a\x01", "control character U+0001"),
    ],
)  # fmt: skip
def test_what_is_lost_is_refused_with_its_row_and_column(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    found, report = read(csv_file(tmp_path, {column: cell}))
    assert found == []
    assert report.refusals[0].row == 2
    assert reason.removeprefix("no plain") in report.refusals[0].reason


def test_a_rounded_number_may_be_right_and_then_the_mapping_says_so(tmp_path: Path) -> None:
    (order,), _ = read(csv_file(tmp_path, {"平台单号": "2022072512345920000"}), mapping(rounded="accept"))
    assert order.channel_order_no == "2022072512345920000"


@pytest.mark.parametrize(
    ("cells", "payable"),
    [
        ({"金额": '"1,234.50"'}, 123450),
        ({"金额": "¥10.00"}, 1000),
        ({"数量": "1.0"}, 1000),
        ({"金额": "１０．００"}, 1000),
    ],
)
def test_amounts_and_counts_are_read_as_people_write_them(tmp_path: Path, cells: dict[str, str], payable: int) -> None:
    (order,), report = read(csv_file(tmp_path, cells))
    assert (order.payable_minor, order.lines[0].qty) == (payable, 1)
    assert [c.column for c in report.cleaned] == list(cells)


@pytest.mark.parametrize(
    "phone",
    ["18400000000-1234", "18400000000转1234", "18400000000,1234", "18400000000 ext. 1234", "+1 555-555-5555 ext. 12345",
     "(010) 12345678", "400 123 4567", "138****0000"],
)  # fmt: skip
def test_telephone_numbers_of_marketplaces_are_kept(tmp_path: Path, phone: str) -> None:
    (order,), _ = read(csv_file(tmp_path, {"电话": f'"{phone}"'}))
    assert order.address.phone == phone


def sheet(tmp_path: Path, **changed: object) -> Path:
    book = Workbook()
    assert book.active is not None
    book.active.append(list(HEAD))
    book.active.append([(ROW | changed)[name] for name in HEAD])
    book.save(path := tmp_path / "orders.xlsx")
    return path


def test_a_workbook_gives_the_order_of_the_csv_file(tmp_path: Path) -> None:
    typed = {"下单时间": datetime(2026, 11, 29, 5, 20, 38), "电话": 13800000000, "数量": 1, "金额": 10}  # noqa: DTZ001
    assert read(sheet(tmp_path, **typed))[0] == read(csv_file(tmp_path))[0] != []


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [("平台单号", 2022072512345920000, "keeps 15 digits"), ("编码", datetime(2026, 3, 1), "holds a date"),  # noqa: DTZ001
     ("金额", "=1+1", "holds a formula")],
)  # fmt: skip
def test_what_a_workbook_has_lost_is_refused(tmp_path: Path, column: str, cell: object, reason: str) -> None:
    found, report = read(sheet(tmp_path, **{column: cell}))
    assert found == []
    assert column in report.refusals[0].reason
    assert reason in report.refusals[0].reason


def test_a_file_that_cannot_be_understood_says_what_to_give(tmp_path: Path) -> None:
    path = csv_file(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("平台单号", "单号"), encoding="utf-8")
    with pytest.raises(UnableToImport, match=r"lacks the column '平台单号'.*read as utf-8 with ','.*`encoding`"):
        read(path)
