"""`oms return evidence add | list | get`: pictures of a case, checked by content and stored under our own names."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from activities.evidence import EvidenceRefused, EvidenceService, StoredEvidence, Upload
from config.optional import load_evidence
from config.settings import UnableToConfigure
from domain.returns.models import Actor
from provider_clients import evidence_desk
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, Forbidden, run
from starter.cli.options import By, Json, actor, read
from starter.cli.reading import personal_data_is_read
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.evidence import EvidenceRow, EvidenceStore

MOST_BYTES = 6_000_000
"""A little above what a picture may have, so that the desk itself says what is wrong."""
Number = Annotated[str, typer.Argument(metavar="NO", help="Return number; the case need not exist yet.")]


def desk(pool: Pool) -> EvidenceService:
    """Raises `CommandFailed` when there is nowhere to put pictures."""
    try:
        return evidence_desk(load_evidence(), pool)
    except UnableToConfigure as e:
        raise CommandFailed(f"pictures cannot be taken: {e}.") from None


def add(
    number: Number,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Pictures: JPEG, PNG or WebP, 5 MB at most.")],
    order: Annotated[str, typer.Option("--order", help="The order it is about.")],
    behalf: Annotated[str | None, typer.Option("--on-behalf-of", help="The buyer, when customer service adds.")] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Add pictures for an application; their names go into its `evidence`.

    Example: oms return evidence add RT26112001 scratch.jpg --order SO26112001 --by buyer-1
    """
    kind: Literal["buyer", "cs_agent"] = "buyer" if behalf is None else "cs_agent"
    who = Actor(kind=kind, id=actor(by), on_behalf_of=behalf)

    async def work() -> list[StoredEvidence]:
        async with database() as pool:
            return [await _one(desk(pool), _upload(number, order, who, "application"), file) for file in files]

    stored = run(work())
    if json:
        output.as_json(stored)
    else:
        rows = [(s.evidence_id, s.content_type, f"{s.width}×{s.height}", s.size) for s in stored]
        output.table("Pictures", ("name", "type", "pixels", "bytes"), rows)


def list_evidence(number: Number, json: Json = False) -> None:
    """List the pictures of a case.

    Example: oms return evidence list RT26112001
    """

    async def work() -> Sequence[EvidenceRow]:
        async with database() as pool:
            return await EvidenceStore(pool).list(number)

    rows = run(work())
    if json:
        output.as_json(rows)
    else:
        shown = [(r.evidence_id, r.content_type) for r in rows]
        output.table("Pictures", ("name", "type"), shown)


def get(
    number: Number,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the picture.")],
    out: Annotated[Path, typer.Option("--out", help="Write it there.")],
    staff: Annotated[bool, typer.Option("--staff", help="As staff; else only the order's buyer sees it.")] = False,
    by: By = None,
) -> None:
    """Fetch one picture.

    Example: oms return evidence get RT26112001 3f2a… --out photo.jpg --staff
    """

    async def work() -> bytes:
        async with database() as pool:
            who = actor(by)
            try:
                picture = (await desk(pool).fetch(number, name, who, staff=staff)).content
                await personal_data_is_read(pool, who, "picture", name, None)
                return picture
            except EvidenceRefused as e:
                raise CommandFailed(str(e)) from None

    out.write_bytes(run(work()))
    output.line(f"The picture is in {out}.")


async def add_for_application(
    pool: Pool, number: str, order: str, files: Sequence[Path], who: Actor
) -> tuple[str, ...]:
    """Pictures of what is wrong, stored under the number before it is applied for. Raises `CommandFailed`."""
    if not files:
        return ()
    upload = _upload(number, order, who, "application")
    return tuple([(await _one(desk(pool), upload, file)).evidence_id for file in files])


async def add_for_inspection(pool: Pool, number: str, files: Sequence[Path], who: str) -> tuple[str, ...]:
    """Pictures that the desk takes; their names go into the scan."""
    if not files:
        return ()
    case = await ReturnStore(pool).view(number)
    if case is None:
        raise CommandFailed(f"there is no return {number}.")
    upload = _upload(number, case.order_no, Actor(kind="cs_agent", id=who), "inspection")
    return tuple([(await _one(desk(pool), upload, file)).evidence_id for file in files])


def _upload(number: str, order: str, who: Actor, purpose: Literal["application", "inspection"]) -> Upload:
    try:
        return Upload(return_no=number, order_no=order, actor=who, purpose=purpose, at=datetime.now(UTC))
    except ValidationError:
        raise BadInput("return and order numbers are 6 to 26 letters, digits, _ and -.") from None


async def _one(at: EvidenceService, upload: Upload, file: Path) -> StoredEvidence:
    try:
        return await at.add(upload, read(file, MOST_BYTES))
    except EvidenceRefused as e:
        kind = Forbidden if e.code == "FORBIDDEN" else CommandFailed
        raise kind(f"{file.name} was not taken ({e.code}): {e}") from None
