"""`oms return receive | scan | inspect | slip | outbound-check | label`: the return desk, by the code on the slip."""

import hashlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.console import SlipSettings
from config.sources import load
from domain.returns.enums import CaseStatus, Grade
from domain.returns.models import ReturnView
from domain.returns.records import CodeLookup
from starter import return_slip
from starter.cli import output
from starter.cli.connections import database, return_client
from starter.cli.errors import CommandFailed, run
from starter.cli.options import By, Json, Key, actor, own_key, sentence
from starter.cli.returns.desk_answers import DONE, insist_graded, insist_printed
from starter.cli.returns.return_evidence import add_for_inspection
from starter.cli.returns.returns import Number, denied
from starter.clients.return_errors import StepRefused
from store.forms.judging import slip_number_of
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from workflows.returns.messages import (
    CheckOutbound,
    FinishInspection,
    LabelAnswer,
    PrintLabel,
    Received,
    ReceiveReturn,
    Scanned,
    ScanUnit,
)

Code = Annotated[str, typer.Argument(metavar="CODE", help="Return code on the slip, scanned or typed.")]
Photos = Annotated[list[Path] | None, typer.Option("--photo", help="Picture of what is wrong; one or several.")]


async def _case(pool: Pool, code: str, who: str) -> tuple[str, str]:
    return await ReturnStore(pool).at_the_desk(CodeLookup(code=code.strip(), who=who, at=datetime.now(UTC)))


def receive(code: Code, by: By = None, key: Key = None, json: Json = False) -> None:
    """The parcel is at the desk. A parcel of a case that had closed unsent opens a linked case.

    Example: oms return receive RC-7Q2K9DMMX3 --by u-wh
    """

    async def work() -> Received:
        who, mine = actor(by), own_key(key)
        async with database() as pool, return_client() as client:
            number, own = await _case(pool, code, who)
            try:
                return await client.keyed(mine).receive(number, ReceiveReturn(by=who, code=own))
            except StepRefused as refused:
                raise denied(refused) from None

    received = run(work())
    if json:
        output.as_json(received)
    else:
        output.line(f"Return {received.return_no} is received; scan its units with `oms return scan`.")


