"""An application becomes a case, or is refused with every reason: judged and held in one transaction."""

from dataclasses import dataclass
from datetime import datetime

from domain.outbound.published import ReturnStatusChanged
from domain.policy import Policy
from domain.records import AuditEntry
from domain.returns.admission import Judgement, case_quote, judge
from domain.returns.approval_route import route_input
from domain.returns.enums import GOODS_COME_BACK, LET_GO, CaseStatus, Reception, Risk
from domain.returns.facts import ParcelUnits, ReturnOrderFacts
from domain.returns.models import Admitted, ApplyReturn, Quote, ReopenReturn
from domain.returns.refusals import Code, refusal
from domain.strict import of
from domain.units import UnitRange
from store.audit.audit import append_entry, append_once
from store.forms.judging import form_refusals, give_slip_number, in_order
from store.number_lock import serialize
from store.outbox import publish_return
from store.pool import Connection
from store.returns.claims import Claim, NotEnoughLeft, hold
from store.returns.errors import CannotReopen, NoSuchReturn, ReturnChanged, ReturnRefused
from store.returns.order_facts import read_facts
from store.returns.origins import origins
from store.returns.routing import limits_of, route_by_rules
from store.returns.terms import terms_of

# The case of a number.
CASE = "SELECT order_no, run_id, application, admitted FROM return_cases WHERE return_no = $1"

APPLICATION = "SELECT application FROM return_cases WHERE return_no = $1"

# A closed case that is to be reopened, and everything it had asked for.
CLOSED = "SELECT order_no, status, application, admitted FROM return_cases WHERE return_no = $1"

INSERT = """
INSERT INTO return_cases (return_no, order_no, run_id, type, channel, actor_kind, actor_id, on_behalf_of, reason, fault,
    application, admitted, linked_to, policy_version, held_minor, reception, applied_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)
ON CONFLICT DO NOTHING RETURNING return_no"""

TELL = """
INSERT INTO return_timeline (return_no, at, actor, role, action, to_status, detail, write_seq, write_pos)
VALUES ($1, $2, $3, $4, $5, 'APPLIED', $6, 0, 0)"""

# Pictures that were uploaded under this number for this order.
EVIDENCE = """
SELECT evidence_id FROM return_evidence WHERE return_no = $1 AND order_no = $2 AND purpose = 'application'"""


# Tickets and approvals are numbered after their subject: an order and a case under one number would share them.
IS_AN_ORDER = "SELECT EXISTS (SELECT FROM orders WHERE order_no = $1)"


@dataclass(frozen=True)
class AdmissionContext:
    """Who asks for a case, with which run. `policy`: what counts now, for how long people wait for each other; what was
    promised is the order's own (`terms_of`)."""

    run_id: str
    at: datetime
    policy: Policy
    risk: Risk = Risk.LOW


async def admit(connection: Connection, application: ApplyReturn, asked: AdmissionContext) -> Admitted:
    """Inside a transaction. Raises `ReturnRefused`, `ReturnChanged`; then nothing may be committed."""
    await serialize(connection, application.return_no)
    order = await read_facts(connection, application.order_no)
    if order is None:
        # A stranger learns nothing about which orders exist.
        raise ReturnRefused(application.return_no, (refusal(Code.FORBIDDEN),))
    known = await connection.fetchrow(CASE, application.return_no)
    if known is not None:
        if known["run_id"] == asked.run_id and of(ApplyReturn, known["application"]) == application:
            return of(Admitted, known["admitted"])
        raise ReturnChanged(application.return_no)
    rules = await terms_of(connection, application, asked.policy)
    evidence = [r["evidence_id"] for r in await connection.fetch(EVIDENCE, application.return_no, order.order_no)]
    judgement = judge(application, order, evidence, rules, asked.at)
    judgement = await _by_the_forms(connection, application, judgement)
    if not judgement.admitted:
        raise ReturnRefused(application.return_no, judgement.refusals)
    if await connection.fetchval(IS_AN_ORDER, application.return_no):
        raise ReturnRefused(application.return_no, (refusal(Code.NUMBER_TAKEN),))
    quote = case_quote(application, order, judgement.units, rules)
    try:
        return await _open(connection, application, order, judgement.units, quote, asked)
    except NotEnoughLeft:
        # What was refunded without naming units is not in the facts, but the database counts it.
        raise ReturnRefused(application.return_no, (refusal(Code.QTY_EXCEEDED),)) from None


async def forecast(
    connection: Connection, application: ApplyReturn, asked: AdmissionContext
) -> tuple[Judgement, Quote | None]:
    """Inside a transaction; holds nothing. Raises `ReturnRefused`: a stranger learns nothing."""
    order = await read_facts(connection, application.order_no, lock=False)
    if order is None:
        raise ReturnRefused(application.return_no, (refusal(Code.FORBIDDEN),))
    rules = await terms_of(connection, application, asked.policy)
    evidence = [r["evidence_id"] for r in await connection.fetch(EVIDENCE, application.return_no, order.order_no)]
    judgement = judge(application, order, evidence, rules, asked.at)
    judgement = await _by_the_forms(connection, application, judgement)
    quote = case_quote(application, order, judgement.units, rules) if judgement.units else None
    return judgement, quote


async def _by_the_forms(connection: Connection, application: ApplyReturn, judgement: Judgement) -> Judgement:
    """With what the shop's own forms say against it; a stranger is told nothing of them."""
    if any(r.code is Code.FORBIDDEN for r in judgement.refusals):
        return judgement
    more = await form_refusals(connection, application)
    return judgement.model_copy(update={"refusals": in_order((*judgement.refusals, *more))})


