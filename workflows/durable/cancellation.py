"""Temporal's own *Request Cancellation*: nobody is known by it and nothing is undone by it, so that it stops nothing.

Whoever may write to the namespace may press that button. Orders and returns are cancelled by people with a proof
(update `cancel`), loops by nobody: the request is told to people, and the workflow goes on (decision 0065).
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import is_cancelled_exception

REFUSED = "a cancellation by Temporal's own button is refused"
STEP = "cancellation requested in Temporal"


def refuses(error: BaseException) -> bool:
    """It is the server's request to cancel this workflow, and the workflow goes on. It comes once a run."""
    if not is_cancelled_exception(error) or workflow.cancellation_reason() is None or not workflow.patched(REFUSED):
        return False
    if (task := asyncio.current_task()) is not None:
        task.uncancel()
    return True


def told(what: str, instead: str) -> str:
    """For whoever reads the ticket. `what`: order 1234; `instead`: the command that does what was meant."""
    return (
        f"somebody has requested in Temporal that {what} be cancelled. That cannot be proven and gives nothing back: "
        f"nothing was done, and the {what.split(' ', maxsplit=1)[0]} goes on. If it is to be cancelled: `{instead}`"
    )