def scan(
    code: Code,
    grade: Annotated[Grade, typer.Option("--grade", help="good: sold again; minor: second-hand; scrap: written off.")],
    sku: Annotated[str | None, typer.Option("--sku", help="The article's own barcode, when scanned too.")] = None,
    photo: Photos = None,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Grade one unit. minor and scrap need a photo.

    Example: oms return scan RC-7Q2K9DMMX3 --grade minor --photo scratch.jpg --by u-wh
    """
    answer = run(_scan_all(code, [(grade, 1)], sku, photo or [], actor(by), key))[0]
    if json:
        output.as_json(answer)
    else:
        output.line(f"{answer.result}: {answer.accepted} of {answer.expected} units are graded.")
    insist_graded([answer])


def inspect(
    code: Code,
    good: Annotated[int, typer.Option("--good", min=0, help="So many units are as new.")] = 0,
    minor: Annotated[int, typer.Option("--minor", min=0, help="So many have a slight defect.")] = 0,
    scrap: Annotated[int, typer.Option("--scrap", min=0, help="So many cannot be sold any more.")] = 0,
    photo: Photos = None,
    finish: Annotated[str | None, typer.Option("--finish", metavar="REMARK", help="Nothing more came.")] = None,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Grade several units at once; with --finish whatever was not graded is missing, and the supervisor decides.

    Examples:

        oms return inspect RC-7Q2K9DMMX3 --good 2 --by u-wh

        oms return inspect RC-7Q2K9DMMX3 --good 1 --finish "the second cup was not in the parcel" --by u-wh
    """
    who = actor(by)
    grades = [(Grade.GOOD, good), (Grade.MINOR, minor), (Grade.SCRAP, scrap)]
    answers = run(_scan_all(code, grades, None, photo or [], who, key, finish))
    if json:
        output.as_json(answers)
    else:
        rows = [(a.scan_id, a.result, f"{a.accepted} of {a.expected}") for a in answers]
        output.table("Scans", ("scan", "result", "graded"), rows)
    insist_graded(answers, finish is not None)


async def _scan_all(
    code: str,
    grades: list[tuple[Grade, int]],
    sku: str | None,
    photos: list[Path],
    who: str,
    key: str | None,
    finish: str | None = None,
) -> list[Scanned]:
    answers: list[Scanned] = []
    mine = own_key(key)
    async with database() as pool, return_client() as client:
        number, own = await _case(pool, code, who)
        pictures = await add_for_inspection(pool, number, photos, who)
        try:
            for grade, count in grades:
                for _ in range(count):
                    taken = () if grade is Grade.GOOD else pictures
                    part = None if mine is None else f"{mine}/{len(answers) + 1}"
                    message = ScanUnit(scan_id=_scan_id(part), by=who, code=own, grade=grade, sku=sku, photos=taken)
                    answers.append(await client.keyed(part).scan(number, message))
                    if answers[-1].result not in DONE:  # what follows, and the end, would count wrong units missing
                        return answers
            if finish is not None:
                end = FinishInspection(by=who, remark=sentence("--finish", finish))
                await client.keyed(mine).finish_inspection(number, end)
        except StepRefused as refused:
            raise denied(refused) from None
    return answers


def _scan_id(key: str | None) -> str:
    """Of one scan: the same again under the same key."""
    return f"S{secrets.token_hex(8) if key is None else hashlib.sha256(key.encode()).hexdigest()[:16]}"


def slip(
    number: Number,
    html: Annotated[Path | None, typer.Option("--html", help="Write the printable page there.")] = None,
    json: Json = False,
) -> None:
    """The return slip: code and QR code, for the buyer to print or to show.

    Example: oms return slip RT26112001 --html slip.html
    """
    made = run(_slip(number))
    if json:
        output.as_json(made)
    elif html is not None:
        html.write_text(return_slip.as_html(made), encoding="utf-8")
        output.line(f"The slip of return {number} is in {html}.")
    else:
        print(return_slip.as_text(made))


async def _slip(number: str) -> return_slip.Slip:
    async with database() as pool:
        store = ReturnStore(pool)
        case = None if "\x00" in number else await store.view(number)
        if case is None:
            raise CommandFailed(f"there is no return {number!r}; look with `oms return list`.")
        if case.status in (CaseStatus.APPLIED, CaseStatus.SUPERVISOR_REVIEW) and not case.units:
            raise CommandFailed(f"return {number} is {case.status.value}: its slip comes with the approval.")
        code = (await store.issue_code(number, datetime.now(UTC))).code
        return return_slip.Slip(
            return_no=number, code=code, lines=await _lines(pool, case), slip_no=await slip_number_of(pool, number),
            send_to=load(SlipSettings).return_address,
            send_by=case.due_at if case.status is CaseStatus.WAITING_RETURN else None,
        )  # fmt: skip


async def _lines(pool: Pool, case: ReturnView) -> tuple[return_slip.SlipLine, ...]:
    order = await OrderStore(pool).view(case.order_no)
    names = {line["line_id"]: (line["sku"], line["name"]) for line in (order.lines if order else ())}
    return tuple(
        return_slip.SlipLine(sku=names[line.line_id][0], qty=line.units, name=names[line.line_id][1])
        for line in case.quote.lines
    )


def outbound_check(
    number: Number,
    passed: Annotated[
        bool, typer.Option("--passed/--failed", help="What the outbound check of the replacement found.")
    ],
    remark: Annotated[str, typer.Option("--remark", help="What was looked at.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """The replacement's quality check on its way out; only a passed one lets its label print.

    Example: oms return outbound-check RT26112001 --passed --remark "right size, sealed" --by u-wh
    """

    async def work() -> None:
        message = CheckOutbound(by=actor(by), passed=passed, remark=sentence("--remark", remark))
        mine = own_key(key)
        async with return_client() as client:
            try:
                await client.keyed(mine).check_outbound(number, message)
            except StepRefused as refused:
                raise denied(refused) from None

    run(work())
    if json:
        output.as_json({"return_no": number, "passed": passed})
    else:
        output.line(f"The outbound check of return {number} has {'passed' if passed else 'failed'}.")


def label(number: Number, by: By = None, key: Key = None, json: Json = False) -> None:
    """Ask for the label of the replacement: OK with its waybill, or what is missing.

    Example: oms return label RT26112001 --by u-wh
    """

    async def work() -> LabelAnswer:
        mine = own_key(key)
        async with return_client() as client:
            return await client.keyed(mine).print_label(number, PrintLabel(by=actor(by)))

    answer = run(work())
    if json:
        output.as_json(answer)
    else:
        output.facts([("result", answer.result), ("parcel", answer.child_no), ("waybill", answer.waybill_no)])
    insist_printed(answer)
