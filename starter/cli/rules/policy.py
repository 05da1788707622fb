"""`oms config policy`: durations, retries and split order."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.access.controls import PublishPolicy
from domain.access.desk import DraftPolicy
from domain.access.loosening import looser_policy
from domain.policy import Policy, changes
from domain.rules.policy_trial import PolicyTrial
from domain.rules.sets import UnableToDecide
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.approvals.controls import ask_for, show_looser
from starter.cli.connections import database
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, CommandFailed, fail, run, several
from starter.cli.options import By, Json, Limit, Proof, actor, read, sentence
from store.rules.policies import PolicyStore, PublishedPolicy
from store.rules.policy_drafts import PolicyDraft, PolicyDrafts

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


Draft = Annotated[int, typer.Argument(min=1, max=2**31 - 1, metavar="DRAFT", help="Number of the draft.")]


def draft(
    file: Annotated[Path, typer.Argument(help="The whole policy as JSON (as `show --json` prints it), - for stdin.")],
    name: Annotated[str, typer.Option("--name", help="What to call it.")] = "policy",
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Keep a policy as a draft; settings left out take their defaults. Nothing counts by that.

    Example: oms config policy draft policy.json --by u-ops
    """
    wanted = _read(file)
    kept = run(_draft(wanted, sentence("--name", name), by, proof))
    if json:
        output.as_json(kept)
        return
    output.line(f"Policy draft {kept['draft_no']} is kept; try it: `oms config policy try {kept['draft_no']}`.")


async def _draft(wanted: Policy, name: str, by: str | None, proof: str | None) -> Any:
    work = DraftPolicy(policy=wanted, name=name, based_on=(await _current()).version)
    return await at_desk(work, actor(by), proof)


def bring_back(
    version: Annotated[int, typer.Argument(min=0, max=2**31 - 1, help="The old version; 0: the built-in defaults.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Keep an old version as a draft, to be tried and published like any other. Nothing counts by that.

    Example: oms config policy bring-back 3 --by u-ops
    """
    kept = run(_bring_back(version, by, proof))
    if json:
        output.as_json(kept)
        return
    number = kept["draft_no"]
    output.line(f"Policy draft {number} is version {version} again; try it: `oms config policy try {number}`.")


async def _bring_back(version: int, by: str | None, proof: str | None) -> Any:
    old, _ = await _two(version, None)
    return await _draft(old.model_copy(update={"version": 0}), f"v{version}", by, proof)


def try_on_the_past(draft: Draft, by: By = None, json: Json = False) -> None:
    """Tell what a draft would have meant for the newest orders and returns. Changes nothing.

    Example: oms config policy try 3
    """
    found = run(_try(draft, by))
    if json:
        output.as_json(found)
        return
    before, after = found.before, found.after
    rows = [
        (f"of {found.returns} returns, finance decides", before.finance, after.finance),
        (f"of {found.returns} returns, too late to apply", before.too_late, after.too_late),
        (f"of {found.returns} returns, freight goes back", before.freight, after.freight),
        (f"of {found.orders} orders, left as promised", before.in_time, after.in_time),
        (f"of {found.planned} orders, divided otherwise", "", found.divided_otherwise),
    ]
    output.table("The past, before and after", ("", "now", "draft"), rows)
    output.line(f"Publish it with `oms config policy publish {draft}`; another person, of finance, decides.")


async def _try(number: int, by: str | None) -> PolicyTrial:
    async with database() as pool:
        try:
            return await PolicyDrafts(pool).try_on_the_past(number, actor(by), datetime.now(UTC))
        except UnableToDecide as e:
            raise CommandFailed(f"policy draft {number} cannot be tried: {e}.") from None


def publish(draft: Draft, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Ask for a draft that was tried; another person, of finance, decides, neither who drafted it nor who asks. What
    becomes looser is told in words. Approved, it counts for new orders without a further step; running orders keep
    their version.

    Examples:

        oms config policy publish 3 --by u-ops

        oms approve approve A-policy-1 --as u-fin --remark "compared with the minutes of 3 March"
    """
    ask_for(PublishPolicy(policy=run(_drafted(draft)).policy, draft_no=draft), by, proof, json)


async def _drafted(number: int) -> PolicyDraft:
    async with database() as pool:
        return await PolicyDrafts(pool).draft_of(number)


def drafts(limit: Limit = 20, json: Json = False) -> None:
    """List drafts of the policy, newest first.

    Example: oms config policy drafts
    """
    found = run(_drafts(limit))
    if json:
        output.as_json(found)
        return
    rows = [(d.draft_no, d.name, d.drafted_by, d.drafted_at, d.based_on, d.version or "") for d in found]
    columns = ("draft", "name", "by", "drafted", "on version", "published as")
    output.table("Policy drafts", columns, rows, empty="no drafts")


async def _drafts(limit: int) -> tuple[PolicyDraft, ...]:
    async with database() as pool:
        return await PolicyDrafts(pool).drafts(limit)


def _read(file: Path) -> Policy:
    try:
        return parse(Policy, read(file, MAX_BYTES))
    except UnableToRead as e:
        fail(BadInput(f"{file} is no usable policy, nothing was kept: {several(str(e))}."))
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
