"""How a question to a person grows louder while nobody looks after it (R10)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from domain.order import Text
from domain.strict import Strict
from domain.timers import Seconds

Severity = Literal["info", "normal", "urgent"]
SEVERITIES: tuple[Severity, ...] = ("info", "normal", "urgent")
"""From the quietest to the loudest."""


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("a remark has to say something")
    return text


Remark = Annotated[Text, AfterValidator(_says_something)]
"""Why a ticket was answered so; nobody closes one without."""
Group = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Escalation(Strict):
    """When a ticket is raised by one severity and the next group is told; counted from its opening, from the last time
    it was raised, or from the moment somebody took it, whichever was latest. None: a ticket of that severity may lie.
    """

    info_after_s: Seconds | None = 3 * 86400
    normal_after_s: Seconds | None = 4 * 3600
    urgent_after_s: Seconds | None = 3600
    """An urgent ticket stays urgent; the next group is told until there is none."""
    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=9)] = ("support", "supervisors", "duty")
    """Who is told at the opening, then one further group each time."""

    def ages(self) -> tuple[int | None, ...]:
        """In the order of `SEVERITIES`."""
        return (self.info_after_s, self.normal_after_s, self.urgent_after_s)

    def group(self, level: int) -> str:
        """`level`: how often the ticket was raised."""
        return self.groups[min(level, len(self.groups) - 1)]


def louder(severity: Severity) -> Severity:
    return SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
