"""What may happen next in a run. A rule that does not apply now says so by returning False.

A step of a run is a rule's name and a seed: taken out of a failing run, the steps behind it mean much the same.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random

from bench.conserve.case_rules import CASE_RULES, return_is_asked_for
from bench.conserve.life import Life
from bench.conserve.warehouse_rules import (
    all_is_signed_for,
    goods_arrive,
    parcels_leave,
    stop_is_answered,
    warehouse_cancels,
    warehouse_moves,
)
from domain.dispatch.holds import HoldKind
from domain.facts import Kind
from domain.fulfilment.reallocation import Part
from domain.states import ChildStatus
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from workflows.messages import order_workflow_id
from workflows.order.changes.messages import ChangeAddress, RequestMerge, RequestResplit
from workflows.order.holds.messages import HoldOrder, ReleaseHold
from workflows.order.messages import CancelOrder, ConfirmReceipt

Rule = Callable[[Life, Random], Awaitable[bool]]
YEAR = timedelta(days=365)
PAUSES = (
    timedelta(seconds=1), timedelta(seconds=10), timedelta(seconds=61), timedelta(minutes=20), timedelta(hours=3),
    timedelta(days=1), timedelta(days=3), timedelta(days=10),
)  # fmt: skip


async def buyer_pays(life: Life, random: Random) -> bool:
    world, due = life.house.world, life.order.order.payable_minor
    again = life.order_no in world.payments
    if life.order_no in world.closed or not due or (again and random.random() < 0.8):
        return False
    amount = due if random.random() < 0.95 else due + random.choice((-1, 1, 100))
    fact = life.pays(amount, "again" if again else "") if amount > 0 else None
    if fact is None:
        return False
    if again:
        world.payments[life.order_no] = next(f for f in [*life.told, *life.mail] if f.kind is Kind.PAYMENT_SUCCEEDED)
    if random.random() < 0.8:
        await life.hears([fact])
    else:
        life.mail.append(fact)
    return True


async def order_is_cancelled(life: Life, random: Random) -> bool:
    if life.ended:
        return False
    life.asked_changes = True
    message = CancelOrder(by="buyer", reason="changed my mind")
    life.ask(order_workflow_id(life.order_no), "cancel", message, meanwhile=random.random() < 0.4)
    return True


async def address_changes(life: Life, random: Random) -> bool:
    if life.ended:
        return False
    street = f"{random.randint(2, 99)} Road"
    message = ChangeAddress(
        address=life.order.order.address.model_copy(update={"street": street}), by="u-cs", remark="moved"
    )
    life.ask(order_workflow_id(life.order_no), "change_address", message, meanwhile=random.random() < 0.4)
    return True


async def something_is_held(life: Life, random: Random) -> bool:
    """The order, or one of its children; mostly it lets go by itself after a while."""
    if life.ended:
        return False
    children = [c.child_no for c in (await life.view()).children if c.status is not ChildStatus.CANCELLED]
    message = HoldOrder(
        kind=random.choice((HoldKind.ADDRESS, HoldKind.MESSAGE, HoldKind.OTHER)), reason="have a look", by="u-cs",
        child_no=random.choice((None, *children)), ends_after_s=random.choice((None, 60, 3_600, 86_400)),
    )  # fmt: skip
    life.ask(order_workflow_id(life.order_no), "hold", message, meanwhile=random.random() < 0.4)
    return True


async def hold_is_released(life: Life, random: Random) -> bool:
    held = [] if life.ended else [hold for hold in (await life.view()).holds if hold.is_open]
    if not held:
        return False
    message = ReleaseHold(hold_id=random.choice(held).hold_id, remark="all well", by="u-sup")
    life.ask(order_workflow_id(life.order_no), "release", message, meanwhile=random.random() < 0.4)
    return True


async def receipt_is_confirmed(life: Life, random: Random) -> bool:
    if life.ended:
        return False
    life.ask(order_workflow_id(life.order_no), "confirm_receipt", ConfirmReceipt(by="buyer"))
    return True


async def children_are_made_anew(life: Life, random: Random) -> bool:
    if life.ended:
        return False
    children = [c for c in (await life.view()).children if c.status is not ChildStatus.CANCELLED]
    if not children:
        return False
    life.asked_changes = True
    chosen = random.sample(children, random.randint(1, len(children)))
    numbers = tuple(c.child_no for c in chosen)
    if random.random() < 0.5 and len(children) > 1:
        message: RequestMerge | RequestResplit = RequestMerge(
            children=numbers, remark="together", by="u-sup", warehouse=random.choice(("WH-BJ", "WH-SH"))
        )
        name = "request_merge"
    else:
        units = {line: qty for n in numbers for line, qty in life.house.units_of(n).items()}
        if not units:
            return False
        parts = [{line: 1} for line, qty in units.items() if qty > 1]
        rest = {line: qty - 1 if qty > 1 else qty for line, qty in units.items()}
        place = random.choice((None, "WH-BJ", "WH-SH"))
        message = RequestResplit(
            children=numbers,
            into=tuple(Part(lines=p, warehouse=place) for p in [rest, *parts]),
            remark="apart",
            by="u-sup",
        )
        name = "request_resplit"
    life.ask(order_workflow_id(life.order_no), name, message)
    return True


async def question_is_decided(life: Life, random: Random) -> bool:
    waiting = await life.waiting_approvals()
    if not waiting:
        return False
    approval = random.choice(waiting)
    await life.decide(approval, "approve" if random.random() < 0.75 else "reject")
    return True


async def ticket_is_answered(life: Life, random: Random) -> bool:
    questions = await life.questions()
    if not questions:
        return False
    workflow_id, ticket = random.choice(questions)
    message = life.answer(ticket, random.choice(ticket.actions))
    if message is None:
        return False
    life.ask(workflow_id, "resolve_ticket", message, meanwhile=random.random() < 0.3)
    return True


async def mail_comes(life: Life, random: Random) -> bool:
    """Late, out of order; or in the middle of something else."""
    if not life.mail:
        return False
    fact = life.mail.pop(random.randrange(len(life.mail)))
    if random.random() < 0.5:
        life.whisper(fact)
    else:
        await life.hears([fact])
    return True


async def news_is_repeated(life: Life, random: Random) -> bool:
    if not life.told:
        return False
    fact = random.choice(life.told)
    await life.hears([fact, fact] if random.random() < 0.3 else [fact])
    return True


async def news_is_misdated(life: Life, random: Random) -> bool:
    """A scan of the parcel with another day, or another year."""
    left = life.parcels("left")
    if not left:
        return False
    number, _ = random.choice(left)
    at = life.house.now() + random.choice((-YEAR, YEAR, timedelta(hours=-5), timedelta(minutes=10)))
    kind = random.choice((Kind.SIGNED, Kind.IN_TRANSIT, Kind.DELIVERY_REFUSED, Kind.COLLECTED))
    await life.hears([life.fact(number, kind, at)])
    return True


async def refund_is_told(life: Life, random: Random) -> bool:
    """The channel calls, late or again."""
    numbers = sorted(life.house.world.refunding)
    if not numbers:
        return False
    await life.hears([life.house.world.refund_fact(life.order_no, random.choice(numbers))])
    return True


async def refunds_will_go_wrong(life: Life, random: Random) -> bool:
    ends = random.choice(("SUCCEEDED", "ABNORMAL", "CLOSED"))
    life.house.world.plans.refunds.append((ends, random.choice((0, 1, 3, 900))))
    return True


async def stops_will_go_wrong(life: Life, random: Random) -> bool:
    life.house.world.plans.stops.append(random.choice(("too_late", "pending", "pending")))
    return True


async def several_want_the_same(life: Life, random: Random) -> bool:
    """The warehouse takes its time about a stop, and another one wants the same parcel."""
    if life.ended or not life.parcels():
        return False
    life.house.world.plans.stops.insert(0, random.choice(("pending", "cancelled", "too_late")))
    wanted = [order_is_cancelled, address_changes, return_is_asked_for, something_is_held]
    for rule in random.sample(wanted, 2):
        await rule(life, random)
    if random.random() < 0.5:
        await life.house.rest()
        await stop_is_answered(life, random)
    return True


async def systems_will_fail(life: Life, random: Random) -> bool:
    life.house.world.trouble(random)
    return True


async def bank_takes(life: Life, random: Random) -> bool:
    paid = life.order.order.payable_minor
    if not paid or life.order_no not in life.house.world.payments or len(life.chargebacks) > 1:
        return False
    number = f"CB{life.number}-{len(life.chargebacks)}"

    async def opened() -> None:
        new = NewChargeback(number, life.order_no, random.randint(1, paid), "u-fin")
        await ChargebackStore(life.house.pool).open(new, life.house.now())
        life.chargebacks[number] = "open"

    await life.attempt(opened)
    return True


async def bank_decides(life: Life, random: Random) -> bool:
    undecided = [n for n, state in life.chargebacks.items() if state == "open"]
    if not undecided:
        return False
    await life.bank_decides(undecided[0], "won" if random.random() < 0.5 else "lost")
    return True


async def time_passes(life: Life, random: Random) -> bool:
    await life.passes(random.choice(PAUSES))
    return True


async def worker_dies(life: Life, random: Random) -> bool:
    life.house.engine.crash()
    return True


RULES: dict[str, tuple[Rule, int]] = {
    rule.__name__: (rule, weight)
    for rule, weight in (
        (buyer_pays, 12), (order_is_cancelled, 4), (address_changes, 3), (receipt_is_confirmed, 3),
        (something_is_held, 4), (hold_is_released, 4),
        (children_are_made_anew, 4), (question_is_decided, 9), (ticket_is_answered, 8), (warehouse_moves, 10),
        (parcels_leave, 3), (all_is_signed_for, 3), (stop_is_answered, 3), (warehouse_cancels, 2), (goods_arrive, 3),
        (mail_comes, 5),
        (news_is_repeated, 3), (news_is_misdated, 1), (refund_is_told, 2), (refunds_will_go_wrong, 2),
        (stops_will_go_wrong, 3), (several_want_the_same, 6), (systems_will_fail, 3), (bank_takes, 1),
        (bank_decides, 1), (time_passes, 5), (worker_dies, 1), *CASE_RULES,
    )
}  # fmt: skip
