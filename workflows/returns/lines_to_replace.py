"""What goes out in exchange, by line: as many as the desk has accepted, and as many as the warehouse finds."""

from activities.return_messages import ReplacementLine
from domain.facts import Fact
from domain.fulfilment.credible_facts import by_line
from workflows.returns.inspection import Inspection


def lines_to_replace(inspection: Inspection) -> tuple[ReplacementLine, ...]:
    counts: dict[str, int] = {}
    for run in inspection.accepted_units():
        counts[run.line_id] = counts.get(run.line_id, 0) + run.units
    return tuple(
        ReplacementLine(
            line_id=line.line_id, sku=line.replacement_sku, name=line.name, warehouse=line.warehouse,
            weight_g=line.weight_g, qty=counts[line.line_id],
        )
        for line in inspection.lines if line.line_id in counts
    )  # fmt: skip


def found_of(fact: Fact, lines: tuple[ReplacementLine, ...]) -> dict[str, int] | None:
    """Units of the replacement that the warehouse says it has."""
    if fact.actual is not None or fact.actual_items is None:
        return fact.actual
    return by_line(fact.actual_items, {x.line_id: x.qty for x in lines}, {x.line_id: x.sku for x in lines})
