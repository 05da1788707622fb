"""`merge`: requests to ship children together, each played on an order of its own in the same starting state (R35).

The children of the file become those of one running order: a line each, in a warehouse of its own, with the file's
customs mode and temperature; the requests name the first child's warehouse, where all goods can be had. What was asked
and decided is read back: a refusal of the request, of the decision, or the change that was carried out.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from bench.scenarios.document import ByRule, Scenario, block, read_as
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.plain_yaml import Malformed
from domain.approvals import Role
from domain.facts import Kind
from domain.fulfilment.merging import Mergeable, merge_verdict
from domain.order import Address, Buyer, Id, OrderLine, SkuTags, StartOrder, Tag
from domain.states import ChildStatus
from domain.strict import Strict
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.errors import NotNow
from workflows.order.changes.messages import RequestMerge

BEFORE = (ChildStatus.CREATED, ChildStatus.RELEASED)
"""A child that is paid for is with its warehouse at once; nothing in between can be held."""
REACHED: dict[ChildStatus, Kind] = {
    ChildStatus.PICKING: Kind.PICKING,
    ChildStatus.PACKED: Kind.PACKED,
    ChildStatus.SHIPPED: Kind.WAYBILL_RETURNED,
    ChildStatus.IN_TRANSIT: Kind.IN_TRANSIT,
    ChildStatus.OUT_FOR_DELIVERY: Kind.OUT_FOR_DELIVERY,
    ChildStatus.SIGNED: Kind.SIGNED,
    ChildStatus.EXCEPTION: Kind.COURIER_EXCEPTION,
    ChildStatus.REFUSED: Kind.DELIVERY_REFUSED,
    ChildStatus.CANCELLED: Kind.INTERCEPTED,
}
"""The fact that brings a child there."""
HOME = Address(recipient="SCENARIO", phone="13800138000", province="浙江省", city="杭州市", street="1")


class ChildIn(Strict):
    child_no: Annotated[str, Field(min_length=1)]
    address: str
    customs: Tag
    logistics: Tag
    status: ChildStatus = ChildStatus.CREATED


class RequestIn(Strict):
    id: str
    children: tuple[str, ...]
    remark: str
    requester: Id
    approver: Id


CHILDREN = TypeAdapter(tuple[ChildIn, ...])
REQUESTS = TypeAdapter(tuple[RequestIn, ...])


async def play(scenario: Scenario, servers: Servers) -> Any:
    children = read_as(CHILDREN, block(scenario, "children"), "input.children")
    requests = read_as(REQUESTS, block(scenario, "merge_requests"), "input.merge_requests")
    known = [c.child_no for c in children]
    if len(set(known)) < len(known):
        raise Malformed("input.children: a child stands twice")
    for request in requests:
        if missing := sorted(set(request.children) - set(known)):
            raise Malformed(f"input.merge_requests: {request.id} names {', '.join(missing)}, which are no children")
    if why := _why_not(children):
        return ByRule([_told(r, _by_rule(r, children)) for r in requests], why)
    async with servers.house() as house:
        await house.office.open_for_business()
        for person in sorted({p for r in requests for p in (r.requester, r.approver)}):
            await house.office.people.add(person, [Role.CS_SUPERVISOR], "scenarios", house.now())
        return [_told(r, await _asked(r, children, n, house)) for n, r in enumerate(requests, 1)]


def _told(request: RequestIn, code: str) -> dict[str, str]:
    return {"id": request.id, "decision": "APPROVED" if code == "OK" else "REJECTED", "code": code}


async def _asked(request: RequestIn, children: tuple[ChildIn, ...], n: int, house: ScenarioEnvironment) -> str:
    """OK once the children are one; else the code of whoever refused."""
    life = await _in_state(children, n, house)
    number = {c.child_no: life.child_no(i) for i, c in enumerate(children, 1)}
    first = next(i for i, c in enumerate(children, 1) if c.child_no == request.children[0])
    message = RequestMerge(
        children=tuple(number[c] for c in request.children), remark=request.remark, by=request.requester,
        approver=request.approver, warehouse=f"WH-{first}",
    )  # fmt: skip
    try:
        asked = await house.client.request_merge(life.order.order_no, message)
        approval = await house.office.approvals.get(asked.approval_id)
        assert approval is not None
        await house.office.decide(ApprovalClient(house.temporal), approval, request.approver)
    except (NotNow, DecisionNotTaken) as refused:
        return refused.type
    await house.rest()
    shown = {c["child_no"]: c for c in (await life.detail()).children}
    heirs = {tuple(shown[number[c]]["replaced_by"]) for c in request.children}
    return "OK" if len(heirs) == 1 and () not in heirs else "NOT_DONE"


async def _in_state(children: tuple[ChildIn, ...], n: int, house: ScenarioEnvironment) -> ScenarioOrder:
    """A paid order with these children in these statuses."""
    lines = tuple(
        OrderLine(
            line_id=f"L{i}", sku=f"GOODS-{n}-{i}", qty=1, unit_price_minor=100,
            tags=SkuTags(warehouse=f"WH-{i}", customs=child.customs, logistics=child.logistics),
        )
        for i, child in enumerate(children, 1)
    )  # fmt: skip
    for i, child in enumerate(children, 1):
        for place in range(1, len(children) + 1):
            if child.status is not ChildStatus.BACKORDER:
                await house.receive(f"GOODS-{n}-{i}", f"WH-{place}", 1)
    order = StartOrder(
        order_no=f"MERGE-{n:03d}", channel="scenario", channel_order_no=f"MERGE-{n:03d}", placed_at=datetime.now(UTC),
        buyer=Buyer(buyer_id="b-1"), address=HOME, lines=lines, payable_minor=100 * len(lines),
    )  # fmt: skip
    life = await ScenarioOrder.place(house, order)
    await life.pay()
    for i, child in enumerate(children, 1):
        if child.status in REACHED:
            await life.happens(REACHED[child.status], i)
    return life


def _why_not(children: tuple[ChildIn, ...]) -> str:
    """Why these children cannot be those of one running order; empty: they can."""
    if len({c.address for c in children}) > 1:
        return "the children of one order go to one address"
    if strange := sorted({c.status for c in children} - {*BEFORE, *REACHED, ChildStatus.BACKORDER}):
        return f"no fact brings a child to {', '.join(strange)}"
    return ""


def _by_rule(request: RequestIn, children: tuple[ChildIn, ...]) -> str:
    chosen = [
        Mergeable(c.child_no, c.status, c.address, frozenset({c.customs}), frozenset({c.logistics}))
        for number in request.children
        for c in children
        if c.child_no == number
    ]
    return merge_verdict(
        chosen, remark=request.remark, requester=request.requester, approver=request.approver
    ).code.value
