"""The order health report of one month (R64-R69): every figure of `definitions.py`, from plain rows.

report = health_report(facts)        # the same facts give the same report, to the byte
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.insight.definitions import Flag
from domain.insight.facts import MeasuredOrder, MonthFacts, OfferedUnits
from domain.insight.figures import Figure, FigurePart, ratio, share, shares, times
from domain.strict import Strict

BP, PPM = 10_000, 1_000_000


class HealthReport(Strict):
    """`figures` in the order of the definitions. `not_compared`: days of the month that nobody has reconciled."""

    month: str
    parameters_version: int
    orders: int
    not_compared: int
    figures: tuple[Figure, ...]

    def figure(self, key: str) -> Figure:
        """One that the version did not know yet counts nothing."""
        none = Figure(key=key, value=None, counted=0)
        return next((figure for figure in self.figures if figure.key == key), none)


def health_report(facts: MonthFacts) -> HealthReport:
    placed = [order for order in facts.orders if order.placed_at in facts.month]
    counted = [order for order in placed if order.counts]
    split = [order for order in counted if order.parcels > 1]
    left = {
        "not_paid": sum(not o.paid for o in placed),
        "cancelled_unshipped": sum(o.paid and not o.counts for o in placed),
    }
    told, payments = facts.transitions, facts.payments
    figures = (
        share("sync_accuracy_bp", told.in_step, told.total, BP, {"did_not_fit": told.unfit}),
        share("payment_delay_ppm", payments.late, payments.total, PPM),
        _fulfilment(facts),
        _dispatch(facts, counted),
        share("split_rate_bp", len(split), len(counted), BP, left),
        _reasonableness(split, len(counted) - len(split)),
        share("after_sales_rate_bp", sum(o.after_sales for o in counted), len(counted), BP, left),
        shares("closure_bp", facts.closures),
        _refunds(facts),
        share("manual_rate_bp", sum(a.manual for a in facts.anomalies), len(facts.anomalies), BP),
        share("manual_orders_bp", sum(o.by_hand for o in counted), len(counted), BP, left),
        _perfect(facts, counted),
        _second_opinion(counted),
        *_offers(facts.offers),
        _complaints(facts, counted, left),
    )
    return HealthReport(
        month=facts.month.name, parameters_version=facts.parameters.version, orders=len(placed),
        not_compared=told.days_not_compared, figures=figures,
    )  # fmt: skip


def _minutes(since: datetime, until: datetime) -> int:
    """Whole ones; a clock that is behind makes none negative."""
    return max(0, int((until - since).total_seconds()) // 60)


def _fulfilment(facts: MonthFacts) -> Figure:
    total: list[int] = []
    tiers: defaultdict[str, list[int]] = defaultdict(list)
    unsigned = 0
    for order in facts.orders:
        if order.signed_at in facts.month and order.signed_at is not None:
            taken = _minutes(order.placed_at, order.signed_at)
            total.append(taken)
            if tier := facts.parameters.tier(order.city, order.province):
                tiers[tier].append(taken)
        elif order.placed_at in facts.month and order.counts and order.signed_at is None:
            unsigned += 1
    return times("fulfilment_minutes", total, tiers, {"not_signed": unsigned})


def promised(order: MeasuredOrder, facts: MonthFacts) -> datetime | None:
    """Until when it was to leave; None: nothing was promised, or nobody knows since when."""
    if order.promised_at is not None:
        return order.promised_at
    return None if order.paid_at is None else order.paid_at + timedelta(hours=facts.parameters.dispatch_hours)


def dispatched_late(order: MeasuredOrder, facts: MonthFacts) -> bool | None:
    """None: not due yet, or no promise."""
    until = promised(order, facts)
    if until is None:
        return None
    if order.dispatched_at is not None:
        return order.dispatched_at > until
    return True if until < facts.as_of else None


def _dispatch(facts: MonthFacts, counted: list[MeasuredOrder]) -> Figure:
    late = [dispatched_late(order, facts) for order in counted]
    no_promise = sum(promised(order, facts) is None for order in counted)
    left = {"no_promise": no_promise, "not_due": late.count(None) - no_promise}
    return share("dispatch_on_time_bp", late.count(False), len(late) - late.count(None), BP, left)


def _reasonableness(split: list[MeasuredOrder], whole: int) -> Figure:
    """100 × (1 − unreasonable ÷ split), in tenths."""
    good = sum(not order.unreasonable_split for order in split)
    return share("split_reasonable_score_x10", good, len(split), 1_000, {"not_split": whole})


def _refunds(facts: MonthFacts) -> Figure:
    taken = [_minutes(r.applied_at, r.paid_back_at) for r in facts.refunds if r.applied_at is not None]
    return times("refund_minutes", taken, {}, {"no_return": len(facts.refunds) - len(taken)})


def outcome(order: MeasuredOrder, facts: MonthFacts) -> bool | None:
    """True: a perfect order; False: something is against it; None: it is still on its way."""
    if order.after_sales or order.abnormal or dispatched_late(order, facts):
        return False
    return None if order.signed_at is None else True


def _perfect(facts: MonthFacts, counted: list[MeasuredOrder]) -> Figure:
    found = [outcome(order, facts) for order in counted]
    known = len(found) - found.count(None)
    return share("perfect_bp", found.count(True), known, BP, {"on_its_way": found.count(None)})


def _second_opinion(counted: list[MeasuredOrder]) -> Figure:
    judged = [order.fits for order in counted]
    known = len(judged) - judged.count(None)
    return share("fits_bp", judged.count(True), known, BP, {"no_facts": judged.count(None)})


def _offers(made: OfferedUnits) -> tuple[Figure, Figure]:
    answers = {"taken": made.taken, "refused": made.refused, "unanswered": made.unanswered}
    taken = share("offers_taken_bp", made.taken, made.answered, BP, {"not_answered_yet": made.waiting})
    parts = tuple(
        FigurePart(name=name, value=ratio(count, made.answered, BP), counted=count)
        for name, count in answers.items()
        if made.answered
    )
    offered = made.answered + made.waiting
    compared = (("offered", made.refunded, offered), ("not_offered", made.unasked_refunded, made.unasked))
    refunds = share("offer_refunds_bp", made.refunded, offered, BP)
    beside = tuple(FigurePart(name=n, value=ratio(part, of, BP), counted=of) for n, part, of in compared if of)
    return taken.model_copy(update={"parts": parts}), refunds.model_copy(update={"parts": beside})


def _complaints(facts: MonthFacts, counted: list[MeasuredOrder], left: dict[str, int]) -> Figure:
    """A channel that is silent has not no complaints: nobody has told."""
    key = "complaints_per_1000_x10"
    told = [order for order in counted if order.channel in facts.complaint_sources]
    left = {"no_source": len(counted) - len(told)} | left
    if not told:
        return Figure(key=key, value=None, counted=0, left_out={n: c for n, c in left.items() if c})
    return share(key, sum(order.complaints for order in told), len(told), 10_000, left)


def flags(order: MeasuredOrder, facts: MonthFacts) -> Iterator[Flag]:
    """What is said of one order: by these it is found behind a number. What happened in the month to orders of other
    months, too (late news, anomalies, returns that ended, refunds), whoever has read it adds."""
    if order.signed_at in facts.month:
        yield Flag.SIGNED
    if order.placed_at not in facts.month or not order.counts:
        return
    if order.complaints:
        yield Flag.COMPLAINED
    if order.by_hand:
        yield Flag.BY_HAND
    if dispatched_late(order, facts):
        yield Flag.DISPATCHED_LATE
    if order.parcels > 1:
        yield Flag.SPLIT
        if order.unreasonable_split:
            yield Flag.UNREASONABLE
    if order.after_sales:
        yield Flag.AFTER_SALES
    if outcome(order, facts) is False:
        yield Flag.IMPERFECT
    if order.fits is False:
        yield Flag.DOES_NOT_FIT
