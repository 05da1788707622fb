"""`applications`: who may apply for after-sales, with what evidence, on any channel (R40-R42).

Each is sent through the typed client to a running workflow, about an order of its own.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from activities.evidence import EvidenceRefused
from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.environment.goods import hand_out
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.returns.enums import Reason, ReturnType
from domain.returns.models import MAX_EVIDENCE, Actor
from domain.strict import Strict
from starter.clients.return_errors import ReturnRefused

STRANGER = "someone-else"


class ApplicationIn(Strict):
    id: str
    channel: str
    actor: Literal["buyer", "cs_agent"]
    related: bool
    shipped: bool
    images: Annotated[int, Field(ge=0, le=100)]
    on_behalf_of: str | None = None
    type: ReturnType | None = None
    reason: str | None = None
    """Of our list, or the shop's own word for something else."""


APPLICATIONS = TypeAdapter(tuple[ApplicationIn, ...])


async def play(scenario: Scenario, servers: Servers) -> list[dict[str, str]]:
    given = read_as(APPLICATIONS, block(scenario, "applications"), "input.applications")
    async with servers.house() as house:
        return [{"id": one.id, "result": await _apply(house, one, n)} for n, one in enumerate(given)]


async def _apply(house: ScenarioEnvironment, given: ApplicationIn, n: int) -> str:
    order = OrderIn(order_no=f"APPLY-{n:04d}", lines=(LineIn(id="L1", sku=f"THING-{n}", qty=1, unit_price=5_000),))
    life = await stocked(house, order)
    await life.pay()
    if given.shipped:
        await hand_out(life)
    kind = given.type or _kind(given)
    more: dict[str, Any] = {"channel": given.channel, "actor": _actor(given, life.order.buyer.buyer_id)}
    if given.reason is not None:
        more["reason"] = Reason(given.reason) if given.reason in set(Reason) else Reason.OTHER
    try:
        case = await case_of(life, kind, {"L1": 1}, images=min(given.images, MAX_EVIDENCE), **more)
    except EvidenceRefused as refused:  # whoever has nothing to do with the order is stopped at the pictures already
        return refused.code
    if given.images > MAX_EVIDENCE:
        unknown = tuple(f"never-uploaded-{i:04d}" for i in range(given.images - MAX_EVIDENCE))
        wanted = case.application.evidence + unknown
        case.application = case.application.model_copy(update={"evidence": wanted})
    try:
        await case.apply()
    except ReturnRefused as refused:
        return refused.codes[0]
    return "ACCEPTED"


def _kind(given: ApplicationIn) -> ReturnType:
    """What has not left is cancelled or refunded; it cannot come back."""
    if given.reason == Reason.CANCEL_UNSHIPPED:
        return ReturnType.CANCEL_UNSHIPPED
    return ReturnType.RETURN_REFUND if given.shipped else ReturnType.REFUND_ONLY


def _actor(given: ApplicationIn, buyer: str) -> Actor:
    """`related: false`: neither the buyer nor on behalf of the buyer."""
    if given.actor == "buyer":
        return Actor(kind="buyer", id=buyer if given.related else STRANGER)
    if given.on_behalf_of is None:
        return Actor(kind="cs_agent", id="u-cs")
    return Actor(kind="cs_agent", id="u-cs", on_behalf_of=buyer if given.related else STRANGER)
