"""Changes of the controls that one person makes, since they only take power away: each number once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from store.errors import ApprovalChanged
from store.pool import Connection

KNOWN = "SELECT change, done_by FROM controls_at_once WHERE number = $1"
KEEP = "INSERT INTO controls_at_once (number, change, done_by, done_at) VALUES ($1, $2, $3, $4)"


async def done_at_once(connection: Connection, number: str, change: Mapping[str, Any], by: str) -> bool:
    """Raises `ApprovalChanged` when something else was done under this number, or by somebody else."""
    row = await connection.fetchrow(KNOWN, number)
    if row is not None and (row["change"], row["done_by"]) != (change, by):
        raise ApprovalChanged(number)
    return row is not None


async def keep_at_once(connection: Connection, number: str, change: Mapping[str, Any], by: str, at: datetime) -> None:
    await connection.execute(KEEP, number, change, by, at)
