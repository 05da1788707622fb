"""What every caller of an order or a return needs: the task queue, types and ids, signal `facts`, update
`resolve_ticket`. Machines signal, people update."""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.approvals import Token
from domain.facts import Fact
from domain.order import Id
from domain.strict import Strict
from domain.tickets import Remark

TASK_QUEUE = "oms"
ORDER_WORKFLOW = "Order"
FACTS = "facts"


def order_workflow_id(order_no: str) -> str:
    return f"order/{order_no}"


def command_key(message: Strict) -> str:
    """What a person's command says, in short: its type and a digest of its JSON with sorted keys. Its proof is made
    anew each time that it is told."""
    said = json.dumps(message.model_dump(mode="json", exclude={"proof"}), sort_keys=True, separators=(",", ":"))
    return f"{type(message).__name__}:{hashlib.sha256(said.encode()).hexdigest()}"


class FirstAnswer(Strict):
    """Answer of query `first_answer`. `answer`: as the update gave it; none for one that answers nothing."""

    known: bool
    answer: dict[str, Any] | None = None


class FactBatch(Strict):
    """Facts that arrived together are delivered together."""

    facts: Annotated[tuple[Fact, ...], Field(min_length=1, max_length=200)]


class SignedCommand(Strict):
    """Base of what moves goods, money, access or addresses (`domain/access/authority.py`). `proof`: a token made for
    this workflow, this command and this very message."""

    by: Id
    proof: Token | None = None


class ResolveTicket(SignedCommand):
    ticket_id: str
    action: Literal["retry", "supply", "give_up"]
    remark: Remark
    result: dict[str, Any] | None = None
    """With `supply`: the step's result, as the ticket's step would have returned it."""


class TicketAnswer(Strict):
    """Answer of update `resolve_ticket`. `approval_id`: what is said of money waits for another person of finance;
    until then the ticket is open. None: the answer counts."""

    approval_id: str | None = None
