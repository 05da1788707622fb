"""`push`: when the buyer of a unit whose warranty or shelf life ends is offered a replacement (R62)."""

from datetime import date, time
from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import Servers
from bench.scenarios.plain_yaml import Malformed
from domain.returns.offers import Ends, OfferedUnit, OfferTerms, offer_at
from domain.strict import Strict


class PushedIn(Strict):
    line: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Ends
    expires: date
    open_case: bool = False
    already_sent: bool = False
    returned: bool = False
    refunded: bool = False


class PushIn(Strict):
    notice_days: Annotated[int, Field(ge=1, le=3_650)]
    at_time: time
    items: tuple[PushedIn, ...]


async def play(scenario: Scenario, servers: Servers) -> Any:
    given = read(PushIn, block(scenario, "push"), "input.push")
    if len({item.line for item in given.items}) < len(given.items):
        raise Malformed("input.push.items: a line stands twice")
    terms = OfferTerms(notice_days=given.notice_days, at_time=given.at_time)
    return ByRule([{"line": item.line, "push_at": _at(item, terms)} for item in given.items], "nothing is sent yet")


def _at(item: PushedIn, terms: OfferTerms) -> str | None:
    unit = OfferedUnit(
        kind=item.kind, expires=item.expires, open_case=item.open_case, returned=item.returned, refunded=item.refunded,
        offered=item.already_sent,
    )  # fmt: skip
    try:
        at = offer_at(unit, terms)
    except OverflowError:
        raise Malformed(f"input.push: {item.line} would be offered before there were calendars") from None
    return None if at is None else at.isoformat()
