"""What of a fact can be believed: its counts and numbers. What cannot is told to a person and moves nothing."""

from collections.abc import Mapping

from domain.facts import Fact

LONGEST_NUMBER = 100
"""No carrier's number is longer; one that is would not fit into an index."""


def by_line(items: Mapping[str, int], planned: Mapping[str, int], sku_of: Mapping[str, str]) -> dict[str, int]:
    """Units that were told by article, as units by line: the lines of an article are filled in their order. What is too
    much counts at its last line, and an article that no line has stands under its own name: neither is credible.

    `planned`: units of the parcel by line; `sku_of`: the article of each line. An article that is not told of says
    nothing about its lines."""
    found: dict[str, int] = {}
    for sku, told in items.items():
        lines = [line for line in planned if sku_of.get(line) == sku]
        left = told
        for line in lines:
            found[line] = min(planned[line], left)
            left -= found[line]
        if left:
            last = lines[-1] if lines else sku
            found[last] = found.get(last, 0) + left
    return found


def credible_counts(actual: Mapping[str, int], planned: Mapping[str, int]) -> tuple[dict[str, int], str]:
    """The counts that a parcel of these planned units (by line_id) can have, and what is wrong with the others."""
    wrong = [_wrong(line, count, planned) for line, count in actual.items()]
    credible = {line: count for (line, count), why in zip(actual.items(), wrong, strict=True) if not why}
    return credible, "; ".join(filter(None, wrong))


def _wrong(line: str, count: int, planned: Mapping[str, int]) -> str:
    if line not in planned:
        return f"{count} of line {line}, which is not in this parcel"
    if count < 0:
        return f"{count} of line {line}"
    return f"{count} of line {line}, planned were {planned[line]}" if count > planned[line] else ""


def credible_numbers(fact: Fact) -> tuple[Fact, str]:
    """The fact without a waybill number or carrier that nobody can have, and what was wrong with it."""
    wrong = [name for name in ("waybill_no", "carrier") if not _printable(getattr(fact, name))]
    if not wrong:
        return fact, ""
    told = ", ".join(f"{name} {ascii(getattr(fact, name))[:60]}" for name in wrong)
    return fact.model_copy(update=dict.fromkeys(wrong)), f"no number of a parcel: {told}"


def _printable(number: str | None) -> bool:
    return number is None or (number.isprintable() and len(number) <= LONGEST_NUMBER)
