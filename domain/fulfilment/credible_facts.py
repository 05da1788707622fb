"""What of a fact can be believed: its counts and numbers. What cannot is told to a person and moves nothing."""

from collections.abc import Mapping

from domain.facts import Fact

LONGEST_NUMBER = 100
"""No carrier's number is longer; one that is would not fit into an index."""


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
