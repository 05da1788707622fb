"""A report as a file: the same bytes for the same report, whenever; nothing in it is a formula."""

import io
import zipfile

from openpyxl import load_workbook

from domain.insight.definitions import MEASURES
from domain.insight.export import LEFT_OUT, as_csv, as_xlsx, plain
from domain.insight.figures import shares
from domain.insight.health import HealthReport, health_report
from tests.domain.insight.test_health import an_order, the_month

REPORT: HealthReport = health_report(the_month(an_order(), closures=['=HYPERLINK("x")', "refunded"]))


def test_no_cell_of_a_file_is_a_formula() -> None:
    book = load_workbook(io.BytesIO(as_xlsx(REPORT, 1)))
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "'=HYPERLINK" in as_csv(REPORT, 1).decode() and ',"=HYPERLINK' not in as_csv(REPORT, 1).decode()
    assert [plain(text) for text in ("=1", "+1", "-1", "@x", "\t=1", "x=1")][:5] == [
        "'=1",
        "'+1",
        "'-1",
        "'@x",
        "'\t=1",
    ]


def test_a_workbook_does_not_say_when_it_was_written() -> None:
    made = zipfile.ZipFile(io.BytesIO(as_xlsx(REPORT, 1)))
    assert {entry.date_time for entry in made.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    core = made.read("docProps/core.xml").decode()
    assert core.count("1980-01-01T00:00:00Z") == 2 and "20" not in core.partition("created")[2]


def test_every_measure_and_every_reason_has_its_words() -> None:
    text = as_csv(REPORT, 3).decode()
    assert all(measure.key in text and measure.name.zh in text and measure.formula.en in text for measure in MEASURES)
    assert {name for figure in REPORT.figures for name in figure.left_out} <= set(LEFT_OUT)
    assert shares("closure_bp", []).parts == ()
