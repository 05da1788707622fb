"""What stood still for a hold and could not be cut for a return goes back to the hold, if there is still one."""

from typing import Any

import pytest

from workflows.order.set_aside import SetAside

HOLD = "H-SO1-1"


class Settled(SetAside):
    def __init__(self, *, at_work: bool = False, cancelled: str = "") -> None:
        self._still: dict[str, list[Any]] = {}
        self._at_work = {HOLD} if at_work else set()
        self._cancelled = cancelled
        self.settled: list[tuple[Any, ...]] = []

    async def _settle_one(self, *one: Any) -> None:
        self.settled.append(one)


async def back(one: Settled) -> Settled:
    parcel: Any = "parcel"
    before: Any = "as it stood"
    await one._back_to_the_hold(HOLD, parcel, before)
    return one


async def test_it_stands_still_on_while_the_hold_is_open() -> None:
    found = await back(Settled())
    assert (found._still, found.settled) == ({HOLD: [("parcel", "as it stood")]}, [])


@pytest.mark.parametrize("how", [{"at_work": True}, {"cancelled": "the buyer changed their mind"}])
async def test_where_the_hold_or_the_order_has_ended_meanwhile_it_is_settled_and_not_forgotten(
    how: dict[str, Any],
) -> None:
    found = await back(Settled(**how))
    assert (found._still, found.settled) == ({}, [(HOLD, "parcel", "as it stood", ())])
