"""The store of returns: what the return workflow hands over, and what people read."""

from datetime import datetime

from domain.policy import Policy
from domain.returns.models import Admitted, ApplyReturn, ReopenReturn, ReturnView
from domain.returns.records import CodeIssued, CodeLookup, RefundReserved, ReserveRefund, ReturnWrite
from domain.returns.words import CaseStatus, Risk
from store.pool import Pool


class ReturnStore:
    """Every method is one transaction. Refusals (`OrderRefused`) are final; anything else may be repeated."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def admit(
        self, application: ApplyReturn, run_id: str, at: datetime, policy: Policy, risk: Risk = Risk.LOW
    ) -> Admitted:
        """Judge the application and hold its units and its money. Again with the same content: the same answer.

        Raises `ReturnRefused` (with every reason; its audit row is kept), `ReturnChanged`.
        """
        raise NotImplementedError

    async def reopen(self, message: ReopenReturn, run_id: str, at: datetime, policy: Policy) -> Admitted:
        """A linked case for goods that came after their case had closed: same units, no window, no new evidence.

        Raises `NoSuchReturn`, `CannotReopen` (the units are gone: a person decides), `ReturnChanged`.
        """
        raise NotImplementedError

    async def write(self, write: ReturnWrite) -> None:
        """Apply one visible change; repeated or late, it does no harm. Units and money are freed when it says so.

        Raises (final) `NoSuchReturn`, `ReturnWaybillTaken`, `RefundChanged`; (worth repeating)
        `StockWouldGoNegative`, `TicketNotOpenYet`.
        """
        raise NotImplementedError

    async def reserve_refund(self, message: ReserveRefund) -> RefundReserved:
        """Turn the held money into refunds, one a payment, before anybody is asked to pay. Again: the same parts.

        Refund numbers are `R{return_no}` for the first payment and `R{return_no}-2` … for further ones. Raises
        `PayoutRefused`, `NoSuchReturn`.
        """
        raise NotImplementedError

    async def issue_code(self, return_no: str, at: datetime) -> CodeIssued:
        """The case's return code; made once, the same ever after. Raises `NoSuchReturn`."""
        raise NotImplementedError

    async def look_up(self, lookup: CodeLookup) -> str:
        """Return number of a code. Raises `UnknownCode` (counted), `TooManyGuesses` (not even looked)."""
        raise NotImplementedError

    async def view(self, return_no: str) -> ReturnView | None:
        raise NotImplementedError

    async def list(
        self, *, order_no: str | None = None, status: CaseStatus | None = None, limit: int = 50
    ) -> tuple[ReturnView, ...]:
        """Newest first, without timelines."""
        raise NotImplementedError

    async def by_waybill(self, carrier: str | None, waybill_no: str) -> str | None:
        """Return number that a waybill belongs to: the newest case bound to it."""
        raise NotImplementedError
