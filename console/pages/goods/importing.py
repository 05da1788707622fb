"""`/catalog/import`: a file of SKUs, looked at, its bad rows mended in the page, the good ones put in the catalogue."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from console.pages.rendering import render
from console.pages.uploads import uploaded
from console.security.access import Needs
from console.security.forms import read_form
from console.session.user import User
from console.text.refusals import RefusedAct, tried
from console.wiring import wiring_of
from domain.access.authority import AUTHORITY
from domain.access.desk import PutSkus
from domain.catalog.records import SkuRecord
from starter.clients.catalog import CatalogClient, CatalogResult, NumberedRow
from starter.importer.catalogue import rows_of
from starter.importer.table import UnableToImport

router = APIRouter()
KEEPERS = Needs(*AUTHORITY["desk.do: put_skus"].roles)
A_COMMAND = 500
"""SKUs that one command puts."""
MOST_ROWS = 5_000
MENDED_AT_ONCE = 20
"""Bad rows with a field a cell; the next come when these are good."""
CELL = "cell:"
MOST_NUMBER = 10**9


@dataclass(frozen=True)
class BadRowShown:
    """`cells`: as they are to be mended. `faults`: what is wrong, by column."""

    number: int
    cells: Mapping[str, str]
    faults: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class CheckedCatalogue:
    """`bad`: the first rows that are to be mended."""

    good: tuple[SkuRecord, ...]
    result: CatalogResult
    bad: tuple[BadRowShown, ...]


@router.get("/catalog/import")
async def page(request: Request, user: Annotated[User, Depends(KEEPERS)]) -> Response:
    return render(request, "goods/import.html", user, checked=None, said="", refusal=None, put=None)


@router.post("/catalog/import/look")
async def look(request: Request, user: Annotated[User, Depends(KEEPERS)]) -> Response:
    """What would come of it; nothing is put."""
    try:
        checked, _ = await _checked(request)
    except UnableToImport as why:
        return render(request, "goods/_import_looked.html", user, checked=None, said=str(why))
    return render(request, "goods/_import_looked.html", user, checked=checked, said="")


@router.post("/catalog/import")
async def put(request: Request, user: Annotated[User, Depends(KEEPERS)]) -> Response:
    """Good rows go in, in the name of who sent them; bad ones are shown to be mended, without the file."""
    try:
        checked, name = await _checked(request)
    except UnableToImport as why:
        return render(
            request, "goods/import.html", user, status=422, checked=None, said=str(why), refusal=None, put=None
        )  # fmt: skip
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    refusal: RefusedAct | None = None
    for begin in range(0, len(checked.good), A_COMMAND):
        work = PutSkus(skus=checked.good[begin : begin + A_COMMAND], source=name)
        came = await tried(_do(user, work))
        if isinstance(came, RefusedAct):
            refusal = came
            break
        counts = {name: counts[name] + came[name] for name in counts}
    status = refusal.status if refusal else 200
    return render(
        request, "goods/import.html", user, status=status, checked=checked, said="", refusal=refusal, put=counts
    )  # fmt: skip


async def _do(user: User, work: PutSkus) -> Any:
    return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)


async def _checked(request: Request) -> tuple[CheckedCatalogue, str]:
    """The file's rows with what was mended in the page in their place; and the file's name. Raises `UnableToImport`."""
    form = await read_form(request)
    mended = _mended({name: value for name, value in form.items() if isinstance(value, str)})
    async with uploaded(request) as path:
        rows = await asyncio.to_thread(_read, path) if path else []
        name = path.name if path else str(form.get("name") or "")[:80]
    known = {row.number for row in rows}
    rows = [NumberedRow(row.number, mended[row.number]) if row.number in mended else row for row in rows]
    rows += [NumberedRow(number, cells) for number, cells in sorted(mended.items()) if number not in known]
    good, result = await CatalogClient(wiring_of(request).pool).checked(rows)
    return CheckedCatalogue(good, result, tuple(_bad(rows, result))), name or "console"


def _read(path: Path) -> list[NumberedRow]:
    found = []
    for row in rows_of(path):
        found.append(row)
        if len(found) > MOST_ROWS:
            raise UnableToImport(f"{path.name} has more than {MOST_ROWS} rows: split it, or use `oms catalog import`.")
    return found


def _mended(text: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """Fields `cell:{row}:{column}`."""
    rows: dict[int, dict[str, str]] = {}
    for name, value in text.items():
        number, _, column = name.removeprefix(CELL).partition(":")
        if name.startswith(CELL) and number.isascii() and number.isdigit() and len(number) < 9:
            rows.setdefault(int(number), {})[column] = value.strip()
    return rows


def _bad(rows: Iterable[NumberedRow], result: CatalogResult) -> Iterable[BadRowShown]:
    faults: dict[int, list[tuple[str, str, str]]] = {}
    for one in result.bad:
        faults.setdefault(one.row, []).append((one.column, one.reason, one.advice))
    for row in [one for one in rows if one.number in faults][:MENDED_AT_ONCE]:
        cells = {name: _plain(value) for name, value in row.cells.items()}
        yield BadRowShown(row.number, cells, faults[row.number])


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
