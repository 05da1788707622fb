"""`oms rules simulate`, `publish`, `rollback`: from a draft to what counts, by two people."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from domain.approvals import Decision
from domain.rules.check import InvalidRuleSet
from domain.rules.sets import UnableToDecide
from domain.rules.simulation import OrderEffect, ParcelView, Simulated
from starter.cli import output
from starter.cli.approvals.approve import failure_of
from starter.cli.approvals.token import make_token
from starter.cli.connections import approval_client, database
from starter.cli.errors import BadInput, CommandFailed, run
from starter.cli.options import By, Json, actor, sentence
from starter.cli.progress import progress
from starter.cli.rules.rules import Number
from starter.cli.text import amount
from starter.clients.approvals import DecisionNotTaken
from starter.rule_publishing import Publication, RulePublishing
from store.rules.rule_sets import Draft, RuleSetStore

SHOWN = 20
"""Orders told to people; --json has more."""


def simulate(
    draft: Number,
    last: Annotated[int, typer.Option("--last", min=1, max=100_000, help="So many past orders.")] = 500,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Not older than this.")] = 90,
    by: By = None,
    json: Json = False,
) -> None:
    """Plan past orders anew by a draft: what would change, parcels and cost before and after. Changes nothing.

    Each order is planned with the goods, the stock and the address it had then.

    Example: oms rules simulate 3 --last 1000
    """
    found = run(_simulate(draft, last, days, by, json))
    if json:
        output.as_json(found)
        return
    same = found.orders - found.parcels_changed - found.carrier_changed - found.reasons_changed
    output.line(
        f"{found.orders} past orders against version {found.compared_with}: "
        f"{found.parcels_changed} would travel otherwise, {found.carrier_changed} by another carrier or price, "
        f"{found.reasons_changed} with other reasons only, {same} as now."
    )
    rows = [
        ("parcels", found.before.parcels, found.after.parcels, found.after.parcels - found.before.parcels),
        (
            "cost (yuan)", amount(found.before.cost_minor), amount(found.after.cost_minor),
            amount(found.after.cost_minor - found.before.cost_minor),
        ),
        ("without a price", found.before.unpriced, found.after.unpriced, found.after.unpriced - found.before.unpriced),
    ]  # fmt: skip
    output.table("Sums", ("", "now", "draft", "difference"), rows)
    shown = [(e.order_no, e.difference, _parcels(e.before), _parcels(e.after), _cost(e)) for e in found.effects[:SHOWN]]
    if shown:
        output.table("Would change", ("order", "what", "now", "draft", "cost"), shown)
    output.line(f"Publish it with `oms rules publish {draft}`; another person has to approve.")


async def _simulate(number: int, last: int, days: int, by: str | None, quiet: bool) -> Simulated:
    who, now = actor(by), datetime.now(UTC)
    async with database() as pool:
        publishing = RulePublishing(pool)
        draft = await RuleSetStore(pool).draft_of(number)
        work, done = await publishing.simulation(draft), 0
        with progress("past orders", None, quiet=quiet) as tell:
            try:
                async for order in publishing.past_orders().newest(last, now - timedelta(days=days)):
                    work.take(order)
                    done += 1
                    tell(done)
            except UnableToDecide as e:
                raise CommandFailed(f"draft {number} cannot be simulated: {e}.") from None
        found = work.result()
        await publishing.keep(draft, found, who, now)
    return found


def publish(
    draft: Number,
    person: Annotated[
        str | None, typer.Option("--as", help="Approve as this person (needs the local issuer's key).")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", envvar="OMS_APPROVAL_TOKEN", help="Approve with this token.")
    ] = None,
    remark: Annotated[str | None, typer.Option("--remark", help="Why; needed to approve.")] = None,
    json: Json = False,
) -> None:
    """Publish a draft: asks another person for approval; once approved, it counts for orders from then on.

    Whoever drafted it cannot approve it. Run it again after `oms approve approve`, or approve here.

    Examples:

        oms rules publish 3

        oms rules publish 3 --as u-ops2 --remark "tried on 500 orders, 12 parcels less"
    """
    done = run(_publish(draft, person, token, remark))
    if json:
        output.as_json(done)
    elif done.state == "published":
        output.line(
            f"Rule set version {done.version} counts for orders from now on; orders that have started keep theirs."
        )
    elif done.approval is not None:
        number = done.approval.approval_id
        output.line(f"Draft {draft} waits for approval {number} by {done.approval.role}: `oms approve show {number}`.")


async def _publish(number: int, person: str | None, token: str | None, remark: str | None) -> Publication:
    if person is not None and token is not None:
        raise BadInput("say who approves once: --as PERSON or --token.")
    if (person or token) and remark is None:
        raise BadInput("an approval needs a --remark.")
    async with database() as pool:
        publishing = RulePublishing(pool)
        draft = await RuleSetStore(pool).draft_of(number)
        now = datetime.now(UTC)
        found = await publishing.publish(draft, now)
        if found.state == "waiting" and found.approval is not None and (person or token) and remark is not None:
            decision = Decision(
                approval_id=found.approval.approval_id,
                decision="approve",
                remark=sentence("--remark", remark),
                content_hash=found.approval.content_hash,
                token=token or make_token(str(person), found.approval),
            )
            try:
                async with approval_client() as client:
                    await client.decide_in_place(decision)
            except DecisionNotTaken as e:
                raise failure_of(e.type, f"draft {number} was not published ({e.type}): {e.why}") from None
            found = await publishing.publish(draft, datetime.now(UTC))
    return found


def rollback(
    version: Annotated[int, typer.Argument(min=0, max=2**31 - 1, help="The version to bring back.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Draft an old version anew; published by another person it becomes the next version.

    Example: oms rules rollback 2
    """
    try:
        draft = run(_rollback(version, by))
    except InvalidRuleSet as e:
        raise typer.Exit(_no_longer(version, e)) from None
    if json:
        output.as_json(draft)
    else:
        output.line(
            f"Draft {draft.draft_no} brings version {version} back; publish it: `oms rules publish {draft.draft_no}`."
        )


async def _rollback(version: int, by: str | None) -> Draft:
    async with database() as pool:
        return await RuleSetStore(pool).roll_back(version, actor(by), datetime.now(UTC))


def _no_longer(version: int, error: InvalidRuleSet) -> int:
    output.line(f"Version {version} can no longer be saved: {error}")
    return CommandFailed.code


def _parcels(parcels: Sequence[ParcelView]) -> str:
    return "; ".join(f"{p.warehouse}: {', '.join(f'{qty}×{line}' for line, qty in p.lines.items())}" for p in parcels)


def _cost(effect: OrderEffect) -> str:
    before, after = (sum(p.cost_minor or 0 for p in parcels) for parcels in (effect.before, effect.after))
    return f"{amount(before)} → {amount(after)}"
