"""What is told of a parcel, as far as it can be believed; what is odd about it is for a person."""

from temporalio import workflow

from domain.facts import Fact, Kind
from domain.fulfilment.credible_facts import by_line, credible_counts
from domain.fulfilment.fact_times import TimedFact, timed
from domain.fulfilment.parcel_states import AppliedFact
from domain.returns.waybills import doubt
from domain.states import ChildStatus
from workflows.durable.tickets import Tickets
from workflows.order.parcels.parcel_state import ParcelState
from workflows.order.parcels.stop_claim import ONE_STOP
from workflows.order.state import OrderState
from workflows.shipping.shipment import SEVERAL

LEFT = "left though it was stopped"


def timely_fact(state: OrderState, parcel: ParcelState, fact: Fact, told: set[str]) -> TimedFact:
    """`told`: keys of facts whose time a person was told about; this one is added."""
    heard = timed(fact, state.since, workflow.now(), state.policy.clock_skew_s)
    if heard == TimedFact(fact) or not workflow.patched("a fact's own time is not believed"):
        return TimedFact(fact)
    if heard.odd and fact.key not in told:
        told.add(fact.key)
        state.tickets.note(fact.source, "time does not fit", heard.odd, parcel.child_no)
    return heard


def with_credible_counts(state: OrderState, parcel: ParcelState, fact: Fact, planned: dict[str, int]) -> Fact:
    """What has happened counts all the same; a count that cannot be is for a person."""
    if fact.actual_items is not None and fact.actual is None:
        sku_of = {line.line_id: line.sku for line in state.order.lines}
        fact = fact.model_copy(update={"actual": by_line(fact.actual_items, planned, sku_of)})
    if fact.actual is None:
        return fact
    counts, wrong = credible_counts(fact.actual, planned)
    if not wrong or not workflow.patched("counts are checked"):
        return fact
    if fact.key not in parcel.machine.seen:
        state.tickets.note(fact.source, "count does not fit", wrong, parcel.child_no)
    return fact.model_copy(update={"actual": counts})


def stop_is_wanted(parcel: ParcelState, fact: Fact, *, claimed: bool) -> bool:
    """Who wants it stopped hears what becomes of it, and sees to its units: also right before the warehouse is asked,
    and after it has refused, as long as nobody has looked at that. `claimed`: somebody has a claim on its stop."""
    if parcel.machine.intercepting or fact.kind is not Kind.INTERCEPTED or parcel.cancelled:
        return parcel.machine.intercepting
    return (parcel.being_stopped or (parcel.set_aside and claimed)) and workflow.patched(ONE_STOP)


def tell_contradiction(state: OrderState, parcel: ParcelState, fact: Fact, why: str) -> None:
    """A parcel that was stopped and leaves all the same is a person's, once: its units are somebody else's by now."""
    if not parcel.cancelled or not workflow.patched(LEFT):
        state.tickets.note(fact.source, "contradicting event", why, parcel.child_no)
    elif not parcel.left_all_the_same:
        parcel.left_all_the_same = True
        state.tickets.open(
            fact.source, LEFT, f"{why}; {_whose(parcel)}"[:500], parcel.child_no,
            "a person has had it stopped or sent back, or has settled it with the buyer", actions=("give_up",),
            severity="urgent",
        )  # fmt: skip


def _whose(parcel: ParcelState) -> str:
    if parcel.handed_over:
        return f"its units ship as {', '.join(parcel.replaced_by)}: have one of the two stopped, or sent back"
    if parcel.set_aside:
        return "its units stood still for a return or a hold, and are not sent again: have it stopped or sent back"
    units = ", ".join(f"{qty} of line {line}" for line, qty in parcel.plan.lines.items())
    return f"{units} go back to the buyer as money: have it stopped, sent back, or paid"


def tell_further_package(state: OrderState, parcel: ParcelState, fact: Fact) -> None:
    """A child that was delivered stays so; whether everything arrived is for a person."""
    if workflow.patched(SEVERAL):
        text = f"package {fact.waybill_no} was told after {parcel.child_no} had been signed for"
        state.tickets.note(fact.source, "further package", text, parcel.child_no)


def tell_odd_number(state: OrderState, parcel: ParcelState, fact: Fact) -> None:
    """Of a number that nobody has told before and no carrier has booked for us. The parcel has left under it, or under
    the one that was meant."""
    number = fact.waybill_no
    if not number or number not in parcel.packages.carriers:
        return
    odd = doubt(fact.carrier or "", number)
    if odd and workflow.patched("odd waybills are told"):
        state.tickets.note(fact.source, "odd waybill", f"{odd}; it counts as it was told", parcel.child_no)


def open_courier_ticket(tickets: Tickets, child_no: str, fact: Fact, applied: AppliedFact) -> None:
    """A courier's problem is for people. A refused parcel holds the order open until one has settled it."""
    if applied.after == ChildStatus.EXCEPTION:
        tickets.note(fact.source, "courier exception", fact.note or "no reason given", child_no)
    elif applied.after == ChildStatus.REFUSED:
        means = "a person settles it with the buyer; the system refunds nothing by itself"
        text = fact.note or "the parcel was refused or sent back"
        tickets.open(fact.source, "delivery refused", text, child_no, means, actions=("give_up",))
