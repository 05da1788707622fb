"""`oms money`: money of orders that moved without us: looked at, decided by finance, booked."""

from typing import Annotated

import typer
from pydantic import ValidationError

from domain.access.desk import AskAboutMoney, BookOutsideMoney, TellPayment
from domain.approvals import ApprovalRequest
from domain.refunds.outside import ANSWERS, BookAs
from domain.strict import faults, of
from starter.cli import output
from starter.cli.connections import database, order_client
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, run
from starter.cli.options import By, Json, Limit, Proof, actor, order_number, sentence
from starter.cli.text import money as in_words
from starter.text.marking import N_
from store.outside_money.booking import BookingProgress, FoundMoney, OutsideMoneyStore
from workflows.order.messages import BookMoney

Number = Annotated[int, typer.Argument(metavar="N", min=1, max=2**62, help="Number of the money, as its ticket tells.")]
Units = Annotated[
    list[str] | None,
    typer.Option("--units", metavar="LINE=N", help="Of a refund: the units that it paid for; none: goodwill, freight."),
]


def list_money(
    order: Annotated[str | None, typer.Option("--order", help="Only of this order.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Booked and dropped ones too.")] = False,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List refunds made by hand, payments that are not their order's, and chargebacks, that wait for a person.

    Example: oms money list --order SO2603020101 --all
    """
    found = run(_list(order, everything, limit))
    if json:
        output.as_json(found)
        return
    rows = [
        (
            f.money_no,
            f.order_no,
            f.money.kind,
            f.money.source,
            f.money.number,
            _amount(f),
            f.money.occurred_at,
            _stands(f),
        )
        for f in found
    ]
    columns = ("number", "order", "what", "channel", "its number", "amount", "at", "stands")
    output.table("Money from outside", columns, rows)


def show(number: Number, json: Json = False) -> None:
    """Show one: what was found, what it can be booked as, and who has decided what.

    Example: oms money show 12
    """
    found = run(_get(number))
    if json:
        output.as_json(found)
        return
    output.facts(
        [
            ("number", found.money_no),
            ("order", found.order_no),
            ("what", found.money.kind),
            ("channel", found.money.source),
            ("its number", found.money.number),
            ("of payment", found.money.transaction_id),
            ("amount", _amount(found)),
            ("at", found.money.occurred_at),
            ("found at", found.found_at),
            ("told by", found.told_by),
            ("why", found.money.why),
            ("can be booked as", "" if found.booked_at else " or ".join(ANSWERS[found.money.kind])),
            ("stands", _stands(found)),
            ("refund", found.refund_no),
            ("approval", found.approval_id),
            ("approved by", found.approved_by),
            ("booked by", found.booked_by),
            ("booked at", found.booked_at),
            ("evidence", found.evidence),
        ]
    )


def tell(
    order_no: Annotated[str, typer.Argument(metavar="ORDER", help="Number of the order that it pays.")],
    channel: Annotated[str, typer.Option("--channel", help="Where it was paid: wechat or alipay.")],
    merchant: Annotated[str, typer.Option("--merchant", help="Who got the money there.")],
    transaction: Annotated[str, typer.Option("--transaction", help="The channel's own number of the payment.")],
    amount_minor: Annotated[int, typer.Option("--amount-minor", min=1, max=10**12, help="In fen.")],
    paid_at: Annotated[str, typer.Option("--paid-at", metavar="TIME", help="As 2026-03-02T10:00:00+08:00.")],
    evidence: Annotated[str, typer.Option("--evidence", help="Where it can be seen; kept with the booking.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Tell that an order was paid at its channel under another number than ours, as on a marketplace: finance decides.

    Example: oms money tell SO2603020101 --channel wechat --merchant 1900000001 --transaction 4200001 \\
        --amount-minor 6000 --paid-at 2026-03-02T10:00:00+08:00 --evidence "statement of 2 March, line 7" --by u-ops
    """
    said = {
        "order_no": order_number(order_no), "channel": channel, "merchant_id": merchant, "transaction_id": transaction,
        "amount_minor": amount_minor, "paid_at": paid_at, "evidence": sentence("--evidence", evidence),
    }  # fmt: skip
    try:
        payment = of(TellPayment, said)
    except ValidationError as error:
        raise BadInput(f"this payment cannot be told so: {faults(error)}") from None
    request = of(ApprovalRequest, run(at_desk(payment, actor(by), proof)))
    if json:
        output.as_json(request)
        return
    who, number = request.approval_id, request.content["money_no"]
    output.line(f"{who} asks {request.role}: decide with `oms approve approve {who}`, then `oms money book {number}`.")


def ask(
    number: Number,
    book_as: Annotated[str, typer.Argument(metavar="AS", help=", ".join(BookAs) + ".")],
    evidence: Annotated[str, typer.Option("--evidence", help="What was compared; kept with the booking.")],
    units: Units = None,
    amount_minor: Annotated[
        int | None, typer.Option("--amount-minor", min=1, max=10**12, help="In fen, where the channel told none.")
    ] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask finance to let it count. What does not fit the books is refused here, with nothing changed.

    Examples:

        oms money ask 12 book_refund --units L1=2 --evidence "WeChat back office, page of 3 March" --by u-cs

        oms money ask 13 give_back --evidence "the buyer scanned two codes" --by u-cs

        oms money ask 14 book_chargeback --evidence "letter of the bank" --by u-cs
    """
    request = run(_ask(number, book_as, evidence, units, amount_minor, by, proof))
    if json:
        output.as_json(request)
        return
    who = request.approval_id
    output.line(f"{who} asks {request.role}: decide with `oms approve approve {who}`, then `oms money book {number}`.")


def book(number: Number, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Book what finance has approved; else say what it waits for.

    Example: oms money book 12 --by u-cs
    """
    progress, refund_no = run(_book(number, by, proof))
    request = progress.request
    if json:
        told = {"state": progress.state, "approval_id": request.approval_id, "refund_no": refund_no}
        output.as_json({**told, "content": request.content})
        return
    after = f"; refund {refund_no}" if refund_no else ""
    waits = f": {request.approval_id} waits for {request.role}" if progress.state == "asked" else ""
    output.line(f"M{number}, {request.content['book_as']}: {progress.state}{waits}{after}.")


async def _list(order: str | None, everything: bool, limit: int) -> tuple[FoundMoney, ...]:
    number = None if order is None else order_number(order)
    async with database() as pool:
        return await OutsideMoneyStore(pool).list(number, everything=everything, limit=limit)


async def _get(number: int) -> FoundMoney:
    async with database() as pool:
        return await OutsideMoneyStore(pool).get(number)


async def _ask(
    number: int,
    book_as: str,
    evidence: str,
    units: list[str] | None,
    amount_minor: int | None,
    by: str | None,
    proof: str | None,
) -> ApprovalRequest:
    if book_as not in set(BookAs):
        raise BadInput(f"{book_as!r} is no way to book money; write {', '.join(BookAs)}.")
    said, named, who = sentence("--evidence", evidence), _units(units or []), actor(by)
    work = AskAboutMoney(
        money_no=number, book_as=BookAs(book_as), evidence=said, amount_minor=amount_minor, units=named
    )
    return of(ApprovalRequest, await at_desk(work, who, proof))


async def _book(number: int, by: str | None, proof: str | None) -> tuple[BookingProgress, str | None]:
    """What became of it, and the refund that it is or that gives it back."""
    who = actor(by)
    done = await at_desk(BookOutsideMoney(money_no=number), who, proof)
    progress = BookingProgress(done["state"], of(ApprovalRequest, done["request"]))
    async with database() as pool:
        if progress.state == "approved":  # a payment: its order goes on with it
            order_no = str(progress.request.content["order_no"])
            async with order_client() as client:
                await client.book_money(order_no, BookMoney(money_no=number, by=who))
            progress = BookingProgress("booked", progress.request)
        return progress, (await OutsideMoneyStore(pool).get(number)).refund_no


def _units(given: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in given:
        line, _, count = text.rpartition("=")
        if not line or not count.isascii() or not count.isdigit() or not 0 < int(count[:9]) <= 10**6 or line in found:
            raise BadInput(
                f"--units {text!r} is not LINE=N, or names a line twice; write L1=2 for two units of line L1."
            )
        found[line] = int(count)
    return found


def _amount(found: FoundMoney) -> str:
    money = found.money
    return N_("not told") if money.amount_minor is None else in_words(money.amount_minor, money.currency or "CNY")


def _stands(found: FoundMoney) -> str:
    if found.book_as:
        return N_(f"booked: {found.book_as}")
    return N_("waits") if found.asked else N_("dropped: its ticket was answered without booking it")
