"""`oms approve show`: one question with what helps to decide it: money, goods, pictures of both sides, history."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

import typer

from activities.evidence import EvidenceRefused
from starter.cli import output
from starter.cli.approvals.approval_text import explained, kind_words
from starter.cli.approvals.controls import show_looser
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.language import called, state
from starter.cli.options import By, Json, actor
from starter.cli.reading import personal_data_is_read
from starter.cli.returns.return_evidence import desk
from starter.cli.text import money
from starter.text.marking import N_
from store.console.approvals import ApprovalContext, ApprovalPages
from store.console.sessions import PersonScope
from store.returns.evidence import EvidenceRow

ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
PURPOSES = {"application": N_("the buyer's"), "inspection": N_("the return desk's")}
OF_THE_CASE = frozenset({"units", "money", "evidence", "not_stopped"})
"""Told as goods and pictures of a return's question."""


def show(
    number: Annotated[str, typer.Argument(metavar="ID", help="Approval number, A-….")],
    photos: Annotated[
        Path | None, typer.Option("--photos", metavar="FOLDER", help="Write the pictures of both sides there.")
    ] = None,
    look: Annotated[bool, typer.Option("--open", help="Open the pictures, too.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Show one approval: what is asked, the goods by name, what each pays, the pictures, and who has decided before.

    Examples:

        oms approve show A-SO2603020101-1

        oms approve show A-RT26112001-2 --photos pictures --open
    """
    found = run(_get(number))
    written = run(_pictures(found, photos, actor(by))) if photos is not None or look else {}
    if json:
        output.as_json(found.approval)
    else:
        _print(found, written)
    if look:
        for path in written.values():
            typer.launch(str(path))


async def _get(number: str) -> ApprovalContext:
    async with database() as pool:
        found = await ApprovalPages(pool).context(number, PersonScope())
    if found is None:
        raise CommandFailed(f"there is no approval {number!r}; look with `oms approve list --all`.")
    return found


async def _pictures(found: ApprovalContext, folder: Path | None, who: str) -> dict[str, Path]:
    """Where each is now. That somebody has looked is kept. Raises `CommandFailed`."""
    there = folder or Path(mkdtemp(prefix="oms-pictures-"))
    written = {}
    async with database() as pool:
        for n, row in enumerate(found.pictures, 1):
            try:
                picture = await desk(pool).fetch(row.return_no, row.evidence_id, who, staff=True)
            except EvidenceRefused as e:
                raise CommandFailed(str(e)) from None
            await personal_data_is_read(pool, who, "picture", row.return_no, row.order_no)
            path = there / f"{row.return_no}-{n}-{row.purpose}{ENDINGS.get(row.content_type, '')}"
            try:
                there.mkdir(parents=True, exist_ok=True)
                path.write_bytes(picture.content)
            except OSError as e:
                raise CommandFailed(f"{path} cannot be written: {e.strerror}.") from None
            written[row.evidence_id] = path
    return written


def _print(found: ApprovalContext, written: Mapping[str, Path]) -> None:
    approval, r = found.approval, found.approval.request
    output.facts(
        [
            ("approval", r.approval_id),
            ("what", kind_words(r.kind)),
            ("of", N_(f"{r.subject}, version {r.version}")),
            ("order", r.order_no),
            ("asked by", r.requested_by),
            ("asked at", approval.opened_at),
            ("may decide", called("role", r.role)),
            ("but not", ", ".join((r.requested_by, *r.excluded))),
            ("content hash", r.content_hash),
            ("state", state("approval_state", approval.state)),
            ("decided by", approval.decided_by),
            ("for", approval.on_behalf_of),
            ("at", approval.decided_at),
            ("remark", approval.remark),
            ("used for", approval.used_for),
        ]
    )
    output.table("Content", ("what", "value"), explained(r, OF_THE_CASE if found.case else frozenset()))
    if "looser" in r.content:
        show_looser(r.content["looser"])
    if found.case is not None:
        _goods(found)
        _looked_at(found, written)
    _earlier(found)


def _goods(found: ApprovalContext) -> None:
    content = found.approval.request.content
    currency = str(content.get("currency", "CNY"))
    rows: list[tuple[object, ...]] = []
    for line_id, units, paid in _lines(content):
        line = found.lines.get(line_id, {})
        goods, freight = paid.get("goods_minor"), paid.get("freight_minor")
        rows.append(
            (
                line_id, line.get("sku"), line.get("name"), units,
                "" if goods is None else money(goods, currency), "" if freight is None else money(freight, currency),
                "" if goods is None or freight is None else money(goods + freight, currency),
            )
        )  # fmt: skip
    if rows:
        output.table("Goods", ("line", "sku", "name", "units", "goods", "freight", "sum"), rows)
    for line_id, units in (content.get("not_stopped") or {}).items():
        name = found.lines.get(line_id, {}).get("name") or line_id
        output.line(f"{units} of {name} could not be stopped: it goes to the buyer although its money goes back.")


def _lines(content: Mapping[str, Any]) -> list[tuple[str, object, Mapping[str, Any]]]:
    """Line, units and what they pay, as a return's question has them."""
    told = content.get("money") or ()
    if told:
        return [(str(one["line_id"]), one.get("units"), one) for one in told]
    return [(str(line_id), units, {}) for line_id, units in dict(content.get("units") or {}).items()]


def _looked_at(found: ApprovalContext, written: Mapping[str, Path]) -> None:
    graded = [(u.line_id, u.unit + 1, u.grade) for u in (found.case.units if found.case else ()) if u.grade]
    if graded:
        output.table(
            "What the desk found", ("line", "unit", "grade"), [(a, b, state("grade", grade)) for a, b, grade in graded]
        )
    if not found.pictures:
        return
    rows = [(n, PURPOSES.get(p.purpose, p.purpose), _size(p), p.evidence_id) for n, p in enumerate(found.pictures, 1)]
    output.table("Pictures", ("number", "whose", "size", "name"), rows)
    for path in written.values():
        output.line(str(path))
    if not written:
        output.line(f"Look at them with `oms approve show {found.approval.request.approval_id} --open`.")


def _size(picture: EvidenceRow) -> str:
    return f"{picture.width}×{picture.height}, {picture.size // 1024} kB"


def _earlier(found: ApprovalContext) -> None:
    rows = [
        (
            a.request.approval_id, kind_words(a.request.kind), state("approval_state", a.state),
            a.decided_by, a.remark, a.decided_at,
        )
        for a in found.earlier
    ]  # fmt: skip
    if rows:
        output.table("Decided before about it", ("approval", "what", "state", "by", "remark", "at"), rows)
    if found.history:
        cases = found.history[0]["cases"]
        paid = [money(h["refunded_in_all"], h["currency"]) for h in {h["currency"]: h for h in found.history}.values()]
        output.line(f"The buyer has {cases} other returns; {', '.join(paid)} went back in all.")
