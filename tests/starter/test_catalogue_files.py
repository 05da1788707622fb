"""Catalogue files in and out: good rows go in, bad ones are told by row and column, nothing nasty is opened."""

import stat
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from deploy.local.logins import as_role
from starter.importer.catalogue import count_rows, rows_of
from starter.importer.table import UnableToImport
from tests.postgres import database_url
from tests.starter.conftest import Oms

__all__ = ["database_url"]

Xlsx = Callable[..., Path]


@pytest.fixture
def books(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))


@pytest.fixture
def xlsx(tmp_path: Path) -> Xlsx:
    def write(*rows: Sequence[Any], name: str = "skus.xlsx") -> Path:
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(list(row))
        book.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def tampered(tmp_path: Path, xlsx: Xlsx) -> Callable[..., Path]:
    """A good workbook with some entries replaced or added."""

    def change(new: Mapping[str, bytes | ZipInfo]) -> Path:
        good = xlsx(["sku"], ["A"], name="good.xlsx")
        target = tmp_path / "bad.xlsx"
        with ZipFile(good) as source, ZipFile(target, "w", ZIP_DEFLATED) as out:
            for entry in source.infolist():
                if entry.filename not in new:
                    out.writestr(entry.filename, source.read(entry))
            for name, data in new.items():
                if isinstance(data, ZipInfo):
                    out.writestr(data, b"x")
                else:
                    out.writestr(name, data)
        return target

    return change


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.usefixtures("books")
def test_good_rows_go_in_and_bad_ones_are_told_by_row_and_column(oms: Oms, xlsx: Xlsx) -> None:
    header = ["sku", "ship_from", "customs", "weight_g", "length_mm", "width_mm", "height_mm", "battery", "hs_code"]
    file = xlsx(
        header,
        ["# note / 说明"],
        ["A-1", "WH-EAST, WH-SOUTH", None, 420, 100, 80, 60.0, "是", "0902101000"],
        ["A-2", "WH-EAST", "smuggled", -1],
        ["A-3", "WH-EAST", None, 1.5],
        ["A-4", "WH-EAST", None, None, 100],
        ["A-1", "WH-EAST"],
        [None, "WH-EAST"],
        ["A-5", None, "cbec", None, None, None, None, True],
    )
    said = oms("catalog", "import", str(file), "--json")
    assert said.code == 1
    result = said.json
    assert (result["rows"], result["good"], result["bad_rows"], result["added"]) == (7, 2, 5, 2)
    told = [(b["row"], b["column"]) for b in result["bad"]]
    assert told == [
        (4, "customs"), (4, "weight_g"), (5, "weight_g"), (6, "width_mm"), (6, "height_mm"), (7, "sku"), (8, "sku"),
    ]  # fmt: skip
    assert "row 3" in result["bad"][5]["reason"]
    assert all(b["advice"] for b in result["bad"])
    shown = oms("catalog", "show", "A-1", "--json").json
    assert (shown["ship_from"], shown["weight_g"], shown["battery"]) == (["WH-EAST", "WH-SOUTH"], 420, True)
    assert shown["size"] == {"length_mm": 100, "width_mm": 80, "height_mm": 60}
    assert shown["tax"]["hs_code"] == "0902101000"
    assert [r["sku"] for r in oms("catalog", "list", "--untagged", "--json").json] == ["A-5"]


