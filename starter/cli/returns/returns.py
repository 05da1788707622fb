"""`oms return apply | list | cancel | waybill | lower | dispute`: a case as buyer and customer service see it."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from domain.returns.enums import CaseStatus, Fault, Reason, ReturnType
from domain.returns.models import ApplyReturn, Parcel, ReturnView
from domain.returns.waybills import as_printed, odd_number
from domain.strict import MAX_BYTES, UnableToRead, parse
from starter.cli import output
from starter.cli.connections import database, return_client
from starter.cli.errors import BadInput, CommandFailed, Forbidden, run, several
from starter.cli.language import state
from starter.cli.options import By, Json, Key, Limit, actor, own_key, read, sentence
from starter.cli.returns.applying import Wish, application_of
from starter.cli.text import money
from starter.clients.return_errors import ReturnRefused, StepRefused
from store.returns import ReturnStore
from workflows.returns.messages import Applied, AskSupervisor, CancelReturn, EnterWaybill, LowerAmount

Number = Annotated[str, typer.Argument(metavar="NO", help="Return number.")]


def apply(
    file: Annotated[
        Path | None, typer.Argument(help="The application as JSON (see docs/contract), - for stdin; else options.")
    ] = None,
    order: Annotated[str | None, typer.Option("--order", help="The order; without it you are asked.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option("--unit", metavar="LINE=UNITS", help="What goes back: L1=2; several times.")
    ] = None,
    line: Annotated[list[str] | None, typer.Option("--line", help="A line that goes back; several times.")] = None,
    quantity: Annotated[int | None, typer.Option("--quantity", min=1, help="Units of each --line; else one.")] = None,
    kind: Annotated[ReturnType | None, typer.Option("--type", "--method", help="What is wanted.")] = None,
    reason: Annotated[Reason | None, typer.Option("--reason", help="Why.")] = None,
    fault: Annotated[Fault | None, typer.Option("--fault", help="Whose. [default: the shop's for a defect]")] = None,
    words: Annotated[str | None, typer.Option("--words", help="In the buyer's words.")] = None,
    photo: Annotated[list[Path] | None, typer.Option("--photo", help="Picture of it; several times.")] = None,
    as_buyer: Annotated[
        bool, typer.Option("--as-buyer", help="--by is the buyer; else customer service applies for the buyer.")
    ] = False,
    by: By = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Apply for a return, refund, exchange or cancellation; answered at once, refused with every reason.

    Examples:

        oms return apply                                      # asks, and makes the number

        oms return apply --order SO2603020101 --unit L1=1 --type return_refund --reason damaged --photo dent.jpg

        oms return apply examples/return.json

        cat return.json | oms return apply - --json
    """
    if file is not None and order is not None:
        raise BadInput("give a FILE or --order, not both.")
    wish = Wish(
        order=order, units=unit or (), lines=line or (), quantity=quantity, kind=kind, reason=reason, fault=fault,
        words=words, photos=photo or (), by=by, buyer=as_buyer,
    )  # fmt: skip
    answer = run(_apply(file, wish))
    if json:
        output.as_json(answer)
    else:
        _tell(answer)


async def _apply(file: Path | None, wish: Wish) -> Applied:
    application = _of_file(file) if file is not None else await application_of(wish)
    async with return_client() as client:
        try:
            return await client.apply(application)
        except ReturnRefused as refused:
            raise (Forbidden if "FORBIDDEN" in refused.codes else CommandFailed)(str(refused)) from None


def _of_file(file: Path) -> ApplyReturn:
    raw = read(file, MAX_BYTES)
    try:
        return parse(ApplyReturn, raw)
    except UnableToRead as e:
        raise BadInput(f"{file} is no usable application, nothing was sent: {several(str(e))}.") from None


def _tell(answer: Applied) -> None:
    output.facts(
        [
            ("return", answer.return_no),
            ("order", answer.order_no),
            ("status", state("case", answer.status)),
            ("goes back at most", money(answer.quote.total_minor, answer.currency)),
            ("has to agree", " → ".join(state("role", level) for level in answer.route)),
            ("next", f"oms return show {answer.return_no}"),
        ]
    )


