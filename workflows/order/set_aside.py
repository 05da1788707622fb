"""Parcels that stand still for an after-sales case, or for a hold, until its end says what becomes of them.

A stop for a case is no decision: nobody has agreed to the case yet. The stock stays reserved; what the case pays back
is then free to be sold, what it does not pay back ships again under a new number, and where that cannot be done a
person is asked about exactly these units and their money (decision 0031).
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from temporalio import workflow

from domain.fulfilment.merging import BEFORE_PICKING
from domain.fulfilment.reallocation import Because, Held, divided, together
from domain.units import UnitRange, joined, without
from workflows.durable.carrying import ByType, Table, Through
from workflows.order.changes.reallocation import ReallocationGroup, ReallocationRefused
from workflows.order.changes.requests import FulfilmentChanges
from workflows.order.holders import HOLD, named, not_taken
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import LEFT_STANDING, ONE_STOP, Claimant
from workflows.order.refunds_owed import RefundsOwed
from workflows.order.state import OrderState
from workflows.order_return_signals import StopForCase

SYSTEM = "orders"
HELD = TypeAdapter(Held)
SHIP_AGAIN = "ship again"
"""Its answer settles the units by a person's word or by a refund (store/ownership/units.py)."""
GONE = "what has left though it was stopped is not sent again"
TOGETHER = "several returns share what stands still"
STANDS_STILL = "what stands still for a return stands still for all of them"
AlsoWanted = Callable[[str, tuple[UnitRange, ...]], str | None]
"""Another open case that has some of these units."""
SIDE_BY_SIDE = "parcels of a return do not wait for each other"
"""For a warehouse that has not answered, a channel that has not paid, or a person."""


