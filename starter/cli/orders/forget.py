"""`oms order forget`: what names a buyer goes from all that has ended, by the decision of two."""

from typing import Annotated

import typer

from domain.access.controls import ForgetBuyer
from starter.cli.approvals.controls import ask_for
from starter.cli.options import By, Json, Proof, usable_id


def forget(
    buyer: Annotated[str, typer.Argument(metavar="BUYER", help="The shop's id of the buyer; no name.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that a buyer be forgotten: what names them goes for ever from the books, the pictures and the histories of
    ended orders and returns; sums and the audit stay. An administrator decides. Refused while anything is open.

    Examples:

        oms order forget B-1001 --by u-sup

        oms approve approve A-buyers/… --as u-admin --remark "asked for in writing, identity checked"
    """
    ask_for(ForgetBuyer(buyer_id=usable_id("BUYER", buyer)), by, proof, json)
