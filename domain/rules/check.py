"""Whether a rule set may be saved, and what is worth a second look before it is published."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError
from zen import evaluate_expression, evaluate_unary_expression

from domain.catalog.records import CustomsMode
from domain.policy import FreightBack
from domain.returns.enums import Level
from domain.rules.cells import VALUE, BadCell, literal, names
from domain.rules.costs import MOST_TABLE_STEPS, PATTERN_STEPS, row_steps
from domain.rules.decision import LineFacts, OrderFacts
from domain.rules.engine import compiles, served, tariffs
from domain.rules.findings import Finding, errors
from domain.rules.overlap import competing
from domain.rules.reading import read_table
from domain.rules.route_checks import unsafe_answers
from domain.rules.sets import RuleSet
from domain.rules.tables import DIMENSIONS, SHAPES, Column, Kind, Output, RuleRow, RuleTable
from domain.strict import faults

ROUTES = ((Level.SYSTEM,), (Level.CS_SUPERVISOR,), (Level.CS_SUPERVISOR, Level.FINANCE))
"""Whom a case may need: the supervisor decides on the application, finance before payout, never the other way round."""
MOST_DAYS = 3650
LAWFUL_DAYS = 7
"""In which most goods may be sent back without a reason (consumer protection law, article 25)."""
HARD = ("customs", "temperature", "hazard")
"""Kinds of separation that a table had better have."""


class InvalidRuleSet(ValueError):
    """A rule set that cannot be saved. The text names every fault, one a line."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = findings


_ORDER = OrderFacts(
    channel="web", kind="normal", currency="CNY", amount_minor=19580, order_lines=2, order_qty=3, order_weight_g=1120,
    country="CN", province="浙江省", city="杭州市", district="西湖区", policy_priority=DIMENSIONS,
)  # fmt: skip
_LINE = LineFacts(
    line_id="L1", sku="A", qty=2, stock=1, line_amount_minor=9900, ship_from="WH-1", warehouses=("WH-1", "WH-2"),
    supplier="SELF", logistics="ambient", customs="domestic", cross_border=False, battery=False, hazard=False,
    weight_g=420,
)  # fmt: skip
_CASE: Mapping[str, Any] = {
    "small_max_minor": 10000, "type": "return_refund", "risk": "low", "exempt": False, "reason": "no_reason",
    "quality": False, "fault": "buyer",
}  # fmt: skip
_SAMPLE: Mapping[str, Any] = {**_ORDER.model_dump(mode="json"), **_LINE.model_dump(mode="json"), **_CASE}
"""A question in the right types: a condition that cannot be asked of it would never fit, and nobody would notice."""


def check(rule_set: RuleSet) -> tuple[Finding, ...]:
    """Everything that is wrong or odd, errors first. Every table has to be there."""
    found: list[Finding] = []
    tables: dict[str, RuleTable] = {}
    for name, shape in SHAPES.items():
        if name not in rule_set.tables:
            found.append(
                Finding(severity="error", table=name, text="is missing", advice="leave none of the tables out")
            )
            continue
        table, form = read_table(shape, rule_set.tables[name])
        found += form
        if table is not None and not form:
            found += (fault for row in table.rows for fault in _row(table, row))
            found += _too_slow(table)
            tables[name] = table
    if not errors(found):
        found += (warning for table in tables.values() for warning in competing(table))
        found += _together(tables)
        found += unsafe_answers(rule_set)
    return tuple(sorted(found, key=lambda finding: finding.severity))


def accept(rule_set: RuleSet) -> tuple[Finding, ...]:
    """The warnings. Raises `InvalidRuleSet` when there are errors."""
    findings = check(rule_set)
    if errors(findings):
        raise InvalidRuleSet(errors(findings))
    return findings


