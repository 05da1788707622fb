"""`oms config policy`: durations, retries and split order."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from domain.access.controls import PublishPolicy
from domain.access.loosening import looser_policy
from domain.policy import Policy, changes
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.approvals.controls import ask_for, show_looser
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, fail, run, several
from starter.cli.options import By, Json, Limit, Proof, read
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
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for a new policy version; another person, of finance, decides. What becomes looser is told in words. Running
    orders keep their version; settings left out take their defaults.

    Examples:

        oms config policy set policy.json --by u-ops

        oms approve approve A-policy-1 --as u-fin --remark "compared with the minutes of 3 March"
    """
    ask_for(PublishPolicy(policy=_read(file)), by, proof, json)


def _read(file: Path) -> Policy:
    try:
        return parse(Policy, read(file, MAX_BYTES))
    except UnableToRead as e:
        fail(BadInput(f"{file} is no usable policy, nothing was asked: {several(str(e))}."))
    except BadInput as e:
        fail(e)


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
        looser = looser_policy(before, after)
        output.as_json({"from": before.version, "to": after.version, "changed": changed, "looser": looser})
    else:
        columns = ("setting", f"version {before.version}", f"version {after.version}")
        rows = [(name, _plain(was), _plain(now)) for name, (was, now) in changed.items()]
        output.table("Differences", columns, rows)
        show_looser(looser_policy(before, after))


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
