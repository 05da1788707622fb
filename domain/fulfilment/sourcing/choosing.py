"""Where the units of an order come from, when several warehouses hold them: fewest parcels, then cost, then preference.

What is there ships (R22), earlier lines first; among all ways to ship exactly that, the fewest parcels win, then the
lowest cost, then the warehouses that the lines prefer, then the way that comes first in the order of lines and
warehouses. Goods that must not travel together have different keys and never share a parcel. A line is divided only
when no single warehouse of its list holds enough of the SKU for the whole order.

Small orders are searched to the end; the search of large ones stops at a fixed number of steps, so that the same order
always gets the same answer, and `Sourced.exact` says which it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.fulfilment.sourcing.cover import cover
from domain.fulfilment.sourcing.problem import Cost, DemandLine, Pieces, Place, problem
from domain.fulfilment.sourcing.search import MOST_STEPS, search

__all__ = ["MOST_STEPS", "Cost", "DemandLine", "Pieces", "Place", "Sourced", "UnableToSource", "source"]


class UnableToSource(ValueError):
    """An item cannot be sourced at all. The text names it."""


@dataclass(frozen=True)
class Sourced:
    """`units`: by line_id, what ships now; what is missing is the difference to the line's quantity.

    `parcels` and `cost_minor` are of what ships now. `exact`: no other allocation is better.
    """

    units: Mapping[str, Pieces]
    parcels: int
    cost_minor: int
    exact: bool


def free_of_charge(_warehouse: str, _key: str, _weight_g: int) -> int:
    """No tariffs: every parcel costs the same."""
    return 0


def source(
    items: Sequence[DemandLine],
    stock: Mapping[Place, int],
    cost: Cost = free_of_charge,
    most_steps: int = MOST_STEPS,
) -> Sourced:
    """The best allocation, or for large orders a good one. `stock`: available units by SKU and warehouse; absent: none.

    The result follows from the values alone, whatever the order of mappings and sets. Raises `UnableToSource` for an
    item without a warehouse, or with one twice.
    """
    for item in items:
        if not item.warehouses or len(set(item.warehouses)) != len(item.warehouses):
            raise UnableToSource(
                f"line {item.line_id}: SKU {item.sku} has no warehouse, or one twice; mend its list in the catalogue"
            )
    asked = problem(items, stock, cost)
    units, (parcels, cost_minor, _), exact = search(asked, cover(asked), most_steps)
    return Sourced(units, parcels, cost_minor, exact)
