"""Evaluates a rule set: conditions by the rule engine `zen`, answers by us. Pure: same question, same decision.

Only the conditions of a table go into the engine, in a table of our own around them, which answers with the rule's id;
what the rule then says is looked up here. So no document of a person ever runs as a whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from zen import ZenEngine, compile_expression, compile_unary_expression

from domain.fulfilment.tariffs import ANY, Tariff, serves_region
from domain.policy import Dimension
from domain.rules.cells import literal, names
from domain.rules.costs import MANY_STEPS, MOST_ORDER_STEPS, table_steps
from domain.rules.decision import NO_RULE, LineDecision, RuleDecision, RuleQuestion, Separation
from domain.rules.reading import read_table
from domain.rules.sets import RuleSet, TableName, UnableToDecide
from domain.rules.tables import SHAPES, Kind, RuleRow, RuleTable

_RULE = "_rule"
_KEPT = 32


class _Question:
    """A compiled table: which columns it reads, and which rows fit."""

    def __init__(self, table: RuleTable, engine: ZenEngine) -> None:
        self.table, self._engine = table, engine
        self.rows: Mapping[str, RuleRow] = {row.rule_id: row for row in table.rows}
        self.reads = tuple(sorted(reads(table)))
        self.steps = table_steps(table)
        self._kinds = {output.field: output.kind for output in table.shape.outputs}
        self._answers = {
            (row.rule_id, column.field or ""): _answer(table, row.cells[column.id], self._kinds[column.field or ""])
            for row in table.rows
            for column in table.outputs
        }

    def fitting(self, contexts: Sequence[Mapping[str, Any]]) -> list[tuple[RuleRow, ...]]:
        """For each context the rows that count, in their order; none when no row fits."""
        if not self.rows:
            return [() for _ in contexts]
        # Lines that look alike to the table get one evaluation.
        keys = [tuple(context[name] for name in self.reads) for context in contexts]
        distinct = {key: {n: _json(v) for n, v in zip(self.reads, key, strict=True)} for key in keys}
        if self.steps * len(distinct) > MOST_ORDER_STEPS:
            raise ValueError(
                f"table {self.table.shape.name} needs {self.steps} steps for each of {len(distinct)} different lines, "
                f"more than {MOST_ORDER_STEPS} together"
            )
        # In parts, so that nobody waits for all of it.
        part = max(1, MANY_STEPS // max(self.steps, 1))
        asked, answers = list(distinct.values()), list[Any]()
        for begin in range(0, len(distinct), part):
            lines = asked[begin : begin + part]
            answers += self._engine.evaluate(self.table.shape.name, {"lines": lines})["result"]["lines"]
        found = {
            key: tuple(self.rows[hit[_RULE]] for hit in _hits(result))
            for key, result in zip(distinct, answers, strict=True)
        }
        return [found[key] for key in keys]

    def answer(self, row: RuleRow, field: str, context: Mapping[str, Any]) -> Any:
        """What the row says: the value that its cell spells out, or that of the column it names."""
        column, value = self._answers[row.rule_id, field]
        return _as(self._kinds[field], context[column]) if column else value


class RuleEngine:
    """A rule set ready to be asked, from many places at once."""

    def __init__(self, rule_set: RuleSet) -> None:
        """Raises `UnableToDecide` for a set that could not have been saved."""
        tables: dict[TableName, RuleTable] = {}
        for name, document in rule_set.tables.items():
            table, faults = read_table(SHAPES[name], document)
            if table is None or faults:
                raise UnableToDecide(f"rule set version {rule_set.version}: {'; '.join(map(str, faults))}")
            tables[name] = table
        content: dict[str, dict[str, Any]] = {
            name: engine_document(table) for name, table in tables.items() if not table.shape.data
        }
        engine = ZenEngine({"loader": {"type": "static", "content": content}})
        self.version = rule_set.version
        self._tables = {name: _Question(table, engine) for name, table in tables.items()}
        self._tariffs = tuple(tariff for table in tables.values() if table.shape.data for tariff in tariffs(table))

    def is_slow(self, question: RuleQuestion) -> bool:
        """Whether an event loop had better not wait for the decision."""
        return sum(table.steps for table in self._tables.values()) * len(question.lines) > MANY_STEPS

    def decide(self, question: RuleQuestion) -> RuleDecision:
        """Raises `UnableToDecide`."""
        order = dict(question.order)
        lines = [{**order, **dict(line)} for line in question.lines]
        try:
            priority, priority_rule = self._priority(order)
            return RuleDecision(
                version=self.version,
                split_priority=priority,
                priority_rule=priority_rule,
                lines=tuple(self._lines(lines)),
                tariffs=tuple(t for t in self._tariffs if serves_region(t, order["province"], order["city"])),
            )
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise UnableToDecide(
                f"rule set version {self.version} cannot decide ({type(error).__name__}: {str(error)[:200]}); "
                "look at its tables with `oms rules show` and publish a corrected version"
            ) from error

    def route(self, case: Mapping[str, Any]) -> tuple[tuple[str, ...], str] | None:
        """Who has to agree to an after-sales case, and the row that says so. None: no row fits, or the set was
        published before there was such a table. Raises `UnableToDecide`."""
        return self.routes([case])[0]

    def routes(self, cases: Sequence[Mapping[str, Any]]) -> list[tuple[tuple[str, ...], str] | None]:
        """The same of many cases."""
        return self.answers("approval_route", "levels", cases)

    def answers(self, name: TableName, field: str, asked: Sequence[Mapping[str, Any]]) -> list[tuple[Any, str] | None]:
        """What the first row that fits answers, and its id; None where none does, or there is no such table. Raises
        `UnableToDecide`."""
        if name not in self._tables:
            return [None] * len(asked)
        try:
            found = zip(asked, self._first(name, asked), strict=True)
            return [
                None if row is None else (table.answer(row, field, one), row.rule_id) for one, (table, row) in found
            ]
        except (RuntimeError, KeyError, TypeError, ValueError) as error:
            raise UnableToDecide(
                f"rule set version {self.version} cannot answer {name} ({type(error).__name__}: {str(error)[:200]})"
            ) from error

    def _priority(self, order: Mapping[str, Any]) -> tuple[tuple[Dimension, ...], str]:
        for table, row in self._first("dimension_order", [order]):
            if row is not None:
                return table.answer(row, "priority", order), row.rule_id
        return tuple(order["policy_priority"]), NO_RULE

    def _lines(self, lines: Sequence[Mapping[str, Any]]) -> Iterable[LineDecision]:
        groups = self._first("custom_split", lines)
        places = self._first("preferred_warehouse", lines)
        allowed = self._first("carriers", lines)
        apart = self._separations(lines)
        for n, line in enumerate(lines):
            (by_group, group), (by_place, place), (by_carrier, carrier) = groups[n], places[n], allowed[n]
            yield LineDecision(
                line_id=line["line_id"],
                group=by_group.answer(group, "group", line) if group else None,
                group_rule=group.rule_id if group else None,
                separations=apart[n],
                warehouses=by_place.answer(place, "warehouses", line) if place else (),
                warehouses_rule=place.rule_id if place else None,
                carriers=by_carrier.answer(carrier, "carriers", line) if carrier else None,
                carriers_rule=carrier.rule_id if carrier else None,
            )

    def _first(self, name: TableName, contexts: Sequence[Mapping[str, Any]]) -> list[tuple[_Question, RuleRow | None]]:
        table = self._tables[name]
        return [(table, rows[0] if rows else None) for rows in table.fitting(contexts)]

    def _separations(self, lines: Sequence[Mapping[str, Any]]) -> list[tuple[Separation, ...]]:
        table = self._tables["separation"]
        made: dict[tuple[str, str, str], Separation] = {}

        def of(row: RuleRow, line: Mapping[str, Any]) -> Separation:
            key = table.answer(row, "kind", line), table.answer(row, "value", line), row.rule_id
            if key not in made:
                made[key] = Separation(kind=key[0], value=key[1], rule_id=key[2])
            return made[key]

        fitting = table.fitting(lines)
        return [tuple(of(row, line) for row in rows) for line, rows in zip(lines, fitting, strict=True)]


def _answer(table: RuleTable, cell: str, kind: Kind) -> tuple[str | None, Any]:
    """The column that an output cell names, or the value that it spells out."""
    if cell in table.shape.fields and not table.shape.data:
        return cell, None
    return None, _as(kind, literal(cell))


def _as(kind: Kind, value: Any) -> Any:
    if kind == "texts":
        return (value,) if isinstance(value, str) else tuple(value)
    return value


def decide(rule_set: RuleSet, question: RuleQuestion) -> RuleDecision:
    """Ask a rule set. Raises `UnableToDecide`."""
    return engine_of(rule_set).decide(question)


def engine_of(rule_set: RuleSet) -> RuleEngine:
    """The compiled rule set; the last few are kept."""
    return _engine(rule_set.model_dump_json())


@lru_cache(maxsize=_KEPT)
def _engine(text: str) -> RuleEngine:
    return RuleEngine(RuleSet.model_validate_json(text))


def engine_document(table: RuleTable) -> dict[str, Any]:
    """The table as the engine gets it: our graph, the person's conditions, the rule's id for an answer."""
    inputs = [{"id": c.id, "name": c.id, **({"field": c.field} if c.field else {})} for c in table.inputs]
    rules = [
        {"_id": row.rule_id, **{c.id: row.cells[c.id] for c in table.inputs}, _RULE: f'"{row.rule_id}"'}
        for row in table.rows
    ]
    content = {
        "hitPolicy": table.shape.hit,
        "inputs": inputs,
        "outputs": [{"id": _RULE, "name": _RULE, "field": _RULE}],
        "rules": rules,
        "executionMode": "loop",
        "inputField": "lines",
        "outputPath": "lines",
    }
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": content},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
        ],
    }


def reads(table: RuleTable) -> frozenset[str]:
    """The columns that decide which row fits."""
    found = {column.field for column in table.inputs if column.field}
    for row in table.rows:
        for column in table.inputs:
            found |= names(row.cells[column.id], frozenset(table.shape.fields))
    return frozenset(found)


def compiles(cell: str, whole: bool) -> None:
    """Whether the engine can read a condition: a whole one, or one about its column. Raises `RuntimeError`."""
    (compile_expression if whole else compile_unary_expression)(cell)


def tariffs(table: RuleTable) -> Iterable[Tariff]:
    """A row with several warehouses, regions or kinds of goods is one tariff for each combination."""
    by_field = {column.field: column.id for column in (*table.inputs, *table.outputs)}
    for row in table.rows:
        where = {
            name: served(row.cells[by_field[name]]) if name in by_field else [ANY]
            for name in ("warehouse", "region", "logistics")
        }
        price = {o.field: literal(row.cells[by_field[o.field]]) for o in table.shape.outputs}
        for warehouse in where["warehouse"]:
            for region in where["region"]:
                for logistics in where["logistics"]:
                    place = {"warehouse": warehouse, "region": region, "logistics": logistics}
                    yield Tariff.model_validate({**place, **price, "rule_id": row.rule_id})


def served(cell: str) -> list[str]:
    """The values of a tariff's condition: `"A"`, `"A", "B"`; empty serves all. Raises `BadCell`."""
    if not cell:
        return [ANY]
    value = literal(cell if cell.startswith("[") else f"[{cell}]")
    return [str(part) for part in value]


def _hits(result: Any) -> list[Mapping[str, str]]:
    """The engine answers with a list for `collect`, with one answer or None for `first`."""
    return result if isinstance(result, list) else [] if result is None else [result]


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
