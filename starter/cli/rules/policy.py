"""`oms config policy`: durations, retries and split order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from domain.policy import Policy, changes
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, run, several
from starter.cli.options import By, Json, Limit, actor, read
from store.rules.policies import PolicyStore, PublishedPolicy

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
        return await PolicyStore(pool).publish(wanted, who)


def history(limit: Limit = 20, json: Json = False) -> None:
    """Show who published which version when, and what it changed. Newest first.

    Example: oms config policy history
    """
    versions = run(_history(limit))
    if json:
        output.as_json(versions)
    else:
        rows = [(v.version, v.published_at, v.published_by, _lines(v.changed)) for v in versions]
        output.table("Policies", ("version", "published", "by", "changed"), rows, empty="the built-in defaults count")


async def _history(limit: int) -> tuple[PublishedPolicy, ...]:
    async with database() as pool:
        return await PolicyStore(pool).history(limit)


def diff(
    old: Annotated[int, typer.Argument(min=0, max=2**31 - 1, help="The earlier version.")],
    new: Annotated[
        int | None, typer.Argument(min=0, max=2**31 - 1, help="The later version.", show_default="the newest")
    ] = None,
    json: Json = False,
) -> None:
    """Show what differs between two versions.

    Example: oms config policy diff 3 5
    """
    before, after = run(_two(old, new))
    changed = changes(before, after)
    if json:
        output.as_json({"from": before.version, "to": after.version, "changed": changed})
    else:
        columns = ("setting", f"version {before.version}", f"version {after.version}")
        rows = [(name, _plain(was), _plain(now)) for name, (was, now) in changed.items()]
        output.table("Differences", columns, rows)


async def _two(old: int, new: int | None) -> tuple[Policy, Policy]:
    async with database() as pool:
        policies = PolicyStore(pool)
        try:
            before = await policies.version(old)
            return before, await (policies.current() if new is None else policies.version(new))
        except KeyError as e:
            raise CommandFailed(f"{e.args[0]}; look with `oms config policy history`.") from None


def _lines(changed: Mapping[str, tuple[object, object]]) -> str:
    return "; ".join(f"{name} {_plain(was)} → {_plain(now)}" for name, (was, now) in changed.items())


def _plain(value: object) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
