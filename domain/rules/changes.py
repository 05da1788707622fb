"""What differs between two rule sets, row by row, for whoever approves one."""

from collections.abc import Iterator
from typing import Literal

from domain.rules.reading import read_table
from domain.rules.sets import RuleSet, TableName
from domain.rules.tables import SHAPES, RuleRow, RuleTable
from domain.strict import Strict


class RowChange(Strict):
    """`before`, `after`: the row in words; None where there is none. `moved`: only its place differs."""

    table: str
    row: str
    what: Literal["added", "removed", "changed", "moved"]
    before: str | None = None
    after: str | None = None

    def __str__(self) -> str:
        said = {"added": f": {self.after}", "removed": f": {self.before}", "moved": ""}
        return f"{self.table} {self.what} {self.row}{said.get(self.what, f': {self.before} → {self.after}')}"


def changes(before: RuleSet, after: RuleSet) -> tuple[RowChange, ...]:
    """Rows are the same when their ids are. Order matters where the first row that fits counts."""
    found: list[RowChange] = []
    for name, shape in SHAPES.items():
        if name not in before.tables or name not in after.tables:
            continue
        old, new = (read_table(shape, rules.tables[name])[0] for rules in (before, after))
        if old is not None and new is not None:
            found += _of_table(old, new)
    return tuple(found)


def same_rules(one: RuleSet, other: RuleSet) -> bool:
    """The same rows with the same notes, however their documents are laid out. Of whole rule sets; the name is no
    rule."""
    return not changes(one, other) and all(_notes(one, name) == _notes(other, name) for name in SHAPES)


def _notes(rule_set: RuleSet, name: TableName) -> object:
    table, _ = read_table(SHAPES[name], rule_set.tables[name])
    return rule_set.tables[name] if table is None else {row.rule_id: row.note for row in table.rows}


def _of_table(old: RuleTable, new: RuleTable) -> Iterator[RowChange]:
    name = new.shape.name
    was, now = ({row.rule_id: _words(table, row) for row in table.rows} for table in (old, new))
    stayed = [row for row in was if row in now]
    order = [row for row in now if row in was]
    for row, text in was.items():
        if row not in now:
            yield RowChange(table=name, row=row, what="removed", before=text)
    for row, text in now.items():
        if row not in was:
            yield RowChange(table=name, row=row, what="added", after=text)
        elif was[row] != text:
            yield RowChange(table=name, row=row, what="changed", before=was[row], after=text)
        elif new.shape.hit == "first" and stayed.index(row) != order.index(row):
            yield RowChange(table=name, row=row, what="moved")


def _words(table: RuleTable, row: RuleRow) -> str:
    """`ship_from != "A", qty > 3 → group "x"`; the note is not part of the rule."""
    when = [f"{c.field or 'if'} {row.cells[c.id]}" for c in table.inputs if row.cells[c.id]]
    then = [f"{c.field} {row.cells[c.id]}" for c in table.outputs]
    return f"{', '.join(sorted(when)) or 'always'} → {', '.join(sorted(then))}".replace("'", '"')
