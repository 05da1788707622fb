"""`oms rules simulate`, `publish`, `rollback`: from a draft to what counts, by two people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from domain.access.controls import PublishRules, control_workflow_id
from domain.access.desk import DraftRules
from domain.approvals import ApprovalRequest, Decision
from domain.rules.check import InvalidRuleSet
from domain.rules.sets import UnableToDecide
from domain.rules.simulation import OrderEffect, ParcelView, Simulated
from starter.cli import output
from starter.cli.approvals.approve import failure_of
from starter.cli.approvals.controls import asked, show_question
from starter.cli.approvals.token import make_token
from starter.cli.connections import approval_client, control_client, database
from starter.cli.errors import BadInput, CommandFailed, run
from starter.cli.options import By, Json, Proof, actor, sentence
from starter.cli.progress import progress
from starter.cli.rules.rules import Number, drafted
from starter.cli.text import amount
from starter.clients.approvals import DecisionNotTaken
from store.approvals.approvals import ApprovalStore
from store.rules.rule_sets import RuleSetStore
from store.rules.trials import RuleTrials

SHOWN = 20
"""Orders told to people; --json has more."""


@dataclass(frozen=True)
class Publication:
    """How far a draft has come. `approval`: the question that is open, or was answered."""

    state: Literal["waiting", "published"]
    approval: ApprovalRequest | None
    version: int | None = None


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
    who = actor(by)
    async with database() as pool:
        with progress("past orders", None, quiet=quiet) as tell:
            try:
                return await RuleTrials(pool).simulate(number, last, days, who, datetime.now(UTC), tell)
            except UnableToDecide as e:
                raise CommandFailed(f"draft {number} cannot be simulated: {e}.") from None


def publish(
    draft: Number,
    person: Annotated[
        str | None, typer.Option("--as", help="Approve as this person (needs the local issuer's key).")
    ] = None,
    token: Annotated[
        str | None, typer.Option("--token", envvar="OMS_APPROVAL_TOKEN", help="Approve with this token.")
    ] = None,
    remark: Annotated[str | None, typer.Option("--remark", help="Why; needed to approve.")] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Publish a draft: asks another person for approval. It counts from the moment that they approve, without a further
    step; `oms rules list` says since when.

    Neither who drafted it nor who asks can approve it; where it says who approves money, finance does. Approve with
    `oms approve approve`, or here.

    Examples:

        oms rules publish 3 --by u-ed

        oms rules publish 3 --as u-ops2 --remark "tried on 500 orders, 12 parcels less"
    """
    done = run(_publish(draft, person, token, remark, (by, proof)))
    if json:
        output.as_json(done)
    elif done.state == "published":
        output.line(
            f"Rule set version {done.version} is in force for new orders, since when: `oms rules list`; orders that "
            "have started keep theirs."
        )
    elif done.approval is not None:
        show_question(done.approval)


async def _publish(
    number: int, person: str | None, token: str | None, remark: str | None, asks: tuple[str | None, str | None]
) -> Publication:
    """`asks`: by whom, and the proof of it, where a question has to be asked."""
    if person is not None and token is not None:
        raise BadInput("say who approves once: --as PERSON or --token.")
    if (person or token) and remark is None:
        raise BadInput("an approval needs a --remark.")
    waits = await _asked(number, *asks)
    if waits.approval is None or not (person or token) or remark is None:
        return waits
    request = waits.approval
    decision = Decision(
        approval_id=request.approval_id, decision="approve", remark=sentence("--remark", remark),
        content_hash=request.content_hash, token=token or make_token(str(person), request),
    )  # fmt: skip
    try:
        async with approval_client() as client:
            await client.decide(control_workflow_id(request.subject, request.version), decision)
    except DecisionNotTaken as e:
        raise failure_of(e.type, f"draft {number} was not published ({e.type}): {e.why}") from None
    async with control_client() as controls:
        answer = await controls.outcome(request.approval_id)
    if answer.state != "made":
        raise CommandFailed(f"draft {number} was not published: {answer.said}")
    return await _published(number, request)


async def _asked(number: int, by: str | None, proof: str | None) -> Publication:
    """The question that is open, or a new one; of one that was just approved, what came of it."""
    async with database() as pool:
        draft = await RuleSetStore(pool).draft_of(number)
        before = await ApprovalStore(pool).list(state=None, subject=f"rules/{number}", limit=1000)
    if draft.version is not None:
        return Publication("published", None, draft.version)
    last = before[-1] if before and before[-1].workflow_id is not None else None
    if last is not None and last.state == "open":
        return Publication("waiting", last.request)
    if last is not None and last.state == "approved" and await _made(last.request):
        return await _published(number, last.request)
    return Publication("waiting", (await asked(PublishRules(draft_no=number), actor(by), proof)).approval)


async def _made(request: ApprovalRequest) -> bool:
    async with control_client() as client:
        return (await client.outcome(request.approval_id)).state == "made"


async def _published(number: int, request: ApprovalRequest) -> Publication:
    async with database() as pool:
        return Publication("published", request, (await RuleSetStore(pool).draft_of(number)).version)


def rollback(
    version: Annotated[int, typer.Argument(min=0, max=2**31 - 1, help="The version to bring back.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Draft an old version anew; published by another person it becomes the next version.

    Example: oms rules rollback 2
    """
    try:
        draft = run(drafted(DraftRules(rolls_back=version), actor(by), proof))
    except InvalidRuleSet as e:
        raise typer.Exit(_no_longer(version, e)) from None
    if json:
        output.as_json(draft)
    else:
        output.line(
            f"Draft {draft.draft_no} brings version {version} back; publish it: `oms rules publish {draft.draft_no}`."
        )


def _no_longer(version: int, error: InvalidRuleSet) -> int:
    output.line(f"Version {version} can no longer be saved: {error}")
    return CommandFailed.code


def _parcels(parcels: Sequence[ParcelView]) -> str:
    return "; ".join(f"{p.warehouse}: {', '.join(f'{qty}×{line}' for line, qty in p.lines.items())}" for p in parcels)


def _cost(effect: OrderEffect) -> str:
    before, after = (sum(p.cost_minor or 0 for p in parcels) for parcels in (effect.before, effect.after))
    return f"{amount(before)} → {amount(after)}"
