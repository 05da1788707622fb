"""Who has to agree to a case: asked of the published decision table, as it stands when the case is opened (R44); what
was published after its order was placed lets nobody agree to more than before (decision 0039)."""

from domain.policy import Policy
from domain.returns.approval_route import STRICTEST, ApprovalRules, RouteInput, at_least, route, stricter
from domain.returns.enums import Level
from domain.rules.sets import UnableToDecide
from domain.strict import of
from store.pool import Connection
from store.rules.rule_sets import engine_for

NEWEST = "SELECT max(version) FROM rule_sets"

# The policy and the rule set that counted when the order was placed.
PLACED_UNDER = """
SELECT y.policy, o.rules_version FROM orders o LEFT JOIN policies y ON y.version = o.policy_version
WHERE o.order_no = $1"""


async def limits_of(connection: Connection, order_no: str, now: Policy) -> ApprovalRules:
    """The stricter of what counts now and what counted when the order was placed."""
    placed = await connection.fetchrow(PLACED_UNDER, order_no)
    rules = ApprovalRules.of(now)
    if placed is None or placed["policy"] is None:
        return rules
    return stricter(rules, ApprovalRules.of(of(Policy, placed["policy"])))


async def route_by_rules(connection: Connection, given: RouteInput, order_no: str) -> tuple[Level, ...]:
    """The built-in matrix as long as nobody has published another; the strictest one when a table cannot answer. Of the
    newest table and the one that the order keeps, the one that asks more people."""
    versions = {await connection.fetchval(NEWEST)}
    placed = await connection.fetchrow(PLACED_UNDER, order_no)
    if placed is not None and placed["rules_version"] is not None:
        versions.add(placed["rules_version"])
    routes = [await _route(connection, given, version) for version in versions]
    return max(routes, key=lambda levels: (Level.SYSTEM not in levels, len(levels)))


async def _route(connection: Connection, given: RouteInput, version: int | None) -> tuple[Level, ...]:
    if version is None:
        return route(given)
    try:
        answer = (await engine_for(connection, version)).route(given.model_dump(mode="json"))
        return route(given) if answer is None else at_least(tuple(Level(level) for level in answer[0]), given)
    except (UnableToDecide, ValueError):
        return STRICTEST
