"""`/import/orders`: the file, its columns, and what would come of it; nothing is done here but saving a mapping."""

import asyncio
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from console.navigation import ORDER_STARTERS
from console.pages.importing.bad_rows import as_link
from console.pages.importing.checking import CheckedFile, Choices, check, fits
from console.pages.rendering import render
from console.pages.uploads import uploaded
from console.security.forms import read_form
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from domain.order import StartOrder
from domain.strict import of
from starter.importer.choosing import COLUMN, DATES, FIELDS, PAID, TEXT
from starter.importer.encodings import DELIMITERS
from starter.importer.mapping import ImportMapping
from starter.importer.preview import look
from starter.importer.table import UnableToImport
from store.console.importing import ImportBooks, SavedMapping
from store.outside_money.told import ToldPayments
from store.stock.catalog import CatalogStore

router = APIRouter()
ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16")
SHOWN = 50
"""Faults, each with its row; the file of bad rows has all."""
LONGEST = 300
FIND_OUT = "?"
"""Chosen instead of a saved mapping: whichever fits the file."""


@router.get("/import/orders")
async def page(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)]) -> Response:
    saved = await ImportBooks(wiring_of(request).pool).mappings()
    return render(request, "importing/orders.html", user, saved=saved)


@router.post("/import/orders/look")
async def looked(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)], save: str = "") -> Response:
    """What would come of the file as it is mapped now; with `save`, the mapping is kept under its name."""
    async with uploaded(request) as path:
        if path is None:
            return render(request, "importing/_looked.html", user, checked=None, said="", saved_as="")
        name = path.name
        try:
            base, choices = await choices_of(request, path)
            checked = await asyncio.to_thread(check, path, choices)
            bad = await asyncio.to_thread(as_link, path, checked, language_of(request)) if checked.report else ""
        except UnableToImport as why:
            return render(request, "importing/_looked.html", user, checked=None, said=str(why), saved_as="")
    saved_as = await _saved(request, user, checked) if save else ""
    known = await ImportBooks(wiring_of(request).pool).known([ready.order.order_no for ready in checked.orders])
    bare = {line.sku for ready in checked.orders for line in ready.order.lines if line.tags is None}
    unknown = bare - set(await CatalogStore(wiring_of(request).pool).get(bare))
    taken = await _taken(request, checked)
    return render(
        request, "importing/_looked.html", user, checked=checked, said="", fields=FIELDS, base=base, known=known,
        unknown=sorted(unknown), taken=taken, dates=DATES, payment=PAID,
        delimiters=DELIMITERS, encodings=ENCODINGS, column=COLUMN, text=TEXT, shown=SHOWN, bad=bad, saved_as=saved_as,
        asked_encoding=choices.encoding, asked_delimiter=choices.delimiter, asked_name=name,
    )  # fmt: skip


@router.get("/import/mappings/{name}")
async def mapping(request: Request, user: Annotated[User, Depends(ORDER_STARTERS)], name: str) -> Response:
    """As `oms order import --mapping` reads it."""
    saved = next((s for s in await ImportBooks(wiring_of(request).pool).mappings() if s.name == name), None)
    kept = mapping_of(saved) if saved else None
    if kept is None:
        return PlainTextResponse("there is no such mapping\n", 404)
    # JSON is YAML, too.
    headers = {"content-disposition": 'attachment; filename="mapping.yaml"'}
    return Response(kept.model_dump_json(indent=2, exclude_none=True) + "\n", headers=headers, media_type="text/yaml")


async def choices_of(request: Request, path: Path) -> tuple[str, Choices]:
    """Which saved mapping is begun with, and what the form says on top of it. Raises `UnableToImport`."""
    form = await read_form(request)
    text = {name: value for name, value in form.items() if isinstance(value, str)}
    wanted, before = text.get("mapping", FIND_OUT), text.get("base", "")
    encoding = text.get("encoding", "") if text.get("encoding", "") in ENCODINGS else ""
    books = await ImportBooks(wiring_of(request).pool).mappings()
    saved = {one.name: kept for one in books if (kept := mapping_of(one)) is not None}
    same_file = text.get("looked_at") == path.name
    if wanted == FIND_OUT and not same_file:
        header = (await asyncio.to_thread(look, path, encoding or "detect")).header
        wanted = next((name for name, kept in saved.items() if fits(kept, header)), "")
    elif wanted == FIND_OUT:
        wanted = before
    if not same_file or wanted != before:
        return wanted, Choices(encoding=encoding, base=saved.get(wanted))
    sources = {one.name: _source(text, one.name) for one in FIELDS}
    return wanted, Choices(
        sources, encoding, text.get("delimiter", ""), text.get("date_format", "")[:40],
        text.get("paid_format", "")[:40], saved.get(wanted), bool(text.get("paid")),
    )  # fmt: skip


async def _taken(request: Request, checked: CheckedFile) -> list[tuple[str, str, str]]:
    """Transaction, the order of the file, and the other order that it pays, or is told to pay, already."""
    told: dict[tuple[str, str], StartOrder] = {
        (ready.paid.channel, ready.paid.transaction_id): ready.order for ready in checked.orders if ready.paid
    }
    found = await ToldPayments(wiring_of(request).pool).taken(told)
    return [
        (transaction, told[channel, transaction].order_no, of_order)
        for (channel, transaction), of_order in found.items()
        if told[channel, transaction].order_no != of_order
    ]


def mapping_of(saved: SavedMapping) -> ImportMapping | None:
    """None: it was saved for other fields than there are now."""
    try:
        return of(ImportMapping, saved.mapping)
    except ValidationError:
        return None


def _source(text: dict[str, str], name: str) -> str:
    """A column is chosen; a text is written beside the choice."""
    chosen = text.get(name, "")
    written = text.get(f"{name}.text", "").strip()
    return f"{TEXT}{written}"[:LONGEST] if chosen == TEXT else chosen[:LONGEST]


async def _saved(request: Request, user: User, checked: CheckedFile) -> str:
    """The name it is kept under; '' when there is nothing to keep."""
    name = str((await read_form(request)).get("save_as") or "").strip()[:60]
    if checked.mapping is None or not name:
        return ""
    wiring = wiring_of(request)
    kept = checked.mapping.model_dump(mode="json", exclude_none=True)
    await ImportBooks(wiring.pool).save(name, kept, user.id, wiring.now())
    return name
