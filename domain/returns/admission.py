"""May this application become a case? All reasons against it at once, and the units that it would take."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import Field

from domain.policy import FreightBack, Policy
from domain.returns.enums import REASONS, Reason, ReturnType
from domain.returns.facts import (
    ReturnLineFacts,
    ReturnOrderFacts,
    free_shipped,
    free_waiting,
    whole_parcels,
)
from domain.returns.models import MAX_EVIDENCE, Actor, ApplyReturn, Quote
from domain.returns.refunding import AmountRaised, quote_for
from domain.returns.refusals import Code, Refusal, refusal
from domain.returns.windows import Windows, days_for, replaced_until, window_ends
from domain.strict import Strict
from domain.units import UnitRange, count, first_units

__all__ = ["AdmissionRules", "Code", "Judgement", "Refusal", "case_quote", "judge", "related"]


class AdmissionRules(Strict):
    """From the policy and the tables that an order keeps."""

    windows: Windows = Windows()
    max_applications: int = 5
    """Cases per item, refused ones not counted (practice: WeChat shops)."""
    freight_back: FreightBack = "proportional"
    days: dict[str, int] = Field(default_factory=dict)
    """By line, where a table says how long one may apply; else the windows (`domain/returns/terms.py`)."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        return cls(
            windows=Windows(no_reason_days=policy.no_reason_days, quality_exchange_days=policy.quality_exchange_days),
            max_applications=policy.max_applications,
            freight_back=policy.freight_back,
        )


class Judgement(Strict):
    """Admitted when nothing speaks against it. `units`: what it would take, first units first."""

    refusals: tuple[Refusal, ...]
    units: tuple[UnitRange, ...]

    @property
    def admitted(self) -> bool:
        return not self.refusals

    @property
    def result(self) -> str:
        """One word: ACCEPTED, or the first reason against it."""
        return self.refusals[0].code.value if self.refusals else "ACCEPTED"


def judge(
    application: ApplyReturn,
    order: ReturnOrderFacts,
    known_evidence: Sequence[str],
    rules: AdmissionRules,
    at: datetime,
) -> Judgement:
    """`known_evidence`: pictures that were really uploaded under this return number. Strangers learn nothing more
    than that they are strangers."""
    if not related(application.actor, order.buyer_id):
        return Judgement(refusals=(refusal(Code.FORBIDDEN),), units=())
    units: list[UnitRange] = []
    cancelled = _cancelled(application, order)
    found = [*_evidence(application, known_evidence, cancelled), *_as_a_whole(application, order)]
    known_lines = {line.line_id: line for line in order.lines}
    for line_id, qty in application.lines.items():
        line = known_lines.get(line_id)
        if line is None:
            found.append(refusal(Code.UNKNOWN_LINE, line_id))
            continue
        refusals, taken = _line(application, order, line, qty, cancelled.get(line_id, []), rules, at)
        found += refusals
        units += taken
    if not found and application.lowered_amount_minor is not None:
        found += _raised(application, order, units, rules)
    order_of = list(Code)
    return Judgement(
        refusals=tuple(sorted(found, key=lambda r: (order_of.index(r.code), r.line_id or ""))), units=tuple(units)
    )


def related(actor: Actor, buyer_id: str) -> bool:
    """The buyer in person, or customer service that names the buyer it acts for (R41). Nobody else."""
    if actor.kind == "buyer":
        return actor.id == buyer_id and actor.on_behalf_of in (None, buyer_id)
    return actor.on_behalf_of == buyer_id and actor.id != buyer_id


def _evidence(application: ApplyReturn, known: Sequence[str], cancelled: dict[str, list[UnitRange]]) -> list[Refusal]:
    """None is needed to cancel before shipping, as long as nothing of it has left."""
    found = []
    number = len(application.evidence)
    all_waiting = all(count(cancelled.get(line_id, [])) >= qty for line_id, qty in application.lines.items())
    if number == 0 and not (application.type is ReturnType.CANCEL_UNSHIPPED and all_waiting):
        found.append(refusal(Code.EVIDENCE_REQUIRED))
    if number > MAX_EVIDENCE:
        found.append(refusal(Code.TOO_MUCH_EVIDENCE))
    if not set(application.evidence) <= set(known):
        found.append(refusal(Code.EVIDENCE_UNKNOWN))
    return found


def _as_a_whole(application: ApplyReturn, order: ReturnOrderFacts) -> list[Refusal]:
    found = []
    if not order.paid:
        found.append(refusal(Code.NOT_PAID))
    cancels = application.type is ReturnType.CANCEL_UNSHIPPED
    warranty = application.type is ReturnType.WARRANTY_REPLACEMENT
    if (application.reason is Reason.CANCEL_UNSHIPPED and not cancels) or (
        application.reason is Reason.WARRANTY_DEFECT and not warranty
    ):
        found.append(refusal(Code.REASON_DOES_NOT_FIT))
    if application.lowered_amount_minor is not None and application.actor.kind == "buyer":
        found.append(refusal(Code.LOWERED_BY_BUYER))
    return found


