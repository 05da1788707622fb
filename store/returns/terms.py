"""What an order was promised about sending goods back, read out of the books (decision 0070)."""

from domain.policy import Policy
from domain.returns.admission import AdmissionRules
from domain.returns.models import ApplyReturn
from domain.returns.terms import GoodsTerms, promised
from domain.rules.sets import UnableToDecide
from domain.strict import of
from store.pool import Connection
from store.rules.rule_sets import engine_for

# The policy and the rule set that counted when the order was placed.
ORDER = """
SELECT o.channel, o.rules_version, y.policy FROM orders o LEFT JOIN policies y ON y.version = o.policy_version
WHERE o.order_no = $1"""

LINES = """
SELECT line_id, sku, supplier, logistics, customs, net_minor AS line_amount_minor FROM order_lines
WHERE order_no = $1 AND line_id = ANY ($2) ORDER BY pos"""


async def terms_of(connection: Connection, application: ApplyReturn, now: Policy) -> AdmissionRules:
    """`now`: for an order from before policies were kept. A table that cannot answer promises nothing: the policy
    counts."""
    order = await connection.fetchrow(ORDER, application.order_no)
    if order is None:
        return AdmissionRules.of(now)
    rules = AdmissionRules.of(now if order["policy"] is None else of(Policy, order["policy"]))
    if order["rules_version"] is None:
        return rules
    engine = await engine_for(connection, order["rules_version"])
    lines = [
        of(GoodsTerms, dict(row))
        for row in await connection.fetch(LINES, application.order_no, list(application.lines))
    ]
    try:
        return promised(rules, engine, application, order["channel"], lines)
    except UnableToDecide:
        return rules
