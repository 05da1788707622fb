"""Changes of the controls as commands: asked for here, decided by another person with `oms approve`."""

import time

from config.sources import is_local_stack
from domain.access.controls import ControlChange, at_once, subject_of
from domain.approvals import ApprovalRequest
from starter.cli import output
from starter.cli.connections import control_client, database
from starter.cli.errors import run
from starter.cli.options import actor
from starter.clients.controls import MADE_AT_ONCE, next_number
from workflows.approvals.control_messages import ControlAnswer

QUARTER_S = 900
NOTHING = "放宽：无 / Nothing becomes looser."


def ask_for(change: ControlChange, by: str | None, proof: str | None, json: bool) -> None:
    """Asks, and says what another person has to decide and what it would let through."""
    answer = run(asked(change, actor(by), proof))
    if json:
        output.as_json(answer)
    elif answer.approval is None:
        output.line(f"{subject_of(change)}: {answer.said}.")
    else:
        show_question(answer.approval)


async def asked(change: ControlChange, who: str, proof: str | None) -> ControlAnswer:
    """Raises `CommandRefused`, `ChangeNotAsked`."""
    async with control_client(proof) as client:
        return await client.ask(change, await _number(change), who)


async def _number(change: ControlChange) -> int:
    """As everywhere; but of what is done at once, that of this quarter of an hour: its proof can be made by hand."""
    if at_once(change) and not is_local_stack():
        return MADE_AT_ONCE + int(time.time() // QUARTER_S) % MADE_AT_ONCE
    async with database() as pool:
        return await next_number(pool, change)


def show_question(request: ApprovalRequest) -> None:
    number = request.approval_id
    output.line(f"{number} asks {request.role}, another person: `oms approve show {number}`. Nothing has changed yet.")
    output.line("It counts from the moment that they approve; nothing more has to be done then.")
    show_looser(request.content.get("looser", ()))


def show_looser(lines: object) -> None:
    """What becomes looser, a line each; that nothing does is said only when it is so."""
    told = [str(line) for line in lines] if isinstance(lines, list | tuple) else []
    for line in told:
        output.line(f"! {line}")
    if not told:
        output.line(NOTHING)
