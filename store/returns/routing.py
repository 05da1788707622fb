"""Who has to agree to a case: asked of the published decision table, as it stands when the case is opened (R44)."""

from domain.returns.approval_route import STRICTEST, RouteInput, route
from domain.returns.enums import Level
from domain.rules.sets import UnableToDecide
from store.pool import Connection
from store.rules.rule_sets import engine_for

NEWEST = "SELECT max(version) FROM rule_sets"


async def route_by_rules(connection: Connection, given: RouteInput) -> tuple[Level, ...]:
    """The built-in matrix as long as nobody has published another; the strictest one when a table cannot answer."""
    version = await connection.fetchval(NEWEST)
    if version is None:
        return route(given)
    try:
        answer = (await engine_for(connection, version)).route(given.model_dump(mode="json"))
        return route(given) if answer is None else tuple(Level(level) for level in answer[0])
    except (UnableToDecide, ValueError):
        return STRICTEST
