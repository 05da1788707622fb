"""An uploaded file of orders with what was chosen for it: looked at, made into a mapping, checked. Blocking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starter.importer.choosing import (
    DATE_FORMATS,
    PAID,
    PAID_AT,
    PLACED,
    chosen,
    guessed,
    guessed_format,
    guessed_payment,
    sources_of,
)
from starter.importer.encodings import DELIMITERS
from starter.importer.mapping import DateCell, ImportMapping, MappingRefused
from starter.importer.preview import FilePreview, look
from starter.importer.report import Ready, Report
from starter.importer.run import Import
from starter.importer.table import UnableToImport

MOST_ROWS = 5_000
"""Of one file in the page; `oms order import` takes more."""


class TooManyRows(UnableToImport):
    """More than the page reads."""


@dataclass(frozen=True)
class Choices:
    """As the form has them. `sources`: by field; None: nothing was chosen yet. `encoding` '' and `delimiter` '': found
    out. `base`: the saved mapping that was begun with."""

    sources: Mapping[str, str] | None = None
    encoding: str = ""
    delimiter: str = ""
    date_format: str = ""
    paid_format: str = ""
    base: ImportMapping | None = None
    paid: bool | None = None
    """Whether orders of it are paid at their channel already; None: as `base` has it."""


@dataclass(frozen=True)
class CheckedFile:
    """`mapping` None: `lacking` says why. `report`, `orders`: what would come of it."""

    preview: FilePreview
    sources: Mapping[str, str]
    date_format: str
    paid_format: str = DATE_FORMATS[0]
    paid: bool = False
    mapping: ImportMapping | None = None
    lacking: tuple[str, ...] = ()
    report: Report | None = None
    orders: tuple[Ready, ...] = field(default=())

    @property
    def formats(self) -> tuple[str, ...]:
        """Of dates, to choose from."""
        return tuple(dict.fromkeys((*DATE_FORMATS, self.date_format, self.paid_format)))

    def form_of(self, field: str) -> str:
        """How the dates of a field are written."""
        return self.paid_format if field == PAID_AT else self.date_format


def check(path: Path, choices: Choices) -> CheckedFile:
    """Raises `UnableToImport` for a file that is unusable as a whole."""
    wanted = choices.delimiter if choices.delimiter in DELIMITERS else ""
    preview = look(path, choices.encoding or "detect", wanted)
    sources = choices.sources
    if sources is None:
        sources = sources_of(choices.base) if choices.base else guessed(preview.header)
    before = choices.base.paid if choices.base else None
    paid = before is not None if choices.paid is None else choices.paid
    sources = _with_payment(sources, preview) if paid else _without_payment(sources)
    placed_at = choices.base.order.placed_at if choices.base else None
    dates = choices.date_format or _format(preview, sources, PLACED, placed_at)
    paid_dates = choices.paid_format or _format(preview, sources, PAID_AT, before.paid_at if before else None)
    try:
        mapping = chosen(
            sources, date_format=dates, paid_format=paid_dates, encoding=choices.encoding or "detect",
            delimiter=preview.delimiter, base=choices.base,
        )  # fmt: skip
        missing = [name for name in mapping.columns() if name not in preview.header]
        if missing:
            raise MappingRefused("\n".join(f"{name!r}: is no column of this file" for name in missing))
    except MappingRefused as why:
        return CheckedFile(preview, sources, dates, paid_dates, paid, lacking=tuple(str(why).splitlines()))
    job = Import(path, mapping)
    orders = []
    for ready in job:
        orders.append(ready)
        if job.report.rows > MOST_ROWS:
            break
    if job.report.rows > MOST_ROWS:
        raise TooManyRows(f"{path.name} has more than {MOST_ROWS} rows: split it, or use `oms order import`.")
    return CheckedFile(preview, sources, dates, paid_dates, paid, mapping, (), job.report, tuple(orders))


def _with_payment(sources: Mapping[str, str], preview: FilePreview) -> dict[str, str]:
    """Once it is said that orders are paid, their columns are looked for."""
    if any(source for name, source in sources.items() if name.startswith(PAID)):
        return dict(sources)
    return dict(sources) | guessed_payment(preview.header)


def _without_payment(sources: Mapping[str, str]) -> dict[str, str]:
    return {name: "" if name.startswith(PAID) else source for name, source in sources.items()}


def _format(preview: FilePreview, sources: Mapping[str, str], field: str, before: DateCell | None) -> str:
    return before.format if before else guessed_format(preview.values(sources.get(field, "").removeprefix("column:")))


def fits(mapping: ImportMapping, header: tuple[str, ...]) -> bool:
    """All that the mapping reads is there."""
    return set(mapping.columns()) <= set(header)
