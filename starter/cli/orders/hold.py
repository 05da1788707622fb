"""`oms order hold | release`: what must not leave yet, and that it may."""

from typing import Annotated

import typer
from pydantic import ValidationError

from domain.dispatch.holds import HoldKind
from domain.strict import faults
from starter.cli import output
from starter.cli.connections import order_client
from starter.cli.errors import BadInput, run, several
from starter.cli.options import By, Json, Key, actor, order_number, own_key, sentence, span
from starter.cli.orders.change import Number
from workflows.order.holds.messages import HoldOrder, HoldPlaced, HoldReleased, ReleaseHold


def hold(
    number: Number,
    kind: Annotated[HoldKind, typer.Option("--kind", help="What it is about: says who may release it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever looks at it reads this.")],
    child: Annotated[str | None, typer.Option("--parcel", help="One parcel. [default: the whole order]")] = None,
    remark: Annotated[str, typer.Option("--remark", help="What else should be known.")] = "",
    ends_after: Annotated[
        str | None, typer.Option("--ends-after", help="It ends by itself after 30m, 2h, 7d; nobody is asked.")
    ] = None,
    ask_after: Annotated[
        str, typer.Option("--ask-after", help="A ticket asks about it after so long, and again after as long.")
    ] = "1d",
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Let nothing of an order, or of one parcel, leave. What a warehouse has is asked back.

    Example: oms order hold SO2603020101 --kind address --reason "the buyer rang: another house number"
    """
    done = run(_hold(number, kind, reason, child, remark, ends_after, ask_after, by, key))
    if json:
        output.as_json(done)
    else:
        output.facts(
            [
                ("hold", done.hold_id),
                (
                    "waiting",
                    ", ".join(done.waiting) or ("nothing yet" if done.being_stopped else "what is to be split"),
                ),
                ("being stopped", ", ".join(done.being_stopped)),
            ]
        )


async def _hold(
    number: str,
    kind: HoldKind,
    reason: str,
    child: str | None,
    remark: str,
    ends_after: str | None,
    ask_after: str,
    by: str | None,
    key: str | None,
) -> HoldPlaced:
    order_no, who, own = order_number(number), actor(by), own_key(key)
    ends = None if ends_after is None else int(span("--ends-after", ends_after).total_seconds())
    try:
        message = HoldOrder.model_validate(
            {
                "kind": kind, "reason": sentence("--reason", reason), "remark": remark, "child_no": child, "by": who,
                "ends_after_s": ends, "ask_after_s": int(span("--ask-after", ask_after).total_seconds()),
            }
        )  # fmt: skip
    except ValidationError as e:
        raise BadInput(f"this cannot be held: {several(faults(e))}.") from None
    async with order_client() as client:
        return await client.keyed(own).hold(order_no, message)


def release(
    number: Number,
    hold_no: Annotated[str, typer.Argument(metavar="HOLD", help="Its number, from `oms order show`.")],
    remark: Annotated[str, typer.Option("--remark", help="What was found; kept with the hold.")],
    helped: Annotated[
        bool | None, typer.Option("--helped/--no-help", help="Of a return risk: it would have come back, and will not.")
    ] = None,
    by: By = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """End a hold. What waited goes to the warehouse; what was stopped there ships again under a new number.

    Example: oms order release SO2603020101 H-SO2603020101-1 --remark "the buyer has confirmed the address"
    """
    done = run(_release(number, hold_no, remark, helped, by, key))
    if json:
        output.as_json(done)
    else:
        others = ", ".join(done.still_held_by)
        output.facts([("released", done.hold_id), ("still held by", others)])


async def _release(
    number: str, hold_no: str, remark: str, helped: bool | None, by: str | None, key: str | None
) -> HoldReleased:
    order_no, own = order_number(number), own_key(key)
    message = ReleaseHold(hold_id=hold_no, remark=sentence("--remark", remark), helped=helped, by=actor(by))
    async with order_client() as client:
        return await client.keyed(own).release(order_no, message)