@pytest.mark.usefixtures("books")
def test_a_system_may_send_json_lines(oms: Oms, tmp_path: Path) -> None:
    lines = [
        '{"sku": "A", "ship_from": ["WH-1", "WH-2"], "battery": true, "weight_g": 420}',
        "",
        '{"sku": "B", "sku": "C"}', "[]", '{"sku": "D", "weight_g": NaN}', '{"sku": {"a": 1}}',
        '{"sku": "E", "hs_code": 902101000}', '{"sku": "F", "colour": "red"}',
        '{"sku": "G", "name": "' + "x" * 350_000 + '"}', '{"sku": "H"}',
    ]  # fmt: skip
    (tmp_path / "skus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    result = oms("catalog", "import", str(tmp_path / "skus.jsonl"), "--json").json
    assert (result["added"], {b["row"] for b in result["bad"]}) == (3, {3, 4, 5, 6, 8, 9})
    assert oms("catalog", "show", "A", "--json").json["ship_from"] == ["WH-1", "WH-2"]


@pytest.mark.usefixtures("books")
def test_997_of_1000_rows_go_in(oms: Oms, xlsx: Xlsx) -> None:
    rows = [["sku", "warehouse"], *([f"S-{n}" if n % 400 else "S 0", "WH-1"] for n in range(1000))]
    result = oms("catalog", "import", str(xlsx(*rows)), "--json").json
    assert (result["put"], result["bad_rows"]) == (997, 3)


@pytest.mark.usefixtures("books")
def test_a_dry_run_tells_what_would_change_and_changes_nothing(oms: Oms, xlsx: Xlsx) -> None:
    oms("catalog", "import", str(xlsx(["sku", "ship_from"], ["A", "WH-1"], ["B", "WH-1"])))
    file = xlsx(["sku", "ship_from"], ["A", "WH-1"], ["B", "WH-2"], ["C", "WH-2"])
    result = oms("catalog", "import", str(file), "--dry-run", "--json").json
    assert (result["added"], result["changed"], result["unchanged"], result["put"]) == (1, 1, 1, 0)
    assert [r["ship_from"] for r in oms("catalog", "list", "--json").json] == [["WH-1"], ["WH-1"]]


@pytest.mark.usefixtures("books")
def test_a_column_that_the_file_lacks_keeps_its_values_and_an_empty_cell_clears(oms: Oms, xlsx: Xlsx) -> None:
    oms("catalog", "import", str(xlsx(["sku", "ship_from", "weight_g", "vat_bp"], ["A", "WH-1", 420, 1300])))
    assert oms("catalog", "import", str(xlsx(["sku", "weight_g"], ["A", None]))).code == 0
    shown = oms("catalog", "show", "A", "--json").json
    assert (shown["ship_from"], shown["weight_g"], shown["tax"]["vat_bp"]) == (["WH-1"], None, 1300)


@pytest.mark.usefixtures("books")
def test_formulas_errors_and_dates_are_refused_by_cell(oms: Oms, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["sku", "name", "hs_code"], ["A", "=1+1", ""], ["B", "#REF!", ""]):
        sheet.append(row)
    sheet["A4"], sheet["C4"] = "C", sheet["A4"].parent["A4"].value
    sheet["C4"].value, sheet["C4"].number_format = 45_000, "yyyy-mm-dd"
    book.save(tmp_path / "f.xlsx")
    bad = oms("catalog", "import", str(tmp_path / "f.xlsx"), "--json").json["bad"]
    assert [(b["row"], b["column"]) for b in bad] == [(2, "name"), (3, "name"), (4, "hs_code")]
    assert [word in b["reason"] for word, b in zip(("formula", "error", "date"), bad, strict=True)] == [True] * 3


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""
OUTSIDE = LAUGHS.replace(b'<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">', b'<!ENTITY b SYSTEM "file:///etc/passwd">')


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ({SHEET: LAUGHS}, "document type"),
        ({SHEET: OUTSIDE}, "document type"),
        ({SHEET: LAUGHS.decode().encode("utf-16")}, "document type"),
        ({"xl/sharedStrings.xml": LAUGHS}, "document type"),
        ({SHEET: b"<worksheet><sheetData>"}, "broken"),
        ({"../evil.xml": b"<a/>"}, "leads out"),
        ({"/etc/passwd": b"x"}, "leads out"),
        ({"C:/x": b"x"}, "leads out"),
        ({"xl/vbaProject.bin": b"x"}, "macros"),
        ({SHEET: b"<worksheet>" + b" " * 160_000_000 + b"</worksheet>"}, "unpacks"),
        ({f"xl/media/{n}": b"" for n in range(600)}, "unpacks"),
    ],
    ids=["laughs", "outside", "utf-16", "strings", "broken", "dots", "absolute", "drive", "macros", "bomb", "entries"],
)
def test_a_nasty_workbook_is_refused_before_it_is_opened(
    oms: Oms, tampered: Callable[..., Path], entries: dict[str, bytes], word: str
) -> None:
    file = tampered(entries)
    assert file.stat().st_size < 1_000_000
    said = oms("catalog", "import", str(file))
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert word in said.err


def test_a_link_in_the_archive_is_refused(oms: Oms, tampered: Callable[..., Path]) -> None:
    link = ZipInfo("xl/media/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    said = oms("catalog", "import", str(tampered({"link": link})))
    assert (said.code, "leads out" in said.err) == (2, True)


SHARE = st.floats(0, 0.9999)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(SHARE, st.integers(0, 255)), max_size=8), kept=st.one_of(st.just(1.0), SHARE))
def test_a_damaged_workbook_is_read_or_refused_and_never_a_crash(
    damage: list[tuple[float, int]], kept: float, xlsx: Xlsx
) -> None:
    file = xlsx(["sku", "ship_from"], ["A", "WH-1"], ["B", "=1+1"])
    content = bytearray(file.read_bytes())
    for place, byte in damage:
        content[int(place * len(content))] = byte
    file.write_bytes(content[: int(kept * len(content))])
    try:
        assert len(list(rows_of(file))) <= 3
    except UnableToImport as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\x00" * 40])
