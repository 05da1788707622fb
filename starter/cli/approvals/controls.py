"""Changes of the controls as commands: asked for here, decided by another person with `oms approve`."""

import secrets
import time

from config.sources import is_local_stack
from domain.access.controls import ControlChange, at_once, subject_of
from domain.approvals import ApprovalRequest
from starter.cli import output
from starter.cli.connections import control_client, database
from starter.cli.errors import run
from starter.cli.options import actor
from store.approvals.approvals import ApprovalStore
from workflows.approvals.control_messages import ControlAnswer

MADE_AT_ONCE = 500_000
"""From this number on; numbers have six digits."""
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
    """The next of its subject; of what is done at once there is no row to count, so a high one: by chance, or of this
    quarter of an hour, in which a proof can be made for it."""
    if at_once(change):
        chance = secrets.randbelow(MADE_AT_ONCE) if is_local_stack() else int(time.time() // QUARTER_S) % MADE_AT_ONCE
        return MADE_AT_ONCE + chance
    async with database() as pool:
        return await ApprovalStore(pool).asked_so_far(subject_of(change)) + 1


def show_question(request: ApprovalRequest) -> None:
    number = request.approval_id
    output.line(f"{number} asks {request.role}, another person: `oms approve show {number}`. Nothing has changed yet.")
    show_looser(request.content.get("looser", ()))


def show_looser(lines: object) -> None:
    """What becomes looser, a line each; that nothing does is said only when it is so."""
    told = [str(line) for line in lines] if isinstance(lines, list | tuple) else []
    for line in told:
        output.line(f"! {line}")
    if not told:
        output.line(NOTHING)