def _too_slow(table: RuleTable) -> Iterator[Finding]:
    """The first row that is too much: told at the row, since every cell may be fine by itself."""
    so_far = 0
    for row in () if table.shape.data else table.rows:
        so_far += row_steps(table, row)
        if so_far > MOST_TABLE_STEPS:
            text = f"makes the table too slow: from here on it needs more than {MOST_TABLE_STEPS} steps a line"
            advice = f"fewer rows; a `matches` counts as {PATTERN_STEPS} cells, so write startsWith or a list instead"
            yield _error(table, row, None, text, advice)
            return


def _row(table: RuleTable, row: RuleRow) -> Iterator[Finding]:
    before = 0
    for column in table.inputs:
        for text, advice in _condition(table, column, row.cells[column.id]):
            before += 1
            yield _error(table, row, column, text, advice)
    for output, column in ((o, c) for o in table.shape.outputs for c in table.outputs if c.field == o.field):
        for text, advice in _answer(table, output, row.cells[column.id]):
            before += 1
            yield _error(table, row, column, text, advice)
    if table.shape.data and not before:
        try:
            list(tariffs(RuleTable(table.shape, table.inputs, table.outputs, (row,))))
        except ValidationError as error:
            yield _error(table, row, None, "; ".join(faults(error).splitlines()), "see docs/rules.md, tariffs")


def _condition(table: RuleTable, column: Column, cell: str) -> Iterator[tuple[str, str]]:
    """Every non-empty cell is compiled, and asked once, so that it cannot be one that silently never fits."""
    if not cell:
        return
    try:
        if table.shape.data:
            served(cell)
            return
        names(cell, frozenset(table.shape.fields))
        compiles(cell, whole=column.field is None)
        if column.field is None:
            answer = evaluate_expression(cell, dict(_SAMPLE))
            if not isinstance(answer, bool):
                yield f"{cell[:60]!r} is neither true nor false", "write a comparison, such as ship_from != 'A'"
        else:
            evaluate_unary_expression(cell, {**_SAMPLE, VALUE: _SAMPLE[column.field]})
            yield from _about_others(table.shape.fields[column.field], column, cell)
            yield from _types(table.shape.fields[column.field], column, cell)
    except BadCell as error:
        yield f"{cell[:60]!r} {error.args[0]}", error.args[1]
    except RuntimeError as error:
        reason = str(error).split("\n", maxsplit=1)[0][:120]
        yield f"{cell[:60]!r} cannot be read as a condition ({reason})", "see docs/rules.md, conditions"


def _about_others(kind: Kind, column: Column, cell: str) -> Iterator[tuple[str, str]]:
    """`qty > 3` in the column ship_from would be compared with the warehouse."""
    if VALUE in cell or kind == "flag":
        return
    try:
        answer = evaluate_expression(cell, dict(_SAMPLE))
    except RuntimeError:
        return  # no whole condition, so it is about its column
    if isinstance(answer, bool):
        advice = "put it into a column without a field, or write $ for the value of this column"
        yield f"{cell[:60]!r} says nothing of {column.field}", advice


def _types(kind: Kind, column: Column, cell: str) -> Iterator[tuple[str, str]]:
    """A plain value of another type than the column's fits nothing, without an error."""
    bare = cell.removeprefix("==").removeprefix("!=").strip()
    try:
        parts = literal(bare if bare.startswith("[") else f"[{bare}]")
    except BadCell:
        return  # no plain value
    wanted = {"text": str, "texts": str, "whole": int, "flag": bool}[kind]
    if any(not isinstance(part, wanted) or (wanted is int and isinstance(part, bool)) for part in parts):
        yield f"{cell[:60]!r} compares {column.field}, which is {_KINDS[kind]}, with something else", ""
    elif column.field == "customs" and set(parts) - set(get_args(CustomsMode)):
        yield f"{cell[:60]!r} names no customs mode", f"modes are {', '.join(get_args(CustomsMode))}"
    elif kind == "texts":
        yield f"{cell[:60]!r} compares a list with one value", "write contains($, 'A')"


