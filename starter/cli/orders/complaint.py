"""`oms order complaint`: a buyer has complained; the health report counts it (R21)."""

from typing import Annotated

import typer
from pydantic import ValidationError

from domain.insight.complaints import About, TellComplaint
from domain.strict import faults, of
from starter.cli import output
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, run
from starter.cli.options import By, Json, Proof, actor, order_number


def told(
    order_no: str,
    number: Annotated[str, typer.Option("--id", help="Its number at the order's channel; it counts once.")],
    about: Annotated[str, typer.Option("--about", help=", ".join(About) + ".")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="As 2026-03-02T10:00:00+08:00.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Tell of a complaint about an order. Nothing that the buyer wrote is kept.

    Example: oms order complaint SO2603020001 --id 77-1 --about late --at 2026-03-05T18:00:00+08:00 --by u-cs
    """
    said = {"order_no": order_number(order_no), "complaint_no": number, "about": about, "complained_at": at}
    try:
        complaint = of(TellComplaint, said)
    except ValidationError as error:
        raise BadInput(f"this complaint cannot be told so: {faults(error)}") from None
    done = run(at_desk(complaint, actor(by), proof))
    if json:
        output.as_json(said | done)
        return
    output.line(f"complaint {number} of {done['channel']} about order {complaint.order_no} is counted.")
