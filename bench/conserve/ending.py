"""The end of a run: the world tells all it knows, people answer all they are asked, and time passes."""

from datetime import timedelta
from random import Random

from bench.conserve.case_rules import (
    goods_are_handed_over,
    goods_are_received,
    replacement_is_checked,
    unit_is_inspected,
)
from bench.conserve.life import Life
from bench.conserve.warehouse_rules import goods_arrive
from domain.dispatch.holds import RELEASERS
from domain.facts import Kind
from domain.returns.enums import CaseStatus
from workflows.messages import order_workflow_id
from workflows.order.holds.messages import ReleaseHold

ROUNDS = 25
PAUSE = timedelta(hours=13)
LONG = timedelta(days=12)
VERY_LONG = timedelta(days=100)
HANDED_IN = 8
"""Rounds in which goods come back; after that the desk only sees to what is on its way, in or out."""
ON_ITS_WAY = (CaseStatus.IN_RETURN, CaseStatus.RECEIVED, CaseStatus.REPLACEMENT_QC)
"""What came in is looked at to its end, however late it came."""
CALM = Random(0)


class StandsStill(AssertionError):
    """Nobody is asked, nothing is waited for, and yet an order or a case is open."""


async def come_to_an_end(life: Life) -> None:
    """Raises `StandsStill` when it does not."""
    life.house.world._script.clear()
    stood = ""
    for n in range(ROUNDS):
        for number, state in [*life.chargebacks.items()]:
            if state == "open":
                await life.bank_decides(number, "won")
            elif state == "lost":
                await life.loss_is_compared(number)
        await _world_goes_on(life)
        await _people_answer(life, n)
        await life.passes(PAUSE if n % 4 else LONG if n < 12 else VERY_LONG)
        if life.ended and not life.open_cases():
            return
        stands = await _standing(life)
        if n > 4 and stands == stood and life.house.engine.next_due() is None and not await life.questions():
            break
        stood = stands
    raise StandsStill(stands)


async def _standing(life: Life) -> str:
    """What is open, what it waits for, and who is asked. What moved within a round may move in the next one."""
    asked = [f"{t.step}: {t.error}" for _, t in await life.questions()]
    cases = [(c.return_no[-1], v.type.value, v.status.value, v.waiting_for) for c, v in await life.case_views()]
    order = ""
    if not life.ended:
        view = await life.view()
        children = [f"{c.child_no[-2:]} {c.status}" for c in view.children]
        order = f"order {view.status} waits for {view.waiting_for}, children {children}; "
    return f"{order}cases {cases}; asked {asked}".replace(str(life.number), "N")


async def _world_goes_on(life: Life) -> None:
    mail, life.mail = life.mail, []
    for fact in mail:
        await life.hears([fact])
    for child_no, parcel in life.parcels():
        if parcel.asked:
            parcel.asked = False
            parcel.state = "cancelled"
            await life.hears([life.fact(child_no, Kind.INTERCEPTED, life.house.now())])
            continue
        life.happens(child_no, parcel, Kind.WAYBILL_RETURNED, "left", CALM)
        await life.hears([life.mail.pop()])
    await goods_arrive(life, CALM)
    for child_no, _ in life.parcels("left"):
        await life.hears([life.fact(child_no, Kind.SIGNED, life.house.now())])
    for number in [*life.house.world.refunding]:
        await life.hears([life.house.world.refund_fact(life.order_no, number)])


async def _let_go(life: Life) -> None:
    """Every hold is released."""
    for hold in () if life.ended else (await life.view()).holds:
        if hold.is_open and RELEASERS[hold.kind]:
            life.ask(
                order_workflow_id(life.order_no), "release",
                ReleaseHold(hold_id=hold.hold_id, remark="all well", by="u-sup"),
            )  # fmt: skip
            await life.house.rest()


async def _people_answer(life: Life, n: int) -> None:
    for approval in await life.waiting_approvals():
        await life.decide(approval, "approve")
    await _let_go(life)
    for workflow_id, ticket in await life.questions():
        action = "give_up" if "give_up" in ticket.actions else ticket.actions[0]
        if (message := life.answer(ticket, action)) is not None:
            life.ask(workflow_id, "resolve_ticket", message)
            await life.house.rest()
    if n < HANDED_IN or await life.case_in(CALM, *ON_ITS_WAY):
        for rule in (goods_are_handed_over, goods_are_received, unit_is_inspected, replacement_is_checked):
            await rule(life, CALM)
            await life.house.rest()
