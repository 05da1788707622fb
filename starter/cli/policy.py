"""`oms config policy`: durations, retries and split order."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.policy import Policy
from domain.records import AuditEntry
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.failing import BadInput, run, several
from starter.cli.options import By, Json, actor, read
from starter.cli.reach import database
from store.audit import AuditStore
from store.policies import PolicyStore

MAX_BYTES = 100_000


def show(json: Json = False) -> None:
    """Show the policy that new orders get.

    Example: oms config policy show --json > policy.json
    """
    policy = run(_current())
    if json:
        output.as_json(policy)
    else:
        values = policy.model_dump(mode="json")
        output.table("Policy", ("setting", "value"), [(k, _plain(v)) for k, v in values.items()])


async def _current() -> Policy:
    async with database() as pool:
        return await PolicyStore(pool).current()


def publish(
    file: Annotated[Path, typer.Argument(help="The whole policy as JSON (as `show --json` prints it), - for stdin.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Publish a new policy version. Running orders keep theirs; settings left out take their defaults.

    Example: oms config policy set policy.json
    """
    new = run(_publish(file, by))
    if json:
        output.as_json(new)
    else:
        output.line(f"Policy version {new.version} counts for orders from now on.")


async def _publish(file: Path, by: str | None) -> Policy:
    who, raw = actor(by), read(file, MAX_BYTES)
    try:
        wanted = parse(Policy, raw)
    except UnableToRead as e:
        raise BadInput(f"{file} is no usable policy, nothing was published: {several(str(e))}.") from None
    async with database() as pool:
        new = await PolicyStore(pool).publish(wanted, who)
        entry = AuditEntry(actor=who, action="policy.publish", detail={"version": new.version})
        await AuditStore(pool).append(entry, datetime.now(UTC))
    return new


def _plain(value: object) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
