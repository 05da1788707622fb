"""The one allocator: every share of an amount in this system is cut here, so that parts always sum."""

from collections.abc import Sequence


class UnableToAllocate(ValueError):
    """There is nothing to spread the amount over, or a weight is negative."""


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total` (minor units) by `weights`, as many as there are weights; they sum to `total` exactly.

    Largest remainder: every share is floored, then the leftover units go one by one to the largest fractional parts,
    ties to the lowest index. A negative total is the mirror of the positive one. Weights that are all zero share
    equally. Raises `UnableToAllocate` for a negative weight, or for no weight at all when there is something to share.
    Source: docs/requirements.md, Money and splitting.
    """
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    if any(weight < 0 for weight in weights):
        raise UnableToAllocate(f"a weight is negative: cannot share out {total}")
    whole = sum(weights)
    if not weights and total:
        raise UnableToAllocate(f"nothing to share {total} out over")
    if whole == 0:
        return equal_parts(total, len(weights))
    parts: list[int] = []
    remainders: list[int] = []
    for weight in weights:
        part, remainder = divmod(total * weight, whole)
        parts.append(part)
        remainders.append(remainder)
    leftover = total - sum(parts)
    # sorted() is stable, so equal remainders keep their order: ties go to the lowest index.
    for i in sorted(range(len(parts)), key=remainders.__getitem__, reverse=True)[:leftover]:
        parts[i] += 1
    return parts


def equal_parts(total: int, count: int) -> list[int]:
    """`allocate` over `count` equal weights: the first `total % count` parts are one larger."""
    return [equal_part_sum(total, count, i, 1) for i in range(count)]


def equal_part_sum(total: int, count: int, first: int, taken: int) -> int:
    """Sum of `taken` parts from index `first` on, of `total >= 0` in `count` equal parts. No list is built."""
    part, larger = divmod(total, count)
    return part * taken + min(first + taken, larger) - min(first, larger)
