"""Pieces of an exchange that the warehouse had cancelled, and in whose place another one went out: if one of them
leaves all the same, the buyer has two, and somebody has to see to it."""

from collections.abc import Iterable

from domain.facts import Fact
from domain.fulfilment.parcel_states import MOVES, RETURNS, has_left
from domain.states import ChildStatus, Outcome
from workflows.durable.carrying import Table
from workflows.returns.state import ReturnState
from workflows.shipping.shipment import Shipment

LEFT_THOUGH_STOPPED = "left though it was stopped"


class FormerReplacements:
    CARRIED = Table(_waybills=dict[str, str], _told=list[str], left={"state": "wiring"})

    def __init__(self, state: ReturnState) -> None:
        self.state = state
        self._waybills: dict[str, str] = {}
        """By child; empty where it had no number yet."""
        self._told: list[str] = []
        """Children of which a person knows."""

    def add(self, shipment: Shipment) -> None:
        self._waybills[shipment.child_no] = shipment.waybill_no or ""

    def known(self, children: Iterable[str]) -> None:
        """A person was asked about them before another piece went out in their place."""
        self._told.extend(sorted(set(children) - set(self._told)))

    def is_meant(self, fact: Fact) -> bool:
        return fact.child_no in self._waybills or (bool(fact.waybill_no) and fact.waybill_no in self._waybills.values())

    def apply(self, fact: Fact) -> None:
        child_no = fact.child_no or next(no for no, waybill in self._waybills.items() if waybill == fact.waybill_no)
        cancelled = ChildStatus.CANCELLED.value
        left = fact.kind in RETURNS or has_left(MOVES.get(fact.kind, ChildStatus.CREATED))
        told = f"{fact.kind} for a replacement that was cancelled: it may have shipped" if left else ""
        outcome = Outcome.MISMATCH if left else Outcome.STALE
        self.state.record(fact, outcome, cancelled, cancelled, child_no, told)
        if not left or child_no in self._told:
            return
        self._told.append(child_no)
        self.state.tickets.open(
            fact.source, LEFT_THOUGH_STOPPED,
            f"{told}; return {self.state.return_no} has sent another piece in its place"[:500], child_no,
            "a person has had it stopped or sent back, or has settled it with the buyer", actions=("give_up",),
            severity="urgent",
        )  # fmt: skip
