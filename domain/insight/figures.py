"""Figures with their coverage (R89): a value, what it counts, and what was left out and why."""

from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from domain.strict import Strict


def ratio(part: int, whole: int, per: int) -> int | None:
    """`part` of `whole`, of `per`, rounded half up. None: nothing to divide by."""
    return None if whole == 0 else (2 * part * per + whole) // (2 * whole)


def mean(values: Sequence[int]) -> int | None:
    """Rounded half up; of values that are not negative."""
    return ratio(sum(values), len(values), 1)


def quantile(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many of a hundred do not exceed (nearest rank)."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, -(-percent * len(ranked) // 100) - 1)]


class FigurePart(Strict):
    """A figure of a part: a tier of cities, one way of ending."""

    name: str
    value: int | None
    counted: int
    p50: int | None = None
    p90: int | None = None


class Figure(Strict):
    """`part` of `counted` make the `value` in the measure's unit; `left_out`: how many lacked what, by reason.

    `counted` and `left_out` together are everything that the measure is about.
    """

    key: str
    value: int | None
    counted: int
    part: int | None = None
    left_out: dict[str, int] = Field(default_factory=dict)
    p50: int | None = None
    p90: int | None = None
    parts: tuple[FigurePart, ...] = ()

    @property
    def about(self) -> int:
        return self.counted + sum(self.left_out.values())

    @property
    def coverage_bp(self) -> int | None:
        """None: there was nothing to count."""
        return ratio(self.counted, self.about, 10_000)


def share(key: str, part: int, counted: int, per: int, left_out: Mapping[str, int] | None = None) -> Figure:
    return Figure(
        key=key, value=ratio(part, counted, per), counted=counted, part=part, left_out=reasons(left_out or {})
    )


def times(key: str, minutes: Sequence[int], parts: Mapping[str, Sequence[int]], left_out: Mapping[str, int]) -> Figure:
    """Mean, median and 90 %, of all and of each part."""
    return Figure(
        key=key,
        value=mean(minutes),
        counted=len(minutes),
        left_out=reasons(left_out),
        p50=quantile(minutes, 50),
        p90=quantile(minutes, 90),
        parts=tuple(
            FigurePart(name=n, value=mean(v), counted=len(v), p50=quantile(v, 50), p90=quantile(v, 90))
            for n, v in sorted(parts.items())
        ),
    )


def shares(key: str, names: Iterable[str]) -> Figure:
    """Of each name among all of them, in bp."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    whole = sum(counts.values())
    parts = tuple(FigurePart(name=n, value=ratio(c, whole, 10_000), counted=c) for n, c in sorted(counts.items()))
    return Figure(key=key, value=None, counted=whole, parts=parts)


def reasons(counts: Mapping[str, int]) -> dict[str, int]:
    """Without those that nothing was left out for; the order is that of the names, so that equal is equal."""
    return {name: count for name, count in sorted(counts.items()) if count}
