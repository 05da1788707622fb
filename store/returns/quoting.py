"""What an application would come to if it were sent now: what speaks against it, what it pays, who has to agree.
Nothing is held by asking."""

from dataclasses import dataclass
from datetime import datetime

from domain.policy import Policy
from domain.returns.admission import case_quote, judge
from domain.returns.approval_route import route_input
from domain.returns.enums import Level
from domain.returns.models import ApplyReturn, Quote
from domain.returns.refunding import AmountRaised, UnknownUnits
from domain.returns.refusals import Code, Refusal, refusal
from store.forms.judging import form_refusals, in_order
from store.pool import Pool
from store.returns.order_facts import read_facts
from store.returns.routing import limits_of, route_by_rules
from store.returns.terms import terms_of
from store.rules.policies import read_current

STILL_TO_COME = frozenset({Code.EVIDENCE_REQUIRED, Code.FORM_INCOMPLETE})
"""What an application that is being filled in may lack."""


@dataclass(frozen=True)
class QuotedReturn:
    """`quote` None: something is in the way that more pictures do not mend."""

    refusals: tuple[Refusal, ...]
    quote: Quote | None
    route: tuple[Level, ...]
    currency: str


async def quote_return(pool: Pool, application: ApplyReturn, at: datetime) -> QuotedReturn:
    """As the application would be judged this moment, the pictures that it names taken as known."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        order = await read_facts(connection, application.order_no, lock=False)
        if order is None:
            return QuotedReturn((refusal(Code.FORBIDDEN),), None, (), "CNY")
        policy = await read_current(connection) or Policy()
        rules = await terms_of(connection, application, policy)
        judgement = judge(application, order, application.evidence, rules, at)
        if not any(r.code is Code.FORBIDDEN for r in judgement.refusals):
            more = await form_refusals(connection, application)
            judgement = judgement.model_copy(update={"refusals": in_order((*judgement.refusals, *more))})
        quote = None
        if {r.code for r in judgement.refusals} <= STILL_TO_COME:
            try:
                quote = case_quote(application, order, judgement.units, rules)
            except (AmountRaised, UnknownUnits):
                quote = None
        if quote is None:
            return QuotedReturn(judgement.refusals, None, (), order.currency)
        limits = await limits_of(connection, order.order_no, policy)
        compared = route_input(limits, application.type, quote.total_minor, prior_minor=order.prior_minor)
        route = await route_by_rules(connection, compared, order.order_no)
    return QuotedReturn(judgement.refusals, quote, route, order.currency)