class SetAside:
    """What stands still, by case or hold (`H-…`): a hold ends as a case does that has paid nothing back."""

    CARRIED = Table(
        _still=Through("_pack_still", "_unpack_still"),
        _given_up=ByType(list[str], sorted, set),
        _cancelled=str,
        _ending=dict[str, tuple[UnitRange, ...]],
        left={
            "_state": "wiring",
            "_parcels": "wiring",
            "_changes": "wiring",
            "_refunds_owed": "wiring",
            "_at_work": "begun anew",
            "also_wanted": "wiring",
        },
    )

    def __init__(
        self, state: OrderState, parcels: Parcels, changes: FulfilmentChanges, refunds_owed: RefundsOwed
    ) -> None:
        self._state = state
        self._parcels = parcels
        self._changes = changes
        self._refunds_owed = refunds_owed
        self.also_wanted: AlsoWanted = lambda _case, _units: None
        self._still: dict[str, list[tuple[Parcel, Held]]] = {}
        self._given_up: set[str] = set()
        """Children that somebody else had stopped for good: none of them ships again."""
        self._cancelled = ""
        """Why the whole order was cancelled meanwhile: nothing of it ships again."""
        self._at_work: set[str] = set()
        """Cases of which this run has begun to settle what they left."""
        self._ending: dict[str, tuple[UnitRange, ...]] = {}
        """Cases that have ended and of whose parcels something is left to settle, with what they paid back."""

    # --- stopping ----------------------------------------------------------------------------------------------------

    async def stop(self, message: StopForCase) -> tuple[UnitRange, ...]:
        """The units of the case that stand still now. Parcels of its units alone; of others its units are cut off,
        where the case wants that and nobody has picked them yet."""
        if self._changes.executing:  # the children that are made then are what can be stopped
            await workflow.wait_condition(lambda: not self._changes.executing)
        asked = {unit for units in message.units for unit in units.each()}
        stopped: list[UnitRange] = []
        for parcels in self._parcels.as_they_come():
            stops = [self._stop(message, parcel, asked) for parcel in parcels]
            if len(stops) > 1 and workflow.patched(SIDE_BY_SIDE):
                stopped += [run for runs in await asyncio.gather(*stops) for run in runs]
            else:
                stopped += [run for stop in stops for run in await stop]
        self._parcels.roll_up()
        return tuple(stopped)

    async def _stop(self, message: StopForCase, parcel: Parcel, asked: set[tuple[str, int]]) -> tuple[UnitRange, ...]:
        inside = {unit for run in parcel.state.runs for unit in run.each()}
        if parcel.state.set_aside and inside <= asked and (before := self._taken_from_a_hold(parcel)) is not None:
            self._still.setdefault(message.return_no, []).append((parcel, before))
            return before.runs
        if parcel.state.set_aside and message.split_off and inside & asked and self._hold_of(parcel):
            return await self._cut_from_a_hold(message.return_no, parcel, asked)
        if parcel.state.set_aside or parcel.state.shipped or not inside & asked:
            return self._stands_still_for_others(parcel, inside & asked)
        if inside <= asked:
            return await self._stop_whole(message.return_no, parcel)
        if message.split_off and parcel.state.status in BEFORE_PICKING:
            return await self._split_off(message.return_no, parcel, asked)
        return ()

    def _stands_still_for_others(self, parcel: Parcel, asked: set[tuple[str, int]]) -> tuple[UnitRange, ...]:
        """The warehouse has cancelled it by itself, and an open return has it: the others hear so when they ask."""
        holders = (who for who in self._still if not who.startswith(HOLD) and who not in self._ending)
        given_up = parcel.state.set_aside and parcel.state.child_no in self._given_up
        anybody = given_up and any(one is parcel for who in holders for one, _ in self._still[who])
        return joined(_runs(asked)) if anybody and workflow.patched(STANDS_STILL) else ()

    async def _halt(self, parcel: Parcel, who: Claimant = Claimant.RETURN) -> Held | None:
        """As it stood, when it stands still now; None: it ships."""
        await parcel.claim.acquire(who)
        try:
            if parcel.claim.inherits(who):  # stopped by another, who left it to the return
                if not parcel.state.cancelled:
                    return None
                self._given_up.add(parcel.state.child_no)
                return parcel.state.held
            if parcel.state.cancelled or parcel.state.set_aside or parcel.state.shipped:
                return None
            early = parcel.state.held
            parcel.state.set_aside = True
            await parcel.between_calls()
            if parcel.state.cancelled and workflow.patched(ONE_STOP):
                return early  # by the warehouse itself, in this very moment
            before = parcel.state.held
            if await parcel.cancel_as_owner():
                return before
            parcel.state.set_aside = False
            return None
        finally:
            parcel.claim.release(who)

    def stand_still_for(self, return_no: str, parcel: Parcel) -> None:
        """The warehouse has cancelled what a return has units of: it keeps its stock, and never ships."""
        before = parcel.state.held
        parcel.state.set_aside = True
        self._given_up.add(parcel.state.child_no)
        self._still.setdefault(return_no, []).append((parcel, before))

    async def stop_for_hold(self, hold_id: str, parcel: Parcel) -> bool:
        """True: it stands still with its stock. False: it ships, or is somebody else's."""
        before = await self._halt(parcel, Claimant.HOLD)
        if before is None:
            return False
        self._still.setdefault(hold_id, []).append((parcel, before))
        self._parcels.roll_up()
        return True

    def _taken_from_a_hold(self, parcel: Parcel) -> Held | None:
        """A case decides about what stands still for a hold: it is the case's then. None: it is no hold's."""
        if (holder := self._hold_of(parcel)) is None:
            return None
        (taken,) = (one for one in self._still[holder] if one[0] is parcel)
        self._still[holder].remove(taken)
        return taken[1]

    async def _cut_from_a_hold(
        self, return_no: str, parcel: Parcel, asked: set[tuple[str, int]]
    ) -> tuple[UnitRange, ...]:
        """A part of what stands still for a hold is a case's: both parts stand still on, each for its own."""
        holder = self._hold_of(parcel)
        parts = divided(parcel.state.runs, asked) if holder else ()
        before = self._taken_from_a_hold(parcel) if parts else None
        if before is None or holder is None:
            return ()
        group = ReallocationGroup((parcel,), (before,), tuple(part for part, _ in parts))
        try:
            numbers = await self._remake(group, "return", f"cut off for return {return_no}", still=(0, 1))
        except ReallocationRefused:
            parcel.stand_still(before)
            await self._back_to_the_hold(holder, parcel, before)
            return ()
        both = [self._parcels.by_number[number] for number in numbers]
        stood = [one.stands_still_from_now() for one in both]
        mine = [of_case for _, of_case in parts].index(True)
        self._still.setdefault(return_no, []).append((both[mine], stood[mine]))
        await self._back_to_the_hold(holder, both[1 - mine], stood[1 - mine])
        return stood[mine].runs

    async def _back_to_the_hold(self, holder: str, parcel: Parcel, before: Held) -> None:
        """It stands still on for the hold, unless that has ended meanwhile, or the order."""
        if holder in self._at_work or self._cancelled:
            await self._settle_one(holder, parcel, before, ())
        else:
            self._still.setdefault(holder, []).append((parcel, before))

    def _hold_of(self, parcel: Parcel) -> str | None:
        holders = (h for h, still in self._still.items() if h.startswith(HOLD) and h not in self._ending)
        return next((holder for holder in holders if any(one is parcel for one, _ in self._still[holder])), None)

    def freed_from_holds(self) -> list[Parcel]:
        """For who cancels the order: what stands still for holds is theirs, and its stock is free again."""
        holders = [h for h in self._still if h.startswith(HOLD) and h not in self._ending]
        freed = [parcel for holder in holders for parcel, _ in self._still.pop(holder)]
        for parcel in freed:
            parcel.let_go()
        return freed

    async def _stop_whole(self, return_no: str, parcel: Parcel) -> tuple[UnitRange, ...]:
        before = await self._halt(parcel)
        if before is None:
            return ()
        self._still.setdefault(return_no, []).append((parcel, before))
        return before.runs

    async def _split_off(self, return_no: str, parcel: Parcel, asked: set[tuple[str, int]]) -> tuple[UnitRange, ...]:
        """The others of the parcel go on as a child of their own."""
        parts = divided(parcel.state.runs, asked)
        before = await self._halt(parcel) if parts else None
        if not parts or before is None:
            return ()
        if parcel.state.child_no in self._given_up and workflow.patched(LEFT_STANDING):
            self._still.setdefault(return_no, []).append((parcel, before))
            return without(before.runs, without(before.runs, _runs(asked)))
        group = ReallocationGroup((parcel,), (before,), tuple(part for part, _ in parts))
        place = [mine for _, mine in parts].index(True)
        remark = f"cut off for return {return_no}"
        try:
            numbers = await self._remake(group, "return", remark, still=(place,))
        except ReallocationRefused:
            parcel.stand_still(before)
            await self._ship_again(parcel, before, return_no)
            return ()
        mine = self._parcels.by_number[numbers[place]]
        self._still.setdefault(return_no, []).append((mine, mine.stands_still_from_now()))
        return self._still[return_no][-1][1].runs

    def has_left(self, units: Iterable[tuple[str, int]]) -> Callable[[], bool]:
        """Whether none of these units is in a parcel that may still leave."""
        wanted = set(units)

        def left() -> bool:
            return not any(
                wanted.intersection(unit for run in p.state.runs for unit in run.each())
                for p in self._parcels.by_number.values()
                if not p.state.shipped
                and not (p.state.cancelled and not p.state.set_aside)
                and p.state.child_no not in self._given_up
            )

        return left

    # --- the case has ended ------------------------------------------------------------------------------------------

    def holds_for(self, return_no: str) -> bool:
        return return_no in self._still and return_no not in self._ending

    def order_is_cancelled(self, reason: str) -> None:
        """What stands still is paid back by its case, or by the order once the case has ended without."""
        self._cancelled = reason

    async def case_ended(self, return_no: str, paid_back: Iterable[UnitRange]) -> None:
        if return_no in self._at_work:
            return
        self._at_work.add(return_no)
        self._ending[return_no] = paid = tuple(paid_back)
        try:
            await self._settle(return_no, paid)
        finally:  # one that breaks is a person's, and no run takes it up again
            self._still.pop(return_no, None)
            del self._ending[return_no]

    def paid_by_another(self, paid: tuple[UnitRange, ...]) -> None:
        """A case for which nothing stands still has paid these units: for the others they are settled."""
        for holder, still in self._still.items():
            if holder in self._ending:
                continue
            for place, (parcel, before) in enumerate(still):
                left = without(before.runs, paid)
                if left != without(before.runs, ()) and workflow.patched(TOGETHER):
                    still[place] = (parcel, replace(before, runs=left))

    async def case_had_ended(self, return_no: str) -> None:
        """Before the warehouse had said that it stopped something for it: that goes on, as if nobody had asked."""
        if self.holds_for(return_no):
            self._at_work.discard(return_no)
            await self.case_ended(return_no, ())

    def go_on(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        """In a new run, with the cases that have ended."""
        for return_no, paid in self._ending.items():
            spawn(self.case_ended(return_no, paid))

    async def _settle(self, return_no: str, paid: tuple[UnitRange, ...]) -> None:
        still = self._still.get(return_no, [])
        if len(still) > 1 and workflow.patched(SIDE_BY_SIDE):
            await asyncio.gather(*(self._take_off(still, one, return_no, paid) for one in tuple(still)))
        while still:
            await self._take_off(still, still[0], return_no, paid)

    async def _take_off(
        self,
        still: list[tuple[Parcel, Held]],
        one: tuple[Parcel, Held],
        return_no: str,
        paid: tuple[UnitRange, ...],
    ) -> None:
        await self._settle_one(return_no, *one, paid)
        still.remove(one)

    async def _settle_one(self, return_no: str, parcel: Parcel, before: Held, paid: tuple[UnitRange, ...]) -> None:
        rest = without(before.runs, paid)
        if not rest:
            parcel.let_go()
        elif self._shared(parcel) and (other := self.also_wanted(return_no, rest)):
            self._still.setdefault(other, []).append((parcel, replace(before, runs=rest)))
        elif rest != without(parcel.state.runs, ()):
            await self._ask_about(return_no, parcel, before, rest, "the case paid back a part of it")
            parcel.let_go()
        elif self._cancelled or parcel.state.child_no in self._given_up:
            await self._pay_back(parcel, self._cancelled or not_taken(return_no))
        elif parcel.state.left_all_the_same and workflow.patched(GONE):
            parcel.let_go(gone=True)
        else:
            await self._ship_again(parcel, before, return_no)

    def _shared(self, parcel: Parcel) -> bool:
        """Who ended first is not its last owner: nobody ships it any more, so others pay their units of it."""
        return parcel.state.child_no in self._given_up and workflow.patched(TOGETHER)

    async def _ship_again(self, parcel: Parcel, before: Held, return_no: str) -> None:
        """As it was, under a new number; else a person decides, and the units are not forgotten meanwhile."""
        group = ReallocationGroup((parcel,), (before,), (together([before], before.plan.warehouse),))
        asked = self._state.tickets.left_open(SYSTEM, SHIP_AGAIN, parcel.state.child_no) is not None  # by a run before
        while True:
            try:
                if asked:
                    raise ReallocationRefused("")
                await self._remake(group, "as before", not_taken(return_no))
                return
            except ReallocationRefused as error:
                if not asked:
                    parcel.stand_still(before)
                asked = False
                if not await self._ask_about(return_no, parcel, before, before.runs, str(error)):
                    break
        await self._pay_back(parcel, f"{named(return_no)}: could not ship again")

    async def _remake(
        self, group: ReallocationGroup, because: Because, remark: str, still: tuple[int, ...] = ()
    ) -> tuple[str, ...]:
        """One change of the order's children at a time. Raises `ReallocationRefused`."""
        while self._changes.executing:
            await workflow.wait_condition(lambda: not self._changes.executing)
        self._changes.executing = True
        try:
            return await self._changes.reallocation.remake((group,), because, remark, None, still=still)
        finally:
            self._changes.executing = False

    async def _pay_back(self, parcel: Parcel, reason: str) -> None:
        parcel.let_go()
        await self._refunds_owed.parcels([parcel], reason)

    async def _ask_about(
        self, holder: str, parcel: Parcel, before: Held, units: tuple[UnitRange, ...], why: str
    ) -> bool:
        """True: try again."""
        whole = units == before.runs
        said = ", ".join(f"{r.line_id} {r.first_unit}-{r.end - 1}" for r in units)
        worth = f", {before.plan.paid_minor} {self._state.currency} (minor units)" if whole else ""
        answer = await self._state.tickets.ask(
            SYSTEM, SHIP_AGAIN, f"stopped for {named(holder)} and cannot go on: units {said}{worth}; {why}"[:500],
            parcel.state.child_no,
            "the units are not shipped; their money goes back" if whole else "a person has settled these units",
            actions=("retry", "give_up") if whole else ("give_up",), severity="urgent",
        )  # fmt: skip
        return answer is not None and answer.action == "retry"

    # --- from one run to the next ------------------------------------------------------------------------------------

    def _pack_still(self) -> dict[str, Any]:
        return {
            case: [[parcel.state.child_no, HELD.dump_python(before, mode="json")] for parcel, before in still]
            for case, still in self._still.items()
        }

    def _unpack_still(self, data: dict[str, Any]) -> None:
        self._still = {
            case: [
                (self._parcels.by_number[no], HELD.validate_json(json.dumps(held), strict=True)) for no, held in still
            ]
            for case, still in data.items()
        }


def _runs(units: Iterable[tuple[str, int]]) -> tuple[UnitRange, ...]:
    return tuple(UnitRange(line_id=line_id, first_unit=unit, units=1) for line_id, unit in sorted(units))
