"""`oms order chargeback`: the buyer's bank takes money back; payouts of the order wait until that is decided (N17)."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from domain.access.desk import AccountChargeback, DecideChargeback, DeskTask, OpenChargeback
from domain.order import Id
from starter.cli import output
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, run
from starter.cli.options import By, Json, Proof, actor, order_number
from starter.cli.text import amount
from store.outside_money.chargebacks import Chargeback

_ID = TypeAdapter(Id)
Number = Annotated[str, typer.Argument(help="The bank's or channel's number of the chargeback.")]
Payment = Annotated[str | None, typer.Option("--payment", help="Key of the payment. [default: the one that fits]")]
Amount = Annotated[int, typer.Option("--amount-minor", min=1, max=10**12, help="In fen.")]


def opened(
    order_no: str,
    number: Annotated[str, typer.Option("--id", help="The bank's or channel's number of it.")],
    amount_minor: Amount,
    payment: Payment = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Record a chargeback. Refunds and it together never exceed what was paid; payouts of the order are on hold.

    Example: oms order chargeback SO2603020001 --id CB-77 --amount-minor 12900
    """
    _show(run(_open(order_no, number, amount_minor, payment, by, proof)), json)


def decided(
    number: Number,
    outcome: Annotated[str, typer.Argument(help="`won`: the money stays ours. `lost`: it is gone.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Record what the bank decided; once a second person of finance has said the same, the order's payouts go on.

    Example: oms order chargeback-decided CB-77 won
    """
    _show(run(_decide(number, outcome, by, proof)), json)


def accounted(
    number: Number,
    remark: Annotated[str, typer.Option("--remark", help="What the bank's money was for, and what is still owed.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Say that a lost chargeback was compared with what is owed: refunds of the order go out again.

    A second person of finance has to say so, too.

    Example: oms order chargeback-accounted CB-77 --remark "the bank took the lamp's price; the cups are owed"
    """
    _show(run(_account(number, remark, by, proof)), json)


async def _account(number: str, remark: str, by: str | None, proof: str | None) -> Chargeback:
    known, who = _id(number), actor(by)
    if not remark.strip():
        raise BadInput("the remark is empty; say what was compared.")
    return await _done(AccountChargeback(chargeback_id=known, remark=remark.strip()[:500]), who, proof)


async def _open(
    order_no: str, number: str, amount_minor: int, payment: str | None, by: str | None, proof: str | None
) -> Chargeback:
    work = OpenChargeback(
        chargeback_id=_id(number), order_no=order_number(order_no), amount_minor=amount_minor, payment_key=payment
    )
    return await _done(work, actor(by), proof)


async def _decide(number: str, outcome: str, by: str | None, proof: str | None) -> Chargeback:
    if outcome not in ("won", "lost"):
        raise BadInput(f"{outcome!r} is no outcome; write won or lost.")
    work = DecideChargeback(chargeback_id=_id(number), outcome="won" if outcome == "won" else "lost")
    return await _done(work, actor(by), proof)


async def _done(work: DeskTask, who: str, proof: str | None) -> Chargeback:
    return Chargeback(**await at_desk(work, who, proof))


def _id(number: str) -> str:
    try:
        return _ID.validate_python(number)
    except ValidationError:
        raise BadInput(f"{number!r} is no usable number: letters, digits and . _ - / :, at most 64.") from None


def _show(found: Chargeback, json: bool) -> None:
    if json:
        output.as_json(found.__dict__)
        return
    told = f"Chargeback {found.chargeback_id} of {amount(found.amount_minor)}, order {found.order_no}: {found.state}"
    twice = (
        f"; {amount(found.overlap_minor)} of it had been refunded before: contest that" if found.overlap_minor else ""
    )
    output.line(f"{told}{twice}.")
    if found.waits_since:
        output.line(f"{found.waits_since} has said so; it counts once a second person of finance says the same.")
