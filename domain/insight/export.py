"""Reports as files: .csv and .xlsx in both languages, the same bytes for the same report, no cell a formula."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Font

from domain.insight.definitions import BY_KEY, MEASURES, MONTH_RULES, Unit, Wording
from domain.insight.figures import Figure
from domain.insight.health import HealthReport
from domain.insight.weekly import WeeklyReport

Cell = str | int | None
Sheet = Sequence[Sequence[Cell]]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*(</dcterms)")
HEAD = (
    "指标 Measure", "编号 Key", "数值 Value", "单位 Unit", "目标 Target", "达标 Met", "分子 Part", "样本 Counted",
    "覆盖率 Coverage bp", "未计入 Left out", "中位数 p50", "九成值 p90", "口径 Formula", "月份归属 Month",
)  # fmt: skip
WEEK_HEAD = (
    "名次 Rank", "工单 Ticket", "订单 Order", "类型 Kind", "事由 What", "严重度 Severity", "类型分 Kind points",
    "时长分 Hour points", "金额分 Amount points", "路径罕见度 Rarity, 0.1 bit", "超常停留小时 Hours beyond p95",
    "未结小时 Hours open", "人工 By hand",
)  # fmt: skip
PART_HEAD = ("指标 Measure", "分组 Part", "数值 Value", "样本 Counted", "中位数 p50", "九成值 p90")
LEFT_OUT = {
    "did_not_fit": Wording("与订单不符", "did not fit"),
    "not_signed": Wording("未签收", "not signed for"),
    "no_promise": Wording("无承诺时间", "nothing promised"),
    "not_due": Wording("未到期", "not due yet"),
    "not_paid": Wording("未付款", "not paid"),
    "cancelled_unshipped": Wording("发货前取消", "cancelled before anything left"),
    "not_split": Wording("未拆单", "not split"),
    "no_return": Wording("无售后单", "without a return"),
    "on_its_way": Wording("仍在途", "on its way"),
    "no_facts": Wording("无事实", "without facts"),
    "not_answered_yet": Wording("未答复且未到期", "no answer yet"),
    "no_source": Wording("无来源", "no source"),
}
"""Why something is not in a figure."""
UNITS = {
    Unit.BP: Wording("万分之一", "1/10,000"),
    Unit.PPM: Wording("百万分之一", "1/1,000,000"),
    Unit.MINUTES: Wording("分钟", "minutes"),
    Unit.SCORE_X10: Wording("0.1 分", "0.1 points"),
    Unit.PER_1000_X10: Wording("0.1 每千单", "0.1 per 1,000"),
}


def both(said: Wording) -> str:
    return f"{said.zh} / {said.en}"


def plain(cell: Cell) -> Cell:
    """Text that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def figure_rows(report: HealthReport) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = [HEAD]
    for measure in MEASURES:
        f = report.figure(measure.key)
        met = measure.met(f.value)
        rows.append(
            (
                both(measure.name), measure.key, f.value, both(UNITS[measure.unit]), measure.target,
                {None: "", True: "是 yes", False: "否 no"}[met], f.part, f.counted, f.coverage_bp, left_out(f),
                f.p50, f.p90, both(measure.formula), both(MONTH_RULES[measure.month]),
            )
        )  # fmt: skip
    return rows


def part_rows(report: HealthReport) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = [PART_HEAD]
    for figure in report.figures:
        name = both(BY_KEY[figure.key].name)
        rows += [(name, part.name, part.value, part.counted, part.p50, part.p90) for part in figure.parts]
    return rows


def left_out(figure: Figure) -> str:
    return "; ".join(f"{both(LEFT_OUT[name])} {count}" for name, count in figure.left_out.items())


def as_csv(report: HealthReport, version: int) -> bytes:
    return _csv(_about(report, version), figure_rows(report), part_rows(report))


def week_as_csv(report: WeeklyReport, version: int) -> bytes:
    about: Sheet = [("周 Week", "版本 Version", "异常 Anomalies"), (report.week, version, report.anomalies)]
    rows: list[Sequence[Cell]] = [WEEK_HEAD]
    for rank, e in enumerate(report.top, 1):
        rows.append(
            (
                rank, e.id, e.order_no, e.kind, e.what, e.score, e.kind_points, e.hour_points, e.amount_points,
                e.rarity_x10, e.hours_beyond, e.hours_open, "是 yes" if e.manual else "否 no",
            )
        )  # fmt: skip
    return _csv(about, rows)


def _csv(*sheets: Sheet) -> bytes:
    """UTF-8 with a mark, so that spreadsheets read the Chinese."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for sheet in sheets:
        writer.writerows([plain(cell) for cell in row] for row in sheet)
        writer.writerow([])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(report: HealthReport, version: int) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = (
        ("报告 Report", figure_rows(report)),
        ("分组 Parts", part_rows(report)),
        ("版本 Version", _about(report, version)),
    )
    for title, rows in sheets:
        page = book.create_sheet(title)
        for row in rows:
            page.append([plain(cell) for cell in row])
        for cell in page[1]:
            cell.font = Font(bold=True)
    raw = io.BytesIO()
    book.save(raw)
    return _without_the_time(raw.getvalue())


def _about(report: HealthReport, version: int) -> list[Sequence[Cell]]:
    return [
        ("月份 Month", "版本 Version", "参数版本 Parameters", "下单 Orders", "未对账天数 Days not compared"),
        (report.month, version, report.parameters_version, report.orders, report.not_compared),
    ]


def _without_the_time(raw: bytes) -> bytes:
    """The same workbook, whenever it was written."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in sorted(given.namelist()):
            content = given.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(rb"\g<1>1980-01-01T00:00:00Z\g<2>", content)
            part = zipfile.ZipInfo(name, _EPOCH)
            part.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(part, content)
    return out.getvalue()
