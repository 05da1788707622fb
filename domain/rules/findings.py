"""What is wrong, or worth a second look, in a rule set: by table, row and column, with what to do."""

from collections.abc import Iterable
from typing import Literal

from domain.strict import Strict


class Finding(Strict):
    severity: Literal["error", "warning"]
    table: str
    row: str | None = None
    """Rule id."""
    column: str | None = None
    text: str
    advice: str = ""

    def __str__(self) -> str:
        place = "".join(f", {what} {name}" for what, name in (("row", self.row), ("column", self.column)) if name)
        return f"{self.table}{place}: {self.text}{f' ({self.advice})' if self.advice else ''}"


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(f for f in findings if f.severity == "error")