async def reopen(connection: Connection, message: ReopenReturn, asked: AdmissionContext) -> Admitted:
    """Inside a transaction. The same units under a new number: their window, evidence and count do not matter again."""
    await serialize(connection, message.return_no)
    closed = await connection.fetchrow(CLOSED, message.reopens)
    if closed is None:
        raise NoSuchReturn(message.reopens)
    order = await read_facts(connection, closed["order_no"])
    assert order is not None, "a case has an order"
    known = await connection.fetchrow(CASE, message.return_no)
    if known is not None:
        if known["run_id"] == asked.run_id:
            return of(Admitted, known["admitted"])
        raise ReturnChanged(message.return_no)
    if CaseStatus(closed["status"]) not in LET_GO:
        raise CannotReopen(f"return {message.reopens} is {closed['status']}: only a closed case is reopened")
    if await connection.fetchval(IS_AN_ORDER, message.return_no):
        raise CannotReopen(f"return {message.reopens} cannot be reopened as {message.return_no}: that is an order")
    application = of(ApplyReturn, closed["application"]).model_copy(update={"return_no": message.return_no})
    units = of(Admitted, closed["admitted"]).units
    quote = case_quote(application, order, units, await terms_of(connection, application, asked.policy))
    try:
        return await _open(connection, application, order, units, quote, asked, linked_to=message.reopens)
    except NotEnoughLeft:
        raise CannotReopen(
            f"return {message.reopens} cannot be reopened as {message.return_no}: its units are refunded or in another "
            "case; a person has to look at the parcel"
        ) from None


async def refuse(
    connection: Connection, application: ApplyReturn, refused: ReturnRefused, asked: AdmissionContext
) -> None:
    """The audit row of a refusal, in a transaction of its own; one a run, however often its first step is repeated."""
    actor = application.actor
    entry = AuditEntry(
        actor=actor.id,
        action="return.refuse",
        detail={
            "return_no": application.return_no,
            "run_id": asked.run_id,
            "kind": actor.kind,
            "on_behalf_of": actor.on_behalf_of,
            "type": application.type.value,
            "lines": application.lines,
            "codes": [r.code.value for r in refused.refusals],
        },
    )
    await append_once(connection, entry, asked.at, application.order_no)


async def _open(
    connection: Connection,
    application: ApplyReturn,
    order: ReturnOrderFacts,
    units: tuple[UnitRange, ...],
    quote: Quote,
    asked: AdmissionContext,
    linked_to: str | None = None,
) -> Admitted:
    kind = application.type
    rules = await limits_of(connection, order.order_no, asked.policy)
    compared = route_input(rules, kind, quote.total_minor, prior_minor=order.prior_minor, risk=asked.risk)
    admitted = Admitted(
        return_no=application.return_no,
        order_no=order.order_no,
        type=kind,
        currency=order.currency,
        units=units,
        quote=quote,
        route=await route_by_rules(connection, compared, order.order_no),
        unshipped=_unshipped(order, units),
        policy_version=asked.policy.version,
        order_ended=order.ended,
        origins=await origins(connection, order.order_no, units),
        applied_at=asked.at,
    )
    claim = Claim(
        order_no=order.order_no,
        holder=application.return_no,
        units=units,
        held_minor=quote.total_minor,
        goods_come_back=kind in GOODS_COME_BACK,
        counts_as_application=linked_to is None,
    )
    await hold(connection, claim)
    await _insert(connection, application, admitted, asked, linked_to)
    opened = ReturnStatusChanged(
        order_no=order.order_no, seq=0, return_no=application.return_no, return_type=kind,
        from_status=None, to_status=CaseStatus.APPLIED,
    )  # fmt: skip
    await publish_return(connection, opened, asked.at)
    return admitted


async def _insert(
    connection: Connection, application: ApplyReturn, admitted: Admitted, asked: AdmissionContext, linked_to: str | None
) -> None:
    actor = application.actor
    reception = Reception.AWAITED if admitted.type in GOODS_COME_BACK else Reception.NOT_EXPECTED
    kind, who = (actor.kind, actor.id) if linked_to is None else ("system", "system")
    new = await connection.fetchval(
        INSERT,
        *(application.return_no, admitted.order_no, asked.run_id, admitted.type, application.channel, kind, who),
        *(actor.on_behalf_of, application.reason, application.fault),
        application.model_dump(mode="json"),
        admitted.model_dump(mode="json"),
        *(linked_to, asked.policy.version, admitted.quote.total_minor, reception, asked.at),
    )
    if new is None:
        # Another order's case has taken the number since we looked.
        raise ReturnChanged(application.return_no)
    await give_slip_number(connection, application.return_no, asked.at)
    detail = {
        "return_no": application.return_no,
        "type": admitted.type.value,
        "lines": application.lines,
        "total_minor": admitted.quote.total_minor,
        "reason": application.reason.value,
        **({"on_behalf_of": actor.on_behalf_of} if actor.on_behalf_of else {}),
        **({"reopens": linked_to} if linked_to else {}),
    }
    action = "return.apply" if linked_to is None else "return.reopen"
    role = "SYSTEM" if linked_to else ("BUYER" if actor.kind == "buyer" else "CS_AGENT")
    await connection.execute(TELL, application.return_no, asked.at, who, role, action, detail)
    await append_entry(connection, AuditEntry(actor=who, action=action, detail=detail), asked.at, admitted.order_no)


def _unshipped(order: ReturnOrderFacts, units: tuple[UnitRange, ...]) -> bool:
    """Whether any of the units has not left yet."""
    shipped = {line.line_id: line.shipped for line in order.lines}
    return any(not _has_left(shipped[r.line_id], r) for r in units)


def _has_left(shipped: tuple[ParcelUnits, ...], r: UnitRange) -> bool:
    covered = sum(max(0, min(run.end, r.end) - max(run.first_unit, r.first_unit)) for run in shipped)
    return covered == r.units
