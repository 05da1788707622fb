"""How a case ends before its normal end: rejected, taken back, never sent, nothing accepted."""

from domain.returns.axis import Event


class CaseOver(Exception):
    """Raised inside the case's process only; `run` turns it into the case's end."""

    def __init__(self, event: Event, reason: str, *, by: str = "system", role: str = "SYSTEM") -> None:
        super().__init__(reason)
        self.event, self.reason, self.by, self.role = event, reason, by, role
