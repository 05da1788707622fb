"""What every write into the books has in common, an order's and a return's."""

from datetime import datetime
from typing import Protocol, TypedDict

from domain.records import AuditEntry, EventRecord, RefundRecord, StockMove, TicketRecord, TicketResolution


class Pending(TypedDict):
    """The part of a write that orders and returns have in common."""

    seq: int
    at: datetime
    waiting_for: str
    needs_attention: bool
    ended: bool
    events: tuple[EventRecord, ...]
    moves: tuple[StockMove, ...]
    refunds: tuple[RefundRecord, ...]
    tickets: tuple[TicketRecord, ...]
    resolutions: tuple[TicketResolution, ...]
    audit: tuple[AuditEntry, ...]


class Written(Protocol):
    """What every write carries of it."""

    @property
    def seq(self) -> int: ...
    @property
    def events(self) -> tuple[EventRecord, ...]: ...
    @property
    def moves(self) -> tuple[StockMove, ...]: ...
    @property
    def refunds(self) -> tuple[RefundRecord, ...]: ...
    @property
    def tickets(self) -> tuple[TicketRecord, ...]: ...
    @property
    def resolutions(self) -> tuple[TicketResolution, ...]: ...
    @property
    def audit(self) -> tuple[AuditEntry, ...]: ...
