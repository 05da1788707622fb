"""What asking a table costs, counted and not timed: so that a slow table is refused the same way on every machine, when
it is saved and where it is asked.

One step is a plain cell compared once, under 2 µs. A pattern is compiled anew each time it is asked: up to 1 ms.
"""

import re
from collections.abc import Mapping

from domain.rules.tables import RuleRow, RuleTable

PATTERN_STEPS = 500
MOST_TABLE_STEPS = 10_000
"""Of one line: twenty patterns, or 500 rows with twenty cells each."""
MOST_ORDER_STEPS = 10_000_000
"""Of all lines of an order that differ, a table: about a quarter of a minute."""
MANY_STEPS = 100_000
"""From here on an event loop had better not wait for it."""
_PATTERN = re.compile(r"\bmatches\s*\(")


def row_steps(table: RuleTable, row: RuleRow) -> int:
    return sum(_cell_steps(row.cells, column.id) for column in table.inputs)


def table_steps(table: RuleTable) -> int:
    """Asked about one line. Tables of data are looked up, not asked."""
    return 0 if table.shape.data else sum(row_steps(table, row) for row in table.rows)


def _cell_steps(cells: Mapping[str, str], column: str) -> int:
    cell = cells[column]
    return (1 if cell else 0) + PATTERN_STEPS * len(_PATTERN.findall(cell))
