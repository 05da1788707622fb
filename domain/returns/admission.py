"""May this application become a case? All reasons against it at once, and the units that it would take."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

from domain.policy import FreightBack, Policy
from domain.returns.facts import LineFacts, OrderFacts, free_shipped, free_unshipped, runs
from domain.returns.models import MAX_EVIDENCE, Actor, ApplyReturn, Quote, UnitRange
from domain.returns.refunding import AmountRaised, quote_for
from domain.returns.windows import Windows, days_for, warranty_ends, window_ends
from domain.returns.words import REASONS, Reason, ReturnType
from domain.strict import Strict


class Code(StrEnum):
    """Why an application is refused. Listed in the order in which they are told; the first one heads the answer."""

    FORBIDDEN = "FORBIDDEN"
    EVIDENCE_REQUIRED = "EVIDENCE_REQUIRED"
    TOO_MUCH_EVIDENCE = "TOO_MUCH_EVIDENCE"
    EVIDENCE_UNKNOWN = "EVIDENCE_UNKNOWN"
    NOT_PAID = "NOT_PAID"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    REASON_DOES_NOT_FIT = "REASON_DOES_NOT_FIT"
    NOT_SHIPPED = "NOT_SHIPPED"
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    QTY_EXCEEDED = "QTY_EXCEEDED"
    NOT_RETURNABLE = "NOT_RETURNABLE"
    WINDOW_OVER = "WINDOW_OVER"
    NO_WARRANTY = "NO_WARRANTY"
    WARRANTY_OVER = "WARRANTY_OVER"
    TOO_MANY_APPLICATIONS = "TOO_MANY_APPLICATIONS"
    LOWERED_BY_BUYER = "LOWERED_BY_BUYER"
    AMOUNT_RAISED = "AMOUNT_RAISED"


class Refusal(Strict):
    code: Code
    line_id: str | None = None
    text_en: str
    text_zh: str


class AdmissionRules(Strict):
    """From the policy."""

    windows: Windows = Windows()
    max_applications: int = 5
    """Cases per item, refused ones not counted (practice: WeChat shops)."""
    freight_back: FreightBack = "proportional"

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
    order: OrderFacts,
    known_evidence: Sequence[str],
    rules: AdmissionRules,
    at: datetime,
) -> Judgement:
    """`known_evidence`: pictures that were really uploaded under this return number. Strangers learn nothing more
    than that they are strangers."""
    if not related(application.actor, order.buyer_id):
        return Judgement(refusals=(_no(Code.FORBIDDEN),), units=())
    found = [*_evidence(application, order, known_evidence), *_as_a_whole(application, order)]
    units: list[UnitRange] = []
    for line_id, qty in application.lines.items():
        line = order.line(line_id)
        if line is None:
            found.append(_no(Code.UNKNOWN_LINE, line_id))
            continue
        refusals, taken = _line(application, order, line, qty, rules, at)
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


def _evidence(application: ApplyReturn, order: OrderFacts, known: Sequence[str]) -> list[Refusal]:
    found = []
    count = len(application.evidence)
    if count == 0 and application.type is not ReturnType.CANCEL_UNSHIPPED:
        found.append(_no(Code.EVIDENCE_REQUIRED))
    if count > MAX_EVIDENCE:
        found.append(_no(Code.TOO_MUCH_EVIDENCE))
    if not set(application.evidence) <= set(known):
        found.append(_no(Code.EVIDENCE_UNKNOWN))
    return found


def _as_a_whole(application: ApplyReturn, order: OrderFacts) -> list[Refusal]:
    found = []
    if not order.paid:
        found.append(_no(Code.NOT_PAID))
    cancels = application.type is ReturnType.CANCEL_UNSHIPPED
    warranty = application.type is ReturnType.WARRANTY_REPLACEMENT
    if (application.reason is Reason.CANCEL_UNSHIPPED and not cancels) or (
        application.reason is Reason.WARRANTY_DEFECT and not warranty
    ):
        found.append(_no(Code.REASON_DOES_NOT_FIT))
    if application.lowered_amount_minor is not None and application.actor.kind == "buyer":
        found.append(_no(Code.LOWERED_BY_BUYER))
    return found


def _raised(
    application: ApplyReturn, order: OrderFacts, units: Sequence[UnitRange], rules: AdmissionRules
) -> list[Refusal]:
    try:
        case_quote(application, order, units, rules)
    except AmountRaised:
        return [_no(Code.AMOUNT_RAISED)]
    return []


def case_quote(application: ApplyReturn, order: OrderFacts, units: Sequence[UnitRange], rules: AdmissionRules) -> Quote:
    """What the case would pay for these units. Raises `AmountRaised`."""
    return quote_for(
        application.type,
        [share for line in order.lines for share in line.shares],
        units,
        fault=application.fault,
        freight_policy=rules.freight_back,
        lowered_minor=application.lowered_amount_minor,
    )


def _line(
    application: ApplyReturn, order: OrderFacts, line: LineFacts, qty: int, rules: AdmissionRules, at: datetime
) -> tuple[list[Refusal], tuple[UnitRange, ...]]:
    found = []
    if line.applications >= rules.max_applications:
        found.append(_no(Code.TOO_MANY_APPLICATIONS, line.line_id))
    if _excluded(application, line):
        found.append(_no(Code.NOT_RETURNABLE, line.line_id))
    if application.type is ReturnType.CANCEL_UNSHIPPED:
        refusal, units = _unshipped(line, qty)
    else:
        refusal, units = _shipped(application, order, line, qty, rules, at)
    return ([*found, refusal] if refusal else found), runs(line.line_id, units)


def _excluded(application: ApplyReturn, line: LineFacts) -> bool:
    """Goods excluded at purchase still come back for a defect, and may be cancelled before they leave."""
    without_reason = not REASONS[application.reason].quality
    return (
        not line.no_reason
        and without_reason
        and application.type in (ReturnType.RETURN_REFUND, ReturnType.EXCHANGE, ReturnType.REFUND_ONLY)
    )


def _unshipped(line: LineFacts, qty: int) -> tuple[Refusal | None, list[int]]:
    free = list(free_unshipped(line))
    if len(free) >= qty and line.left >= qty:
        return None, free[:qty]
    left_already = len(free) < qty <= len(free) + sum(1 for _ in free_shipped(line))
    return _no(Code.ALREADY_SHIPPED if left_already else Code.QTY_EXCEEDED, line.line_id), []


def _shipped(
    application: ApplyReturn, order: OrderFacts, line: LineFacts, qty: int, rules: AdmissionRules, at: datetime
) -> tuple[Refusal | None, list[int]]:
    free = list(free_shipped(line))
    if application.type is ReturnType.REFUND_ONLY:
        # Nothing has to come back, so it need not have left either: it is stopped at the warehouse then.
        free += [(unit, None) for unit in free_unshipped(line)]
    if len(free) < qty or line.left < qty:
        not_yet = line.left >= qty and len(free) < qty <= len(free) + sum(1 for _ in free_unshipped(line))
        return _no(Code.NOT_SHIPPED if not_yet else Code.QTY_EXCEEDED, line.line_id), []
    in_time = [
        unit for unit, signed in free if _in_time(application, line, signed or order.completed_at, rules.windows, at)
    ]
    if len(in_time) >= qty:
        return None, in_time[:qty]
    return _no(_too_late(application, line), line.line_id), []


def _in_time(
    application: ApplyReturn, line: LineFacts, signed_at: datetime | None, windows: Windows, at: datetime
) -> bool:
    if application.type is ReturnType.WARRANTY_REPLACEMENT:
        ends = warranty_ends(line, signed_at)
        return ends is not None and at <= ends
    if signed_at is None:
        return True
    return at <= window_ends(signed_at, days_for(application.type, application.reason, windows))


def _too_late(application: ApplyReturn, line: LineFacts) -> Code:
    if application.type is not ReturnType.WARRANTY_REPLACEMENT:
        return Code.WINDOW_OVER
    has_one = line.warranty_until is not None or line.warranty_days is not None
    return Code.WARRANTY_OVER if has_one else Code.NO_WARRANTY


def _no(code: Code, line_id: str | None = None) -> Refusal:
    en, zh = TEXTS[code]
    place = "" if line_id is None else f"line {line_id}: "
    place_zh = "" if line_id is None else f"商品行 {line_id}："
    return Refusal(code=code, line_id=line_id, text_en=place + en, text_zh=place_zh + zh)


TEXTS: dict[Code, tuple[str, str]] = {
    Code.FORBIDDEN: (
        "only the buyer, or customer service on the buyer's behalf, may apply",
        "仅限订单买家本人，或客服代买家申请",
    ),
    Code.EVIDENCE_REQUIRED: ("at least one picture is wanted as evidence", "请至少上传一张凭证图片"),
    Code.TOO_MUCH_EVIDENCE: (f"at most {MAX_EVIDENCE} pictures are taken", f"凭证图片最多 {MAX_EVIDENCE} 张"),
    Code.EVIDENCE_UNKNOWN: ("a picture was never uploaded for this case; upload it first", "凭证图片未上传，请先上传"),
    Code.NOT_PAID: ("the order has not been paid", "订单未付款"),
    Code.UNKNOWN_LINE: ("the order does not have this line", "订单中没有该商品行"),
    Code.REASON_DOES_NOT_FIT: ("this reason does not go with this kind of case", "售后原因与售后类型不符"),
    Code.NOT_SHIPPED: (
        "the units have not left yet; cancel them before shipping instead",
        "商品尚未发货，请改为未发货取消",
    ),
    Code.ALREADY_SHIPPED: ("the units have left already; ask for a return instead", "商品已发货，请改为退货"),
    Code.QTY_EXCEEDED: (
        "more units than are left: the others are refunded or in another case",
        "申请数量超过可售后数量（其余已退款或处于其他售后单中）",
    ),
    Code.NOT_RETURNABLE: (
        "excluded from returns without a defect, as agreed at purchase",
        "该商品不支持无理由退换（购买时已确认）",
    ),
    Code.WINDOW_OVER: ("the time for it is over", "已超过售后期限"),
    Code.NO_WARRANTY: ("it was sold without a warranty", "该商品没有保修"),
    Code.WARRANTY_OVER: ("its warranty has ended", "该商品已过保修期"),
    Code.TOO_MANY_APPLICATIONS: ("there have been too many cases about it already", "该商品申请售后次数已达上限"),
    Code.LOWERED_BY_BUYER: ("only staff may lower the amount", "仅客服可以下调退款金额"),
    Code.AMOUNT_RAISED: (
        "the amount is above what was paid for the units; it can only be lowered",
        "退款金额只能下调，不能高于实付金额",
    ),
}