_KINDS = {"text": "text", "texts": "a list of texts", "whole": "a whole number", "flag": "true or false"}


def _answer(table: RuleTable, output: Output, cell: str) -> Iterator[tuple[str, str]]:
    fields = table.shape.fields
    if not cell:
        yield "is empty", f"it must be {_KINDS[output.kind]}"
        return
    if not table.shape.data and cell in fields:
        if fields[cell] != output.kind and not (output.kind == "texts" and fields[cell] == "text"):
            yield f"answers with the column {cell!r}, which is {_KINDS[fields[cell]]}", f"must be {_KINDS[output.kind]}"
        return
    try:
        value = literal(cell)
    except BadCell as error:
        yield error.args[0], error.args[1]
        return
    parts = value if isinstance(value, list) else [value]
    wanted = int if output.kind == "whole" else str
    lists = isinstance(value, list) and output.kind != "texts"
    if lists or not parts or not all(isinstance(p, wanted) and not isinstance(p, bool) and p != "" for p in parts):
        yield f"{cell[:60]!r} is not {_KINDS[output.kind]}", ""
    elif any(isinstance(p, str) and (len(p) > 40 or not p.isprintable()) for p in parts):
        yield f"{cell[:60]!r} is longer than 40 characters or not printable", ""
    elif len(set(parts)) != len(parts):
        yield f"{cell[:60]!r} names something twice", ""
    elif output.field == "priority" and sorted(parts) != sorted(DIMENSIONS):
        yield f"{cell[:60]!r} must name each of {', '.join(DIMENSIONS)} once", ""
    elif output.field == "levels" and tuple(parts) not in ROUTES:
        yield f"{cell[:60]!r} is no way to approve", f"write one of {'; '.join(', '.join(r) for r in ROUTES)}"
    elif output.field == "freight" and value not in get_args(FreightBack):
        yield f"{cell[:60]!r} is no way to give freight back", f"write one of {'; '.join(get_args(FreightBack))}"
    elif output.field == "days" and not 0 <= value <= MOST_DAYS:
        yield f"{cell[:60]!r} is no number of days", f"write 0 to {MOST_DAYS}"


def _together(tables: Mapping[str, RuleTable]) -> Iterator[Finding]:
    """What tables say of each other."""
    apart = tables["separation"]
    kinds = {value for row in apart.rows for value in _values(apart, row, "kind")}
    for kind in HARD:
        if kind not in kinds:
            text = f"keeps nothing apart by {kind!r}"
            yield Finding(severity="warning", table="separation", text=text, advice="the built-in table does")
    promised = tables["return_policy"]
    days = next(column.id for column in promised.outputs if column.field == "days")
    for row in promised.rows:
        if int(literal(row.cells[days])) < LAWFUL_DAYS:
            text = f"gives fewer than {LAWFUL_DAYS} days"
            advice = "the law gives buyers of most goods seven days to send them back without a reason"
            yield Finding(severity="warning", table="return_policy", row=row.rule_id, text=text, advice=advice)
    known = {tariff.carrier for tariff in tariffs(tables["tariffs"])}
    allowed = tables["carriers"]
    for row in allowed.rows:
        missing = [carrier for carrier in _values(allowed, row, "carriers") if known and carrier not in known]
        if missing:
            text = f"allows {', '.join(missing)}, which no tariff prices"
            yield Finding(severity="warning", table="carriers", row=row.rule_id, text=text, advice="add its tariff")


def _values(table: RuleTable, row: RuleRow, field: str) -> list[str]:
    cell = next(row.cells[c.id] for c in table.outputs if c.field == field)
    if cell in table.shape.fields:
        return []
    value = literal(cell)
    return value if isinstance(value, list) else [value]


def _error(table: RuleTable, row: RuleRow, column: Column | None, text: str, advice: str) -> Finding:
    name = column.name if column else None
    return Finding(severity="error", table=table.shape.name, row=row.rule_id, column=name, text=text, advice=advice)
