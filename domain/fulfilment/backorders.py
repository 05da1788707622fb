"""Who gets goods that have come in: waiting parcels are served whole, in the order in which they were paid (R22)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Place = tuple[str, str]
"""SKU and warehouse."""


@dataclass(frozen=True)
class Waiting:
    """A parcel that waits for all its units."""

    order_no: str
    child_no: str
    needs: Mapping[Place, int]


@dataclass(frozen=True)
class Served:
    """`children`: who can have everything they miss now. `left`: what remains by place for those who come later."""

    children: tuple[Waiting, ...]
    left: Mapping[Place, int]


def serve(queue: Sequence[Waiting], available: Mapping[Place, int]) -> Served:
    """Walk the queue, longest paid first: each takes everything it misses, or nothing.

    One that cannot be served whole holds nobody up: its share would lie there while others could go. Places that
    `available` does not name hold nothing.
    """
    left = dict(available)
    children = []
    for waiting in queue:
        if all(left.get(place, 0) >= units for place, units in waiting.needs.items()):
            children.append(waiting)
            for place, units in waiting.needs.items():
                left[place] -= units
    return Served(tuple(children), left)
