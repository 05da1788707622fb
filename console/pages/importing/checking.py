"""An uploaded file of orders with what was chosen for it: looked at, made into a mapping, checked. Blocking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starter.importer.choosing import DATE_FORMATS, PLACED, chosen, guessed, guessed_format, sources_of
from starter.importer.encodings import DELIMITERS
from starter.importer.mapping import ImportMapping, MappingRefused
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
    base: ImportMapping | None = None


@dataclass(frozen=True)
class CheckedFile:
    """`mapping` None: `lacking` says why. `report`, `orders`: what would come of it."""

    preview: FilePreview
    sources: Mapping[str, str]
    date_format: str
    mapping: ImportMapping | None = None
    lacking: tuple[str, ...] = ()
    report: Report | None = None
    orders: tuple[Ready, ...] = field(default=())

    @property
    def formats(self) -> tuple[str, ...]:
        """Of dates, to choose from."""
        return tuple(dict.fromkeys((*DATE_FORMATS, self.date_format)))


def check(path: Path, choices: Choices) -> CheckedFile:
    """Raises `UnableToImport` for a file that is unusable as a whole."""
    wanted = choices.delimiter if choices.delimiter in DELIMITERS else ""
    preview = look(path, choices.encoding or "detect", wanted)
    sources = choices.sources
    if sources is None:
        sources = sources_of(choices.base) if choices.base else guessed(preview.header)
    dates = choices.date_format
    if not dates:
        placed = sources.get(PLACED, "").removeprefix("column:")
        dates = choices.base.order.placed_at.format if choices.base else guessed_format(preview.values(placed))
    try:
        mapping = chosen(
            sources, date_format=dates, encoding=choices.encoding or "detect", delimiter=preview.delimiter,
            base=choices.base,
        )  # fmt: skip
        missing = [name for name in mapping.columns() if name not in preview.header]
        if missing:
            raise MappingRefused("\n".join(f"{name!r}: is no column of this file" for name in missing))
    except MappingRefused as why:
        return CheckedFile(preview, sources, dates, lacking=tuple(str(why).splitlines()))
    job = Import(path, mapping)
    orders = []
    for ready in job:
        orders.append(ready)
        if job.report.rows > MOST_ROWS:
            break
    if job.report.rows > MOST_ROWS:
        raise TooManyRows(f"{path.name} has more than {MOST_ROWS} rows: split it, or use `oms order import`.")
    return CheckedFile(preview, sources, dates, mapping, (), job.report, tuple(orders))


def fits(mapping: ImportMapping, header: tuple[str, ...]) -> bool:
    """All that the mapping reads is there."""
    return set(mapping.columns()) <= set(header)
