"""`oms approve`: decisions that wait for a person."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, NoReturn

import typer

from domain.access.controls import CONTROLS
from domain.approvals import Allowed, ApprovalRequest, Decided, Decision, RefusalCode, may_decide
from starter.cli import output
from starter.cli.approvals.approval_text import amount_of, kind_words
from starter.cli.approvals.deciding import decision_tokens
from starter.cli.approvals.token import make_token
from starter.cli.connections import control_client, database, temporal
from starter.cli.errors import BadInput, CommandFailed, Conflict, Forbidden, fail, run
from starter.cli.language import called, state
from starter.cli.options import Json, Key, Limit, own_key, sentence
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.controls import ChangeNotAsked
from store.approvals.approvals import Approval, ApprovalStore
from store.approvals.people import PeopleStore

Verb = Literal["approve", "reject"]
Numbers = Annotated[list[str], typer.Argument(metavar="ID…", help="Approval numbers, A-….")]
Remark = Annotated[str, typer.Option("--remark", help="Why; kept with the decision.")]
As = Annotated[
    str | None, typer.Option("--as", help="Issue a token for this person here (needs the local issuer's key).")
]
Tokens = Annotated[
    list[str] | None,
    typer.Option("--token", envvar="OMS_APPROVAL_TOKEN", help="Token, one an approval in the same order."),
]
CONFLICTS = frozenset({RefusalCode.ALREADY_DECIDED, RefusalCode.HASH_MISMATCH, RefusalCode.APPROVAL_USED, "Ended"})
OUTAGES = frozenset({"NoAnswer", "TooMany", "TOKEN_KEYS_UNAVAILABLE"})


@dataclass(frozen=True)
class BatchItem:
    """What became of one approval of a batch. `why`: it was not decided; or what was done of what was approved."""

    approval_id: str
    decided: Decided | None
    error: str = ""
    why: str = ""


def list_approvals(
    mine: Annotated[
        str | None, typer.Option("--mine", metavar="PERSON", help="Only what this person may decide.")
    ] = None,
    order: Annotated[str | None, typer.Option("--order", help="Only of this order.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Decided and withdrawn ones too.")] = False,
    limit: Limit = 100,
    json: Json = False,
) -> None:
    """List what waits for a decision, the longest waiting first.

    Example: oms approve list --mine u-sup
    """
    found = run(_list(mine, order, everything, limit))
    if json:
        output.as_json(found)
        return
    rows = [
        (
            a.request.approval_id, state("approval_state", a.state), kind_words(a.request.kind), a.request.subject,
            amount_of(a.request), called("role", a.request.role), a.request.requested_by, a.opened_at, a.decided_by,
        )
        for a in found
    ]  # fmt: skip
    columns = ("approval", "state", "what", "of", "amount", "by role", "asked by", "since", "decided by")
    output.table("Approvals", columns, rows)


async def _list(mine: str | None, order: str | None, everything: bool, limit: int) -> tuple[Approval, ...]:
    async with database() as pool:
        found = await ApprovalStore(pool).list(state=None if everything else "open", order_no=order, limit=limit)
        if mine is None:
            return found
        now = datetime.now(UTC)
        person = await PeopleStore(pool).principal(mine, now)
        if person is None:
            raise CommandFailed(f"there is no person {mine!r}; look with `oms people list`.")
        return tuple(a for a in found if isinstance(may_decide(a.request, person, now), Allowed))


def approve(
    numbers: Numbers, remark: Remark, person: As = None, tokens: Tokens = None, key: Key = None, json: Json = False
) -> None:
    """Approve, one or several; each has its own result.

    Examples:

        oms approve approve A-SO2603020101-1 --remark "same address, checked"      # as who has signed in

        oms approve approve A-SO2603020101-1 --token "$TOKEN" --remark "same address, checked"

        oms approve approve A-R26-1 A-R27-1 --as u-sup --remark "photos show the damage"
    """
    _decide(numbers, "approve", remark, person, tokens, key, json)


def reject(
    numbers: Numbers, remark: Remark, person: As = None, tokens: Tokens = None, key: Key = None, json: Json = False
) -> None:
    """Reject, one or several; each has its own result.

    Example: oms approve reject A-R26-1 --as u-sup --remark "the photo is of another article"
    """
    _decide(numbers, "reject", remark, person, tokens, key, json)


def _decide(
    numbers: Sequence[str],
    verb: Verb,
    remark: str,
    person: str | None,
    tokens: list[str] | None,
    key: str | None,
    json: bool,
) -> None:
    given = [token for text in tokens or () for token in text.split()]
    if person is not None and given:
        fail(BadInput("say who decides once: --as PERSON, or --token (one an approval)."))
    if given and len(given) != len(numbers):
        fail(BadInput(f"{len(numbers)} approvals need as many tokens, {len(given)} are given."))
    items = run(_all(numbers, verb, remark, person, given, key))
    if json:
        output.as_json(items)
    else:
        rows = [(i.approval_id, verb if i.decided else i.error, _by(i.decided), i.why) for i in items]
        output.table("Decisions", ("approval", "result", "by", ""), rows)
    _leave(items)


def _by(decided: Decided | None) -> str:
    if decided is None:
        return ""
    return decided.person_id + (f" for {decided.on_behalf_of}" if decided.on_behalf_of else "")


def _leave(items: Sequence[BatchItem]) -> None:
    bad = [i for i in items if i.decided is None]
    if not bad:
        return
    text = f"{len(bad)} of {len(items)} were not decided: " + "; ".join(f"{i.approval_id} {i.error}" for i in bad[:5])
    kinds = {type(failure_of(i.error, text)) for i in bad}
    _fail(failure_of(bad[0].error, text) if len(kinds) == 1 else CommandFailed(text + "."))


def failure_of(error: str, text: str) -> CommandFailed:
    if error in (RefusalCode.REMARK_REQUIRED, "BadInput"):
        return BadInput(f"{text}.")
    if error in CONFLICTS:
        return Conflict(f"{text}.")
    if error in set(RefusalCode):
        return Forbidden(f"{text}.")
    return CommandFailed(f"{text}.")


def _fail(failure: CommandFailed) -> NoReturn:
    fail(failure)


async def _all(
    numbers: Sequence[str], verb: Verb, remark: str, person: str | None, tokens: list[str], key: str | None
) -> list[BatchItem]:
    said, own = sentence("--remark", remark), own_key(key)
    approvals = [await _known(number) for number in numbers]
    known = {a.request.approval_id: a.request for a in approvals if a is not None}
    by_number = dict(zip(numbers, tokens, strict=True)) if tokens else await _tokens(person, known)
    work = []
    for number, approval in zip(numbers, approvals, strict=True):
        if approval is None:
            work.append(_missing(number))
            continue
        token = by_number[number]
        decision = Decision(
            approval_id=approval.request.approval_id, decision=verb, remark=said,
            content_hash=approval.request.content_hash, token=token,
        )  # fmt: skip
        work.append(_one(approval.workflow_id, decision, own))
    return list(await asyncio.gather(*work))


async def _tokens(person: str | None, wanted: Mapping[str, ApprovalRequest]) -> dict[str, str]:
    """Of the named person of a developer's stack, else of who has signed in."""
    if person is not None:
        return {number: make_token(person, request) for number, request in wanted.items()}
    return dict(zip(wanted, await decision_tokens(tuple(wanted.values())), strict=True))


async def _known(number: str) -> Approval | None:
    async with database() as pool:
        return await ApprovalStore(pool).get(number)


async def _missing(number: str) -> BatchItem:
    return BatchItem(number, None, RefusalCode.UNKNOWN_APPROVAL, "look with `oms approve list --all`")


async def _one(workflow_id: str | None, decision: Decision, key: str | None) -> BatchItem:
    try:
        client = ApprovalClient(await temporal())
        if workflow_id is None:
            decided = await client.decide_in_place(decision)
        else:
            decided = await client.keyed(key).decide(workflow_id, decision)
    except DecisionNotTaken as e:
        return BatchItem(decision.approval_id, None, e.type, e.why)
    return BatchItem(decision.approval_id, decided, why=await _done_of_it(workflow_id, decision))


async def _done_of_it(workflow_id: str | None, decision: Decision) -> str:
    """A change of the controls is made by the approval itself: what it is now, and since when."""
    if workflow_id is None or decision.decision == "reject" or not workflow_id.startswith(f"{CONTROLS}/"):
        return ""
    try:
        async with control_client() as controls:
            return (await controls.outcome(decision.approval_id)).said
    except ChangeNotAsked as error:
        return error.why
