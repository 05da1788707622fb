"""What did not go in, as a CSV to be mended and sent again: the rows as they were, each with its reasons."""

import base64
import csv
import io
from collections.abc import Mapping
from pathlib import Path

from console.pages.importing.checking import CheckedFile
from console.text.language import PageLanguage
from console.text.spreadsheets import cell
from starter.importer.report import Report
from starter.importer.run import order_of
from starter.importer.table import ImportTable

WHY = "未导入原因 / why not"


def as_link(path: Path, checked: CheckedFile, language: PageLanguage, more: Mapping[int, str] | None = None) -> str:
    """The address of the file, which is in the address itself: nothing of it is kept here. '' when all is good. `more`:
    reasons by row, of orders that were refused later."""
    assert checked.report is not None and checked.mapping is not None
    text = bad_rows(path, checked, _reasons(checked.report, more or {}, language))
    # With the mark by which spreadsheets know that it is UTF-8.
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(("\ufeff" + text).encode()).decode() if text else ""


def bad_rows(path: Path, checked: CheckedFile, reasons: Mapping[tuple[int | None, str], str]) -> str:
    """All rows of an order that is refused, for it goes in whole or not at all."""
    assert checked.mapping is not None
    mapping, group = checked.mapping, checked.mapping.order.group_by
    table = ImportTable(path, (), encoding=mapping.encoding, delimiter=mapping.delimiter)
    out = io.StringIO()
    rows = csv.writer(out)
    orders = {order for _, order in reasons if order}
    found = 0
    for row in table.rows():
        key = order_of(row, group)
        if key not in orders and (row.number, "") not in reasons:
            continue
        if not found:
            rows.writerow([*map(cell, table.header), WHY])
        found += 1
        why = [said for place in ((row.number, key), (None, key), (row.number, "")) if (said := reasons.get(place))]
        rows.writerow([*(cell(row.cells.get(name, "")) for name in table.header), cell("; ".join(why))])
    return out.getvalue()


def _reasons(report: Report, more: Mapping[int, str], language: PageLanguage) -> dict[tuple[int | None, str], str]:
    found: dict[tuple[int | None, str], str] = {(row, ""): language.of_file(why) for row, why in more.items()}
    for one in report.refusals:
        place = (one.row, one.order)
        why = language.of_file(one.reason)
        found[place] = f"{found[place]}; {why}" if place in found else why
    return found
