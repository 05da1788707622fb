"""Frozen unit shares: what each single unit of a line has paid. Every refund and every child is a plain sum of them."""

from typing import NamedTuple

from domain.money import equal_part_sum
from domain.order import Minor
from domain.records import PricedLine
from domain.units import UnitRange


class UnableToTake(ValueError):
    """The line does not have these units."""


class Share(NamedTuple):
    """Money of some units, in minor units."""

    net_minor: int
    freight_minor: int

    @property
    def paid_minor(self) -> int:
        return self.net_minor + self.freight_minor


class UnitShare(UnitRange):
    """A range of units with the same share. Amounts are per unit.

    Units of a line differ by at most one fen, so a line has at most three of these.
    """

    net_minor: Minor
    freight_minor: Minor


def take(line: PricedLine, first: int, count: int) -> Share:
    """Share of `count` units from unit `first` (from 0) on. Constant time.

    Children and refunds consume a line's units from the first one on, so any sequence of them adds up to what was
    paid. Raises `UnableToTake` for units that the line does not have.
    """
    if first < 0 or count < 0 or first + count > line.qty:
        raise UnableToTake(
            f"line {line.line_id} has {line.qty} units: cannot take {count} from unit number {first} on (from 0)"
        )
    return Share(
        net_minor=equal_part_sum(line.net_minor, line.qty, first, count),
        freight_minor=equal_part_sum(line.freight_minor, line.qty, first, count),
    )


def freeze(line: PricedLine) -> tuple[UnitShare, ...]:
    """All unit shares of a line as runs, in unit order: what is written down at payment."""
    # The larger parts come first: a new run starts where the extra fen of net, or of freight, end.
    starts = sorted({0, line.net_minor % line.qty, line.freight_minor % line.qty})
    ends = [*starts[1:], line.qty]
    return tuple(_run(line, start, end - start) for start, end in zip(starts, ends, strict=True))


def _run(line: PricedLine, first: int, units: int) -> UnitShare:
    one = take(line, first, 1)
    return UnitShare(
        line_id=line.line_id,
        first_unit=first,
        units=units,
        net_minor=one.net_minor,
        freight_minor=one.freight_minor,
    )