def list_returns(
    order: Annotated[str | None, typer.Option("--order", help="Only cases of this order.")] = None,
    status: Annotated[CaseStatus | None, typer.Option("--status", help="Only cases that stand so.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List cases, newest first, with whose turn it is.

    Example: oms return list --status SUPERVISOR_REVIEW
    """

    async def found() -> tuple[ReturnView, ...]:
        async with database() as pool:
            return await ReturnStore(pool).list(order_no=order, status=status, limit=limit)

    cases = run(found())
    if json:
        output.as_json(cases)
        return
    rows = [
        (c.return_no, c.order_no, state("return_type", c.type), state("case", c.status), state("turn", c.sla_owner),
         c.due_at, money(c.quote.total_minor, c.currency), c.applied_at)
        for c in cases
    ]  # fmt: skip
    output.table("Returns", ("return", "order", "type", "status", "turn of", "until", "amount", "applied at"), rows)


def cancel(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the case.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Take an application back, as long as nothing was handed over.

    Example: oms return cancel RT26112001 --by buyer-1 --reason "I keep it"
    """
    message = CancelReturn(by=actor(by), reason=sentence("--reason", reason))
    _step(number, "cancel", message, key, json, f"Return {number} is taken back.")


def waybill(
    number: Number,
    carrier: Annotated[str, typer.Argument(help="Courier, e.g. YTO or SF.")],
    waybill_no: Annotated[str, typer.Argument(metavar="WAYBILL", help="Number of the parcel on its way back.")],
    pickup: Annotated[bool, typer.Option("--pickup", help="A courier picked it up at the buyer's door.")] = False,
    as_is: Annotated[bool, typer.Option("--as-is", help="The number is right although it looks unusual.")] = False,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """The goods are handed over: stops the seven days.

    Example: oms return waybill RT26112001 YTO YT7700123456789
    """
    waybill_no = as_printed(waybill_no)
    if not as_is and (like := odd_number(carrier, waybill_no)):
        raise BadInput(
            f"{waybill_no} does not look like a waybill of {carrier}, which is like {like}; compare it with the label, "
            "and say --as-is if it is right."
        )
    try:
        parcel = Parcel(carrier=carrier, waybill_no=waybill_no, way="pickup" if pickup else "own")
    except ValidationError:
        raise typer.BadParameter("carrier and waybill number are letters, digits and . _ - / :") from None
    message = EnterWaybill(by=actor(by), parcel=parcel)
    _step(number, "enter_waybill", message, key, json, f"Waybill {waybill_no} of {carrier} belongs to return {number}.")


def lower(
    number: Number,
    amount: Annotated[int, typer.Option("--amount-minor", min=0, help="The new amount, in minor units (fen).")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the case.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Agree on less than is asked, never on more; what was approved has to be approved again.

    Example: oms return lower RT26112001 --amount-minor 2500 --reason "agreed with the buyer"
    """
    message = LowerAmount(by=actor(by), amount_minor=amount, reason=sentence("--reason", reason))
    _step(number, "lower", message, key, json, f"Return {number} now pays {amount} minor units at most.")


def dispute(
    number: Number,
    amount: Annotated[int, typer.Option("--amount-minor", min=0, help="What should be paid instead (fen).")],
    reason: Annotated[str, typer.Option("--reason", help="What the desk found; the supervisor reads it.")],
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Ask the supervisor whether the case should pay less because of what came.

    Example: oms return dispute RT26112001 --amount-minor 1000 --reason "the lid is missing" --by u-wh
    """
    message = AskSupervisor(by=actor(by), amount_minor=amount, reason=sentence("--reason", reason))
    _step(number, "ask_supervisor", message, key, json, f"The supervisor decides about return {number}.")


def _step(number: str, name: str, message: object, key: str | None, json: bool, said: str) -> None:
    async def send() -> object:
        own = own_key(key)
        async with return_client() as client:
            try:
                return await getattr(client.keyed(own), name)(number, message)
            except StepRefused as refused:
                raise denied(refused) from None

    answer = run(send())
    if json:
        output.as_json(answer if answer is not None else {"return_no": number, "done": name})
    else:
        output.line(said)


def denied(refused: StepRefused) -> Exception:
    """Exit code 3 for what the person may not do; else as it is."""
    return Forbidden(str(refused)) if refused.type in ("FORBIDDEN", "SAME_PERSON") else refused
