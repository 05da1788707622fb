"""The importer: money conserved to the fen, every rounding and refusal told by row, never half an order."""

import csv
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starter.importer.mapping import ImportMapping, MappingRefused, load_mapping
from starter.importer.numbers import BadNumber, line_price, quantity
from starter.importer.report import Ready, Report
from starter.importer.run import Import
from starter.importer.table import UnableToImport
from tests.starter.conftest import EXAMPLES

SAMPLE = EXAMPLES / "superstore-40.csv"


@pytest.fixture(scope="module")
def mapping() -> ImportMapping:
    return load_mapping(EXAMPLES / "superstore.mapping.yaml")


@pytest.fixture
def records() -> list[dict[str, str]]:
    """Three good orders of the sample, of 1, 2 and more rows."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:9]


def run(path: Path, mapping: ImportMapping) -> tuple[list[Ready], Report]:
    job = Import(path, mapping)
    return list(job), job.report


def write(path: Path, records: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return path


def test_sample_conserves_every_line_total(mapping: ImportMapping) -> None:
    ready, report = run(SAMPLE, mapping)
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = dict(enumerate(csv.DictReader(file), start=2))
    nets = {
        row: line.qty * line.unit_price_minor - line.discount_minor
        for each in ready
        for row, line in zip(each.rows, each.order.lines, strict=True)
    }
    cent = Decimal("0.01")
    expected = {n: int(Decimal(r["Sales"]).quantize(cent, ROUND_HALF_UP) * 100) for n, r in rows.items()}
    assert nets == expected
    assert {"CNY": sum(nets.values())} == report.totals_minor
    assert sum(nets.values()) == sum(each.order.payable_minor for each in ready)
    assert (report.orders_ready, report.orders_refused, report.lines, report.rows) == (40, 0, len(rows), len(rows))


def test_report_names_exactly_the_rows_that_were_rounded(mapping: ImportMapping) -> None:
    _, report = run(SAMPLE, mapping)
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        fractions = [n for n, r in enumerate(csv.DictReader(file), 2) if Decimal(r["Sales"]) * 100 % 1]
    assert [r.row for r in report.roundings] == fractions
    assert all(abs(Decimal(r.total) * 100 - r.total_minor) <= Decimal("0.5") for r in report.roundings)


@given(st.decimals(0, 10**6, places=6), st.integers(1, 1000))
def test_unit_price_and_discount_always_give_back_the_total(total: Decimal, qty: int) -> None:
    price = line_price(f"{total:f}", qty)
    assert price.unit_price_minor * qty - price.discount_minor == price.total_minor
    assert 0 <= price.discount_minor < qty


@pytest.mark.parametrize("text", ["NaN", "1e3", "1,000.00", "", " 1", "１９.００", "-3.2", "inf", "0x10", "1.", ".5"])
def test_totals_that_are_no_plain_number_are_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        line_price(text, 1)


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "", "１９", "1e1", "NaN"])
def test_quantities_that_are_no_whole_number_above_zero_are_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        quantity(text)


def test_one_bad_row_refuses_its_order_whole_and_keeps_the_others(
    mapping: ImportMapping, records: list[dict[str, str]], tmp_path: Path
) -> None:
    key = next(r["Order ID"] for r in records if sum(x["Order ID"] == r["Order ID"] for x in records) > 1)
    bad = next(i for i, r in enumerate(records) if r["Order ID"] == key)
    records[bad]["Quantity"] = "0"
    ready, report = run(write(tmp_path / "orders.csv", records), mapping)
    assert [(r.row, r.order) for r in report.refusals] == [(bad + 2, key)]
    assert "not above zero" in report.refusals[0].reason
    assert (report.orders_refused, report.orders_ready) == (1, len({r["Order ID"] for r in records}) - 1)
    assert key not in {each.order.channel_order_no for each in ready}
    assert report.totals_minor["CNY"] == sum(each.order.payable_minor for each in ready)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Sales", "12,50", "total '12,50' is not a plain decimal number"),
        ("Sales", "-1.00", "total '-1.00' is below zero"),
        ("Region", "Mars", "column 'Region': 'Mars' is not in the mapping's value map"),
        ("Product ID", "", "column 'Product ID' is empty"),
        ("Order Date", "08/11/2016", "column 'Order Date': '08/11/2016' is not a date like %Y-%m-%d"),
        ("Product Name", "mug\u0007", "column 'Product Name': holds the control character U+0007"),
        ("Order ID", "", "column 'Order ID' is empty, the row belongs to no order"),
    ],
)
def test_refusals_name_row_and_reason(
    mapping: ImportMapping, records: list[dict[str, str]], tmp_path: Path, column: str, value: str, reason: str
) -> None:
    one = [dict(records[0])]
    one[0][column] = value
    ready, report = run(write(tmp_path / "orders.csv", one), mapping)
    assert ready == []
    assert report.refusals[0].reason.startswith(reason)
    assert report.refusals[0].row in (2, None)


def test_mixed_customers_refuse_the_order(
    mapping: ImportMapping, records: list[dict[str, str]], tmp_path: Path
) -> None:
    two = [dict(records[0]), dict(records[0], **{"Customer ID": "XX-1"})]
    ready, report = run(write(tmp_path / "orders.csv", two), mapping)
    assert ready == []
    assert [(r.row, r.reason) for r in report.refusals] == [
        (3, "buyer, address differ from row 2 of the same order"),
    ]


def test_rows_of_one_order_that_stand_apart_are_one_order(
    mapping: ImportMapping, records: list[dict[str, str]], tmp_path: Path
) -> None:
    expected, _ = run(write(tmp_path / "together.csv", records), mapping)
    apart = records[0::2] + records[1::2]
    found, _ = run(write(tmp_path / "apart.csv", apart), mapping)
    sizes = {each.order.order_no: (len(each.order.lines), each.order.payable_minor) for each in expected}
    assert {each.order.order_no: (len(each.order.lines), each.order.payable_minor) for each in found} == sizes


def test_ragged_row_refuses_its_order(mapping: ImportMapping, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1] + ",surplus"]), encoding="utf-8")
    ready, report = run(path, mapping)
    assert ready == []
    assert report.refusals[0].reason == "19 cells, the header has 18"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_found_out(
    mapping: ImportMapping, records: list[dict[str, str]], tmp_path: Path, encoding: str
) -> None:
    records[0]["Product Name"] = "龙井绿茶"
    ready, report = run(write(tmp_path / "orders.csv", records, encoding), mapping)
    assert ready[0].order.lines[0].name == "龙井绿茶"
    assert report.refusals == []


def test_files_that_are_unusable_as_a_whole_import_nothing(mapping: ImportMapping, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    whole = SAMPLE.read_bytes()
    cases = {
        b"": "is empty",
        "Order ID,Sales\n1,2".encode("utf-16"): "read as utf-16",
        whole.replace(b"Quantity", b"Qty", 1): "lacks the column 'Quantity'",
        whole.replace(b"Discount", b"Sales", 1): "column 'Sales' twice",
        whole + b'"never closed': "broken after row",
        whole + b"\xff\xff\xff": "is not utf-8-sig or gb18030 or big5",
    }
    for content, reason in cases.items():
        path.write_bytes(content)
        with pytest.raises(UnableToImport, match=reason):
            Import(path, mapping)
    with pytest.raises(UnableToImport, match="cannot be read"):
        Import(tmp_path / "absent.csv", mapping)


def test_placing_time_can_be_given_for_old_data(mapping: ImportMapping) -> None:
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert {each.order.placed_at for each in Import(SAMPLE, mapping, placed_at=now)} == {now}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("version: 1", "version: 2"), "version"),
        (("{column: Product ID}", "{column: Product ID, const: X}"), "exactly one of"),
        (("zone: Asia/Shanghai", "zone: Mars/Olympus"), "not a time zone"),
        (('"SS-{Order ID}"', '"{0.__class__!r}"'), "plain"),
        (("group_by: Order ID", "group_by: Order ID\n  group_by: Region"), "stands twice"),
        (("line:", "unknown_key: 1\nline:"), "unknown_key"),
        (("{method: native}", "{method: cash}"), "payment.method"),
        (("version: 1", "version: !!python/object/apply:os.getcwd []"), "not YAML"),
    ],
)
def test_mappings_are_read_strictly(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    text = (EXAMPLES / "superstore.mapping.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "mapping.yaml"
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(MappingRefused, match=reason):
        load_mapping(path)