def _raised(
    application: ApplyReturn, order: ReturnOrderFacts, units: Sequence[UnitRange], rules: AdmissionRules
) -> list[Refusal]:
    try:
        case_quote(application, order, units, rules)
    except AmountRaised:
        return [refusal(Code.AMOUNT_RAISED)]
    return []


def case_quote(
    application: ApplyReturn, order: ReturnOrderFacts, units: Sequence[UnitRange], rules: AdmissionRules
) -> Quote:
    """What the case would pay for these units. Raises `AmountRaised`."""
    return quote_for(
        application.type,
        [share for line in order.lines for share in line.shares],
        units,
        fault=application.fault,
        freight_policy=rules.freight_back,
        lowered_minor=application.lowered_amount_minor,
    )


def _cancelled(application: ApplyReturn, order: ReturnOrderFacts) -> dict[str, list[UnitRange]]:
    """The waiting units that a cancellation takes, looked at over all its lines: whole parcels first."""
    if application.type is not ReturnType.CANCEL_UNSHIPPED:
        return {}
    known = {line.line_id for line in order.lines}
    return whole_parcels(order.lines, {line: qty for line, qty in application.lines.items() if line in known})


def _line(
    application: ApplyReturn,
    order: ReturnOrderFacts,
    line: ReturnLineFacts,
    qty: int,
    cancelled: list[UnitRange],
    rules: AdmissionRules,
    at: datetime,
) -> tuple[list[Refusal], tuple[UnitRange, ...]]:
    found = []
    runs: Sequence[UnitRange]
    if line.applications >= rules.max_applications:
        found.append(refusal(Code.TOO_MANY_APPLICATIONS, line.line_id))
    if _excluded(application, line):
        found.append(refusal(Code.NOT_RETURNABLE, line.line_id))
    if application.type is ReturnType.CANCEL_UNSHIPPED:
        code, runs = _waiting(line, qty, cancelled), cancelled
    else:
        code, runs = _shipped(application, order, line, qty, rules, at)
    if code is not None:
        return [*found, refusal(code, line.line_id)], ()
    return found, first_units(runs, qty)


def _excluded(application: ApplyReturn, line: ReturnLineFacts) -> bool:
    """Goods excluded at purchase still come back for a defect, and may be cancelled before they leave."""
    without_reason = not REASONS[application.reason].quality
    return (
        not line.no_reason
        and without_reason
        and application.type in (ReturnType.RETURN_REFUND, ReturnType.EXCHANGE, ReturnType.REFUND_ONLY)
    )


def _waiting(line: ReturnLineFacts, qty: int, cancelled: list[UnitRange]) -> Code | None:
    if count(cancelled) >= qty and line.left >= qty:
        return None
    left_already = line.left >= qty and count(cancelled) + count(free_shipped(line)) >= qty
    return Code.ALREADY_SHIPPED if left_already else Code.QTY_EXCEEDED


def _shipped(
    application: ApplyReturn,
    order: ReturnOrderFacts,
    line: ReturnLineFacts,
    qty: int,
    rules: AdmissionRules,
    at: datetime,
) -> tuple[Code | None, Sequence[UnitRange]]:
    free, waiting = free_shipped(line), free_waiting(line)
    if application.type is ReturnType.REFUND_ONLY:
        # Nothing has to come back, so it need not have left either: it is stopped at the warehouse then.
        free, waiting = [*free, *waiting], []
    if count(free) < qty or line.left < qty:
        not_yet = line.left >= qty and count(free) + count(waiting) >= qty
        return Code.NOT_SHIPPED if not_yet else Code.QTY_EXCEEDED, []
    in_time = [run for run in free if _in_time(application, line, run.signed_at or order.completed_at, rules, at)]
    return (None, in_time) if count(in_time) >= qty else (_too_late(application, line), [])


def _in_time(
    application: ApplyReturn, line: ReturnLineFacts, signed_at: datetime | None, rules: AdmissionRules, at: datetime
) -> bool:
    if application.type is ReturnType.WARRANTY_REPLACEMENT:
        ends = replaced_until(line, signed_at)
        return ends is not None and at <= ends
    if signed_at is None:
        return True
    days = rules.days.get(line.line_id, days_for(application.type, application.reason, rules.windows))
    return at <= window_ends(signed_at, days)


def _too_late(application: ApplyReturn, line: ReturnLineFacts) -> Code:
    if application.type is not ReturnType.WARRANTY_REPLACEMENT:
        return Code.WINDOW_OVER
    terms = (line.warranty_until, line.warranty_days, line.shelf_life_until)
    has_one = any(term is not None for term in terms)
    return Code.WARRANTY_OVER if has_one else Code.NO_WARRANTY