def test_what_is_no_workbook_is_refused(oms: Oms, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    said = oms("catalog", "import", str(tmp_path / "x.xlsx"))
    assert (said.code, said.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("header", [["ship_from"], ["sku", "colour"], ["sku", "SKU"], ["sku", "=1"], []])
def test_a_header_that_is_not_ours_refuses_the_file(oms: Oms, xlsx: Xlsx, header: list[str]) -> None:
    said = oms("catalog", "import", str(xlsx(header, ["A"])))
    assert (said.code, said.err.count("\n")) == (2, 1)


@pytest.mark.usefixtures("books")
def test_a_sheet_that_claims_to_be_endless_is_read_as_far_as_it_goes(oms: Oms, tampered: Callable[..., Path]) -> None:
    sheet = b"""<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>sku</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c></row></sheetData></worksheet>"""
    started = time.monotonic()
    assert oms("catalog", "import", str(tampered({SHEET: sheet})), "--json").json["added"] == 1
    far = sheet.replace(b'r="2"', b'r="1048576"').replace(b"A2", b"XFD1048576")
    assert "rows" in oms("catalog", "import", str(tampered({SHEET: far.replace(b"XFD", b"B")}))).err
    assert time.monotonic() - started < 10


NASTY = ["=1+1", "+1", "-1", "@SUM(A1)"]


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_what_is_exported_starts_no_formula_and_comes_back_as_it_was(
    oms: Oms, tmp_path: Path, xlsx: Xlsx, ending: str
) -> None:
    lines = ["sku,name,ship_from", *(f"S{n},'{text},WH-1" for n, text in enumerate(NASTY))]
    lines.append('S9,"quote "" comma, 逗号",WH-1;WH-2')
    (tmp_path / "in.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert oms("catalog", "import", str(tmp_path / "in.csv")).code == 0
    before = oms("catalog", "list", "--json").json
    assert [r["name"] for r in before] == [*NASTY, 'quote " comma, 逗号']
    out = tmp_path / f"out.{ending}"
    assert oms("catalog", "export", str(out), "--json").json["skus"] == 5
    if ending == "xlsx":
        found = [cell for row in load_workbook(out).worksheets[0].iter_rows() for cell in row]
        assert {cell.data_type for cell in found if cell.value in NASTY} == {"s"}
    else:
        assert not [
            c for line in out.read_text("utf-8-sig").splitlines() for c in line.split(",") if c[:1] in "=+-@" and c
        ]
    again = oms("catalog", "import", str(out), "--json").json
    assert (again["unchanged"], again["bad"]) == (5, [])
    assert oms("catalog", "list", "--json").json == before
    assert oms("catalog", "export", str(out)).code == 2, "an existing file is left alone"


@pytest.mark.usefixtures("books")
def test_the_template_explains_itself_and_can_be_filled_in(oms: Oms, tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    assert oms("catalog", "template", str(file)).code == 0
    book = load_workbook(file)
    sheet = book.worksheets[0]
    assert all("/" in str(cell.value) for cell in sheet[2])
    sheet["A3"], sheet["C3"], sheet["Q3"] = "TEA", "WH-1", "0902101000"
    book.save(file)
    assert oms("catalog", "import", str(file)).code == 0
    assert oms("catalog", "show", "TEA", "--json").json["tax"]["hs_code"] == "0902101000"


@pytest.mark.usefixtures("books")
def test_a_large_workbook_goes_in_quickly(oms: Oms, xlsx: Xlsx) -> None:
    """20,000 rows in under 30 s; here a tenth of it, so that the bound holds on a busy machine too."""
    header = ["sku", "name", "ship_from", "logistics", "customs", "weight_g", "length_mm", "width_mm", "height_mm"]
    file = xlsx(header, *([f"S{n}", f"商品 {n}", "WH-1,WH-2", "cold", "cbec", n, 1, 2, 3] for n in range(2000)))
    assert count_rows(file) == 2000
    started = time.monotonic()
    assert oms("catalog", "import", str(file), "--json").json["added"] == 2000
    assert time.monotonic() - started < 10
