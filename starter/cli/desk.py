"""Commands that the worker does for a proven person: goods, money from outside, chargebacks, drafts of rules."""

import secrets
import time
from typing import Any

from config.sources import is_local_stack
from domain.access.desk import DeskTask
from starter.cli.connections import desk_client

QUARTER_S = 900


async def at_desk(work: DeskTask, who: str, proof: str | None) -> Any:
    """What came of it. Raises `CommandRefused`, `NotDone`, `InvalidRuleSet`, `Forbidden`."""
    # A proof is made for a number of this quarter of an hour; on a developer's stack it is made at once.
    n = secrets.randbelow(10**9) if is_local_stack() else int(time.time() // QUARTER_S)
    async with desk_client(proof) as client:
        return await client.do(work, n, who)
