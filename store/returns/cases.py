"""The store of returns: what the return workflow hands over, and what people read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from domain.policy import Policy
from domain.returns.admission import Judgement
from domain.returns.enums import CaseStatus, Risk
from domain.returns.models import Admitted, ApplyReturn, Quote, ReopenReturn, ReturnView
from domain.returns.records import CodeIssued, CodeLookup, RefundReserved, ReserveRefund, ReturnWrite
from domain.strict import of
from store.pool import Connection, Pool
from store.returns import admitting, codes, paying, reading, writing
from store.returns.admitting import AdmissionContext
from store.returns.errors import ReturnRefused, TooManyGuesses, UnknownCode


class ReturnStore:
    """Every method is one transaction. Refusals (`OrderRefused`) are final; anything else may be repeated."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # Workflows

    async def admit(
        self, application: ApplyReturn, run_id: str, at: datetime, policy: Policy, risk: Risk = Risk.LOW
    ) -> Admitted:
        """Judge the application and hold its units and its money. Again with the same content: the same answer.

        Raises `ReturnRefused` (with every reason; its audit row is kept), `ReturnChanged`.
        """
        asked = AdmissionContext(run_id, at, policy, risk)
        try:
            async with self._transaction() as connection:
                return await admitting.admit(connection, application, asked)
        except ReturnRefused as refused:
            async with self._transaction() as connection:
                await admitting.refuse(connection, application, refused, asked)
            raise

    async def reopen(self, message: ReopenReturn, run_id: str, at: datetime, policy: Policy) -> Admitted:
        """A linked case for goods that came after their case had closed: same units, no window, no new evidence.

        Raises `NoSuchReturn`, `CannotReopen` (the units are gone: a person decides), `ReturnChanged`.
        """
        async with self._transaction() as connection:
            return await admitting.reopen(connection, message, AdmissionContext(run_id, at, policy))

    async def write(self, write: ReturnWrite) -> None:
        """Apply one visible change; repeated or late, it does no harm. Units and money are freed when it says so.

        Raises (final) `NoSuchReturn`, `RefundChanged`; (worth repeating)
        `StockWouldGoNegative`, `TicketNotOpenYet`.
        """
        async with self._transaction() as connection:
            await writing.apply_write(connection, write)

    async def reserve_refund(self, message: ReserveRefund) -> RefundReserved:
        """Turn the held money into refunds, one a payment, before anybody is asked to pay. Again: the same parts.

        Refund numbers are `R{return_no}` for the first payment and `R{return_no}-2` … for further ones. Raises
        `PayoutRefused`, `RefundChanged`, `NoSuchReturn`.
        """
        async with self._transaction() as connection:
            return await paying.reserve_refund(connection, message)

    # The desk

    async def issue_code(self, return_no: str, at: datetime) -> CodeIssued:
        """The case's return code; made once, the same ever after. Raises `NoSuchReturn`."""
        async with self._transaction() as connection:
            return await codes.issue(connection, return_no, at)

    async def look_up(self, lookup: CodeLookup) -> str:
        """Return number of a code. Raises `UnknownCode` (counted), `TooManyGuesses` (not even looked)."""
        async with self._transaction() as connection:
            wait = await codes.retry_after(connection, lookup)
            found = None if wait is not None else await codes.find(connection, lookup)
            if wait is None and found is None:
                await codes.count_miss(connection, lookup)
        if wait is not None:
            raise TooManyGuesses(lookup.who, wait)
        if found is None:
            raise UnknownCode("no open or closed case has this return code; check the slip and type it again")
        return found

    async def at_the_desk(self, lookup: CodeLookup) -> tuple[str, str]:
        """The case that has the goods of a code, and its own code: a closed one's parcel belongs to the linked one.
        Raises `UnknownCode`, `TooManyGuesses`: guessing is counted and then refused."""
        number = await self.look_up(lookup)
        async with self._pool.acquire() as connection:
            linked = await connection.fetchrow(codes.LINKED, number)
        return (number, lookup.code) if linked is None else (linked["return_no"], linked["code"])

    # People

    async def view(self, return_no: str) -> ReturnView | None:
        # One snapshot for all its parts.
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            return await reading.view(connection, return_no)

    async def list(
        self, *, order_no: str | None = None, status: CaseStatus | None = None, limit: int = 50
    ) -> tuple[ReturnView, ...]:
        """Newest first, without stories, units and parcels."""
        async with self._pool.acquire() as connection:
            return await reading.page(connection, order_no, status, limit)

    async def application(self, return_no: str) -> ApplyReturn | None:
        """As it was admitted; None: there is no such case."""
        found = await self._pool.fetchval(admitting.APPLICATION, return_no)
        return None if found is None else of(ApplyReturn, found)

    async def forecast(self, application: ApplyReturn, policy: Policy, at: datetime) -> tuple[Judgement, Quote | None]:
        """Whether it would become a case now, and what it would pay; nothing is held. Raises `ReturnRefused`."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            return await admitting.forecast(connection, application, AdmissionContext("", at, policy))

    async def by_waybill(self, carrier: str | None, waybill_no: str) -> str | None:
        """Return number that a waybill belongs to: the same carrier's first, the newest case."""
        found: str | None = await self._pool.fetchval(reading.BY_WAYBILL, carrier, waybill_no)
        return found

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection
